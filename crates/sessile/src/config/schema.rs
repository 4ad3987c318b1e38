//! The description of every key as a JSON Schema, draft 2020-12.

use super::document::ROOT;
use super::shape::{Form, Key, Shape, Table};
use super::value::Value;
use super::{duration, url};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

pub(super) fn document() -> Value {
    let head = [
        ("$schema", Value::text(DRAFT)),
        ("title", Value::text("SessionConfig of sessile")),
        (
            "description",
            Value::text("HTTP sessions: one word says where they live."),
        ),
    ];
    let mut head = Value::table(head);
    if let (Value::Table(all), Value::Table(root)) = (&mut head, table(&ROOT)) {
        all.extend(root);
    }
    head
}

fn table(table: &Table) -> Value {
    let keys = table.keys.iter().map(|key| (key.name, property(key)));
    let mut schema = vec![
        ("type", Value::text("object")),
        ("properties", Value::table(keys)),
        ("additionalProperties", Value::Flag(false)),
    ];
    if !table.required.is_empty() {
        schema.push(("required", words(table.required)));
    }
    if !table.one_of.is_empty() {
        let each = table
            .one_of
            .iter()
            .map(|name| Value::table([("required", words(&[name]))]));
        schema.push(("oneOf", Value::List(each.collect())));
    }
    Value::table(schema)
}

fn property(key: &Key) -> Value {
    let mut schema = vec![("description".to_owned(), Value::text(key.about))];
    if let Some(default) = key.default {
        schema.push(("default".to_owned(), typed(default, &key.shape)));
    }
    if let Value::Table(rest) = of(&key.shape) {
        schema.extend(rest);
    }
    Value::Table(schema)
}

fn of(shape: &Shape) -> Value {
    match *shape {
        Shape::Text(form) => text(form.pattern),
        Shape::Secret => Value::table([
            ("type", Value::text("string")),
            ("minLength", Value::Number(1)),
        ]),
        Shape::Url => text(Some(url::PATTERN)),
        Shape::Duration => text(Some(duration::PATTERN)),
        Shape::Word(all) => Value::table([("enum", words(all))]),
        Shape::Flag => Value::table([("type", Value::text("boolean"))]),
        Shape::Count(least) => Value::table([
            ("type", Value::text("integer")),
            ("minimum", Value::Number(least.into())),
        ]),
        Shape::List(each) => Value::table([("type", Value::text("array")), ("items", of(each))]),
        Shape::Table(inner) => table(inner),
        Shape::TextOrMap {
            text: template,
            name,
            each,
        } => {
            let either = vec![text(template.pattern), map(name, each)];
            Value::table([("anyOf", Value::List(either))])
        }
    }
}

fn text(pattern: Option<&str>) -> Value {
    let mut schema = vec![("type", Value::text("string"))];
    schema.extend(pattern.map(|pattern| ("pattern", Value::text(pattern))));
    Value::table(schema)
}

fn map(name: &Form, each: &Form) -> Value {
    Value::table([
        ("type", Value::text("object")),
        ("propertyNames", text(name.pattern)),
        ("additionalProperties", text(each.pattern)),
        ("minProperties", Value::Number(1)),
    ])
}

fn words(words: &[&str]) -> Value {
    Value::List(words.iter().map(|word| Value::text(*word)).collect())
}

/// A default as what it is.
fn typed(default: &str, shape: &Shape) -> Value {
    match shape {
        Shape::Flag => Value::Flag(default == "true"),
        Shape::Count(_) => default.parse().map_or(Value::Null, Value::Number),
        Shape::List(_) => words(&[default]),
        _ => Value::text(default),
    }
}
