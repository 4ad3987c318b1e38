//! What a loader gave, held against the description of every key.

use super::problem::Problems;
use super::shape::{Form, Key, Shape, Table};
use super::value::Value;
use super::{duration, near, url};

/// What stands in place of a secret.
const HIDDEN: &str = "***";

/// The values in their own types. What is wrong is a problem, and [`Value::Null`] in the result;
/// so it is still *there*, and is not missed as well.
pub(super) fn examine(given: Value, table: &Table, path: &str, problems: &mut Problems) -> Value {
    let given = match given {
        Value::Table(entries) => entries,
        other => {
            problems.add(
                path,
                format!(
                    "is {}: write a table with {}",
                    other.kind(),
                    either(table.names(), "and")
                ),
            );
            return Value::Null;
        }
    };
    let mut seen: Vec<(String, Value)> = Vec::new();
    for (name, value) in given {
        let at = join(path, &name);
        let Some(key) = table.key(&name) else {
            problems.add(&at, unknown(&name, table));
            continue;
        };
        if seen.iter().any(|(earlier, _)| *earlier == name) {
            problems.add(&at, "is there twice: remove one");
        } else if value != Value::Null {
            seen.push((name, examine_one(value, &key.shape, &at, problems)));
        }
    }
    for required in table.required {
        if !seen.iter().any(|(name, _)| name == required) {
            problems.add(&join(path, required), missing(table, required));
        }
    }
    check_one_of(&seen, table, path, problems);
    // So that what is shown does not depend on the loader.
    seen.sort_by_key(|(name, _)| table.names().position(|known| known == name));
    Value::Table(seen)
}

/// The same without what is secret.
pub(super) fn redact(value: &Value, shape: &Shape) -> Value {
    match (shape, value) {
        (Shape::Secret, _) => Value::text(HIDDEN),
        (Shape::Url, Value::Text(text)) => Value::Text(url::redact(text)),
        (Shape::List(each), Value::List(items)) => {
            Value::List(items.iter().map(|item| redact(item, each)).collect())
        }
        (Shape::Table(table), Value::Table(entries)) => {
            let entries = entries.iter().filter_map(|(name, value)| {
                Some((name.clone(), redact(value, &table.key(name)?.shape)))
            });
            Value::Table(entries.collect())
        }
        _ => value.clone(),
    }
}

fn examine_one(value: Value, shape: &Shape, path: &str, problems: &mut Problems) -> Value {
    let examined = match *shape {
        Shape::Table(table) => return examine(value, table, path, problems),
        Shape::List(each) => return examine_list(value, each, path, problems),
        Shape::TextOrMap { name, each, .. } if matches!(value, Value::Table(_)) => {
            return examine_map(&value, name, each, path, problems);
        }
        Shape::Text(form) | Shape::TextOrMap { text: form, .. } => text(value, form),
        Shape::Secret => match value {
            // A number would not be quoted right; nor is it secret enough.
            Value::Text(secret) => Ok(Value::Text(secret)),
            other => Err(format!("is {}: write text, in quotes", other.kind())),
        },
        Shape::Url => match value {
            Value::Text(text) => url::check(&text).map(|()| Value::Text(text)),
            other => Err(format!("is {}: write a URL, in quotes", other.kind())),
        },
        Shape::Word(words) => word(&value, words),
        Shape::Flag => match &value {
            Value::Flag(_) => Ok(value),
            Value::Text(text) if text == "true" => Ok(Value::Flag(true)),
            Value::Text(text) if text == "false" => Ok(Value::Flag(false)),
            other => Err(format!("is {}: write true or false", other.kind())),
        },
        Shape::Count(least) => count(&value, least),
        Shape::Duration => match &value {
            Value::Text(text) => duration::parse(text)
                .map(|_| value.clone())
                .map_err(str::to_owned),
            Value::Number(_) => Err(duration::NO_UNIT.to_owned()),
            other => Err(format!(
                "is {}: write a duration such as \"30m\"",
                other.kind()
            )),
        },
    };
    examined.unwrap_or_else(|message| {
        problems.add(path, message);
        Value::Null
    })
}

