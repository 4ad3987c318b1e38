//! `[stored]`.

use crate::config::fields::Fields;
use crate::config::problem::Problems;
use crate::config::url::StoreUrl;

#[derive(Clone, Debug)]
pub(in crate::config) struct Stored {
    pub(in crate::config) url: StoreUrl,
}

impl Stored {
    pub(in crate::config) fn read(table: &Fields<'_>, problems: &mut Problems) -> Option<Self> {
        let url = table.at("url");
        if !url.is_there() {
            problems.add(
                url.path(),
                "is missing: write the store's, such as \"redis://127.0.0.1:6379\"",
            );
        }
        let url = StoreUrl::new(url.text()?);
        Some(Stored { url })
    }
}
