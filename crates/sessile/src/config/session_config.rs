//! The configuration, as it came from a file.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use super::build::{self, Parts};
use super::document::ROOT;
use super::examine::{examine, redact};
use super::problem::{ConfigError, Problems};
use super::registry::Registry;
use super::schema;
use super::settings::Settings;
use super::shape::Shape;
use super::value::Value;
use crate::SessionLayer;

/// A [`SessionLayer`] in a file: `strategy` is the one word that says where sessions live.
///
/// It is read by whatever reads `serde`: TOML, YAML, JSON, the environment. Every key, its default
/// and its meaning is in [the guide](crate::guide::config).
///
/// ```
/// use sessile::SessionConfig;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config: SessionConfig = toml::from_str(r#"
///     strategy = "stored"
///     stored.url = "memory:"
///     lifetime.idle = "20m"
/// "#)?;
/// let layer = config.build().await?;
/// # let _ = layer;
/// # Ok(())
/// # }
/// ```
///
/// **What is refused, and when.** Whatever can be seen in the configuration itself is refused when
/// it is read, all at once: unknown keys, wrong types, forms, impossible combinations, weak keys
/// that stand in it. [`check`](Self::check) adds what it points to: variables and files of the
/// keys in use, and what this build of the crate has. [`build`](Self::build) adds what only the
/// store can tell.
///
/// **Secrets** are in no `Debug` and no error. `Serialize` writes what was read, key for key, but
/// `"***"` for a secret that stood in it (`value`, `pem`, `jwk`) and for the password in a URL. So a
/// configuration whose secrets are in the environment or in files comes back as it was; one with
/// secrets in it can be shown, and does not come back.
#[derive(Clone)]
pub struct SessionConfig {
    /// What was read, without its secrets.
    shown: Value,
    settings: Arc<Settings>,
}

impl SessionConfig {
    /// Reads the configuration, as [`Deserialize`] does, with the problems as a list instead of a
    /// text.
    ///
    /// ```
    /// use sessile::SessionConfig;
    ///
    /// let json = serde_json::json!({ "strategy": "stikcy", "lifetime": { "idles": "30m" } });
    /// let error = SessionConfig::read(json).unwrap_err();
    /// let paths: Vec<_> = error.problems().iter().map(|problem| problem.path()).collect();
    /// assert_eq!(paths, ["strategy", "lifetime.idles"]);
    /// ```
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let given = problems.check("", Value::deserialize(deserializer));
        match given {
            Some(given) => SessionConfig::new(given),
            None => problems.none_or(None),
        }
    }

    fn new(given: Value) -> Result<Self, ConfigError> {
        let mut problems = Problems::default();
        let examined = examine(given, &ROOT, "", &mut problems);
        let settings = Settings::read(&examined, &mut problems);
        let settings = problems.none_or(settings)?;
        Ok(SessionConfig {
            shown: redact(&examined, &Shape::Table(&ROOT)),
            settings: Arc::new(settings),
        })
    }

    /// Whether the layer can be built, as far as that can be told without connecting to anything:
    /// for a deploy's first step, or a test of the files that are deployed.
    ///
    /// It reads what [`build`](Self::build) would: the environment variables and files that hold
    /// keys of the strategy in use, and nothing else.
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.check_with(&Registry::new())
    }

    /// The same, with stores of your own.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn check_with(&self, registry: &Registry) -> Result<(), ConfigError> {
        Parts::gather(&self.settings, registry).map(|_| ())
    }

    /// The layer. It connects to the store, if there is one.
    ///
    /// # Errors
    ///
    /// What [`check`](Self::check) finds; what the store says when it is asked; what `[require]`
    /// asks for and is not promised.
    pub async fn build(&self) -> Result<SessionLayer, ConfigError> {
        self.build_with(&Registry::new()).await
    }

    /// The same, with stores of your own.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub async fn build_with(&self, registry: &Registry) -> Result<SessionLayer, ConfigError> {
        let parts = Parts::gather(&self.settings, registry)?;
        // Every driver's connecting is in there: unboxed, the future of a program that awaits this
        // grows too deep for the compiler.
        let layer: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(build::layer(&self.settings, &parts, registry));
        layer.await
    }

    /// The JSON Schema (draft 2020-12) of the configuration, for editors and for checks in other
    /// languages: every key with its type, form, default and meaning. What takes two keys to see
    /// is left to [`check`](Self::check).
    ///
    /// ```
    /// # fn main() -> serde_json::Result<()> {
    /// let text = serde_json::to_string_pretty(&sessile::SessionConfig::json_schema())?;
    /// # assert!(text.contains("2020-12"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn json_schema() -> impl Serialize {
        schema::document()
    }
}

impl<'de> Deserialize<'de> for SessionConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SessionConfig::new(Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for SessionConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.shown.serialize(serializer)
    }
}

impl fmt::Debug for SessionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionConfig ")?;
        Shown(&self.shown).fmt(f)
    }
}

/// A tree whose secrets are taken out.
struct Shown<'a>(&'a Value);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::Flag(flag) => flag.fmt(f),
            Value::Number(number) => number.fmt(f),
            Value::Fraction(number) => number.fmt(f),
            Value::Text(text) => text.fmt(f),
            Value::List(items) => f.debug_list().entries(items.iter().map(Shown)).finish(),
            Value::Table(entries) => {
                let entries = entries.iter().map(|(key, value)| (key, Shown(value)));
                f.debug_map().entries(entries).finish()
            }
        }
    }
}
