//! The store that a URL names.

use std::sync::Arc;

use sessile_core::{Error, ErrorKind, Store};
use sessile_memory::MemoryStore;

use super::Stored;
use crate::Result;

/// A scheme, the feature that brings its store, and whether this build has it.
#[cfg(feature = "config")]
type Scheme = (&'static str, Option<&'static str>, bool);

#[cfg(feature = "config")]
const SCHEMES: [Scheme; 12] = [
    ("memory", None, true),
    ("redis", Some("redis"), cfg!(feature = "redis")),
    ("redis+sentinel", Some("redis"), cfg!(feature = "redis")),
    ("redis+cluster", Some("redis"), cfg!(feature = "redis")),
    over_tls("rediss"),
    over_tls("rediss+sentinel"),
    over_tls("rediss+cluster"),
    ("postgres", Some("postgres"), cfg!(feature = "postgres")),
    ("postgresql", Some("postgres"), cfg!(feature = "postgres")),
    ("mysql", Some("mysql"), cfg!(feature = "mysql")),
    ("mariadb", Some("mysql"), cfg!(feature = "mysql")),
    ("sqlite", Some("sqlite"), cfg!(feature = "sqlite")),
];

/// Two features; the one that is missed is told of, the store's first.
#[cfg(feature = "config")]
const fn over_tls(scheme: &'static str) -> Scheme {
    match cfg!(feature = "redis") {
        true => (scheme, Some("tls"), cfg!(feature = "tls")),
        false => (scheme, Some("redis"), false),
    }
}

impl Stored {
    /// Sessions in the store that this URL names: see [`connect`].
    ///
    /// # Errors
    ///
    /// As [`connect`].
    pub async fn connect(url: &str) -> Result<Stored> {
        Ok(Stored::new(connect(url).await?))
    }
}

/// The store that a URL names, for [`Stored`], behind a node
/// ([`StickyBuilder::backing`](crate::StickyBuilder::backing)), or to keep what was revoked of
/// tokens. A database gets its tables if it has none.
///
/// | URL | feature | store |
/// |---|---|---|
/// | `redis://`, `rediss://` | `redis` | Redis or Valkey |
/// | `redis+sentinel://`, `redis+cluster://` | `redis` | the same, with fail-over |
/// | `postgres://` | `postgres` | PostgreSQL |
/// | `mysql://` | `mysql` | MySQL or MariaDB |
/// | `sqlite:` | `sqlite` | a file |
/// | `memory:` | | the memory of this process: for tests |
///
/// # Errors
///
/// [`Invalid`](crate::ErrorKind::Invalid) for a URL that names no store,
/// [`Unsupported`](crate::ErrorKind::Unsupported) for one whose feature is off, with its name;
/// [`Unavailable`](crate::ErrorKind::Unavailable) if a database can't be asked for its tables.
/// Redis is connected to when it is first used.
pub async fn connect(url: &str) -> Result<Arc<dyn Store>> {
    // A new kind of store has an arm here, and a row in the table above.
    let store: Arc<dyn Store> = match scheme(url) {
        "memory" => Arc::new(MemoryStore::default()),
        "redis" | "rediss" | "redis+sentinel" | "rediss+sentinel" | "redis+cluster"
        | "rediss+cluster" => redis(url)?,
        "postgres" | "postgresql" => postgres(url).await?,
        "mysql" | "mariadb" => mysql(url).await?,
        "sqlite" => sqlite(url).await?,
        scheme => {
            let what = match scheme {
                "" => "this is no URL of a store".to_owned(),
                scheme => format!("no store has the scheme {scheme:?}"),
            };
            let message = format!(
                "{what}: write redis://, redis+sentinel://, redis+cluster://, postgres://, mysql://, sqlite: or memory:"
            );
            return Err(Error::new(ErrorKind::Invalid, message).into());
        }
    };
    Ok(store)
}

/// What stands before the colon, if it can be a scheme. Else it may be anything, such as a password.
fn scheme(url: &str) -> &str {
    let is_one =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+.-".contains(&byte);
    match url.split_once(':') {
        Some((scheme, _)) if scheme.bytes().all(is_one) => scheme,
        _ => "",
    }
}

/// Whether this build has a store for this scheme; if not, the feature that would bring it.
#[cfg(feature = "config")]
pub(crate) fn check_scheme(scheme: &str) -> Result<(), Option<&'static str>> {
    match SCHEMES.iter().find(|(name, ..)| *name == scheme) {
        Some((_, _, true)) => Ok(()),
        Some((_, feature, false)) => Err(*feature),
        None => Err(None),
    }
}

/// Every scheme that there is, with all features.
#[cfg(feature = "config")]
pub(crate) fn schemes() -> impl Iterator<Item = &'static str> {
    SCHEMES.iter().map(|(name, ..)| *name)
}

#[cfg(feature = "redis")]
fn redis(url: &str) -> Result<Arc<dyn Store>, Error> {
    let store = Arc::new(sessile_redis::RedisStore::connect(url)?);
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(warn(Arc::downgrade(&store)));
    }
    Ok(store)
}

/// Tells of settings that can log people out. Beside whoever connects: a Redis that is away, or that
/// does not tell, keeps no service from starting.
#[cfg(feature = "redis")]
async fn warn(store: std::sync::Weak<sessile_redis::RedisStore>) {
    const TRIES: u32 = 10;
    for _ in 0..TRIES {
        let Some(store) = store.upgrade() else {
            return;
        };
        let checked = store.check().await;
        drop(store);
        match checked {
            Ok(warnings) => {
                for why in warnings {
                    crate::telemetry::forgetful_store(&why);
                }
                return;
            }
            Err(_) => tokio::time::sleep(std::time::Duration::from_secs(6)).await,
        }
    }
}

#[cfg(not(feature = "redis"))]
fn redis(_: &str) -> Result<Arc<dyn Store>, Error> {
    Err(off("redis"))
}

macro_rules! database {
    ($name:ident, $feature:literal, $store:ident) => {
        #[cfg(feature = $feature)]
        async fn $name(url: &str) -> Result<Arc<dyn Store>, Error> {
            let store = sessile_sql::$store::connect(url).await?;
            store.migrate().await?;
            Ok(Arc::new(store))
        }

        #[cfg(not(feature = $feature))]
        async fn $name(_: &str) -> Result<Arc<dyn Store>, Error> {
            Err(off($feature))
        }
    };
}

database!(postgres, "postgres", PostgresStore);
database!(mysql, "mysql", MySqlStore);
database!(sqlite, "sqlite", SqliteStore);

#[cfg(not(all(
    feature = "redis",
    feature = "postgres",
    feature = "mysql",
    feature = "sqlite"
)))]
fn off(feature: &str) -> Error {
    let message =
        format!("this build has no store for this URL: enable the feature {feature:?} of sessile");
    Error::new(ErrorKind::Unsupported, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_scheme_is_not_quoted() {
        for (url, quoted) in [
            ("secret", None),
            ("u:secret@host", Some("\"u\"")),
            ("se cret:x", None),
            ("hunter2@redis://host", None),
            ("https://u:secret@host", Some("\"https\"")),
        ] {
            let error = connect(url).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let shown = error.to_string();
            assert!(
                !shown.contains("cret") && !shown.contains("hunter2"),
                "{shown}"
            );
            assert!(
                quoted.is_none_or(|quoted| shown.contains(quoted)),
                "{shown}"
            );
        }
    }
}
