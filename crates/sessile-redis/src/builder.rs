//! What a user may set.

use std::time::Duration;

use sessile_core::{Error, ErrorKind, Result};

use crate::RedisStore;
use crate::link::Timeouts;
use crate::server::Server;
use crate::url::{Address, parse};

/// Makes a [`RedisStore`].
#[derive(Debug)]
pub struct RedisStoreBuilder {
    address: Address,
    prefix: String,
    timeouts: Timeouts,
    is_replicated: bool,
}

impl RedisStoreBuilder {
    pub(crate) fn new(url: &str) -> Result<Self> {
        Ok(RedisStoreBuilder {
            address: parse(url)?,
            prefix: "sessile:".to_owned(),
            timeouts: Timeouts {
                connect: Duration::from_millis(750),
                response: Duration::from_secs(1),
            },
            is_replicated: false,
        })
    }

    /// What all keys begin with: `sessile:` unless set. Two applications that share a server have
    /// two prefixes, neither of which begins with the other.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The address of one server is that of a group which fails over by itself, such as a managed
    /// service's: the guarantees then say that this can undo an acknowledged write.
    #[must_use]
    pub fn replicated(mut self) -> Self {
        self.is_replicated = true;
        self
    }

    /// How long an answer is waited for: a second unless set. A write that has no answer by then is
    /// [`Unknown`](ErrorKind::Unknown).
    #[must_use]
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.response = timeout;
        self
    }

    /// How long a connection is waited for, with all that has to be asked for it: 750 ms unless set.
    #[must_use]
    pub fn connection_timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.connect = timeout;
        self
    }

    /// The store. It connects when it is first used.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] for a prefix with braces, which would put all sessions of a cluster on
    /// one node, or a timeout of zero.
    pub fn build(self) -> Result<RedisStore> {
        let invalid = |message| Err(Error::new(ErrorKind::Invalid, message));
        if self.prefix.contains(['{', '}']) {
            return invalid("the prefix has braces: all keys would get one slot; write it without");
        }
        if self.timeouts.connect.is_zero() || self.timeouts.response.is_zero() {
            return invalid("a timeout is zero: write at least a millisecond, such as 1 s");
        }
        let server = Server::new(self.address, self.timeouts);
        Ok(RedisStore::new(server, self.prefix, self.is_replicated))
    }
}

/// `redis` takes rustls' default for the process, and would panic if there is none or more than one
/// to choose from. An application that has chosen keeps its choice.
#[cfg(feature = "tls")]
pub(crate) fn choose_cryptography() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else may be faster; then there is a default too.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_work_is_refused() {
        let builder = || RedisStore::builder("redis://h").unwrap();
        for refused in [
            builder().prefix("{app}:"),
            builder().prefix("a}"),
            builder().response_timeout(Duration::ZERO),
            builder().connection_timeout(Duration::ZERO),
        ] {
            assert_eq!(refused.build().unwrap_err().kind(), ErrorKind::Invalid);
        }
        assert!(builder().prefix("").build().is_ok());
    }

    #[test]
    fn passwords_are_not_shown() {
        for url in [
            "redis://user:secret@h",
            "redis+cluster://user:secret@h",
            "redis+sentinel://user:secret@h/name",
        ] {
            let builder = RedisStore::builder(url).unwrap();
            assert!(!format!("{builder:?}").contains("secret"), "{builder:?}");
            let store = builder.build().unwrap();
            assert!(!format!("{store:?}").contains("secret"), "{store:?}");
        }
    }

    #[test]
    fn only_one_server_keeps_what_it_has_acknowledged() {
        use sessile_core::{Durability, Store as _};

        for (url, durability) in [
            ("redis://h", Durability::Acknowledged),
            ("redis+sentinel://h/name", Durability::Async),
            ("redis+cluster://h", Durability::Async),
        ] {
            let store = RedisStore::connect(url).unwrap();
            assert_eq!(store.guarantees().durability, durability);
            let store = RedisStore::builder(url).unwrap().replicated();
            let guarantees = store.build().unwrap().guarantees();
            assert_eq!(guarantees.durability, Durability::Async);
        }
    }
}
