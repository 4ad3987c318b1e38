//! A strict reader of JSON: it finds the members of an object and checks everything between them.
//!
//! `serde_json` reads what a signature has to be careful with: a member that is there twice, and
//! the last one of them wins; bytes around the value; nesting of any depth that the stack bears.
//! This reader keeps each value as the text that it is, so that a session's values come back byte
//! for byte, and so that nothing is decoded before somebody asks for it.

use std::borrow::Cow;

/// How deep arrays and objects may nest, the outermost object included.
pub(crate) const DEEPEST: usize = 32;

/// The most members of a header or of a key, and of those claims that are not ours; a session's
/// own keys stand one level below and are not bounded by this.
const MOST_MEMBERS: usize = 64;

/// Reads an object that is all of the text, down to the last byte, and hands each member over: its
/// name without escapes, and its value as text. `None` where the text is no such object, a name is
/// there twice (however it was escaped), or `member` does not like what it got.
pub(crate) fn object<'a>(
    text: &'a str,
    mut member: impl FnMut(&str, &'a str) -> Option<()>,
) -> Option<()> {
    let mut seen = Names::default();
    members(text, 1, |name, value| {
        member(&name, value)?;
        seen.add(name)
    })
}

/// Names of members that were there already.
#[derive(Debug, Default)]
pub(crate) struct Names<'a>(Vec<Cow<'a, str>>);

impl<'a> Names<'a> {
    /// Adds a name, unless it is there already or there are too many.
    pub(crate) fn add(&mut self, name: Cow<'a, str>) -> Option<()> {
        (self.0.len() < MOST_MEMBERS && !self.0.contains(&name)).then_some(())?;
        self.0.push(name);
        Some(())
    }
}

/// As [`object`], but whoever takes the members sees to it that none is there twice; `depth` objects
/// are around each of them.
pub(crate) fn members<'a>(
    text: &'a str,
    depth: usize,
    mut member: impl FnMut(Cow<'a, str>, &'a str) -> Option<()>,
) -> Option<()> {
    let mut reader = Reader { text, at: 0 };
    reader.take(b'{')?;
    reader.skip_space();
    if reader.take(b'}').is_none() {
        loop {
            let name = reader.string()?;
            reader.skip_space();
            reader.take(b':')?;
            reader.skip_space();
            let start = reader.at;
            reader.value(depth)?;
            member(name.unescape()?, &text[start..reader.at])?;
            reader.skip_space();
            if reader.take(b',').is_none() {
                break reader.take(b'}')?;
            }
            reader.skip_space();
        }
    }
    (reader.at == text.len()).then_some(())
}

/// Whether the text is one value and nothing else, and can stand at this depth of a token.
pub(crate) fn is_value(text: &str, depth: usize) -> bool {
    let mut reader = Reader { text, at: 0 };
    reader.value(depth).is_some() && reader.at == text.len()
}

/// The string that a value is.
pub(crate) fn string(value: &str) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix('"')?.strip_suffix('"')?;
    // The reader has checked it: what begins with a quotation mark is one string.
    let has_escapes = inner.as_bytes().contains(&b'\\');
    Raw { inner, has_escapes }.unescape()
}

/// The whole number that a value is, if it is not negative: digits, without point or exponent.
pub(crate) fn integer(value: &str) -> Option<u64> {
    // The reader has refused leading zeros; a sign, a point or an exponent are no digits.
    value
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(())?;
    value.parse().ok()
}

/// The elements of an array of strings.
pub(crate) fn strings(value: &str) -> Option<Vec<String>> {
    serde_json::from_str(value).ok()
}

/// The elements of an array, as their texts.
pub(crate) fn elements(value: &str) -> Option<Vec<&str>> {
    let mut reader = Reader { text: value, at: 0 };
    let mut elements = Vec::new();
    (reader.peek()? == b'[').then_some(())?;
    reader.nested(1, b']', |reader| {
        let start = reader.at;
        reader.value(2)?;
        elements.push(&value[start..reader.at]);
        Some(())
    })?;
    (reader.at == value.len()).then_some(elements)
}

/// Writes a string with its quotation marks.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    if is_plain(text) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, text).expect("a string has a JSON form, and a Vec takes it");
    }
}

/// How many bytes [`write_string`] writes.
pub(crate) fn string_len(text: &str) -> usize {
    if is_plain(text) {
        return text.len() + 2;
    }
    let mut escaped = Vec::new();
    write_string(&mut escaped, text);
    escaped.len()
}

/// Writes a whole number.
pub(crate) fn write_integer(out: &mut Vec<u8>, number: u64) {
    serde_json::to_writer(out, &number).expect("a number has a JSON form, and a Vec takes it");
}

/// Writes a member's name, with the comma before it unless it is the first.
pub(crate) fn write_name(out: &mut Vec<u8>, name: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    write_string(out, name);
    out.push(b':');
}

fn is_plain(text: &str) -> bool {
    plain(text.as_bytes()) == text.len()
}

/// How many bytes from here on stand for themselves in a string: up to the first quotation mark,
/// backslash or control character.
pub(crate) fn plain(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let mut at = 0;
    // Eight at a time: a byte is below a bound if subtracting that borrows from its upper bit.
    while let Some(bytes) = text[at..].first_chunk() {
        let bytes = u64::from_le_bytes(*bytes);
        let below = |bytes: u64, bound: u64| bytes.wrapping_sub(bound * ONES) & !bytes;
        let is = |byte: u8| below(bytes ^ (u64::from(byte) * ONES), 1);
        if (below(bytes, 0x20) | is(b'"') | is(b'\\')) & (0x80 * ONES) != 0 {
            break;
        }
        at += 8;
    }
    let stands = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    at + text[at..].iter().take_while(|byte| stands(byte)).count()
}

