//! What a configuration comes to: the sections in use, read and held against one another.

use super::fields::Fields;
use super::forms;
use super::problem::Problems;
use super::sections::{Keys, Migrate, Require, Sticky, Stored, Token, cookie};
use super::value::Value;
use crate::{Carrier, CookieConfig, Lifetime};

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) strategy: Chosen,
    /// Empty: the cookie.
    pub(super) carriers: Vec<Carrier>,
    pub(super) lifetime: Lifetime,
    pub(super) cookie: CookieConfig,
    /// Only if something in use needs them.
    pub(super) keys: Option<Keys>,
    pub(super) migrate: Option<Migrate>,
    pub(super) require: Require,
}

/// A strategy with its section.
#[derive(Clone, Debug)]
pub(super) enum Chosen {
    Sticky(Sticky),
    Stored(Stored),
    Token(Token),
}

impl Settings {
    pub(super) fn read(examined: &Value, problems: &mut Problems) -> Option<Self> {
        let root = Fields::root(examined);
        let carriers = carriers(&root.at("carriers"), problems);
        let lifetime = lifetime(&root.at("lifetime"), problems);
        let cookie = cookie(&root.at("cookie"), problems);
        let keys = keys(&root, problems);
        let strategy = Chosen::read(&root.at("strategy"), &root, problems);
        let migrate = root
            .at("migrate")
            .is_there()
            .then(|| Migrate::read(&root, strategy.as_ref(), keys.as_ref(), problems));
        Some(Settings {
            strategy: strategy?,
            carriers,
            lifetime: lifetime?,
            cookie: cookie?,
            keys,
            migrate: match migrate {
                Some(migrate) => Some(migrate?),
                None => None,
            },
            require: Require::read(&root.at("require")),
        })
    }

    /// What is in use.
    pub(super) fn chosen(&self) -> impl Iterator<Item = &Chosen> {
        std::iter::once(&self.strategy).chain(self.left().map(|migrate| &migrate.from))
    }

    /// The migration, as long as anything of what is left is still looked at.
    pub(super) fn left(&self) -> Option<&Migrate> {
        let migrate = self.migrate.as_ref()?;
        migrate.phase.looks_back().then_some(migrate)
    }
}

impl Chosen {
    /// The word.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Chosen::Sticky(_) => "sticky",
            Chosen::Stored(_) => "stored",
            Chosen::Token(_) => "token",
        }
    }

    /// The strategy that is named here, as its section describes it.
    pub(super) fn read(
        name: &Fields<'_>,
        root: &Fields<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        match name.text()? {
            "sticky" => {
                let has_keys = root.at("keys").is_there();
                Some(Chosen::Sticky(Sticky::read(
                    &root.at("sticky"),
                    has_keys,
                    problems,
                )))
            }
            "stored" => Stored::read(&root.at("stored"), problems).map(Chosen::Stored),
            _ => Token::read(&root.at("token"), problems).map(Chosen::Token),
        }
    }
}

fn carriers(list: &Fields<'_>, problems: &mut Problems) -> Vec<Carrier> {
    let mut carriers = Vec::new();
    for item in list.items() {
        let Some(carrier) = item.text().and_then(|text| forms::carrier(text).ok()) else {
            continue;
        };
        if carriers.contains(&carrier) {
            problems.add(item.path(), "is there twice: remove one");
        }
        carriers.push(carrier);
    }
    if list.is_empty_list() {
        let message = "is empty, and nothing would bring a credential: write [\"cookie\"]";
        problems.add(list.path(), message);
    }
    carriers
}

fn lifetime(table: &Fields<'_>, problems: &mut Problems) -> Option<Lifetime> {
    let default = Lifetime::default();
    let idle = table.at("idle").duration().unwrap_or(default.idle());
    let absolute = table
        .at("absolute")
        .duration()
        .unwrap_or(default.absolute());
    // One at a time, so that each is told of in its place.
    problems.check(
        table.at("idle").path(),
        Lifetime::new(idle, default.absolute()),
    );
    problems.check(
        table.at("absolute").path(),
        Lifetime::new(default.idle(), absolute),
    );
    Lifetime::new(idle, absolute).ok()
}

/// The master keys are read for memory, for stores, and for a migration.
fn keys(root: &Fields<'_>, problems: &mut Problems) -> Option<Keys> {
    let in_use = root.at("strategy").text() != Some("token") || root.at("migrate").is_there();
    let table = root.at("keys").there().filter(|_| in_use)?;
    Keys::read(&table, problems)
}