/// A loader of the environment may take a name such as `2026` for a number.
fn text(value: Value, form: &Form) -> Result<Value, String> {
    let text = match value {
        Value::Text(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        other => {
            return Err(format!(
                "is {}: write text, such as \"{}\"",
                other.kind(),
                form.example
            ));
        }
    };
    (form.check)(&text).map(|()| Value::Text(text))
}

/// A word that is not near to any is not repeated: it may be a secret in the wrong place.
fn word(value: &Value, words: &[&str]) -> Result<Value, String> {
    let quoted = || either(words.iter().map(|word| format!("\"{word}\"")), "or");
    let Value::Text(text) = value else {
        return Err(format!("is {}: write {}", value.kind(), quoted()));
    };
    if words.contains(&text.as_str()) {
        return Ok(value.clone());
    }
    Err(match near::nearest(text, words.iter().copied()) {
        Some(near) => format!("\"{text}\" is none of its words: write \"{near}\""),
        None => format!("is none of its words: write {}", quoted()),
    })
}

fn count(value: &Value, least: u32) -> Result<Value, String> {
    let number = match value {
        Value::Number(number) => *number,
        Value::Text(text) => text.parse().map_err(|_| "is text: write a whole number")?,
        other => return Err(format!("is {}: write a whole number", other.kind())),
    };
    match usize::try_from(number) {
        Ok(_) if number >= least.into() => Ok(Value::Number(number)),
        Ok(_) => Err(format!("is {number}: write {least} or more")),
        Err(_) if number < 0 => Err(format!("is below 0: write {least} or more")),
        Err(_) => Err("is more than this machine can count".into()),
    }
}

/// From the environment a list may come as one text with commas, or as a table from "0" on.
fn examine_list(value: Value, each: &Shape, path: &str, problems: &mut Problems) -> Value {
    let items = match value {
        Value::List(items) => items,
        Value::Text(text) if !matches!(each, Shape::Table(_)) => text
            .split(',')
            .map(|item| Value::text(item.trim()))
            .collect(),
        Value::Table(mut entries) if is_numbered(&entries) => {
            entries.sort_by_key(|(name, _)| name.parse::<u16>().ok());
            entries.into_iter().map(|(_, value)| value).collect()
        }
        other => {
            problems.add(path, format!("is {}: write a list, in [ ]", other.kind()));
            return Value::Null;
        }
    };
    let items = items
        .into_iter()
        .enumerate()
        .map(|(at, item)| examine_one(item, each, &join(path, &at.to_string()), problems));
    Value::List(items.collect())
}

fn is_numbered(entries: &[(String, Value)]) -> bool {
    !entries.is_empty() && entries.iter().all(|(name, _)| name.parse::<u16>().is_ok())
}

fn examine_map(
    value: &Value,
    name: &Form,
    each: &Form,
    path: &str,
    problems: &mut Problems,
) -> Value {
    let mut seen: Vec<(String, Value)> = Vec::new();
    let mut is_good = true;
    for (key, value) in value.entries() {
        let at = join(path, key);
        if problems.check(&at, (name.check)(key)).is_none() {
            is_good = false;
            continue;
        }
        if seen.iter().any(|(earlier, _)| earlier == key) {
            problems.add(&at, "is there twice: remove one");
        }
        let value = problems.check(&at, text(value.clone(), each));
        seen.push((key.clone(), value.unwrap_or(Value::Null)));
    }
    match is_good {
        true => Value::Table(seen),
        false => Value::Null,
    }
}

fn check_one_of(seen: &[(String, Value)], table: &Table, path: &str, problems: &mut Problems) {
    let Some((first, _)) = table.one_of.split_first() else {
        return;
    };
    let has = |name: &&&str| seen.iter().any(|(key, _)| key == *name);
    let there: Vec<_> = table.one_of.iter().filter(has).copied().collect();
    let all = either(table.one_of.iter().copied(), "or");
    match there[..] {
        [] => problems.add(
            path,
            format!("says not where the secret is: write one of {all}, such as {first} = \"…\""),
        ),
        [_] => {}
        [..] => problems.add(
            path,
            format!(
                "has {}: write one of them",
                either(there.iter().copied(), "and")
            ),
        ),
    }
}

fn unknown(name: &str, table: &Table) -> String {
    if let Some(near) = near::nearest(name, table.names()) {
        return format!("is no key that is known here: write \"{near}\"");
    }
    match super::document::ROOT.find(name) {
        Some(path) => format!("is no key that is known here: move it to \"{path}\""),
        None => format!(
            "is no key that is known here: remove it; there are {}",
            either(table.names(), "and")
        ),
    }
}

fn missing(table: &Table, name: &str) -> String {
    match table.key(name) {
        Some(Key {
            shape: Shape::Word(words),
            ..
        }) => {
            let words = either(words.iter().map(|word| format!("\"{word}\"")), "or");
            format!("is missing: write {words}")
        }
        Some(Key {
            shape: Shape::Text(form),
            ..
        }) => {
            format!("is missing: write one such as \"{}\"", form.example)
        }
        Some(Key {
            shape: Shape::Url, ..
        }) => "is missing: write one such as \"redis://127.0.0.1:6379\"".to_owned(),
        Some(Key {
            shape: Shape::Table(table),
            ..
        }) => {
            let names = match table.one_of {
                [] => either(table.names(), "and"),
                all => format!(
                    "{} and {}",
                    either(table.required, "and"),
                    either(all, "or")
                ),
            };
            format!("is missing: write a table with {names}")
        }
        _ => "is missing".to_owned(),
    }
}

/// "a, b or c".
pub(super) fn either<T: AsRef<str>>(words: impl IntoIterator<Item = T>, last: &str) -> String {
    let words: Vec<T> = words.into_iter().collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match &words[..] {
        [front @ .., end] if !front.is_empty() => format!("{} {last} {end}", front.join(", ")),
        all => all.concat(),
    }
}

/// A key may be anything; a problem is one line.
fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.escape_debug().to_string(),
        _ => format!("{path}.{}", name.escape_debug()),
    }
}