/// What stands between the quotation marks of a string.
struct Raw<'a> {
    inner: &'a str,
    has_escapes: bool,
}

impl<'a> Raw<'a> {
    fn unescape(self) -> Option<Cow<'a, str>> {
        if !self.has_escapes {
            return Some(Cow::Borrowed(self.inner));
        }
        let quoted = format!("\"{}\"", self.inner);
        serde_json::from_str(&quoted).ok().map(Cow::Owned)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Option<Raw<'a>> {
        self.take(b'"')?;
        let start = self.at;
        let mut has_escapes = false;
        loop {
            self.at += plain(&self.text.as_bytes()[self.at..]);
            match self.peek()? {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return None,
            }
            has_escapes = true;
        }
        let inner = &self.text[start..self.at];
        self.at += 1;
        Some(Raw { inner, has_escapes })
    }

    fn escape(&mut self) -> Option<()> {
        let (first, digits) = self.text.as_bytes()[self.at + 1..].split_first()?;
        self.at += match first {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' if digits.get(..4)?.iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return None,
        };
        Some(())
    }

    /// Any value; `depth` arrays and objects are around it.
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'{' => self.nested(depth, b'}', |reader| {
                reader.string()?;
                reader.skip_space();
                reader.take(b':')?;
                reader.skip_space();
                reader.value(depth + 1)
            }),
            b'[' => self.nested(depth, b']', |reader| reader.value(depth + 1)),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    fn nested(
        &mut self,
        depth: usize,
        end: u8,
        mut element: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        (depth < DEEPEST).then_some(())?;
        self.at += 1;
        self.skip_space();
        if self.take(end).is_some() {
            return Some(());
        }
        loop {
            element(self)?;
            self.skip_space();
            if self.take(b',').is_none() {
                return self.take(end);
            }
            self.skip_space();
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text[self.at..]
            .starts_with(word)
            .then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<(String, String)>> {
        let mut all = Vec::new();
        object(text, |name, value| {
            all.push((name.to_owned(), value.to_owned()));
            Some(())
        })?;
        Some(all)
    }

    #[test]
    fn a_value_is_kept_as_its_text() {
        let text = r#"{ "a" :1.50e+3 , "b": [1, {"x" : "\u00e9\\"}] ,"":null}"#;
        let all = read(text).unwrap();
        let values: Vec<_> = all.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["1.50e+3", r#"[1, {"x" : "\u00e9\\"}]"#, "null"]);
        assert!(read("{}").is_some_and(|none| none.is_empty()));
    }

    #[test]
    fn what_is_no_object_or_not_all_of_the_text_is_refused() {
        for bad in [
            "",
            " {}",
            "{} ",
            "{}x",
            "\u{feff}{}",
            "[]",
            "1",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{\"a\" 1}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":.5}",
            "{\"a\":1.}",
            "{\"a\":1e}",
            "{\"a\":-}",
            "{\"a\":NaN}",
            "{\"a\":t}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\u12g4\"}",
            "{\"a\":\"",
            "{\"a\":[1,]}",
            "{\"a\":[1 2]}",
            "{\"a\":1}{\"b\":2}",
            "{\"\\ud800\":1}",
        ] {
            assert!(read(bad).is_none(), "{bad:?} was read");
        }
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused_however_it_is_written() {
        assert!(read(r#"{"sub":1,"sub":1}"#).is_none());
        assert!(read(r#"{"sub":1,"\u0073ub":2}"#).is_none());
        assert!(read(r#"{"sub":1,"Sub":2}"#).is_some());
    }

    #[test]
    fn nesting_is_bounded_exactly() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(DEEPEST - 1)).is_some());
        assert!(read(&nested(DEEPEST)).is_none());
        assert!(read(&nested(100_000)).is_none());
    }

    #[test]
    fn only_digits_are_a_whole_number() {
        assert_eq!(integer("18446744073709551615"), Some(u64::MAX));
        for bad in [
            "18446744073709551616",
            "-1",
            "1.0",
            "1e3",
            "\"1\"",
            "null",
            "true",
            "[1]",
        ] {
            assert_eq!(integer(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_stands_for_itself_ends_where_the_first_other_byte_is() {
        for length in 0..20 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut text = vec![b'a'; length];
                    text[at] = byte;
                    let stands = byte >= 0x20 && byte != b'"' && byte != b'\\';
                    assert_eq!(plain(&text), if stands { length } else { at }, "{text:?}");
                }
            }
        }
    }

    proptest::proptest! {
        /// What `serde_json` writes is read, and gives the same members.
        #[test]
        fn what_is_json_is_read(map: std::collections::BTreeMap<String, Vec<f64>>) {
            let text = serde_json::to_string(&map).unwrap();
            if map.len() <= MOST_MEMBERS {
                let names: Vec<_> = read(&text).unwrap().into_iter().map(|(name, _)| name).collect();
                proptest::prop_assert_eq!(names, map.into_keys().collect::<Vec<_>>());
            }
        }

        #[test]
        fn anything_is_read_or_refused_without_a_panic(text in "[\\[\\]{}\",:\\\\u0-9a-f.eE+ntr -]{0,60}|\\PC*") {
            let ours = is_value(&text, 0);
            // What is accepted here is JSON to others, too.
            if ours && serde_json::from_str::<serde_json::Value>(&text).is_err() {
                // But for numbers beyond a double and lone halves of a pair, which are syntax.
                let excused = text.contains(['e', 'E']) || text.contains("\\u") || text.len() > 300;
                proptest::prop_assert!(excused, "{}", text);
            }
        }
    }
}
