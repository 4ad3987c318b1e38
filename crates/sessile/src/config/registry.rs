//! Stores by the scheme of their URL.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use sessile_core::{Error, Store};

use super::build::needs;
use super::examine::either;
use super::near::nearest;
use super::problem::ConfigError;
use super::url::StoreUrl;
use crate::stored;

/// Stores of your own, by the scheme of the URLs that name them; beside those of this crate.
///
/// ```
/// use sessile::{MemoryStore, Registry, SessionConfig};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::new().register("mine", |url: String| async move {
///     let _table = url.trim_start_matches("mine:");
///     Ok(MemoryStore::default()) // yours: any `sessile::core::Store`
/// });
/// let config: SessionConfig = toml::from_str(r#"
///     strategy = "stored"
///     stored.url = "mine:sessions"
/// "#)?;
/// let layer = config.build_with(&registry).await?;
/// # let _ = layer;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<String, Factory>);

type Factory = Arc<dyn Fn(String) -> Connecting + Send + Sync>;
type Connecting = Pin<Box<dyn Future<Output = Result<Arc<dyn Store>, Error>> + Send>>;

impl Registry {
    /// The stores of this crate alone.
    pub fn new() -> Self {
        Registry::default()
    }

    /// Adds a store: what makes it, given the whole URL. A scheme begins with a letter and goes on
    /// with letters, digits, `+`, `-` and `.`; one that is there already is replaced.
    ///
    /// As everywhere in sessile, the message of an error that `factory` gives holds no secret, so
    /// not the URL's password either.
    #[must_use]
    pub fn register<F, Fut, S>(mut self, scheme: &str, factory: F) -> Self
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, Error>> + Send + 'static,
        S: Store,
    {
        let factory = move |url| -> Connecting {
            let store = factory(url);
            Box::pin(async move { Ok(Arc::new(store.await?) as Arc<dyn Store>) })
        };
        self.0
            .insert(scheme.to_ascii_lowercase(), Arc::new(factory));
        self
    }

    pub(super) fn has(&self, scheme: &str) -> bool {
        self.0.contains_key(scheme)
    }

    /// Whether there is a store for this URL, and what to write or to enable if not.
    pub(super) fn check(&self, url: &StoreUrl) -> Result<(), String> {
        let scheme = url.scheme();
        if self.has(scheme) {
            return Ok(());
        }
        match stored::check_scheme(scheme) {
            Ok(()) => return Ok(()),
            Err(Some(feature)) => return Err(needs(feature)),
            Err(None) => {}
        }
        let mut known: Vec<&str> = stored::schemes().collect();
        known.extend(self.0.keys().map(String::as_str));
        Err(match nearest(scheme, known.iter().copied()) {
            Some(near) => format!("has a scheme that no store has: write \"{near}:\""),
            None => format!(
                "has a scheme that no store has: write one of {}, or register it",
                either(known, "or")
            ),
        })
    }

    /// The store of this URL, which was checked.
    pub(super) async fn connect(
        &self,
        url: &StoreUrl,
        path: &str,
    ) -> Result<Arc<dyn Store>, ConfigError> {
        let connected = match self.0.get(url.scheme()) {
            Some(factory) => factory(url.expose().to_owned()).await.map_err(Into::into),
            None => stored::connect(url.expose()).await,
        };
        connected.map_err(|error: crate::Error| {
            let message = format!("{url} can't be used: {error}");
            ConfigError::away(path, url.hide_in(&message), error)
        })
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
