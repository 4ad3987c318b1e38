//! The keys of tokens: from where the configuration says they are, to a ring.

use super::problem::Problems;
use super::sections::Token;

#[cfg(feature = "token")]
pub(super) use ring::TokenKeys;

/// A build without tokens checks what can be checked without their cryptography.
#[cfg(not(feature = "token"))]
#[derive(Debug)]
pub(super) enum TokenKeys {}

#[cfg(not(feature = "token"))]
impl TokenKeys {
    pub(super) fn gather(token: &Token, problems: &mut Problems) -> Option<Self> {
        for key in &token.keys {
            key.check_elsewhere(problems);
        }
        None
    }
}

#[cfg(feature = "token")]
mod ring {
    use std::sync::Arc;
    use std::time::Duration;

    use sessile_core::{Error, Strategy};
    use sessile_token as jose;
    use sessile_token::{KeySource, LiveKeys};
    use tokio::runtime::Handle;
    use tokio::time::sleep;

    use super::{Problems, Token};
    use crate::config::secret::Secret;
    use crate::config::sections::TokenKey;
    use crate::telemetry;

    /// How often files of keys are looked at.
    const LOOK: Duration = Duration::from_secs(10);

    /// The keys of tokens, read.
    #[derive(Clone, Debug)]
    pub(in crate::config) enum TokenKeys {
        Signed(LiveKeys<jose::TokenKeys>),
        Sealed(LiveKeys<jose::SealingKeys>),
    }

    impl TokenKeys {
        /// Reads them, each on its own first, so that what is wrong is told in its place.
        pub(in crate::config) fn gather(token: &Token, problems: &mut Problems) -> Option<Self> {
            let mut sources = Vec::new();
            for (at, key) in token.keys.iter().enumerate() {
                let source = key.check_elsewhere(problems).and_then(|()| source(key));
                sources.push(source.filter(|source| {
                    let read = match (token.sealed, at) {
                        (true, _) => source.sealing().map(|_| ()),
                        (false, 0) => source.signing().map(|_| ()),
                        (false, _) => source.verifying().map(|_| ()),
                    };
                    problems.check(&key.place(), read).is_some()
                }));
            }
            let sources: Option<Vec<KeySource>> = sources.into_iter().collect();
            let mut sources = sources?;
            let others = sources.split_off(1);
            match token.sealed {
                true => {
                    let keys = LiveKeys::sealing(sources, others);
                    problems.check("token.keys", keys).map(TokenKeys::Sealed)
                }
                false => {
                    let keys = LiveKeys::signing(sources, others);
                    problems.check("token.keys", keys).map(TokenKeys::Signed)
                }
            }
        }

        pub(in crate::config) fn builder(&self) -> jose::TokenBuilder {
            match self {
                TokenKeys::Signed(keys) => jose::Token::signed(keys.clone()),
                TokenKeys::Sealed(keys) => jose::Token::sealed(keys.clone()),
            }
        }

        /// Looks at files of keys for as long as the strategy lives. One that can't be used
        /// changes nothing. Without a Tokio runtime to do it on, keys are read once.
        pub(in crate::config) fn watch(&self, strategy: &Arc<dyn Strategy>) {
            match self.clone() {
                TokenKeys::Signed(keys) => watch(strategy, move || keys.reload()),
                TokenKeys::Sealed(keys) => watch(strategy, move || keys.reload()),
            }
        }
    }

    fn source(key: &TokenKey) -> Option<KeySource> {
        let source = match &key.secret {
            Secret::Here(text) => KeySource::text(text.as_str()),
            Secret::Variable(name) => KeySource::env(name),
            Secret::File(path) => KeySource::file(path),
        };
        let source = source.kid(&key.kid);
        match key.algorithm.as_str() {
            // A key that seals is for nothing else.
            "A256GCM" => Some(source),
            name => Some(source.algorithm(name.parse().ok()?)),
        }
    }

    fn watch(
        strategy: &Arc<dyn Strategy>,
        reload: impl Fn() -> Result<bool, Error> + Send + Sync + 'static,
    ) {
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        let (alive, reload) = (Arc::downgrade(strategy), Arc::new(reload));
        runtime.spawn(async move {
            loop {
                sleep(LOOK).await;
                if alive.strong_count() == 0 {
                    return;
                }
                // It reads files.
                let reload = reload.clone();
                match tokio::task::spawn_blocking(move || reload()).await {
                    Ok(Ok(true)) => telemetry::keys_replaced(),
                    Ok(Ok(false)) => {}
                    Ok(Err(error)) => telemetry::keys_refused(&error),
                    // The runtime ends.
                    Err(_) => return,
                }
            }
        });
    }
}
