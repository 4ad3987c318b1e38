//! The two kinds of text in a session: the name of a key, and a value as encoded JSON.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::{Error, ErrorKind, Result};

/// The name of a key: 1 to 128 bytes of UTF-8 without control characters. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(SmolStr);

impl Name {
    /// Checks and keeps the name. A short one needs no allocation.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if it is empty, over 128 bytes, or holds a control character.
    pub fn new(name: &str) -> Result<Self> {
        check(name)?;
        Ok(Name(kept(name)))
    }

    /// As [`new`](Self::new), without copying.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn from_static(name: &'static str) -> Result<Self> {
        check(name)?;
        Ok(Name(SmolStr::new_static(name)))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As `SmolStr::new`, in two thirds of the time: of a short text that one makes a copy aside, and
/// reading it back at once stalls the processor.
fn kept(text: &str) -> SmolStr {
    const INLINE: usize = 23;
    if text.len() <= INLINE {
        SmolStr::new_inline(text)
    } else {
        SmolStr::new(text)
    }
}

fn check(name: &str) -> Result<()> {
    // For ASCII the bytes tell.
    let is_plain = name.bytes().all(|byte| matches!(byte, 0x20..0x7f));
    if (1..=128).contains(&name.len()) && (is_plain || !name.chars().any(char::is_control)) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Invalid,
        "a session key is 1 to 128 bytes long and has no control characters",
    ))
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A value as its encoded JSON text, kept byte for byte and decoded only when it is asked for.
/// Cheap to clone. `Debug` shows the length alone: values are the users' own.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(SmolStr);

impl Text {
    /// Encodes a value. A short text needs no allocation.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Encode`] if it has no JSON form, such as a map whose keys are not strings.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let mut buffer = SmallVec::<[u8; 256]>::new();
        serde_json::to_writer(&mut buffer, value).map_err(|error| {
            Error::new(ErrorKind::Encode, "the value can't be written as JSON").with_source(error)
        })?;
        // serde_json writes UTF-8 only; were it not so, that is an error and no panic.
        let text = std::str::from_utf8(&buffer).map_err(|error| {
            Error::new(ErrorKind::Encode, "the value was not written as UTF-8").with_source(error)
        })?;
        Ok(Text(kept(text)))
    }

    /// Takes text that a store kept. It is not parsed: what can't be decoded harms only its own
    /// key, and only when that is read.
    pub fn from_encoded(text: &str) -> Self {
        Text(kept(text))
    }

    /// Decodes the value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Decode`] if the text is not a `T`.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.0).map_err(|error| {
            let wanted = std::any::type_name::<T>();
            // serde_json's message can quote the value; only its place and category are kept.
            let at = format!("{:?} at column {}", error.classify(), error.column());
            Error::new(
                ErrorKind::Decode,
                format!("the stored value is not a {wanted}"),
            )
            .with_source(at)
        })
    }

    /// The encoded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let long = "x".repeat(129);
        for bad in ["", "a\nb", "\u{7f}", "\0", &long] {
            assert_eq!(Name::new(bad).unwrap_err().kind(), ErrorKind::Invalid);
        }
        for good in ["a", "käse", "a \"b\" \\ c", &long[..128]] {
            assert_eq!(Name::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_text_is_kept_whole_whatever_its_length() {
        for length in 1..=40 {
            let text = "x".repeat(length);
            assert_eq!(Name::new(&text).unwrap().as_str(), text);
            assert_eq!(Text::from_encoded(&text).as_str(), text);
        }
    }

    #[test]
    fn extreme_values_round_trip() {
        fn check<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug>(value: &T) {
            assert_eq!(Text::encode(value).unwrap().decode::<T>().unwrap(), *value);
        }
        check(&u64::MAX);
        check(&i64::MIN);
        check(&1e308_f64);
        check(&f64::MIN_POSITIVE);
        check(&"NUL \0 and \u{10ffff}".to_owned());
        check(&None::<u8>);
        assert!(
            Text::encode(&-0.0_f64)
                .unwrap()
                .decode::<f64>()
                .unwrap()
                .is_sign_negative()
        );
    }

    #[test]
    fn an_undecodable_value_is_a_typed_error_that_does_not_quote_it() {
        let error = Text::from_encoded("\"secret-value\"")
            .decode::<u64>()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(!format!("{error:?} {error}").contains("secret-value"));
    }
}
