//! The language in which the keys are described: one description for the check, for what is shown,
//! and for the JSON Schema.

/// What may stand in a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Text of a certain form.
    Text(&'static Form),
    /// Text that is shown to nobody.
    Secret,
    /// A store's URL, which is shown without its password.
    Url,
    /// One of these.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number, at least this.
    Count(u32),
    /// Such as `30m`.
    Duration,
    List(&'static Shape),
    Table(&'static Table),
    /// Text, or a table of names that the user chooses.
    TextOrMap {
        text: &'static Form,
        name: &'static Form,
        each: &'static Form,
    },
}

/// Keys, all of them optional in the file but for `required`.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) keys: &'static [Key],
    pub(super) required: &'static [&'static str],
    /// Exactly one of these is there, if there are any.
    pub(super) one_of: &'static [&'static str],
}

/// A key of a table.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// What holds when it is not there, as it is written in TOML without its quotes.
    pub(super) default: Option<&'static str>,
    pub(super) about: &'static str,
}

/// A form of text.
#[derive(Debug)]
pub(super) struct Form {
    /// Says what is wrong and what to write instead.
    pub(super) check: fn(&str) -> Result<(), String>,
    /// The same for editors, as far as a regular expression goes.
    pub(super) pattern: Option<&'static str>,
    pub(super) example: &'static str,
}

impl Table {
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }

    /// The path of the first key of this name, here or further in.
    pub(super) fn find(&self, name: &str) -> Option<String> {
        if self.key(name).is_some() {
            return Some(name.to_owned());
        }
        self.keys.iter().find_map(|key| match key.shape {
            Shape::Table(table) => Some(format!("{}.{}", key.name, table.find(name)?)),
            _ => None,
        })
    }
}
