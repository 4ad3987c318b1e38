//! A session's data: key to encoded text, small, sorted, replaced as a whole.

use crate::{Error, ErrorKind, Name, Result, Text};

/// The largest data of a record, in bytes: names and encoded values, without overhead.
pub const RECORD_LIMIT: usize = 64 * 1024;

/// Key to value, as encoded text. Sorted by key, in one allocation; made anew when it changes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Data(Box<[(Name, Text)]>);

impl Data {
    /// No keys at all.
    pub fn new() -> Self {
        Data::default()
    }

    /// Names and encoded values as they were kept.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a name that could be none, or is there twice.
    pub fn from_encoded(entries: &[(impl AsRef<str>, &str)]) -> Result<Self> {
        let mut list = Vec::with_capacity(entries.len());
        for (name, text) in entries {
            list.push((Name::new(name.as_ref())?, Text::from_encoded(text)));
        }
        // What was kept is sorted mostly: then each part stays where it was made.
        if entries.is_sorted_by(|(a, _), (b, _)| a.as_ref() < b.as_ref()) {
            return Ok(Data::from_sorted(list));
        }
        let data = Data::from_iter(list);
        if data.len() < entries.len() {
            return Err(Error::new(ErrorKind::Invalid, "a key is there twice"));
        }
        Ok(data)
    }

    /// The value of a key.
    pub fn get(&self, name: &str) -> Option<&Text> {
        // Sessions hold a handful of keys: a scan beats a search.
        self.0
            .iter()
            .find(|(key, _)| key.as_str() == name)
            .map(|(_, text)| text)
    }

    /// Keys and values, sorted by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Name, &Text)> {
        self.0.iter().map(|(name, text)| (name, text))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What counts towards [`RECORD_LIMIT`]: the bytes of all names and values.
    pub fn bytes(&self) -> usize {
        self.iter()
            .map(|(name, text)| name.as_str().len() + text.as_str().len())
            .sum()
    }

    /// Whether a record may hold this much.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] beyond [`RECORD_LIMIT`].
    pub fn check_limit(&self) -> Result<()> {
        let bytes = self.bytes();
        if bytes <= RECORD_LIMIT {
            return Ok(());
        }
        let message = format!("the session would hold {bytes} bytes; {RECORD_LIMIT} is the limit");
        Err(Error::new(ErrorKind::TooLarge, message))
    }

    pub(crate) fn entries(&self) -> &[(Name, Text)] {
        &self.0
    }

    /// From entries sorted by name, with distinct names.
    pub(crate) fn from_sorted(entries: Vec<(Name, Text)>) -> Self {
        Data(entries.into_boxed_slice())
    }
}

impl FromIterator<(Name, Text)> for Data {
    /// Of several values for one key the last one stays.
    fn from_iter<I: IntoIterator<Item = (Name, Text)>>(entries: I) -> Self {
        let mut entries: Vec<(Name, Text)> = entries.into_iter().collect();
        // What a store kept is sorted mostly.
        if entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            // Moved to memory of the right size: to give the rest back takes longer.
            let mut exact = Vec::with_capacity(entries.len());
            exact.append(&mut entries);
            return Data::from_sorted(exact);
        }
        let sorted: std::collections::BTreeMap<_, _> = entries.into_iter().collect();
        Data(sorted.into_iter().collect())
    }
}

impl std::fmt::Debug for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
