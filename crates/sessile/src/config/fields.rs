//! A place in an examined tree, with its path: what sections are read from.

use std::time::Duration;

use super::duration;
use super::value::Value;

/// A key that is not there gives a place with nothing in it, and so does one whose value was wrong;
/// [`is_there`](Fields::is_there) tells them apart.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    value: Option<&'a Value>,
    path: String,
}

impl<'a> Fields<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Fields {
            value: Some(value),
            path: String::new(),
        }
    }

    pub(super) fn at(&self, key: &str) -> Self {
        self.child(self.value.and_then(|value| value.get(key)), key)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Whether something was written here, right or wrong.
    pub(super) fn is_there(&self) -> bool {
        self.value.is_some()
    }

    /// The place, if something was written there.
    pub(super) fn there(self) -> Option<Self> {
        self.is_there().then_some(self)
    }

    pub(super) fn text(&self) -> Option<&'a str> {
        self.value?.as_text()
    }

    pub(super) fn duration(&self) -> Option<Duration> {
        duration::parse(self.text()?).ok()
    }

    pub(super) fn flag(&self) -> Option<bool> {
        match self.value? {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(super) fn count(&self) -> Option<usize> {
        match self.value? {
            Value::Number(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    pub(super) fn is_empty_list(&self) -> bool {
        matches!(self.value, Some(Value::List(items)) if items.is_empty())
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.value, Some(Value::Table(_)))
    }

    pub(super) fn items(&self) -> impl Iterator<Item = Fields<'a>> + use<'a> {
        let (items, path) = (self.value.map(Value::items), self.path.clone());
        let items = items.unwrap_or_default().iter().enumerate();
        items.map(move |(at, item)| Fields {
            value: Some(item),
            path: format!("{path}.{at}"),
        })
    }

    pub(super) fn entries(&self) -> &'a [(String, Value)] {
        self.value.map(Value::entries).unwrap_or_default()
    }

    fn child(&self, value: Option<&'a Value>, name: &str) -> Self {
        let path = match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        Fields { value, path }
    }
}
