//! Where a key is written down: in the configuration, the environment or a file.

use std::fmt;
use std::path::{Path, PathBuf};

use sessile_core::{Error, ErrorKind, Result, Timestamp};
use zeroize::Zeroizing;

use super::jwk::Jwk;
use super::{
    Algorithm, Family, HmacKey, PrivateKey, PublicKey, SealingKey, SigningKey, VerifyingKey,
    invalid, pem,
};

/// Where a key is, what it is called and what it is for. What is there may be PEM, a JWK, or for a
/// secret its bytes as base64url; which one is told by how it begins.
#[derive(Clone)]
pub struct KeySource {
    at: At,
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    active_from: Option<Timestamp>,
    retired_at: Option<Timestamp>,
}

#[derive(Clone)]
enum At {
    Text(Zeroizing<String>),
    Env(String),
    File(PathBuf),
}

impl KeySource {
    /// The key itself.
    pub fn text(text: impl Into<String>) -> Self {
        KeySource::at(At::Text(Zeroizing::new(text.into())))
    }

    /// An environment variable that holds it.
    pub fn env(name: impl Into<String>) -> Self {
        KeySource::at(At::Env(name.into()))
    }

    /// A file that holds it. It is read again when it has changed: see
    /// [`LiveKeys::reload`](crate::LiveKeys::reload).
    pub fn file(path: impl Into<PathBuf>) -> Self {
        KeySource::at(At::File(path.into()))
    }

    fn at(at: At) -> Self {
        KeySource {
            at,
            kid: None,
            algorithm: None,
            active_from: None,
            retired_at: None,
        }
    }

    /// What the key is called. Default: what a JWK says, or the thumbprint.
    #[must_use]
    pub fn kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// What the key is for. A JWK may say so itself; sealing keys need none.
    #[must_use]
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// It makes tokens from `at` on, and verifies at once.
    #[must_use]
    pub fn active_from(mut self, at: Timestamp) -> Self {
        self.active_from = Some(at);
        self
    }

    /// It neither makes nor verifies from `at` on.
    #[must_use]
    pub fn retired_at(mut self, at: Timestamp) -> Self {
        self.retired_at = Some(at);
        self
    }

    /// Reads a key that signs.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if there is none, or a weak or ambiguous one; the message says where
    /// and what to write instead.
    pub fn signing(&self) -> Result<SigningKey> {
        let mut key: SigningKey = self.read_with(|text| {
            let form = self.form(text, &["sign"])?;
            if form.is_secret() {
                Ok(self.secret(&form, text)?.into())
            } else {
                Ok(self.private(&form, text)?.into())
            }
        })?;
        if let Some(at) = self.active_from {
            key = key.active_from(at);
        }
        Ok(match self.retired_at {
            Some(at) => key.retired_at(at),
            None => key,
        })
    }

    /// Reads a key that verifies. Of a private one, which signed before, the public half is kept.
    ///
    /// # Errors
    ///
    /// As [`signing`](Self::signing).
    pub fn verifying(&self) -> Result<VerifyingKey> {
        let key: VerifyingKey = self.read_with(|text| {
            let form = self.form(text, &["verify", "sign"])?;
            if form.is_secret() {
                Ok(self.secret(&form, text)?.into())
            } else {
                Ok(self.public(&form, text)?.into())
            }
        })?;
        Ok(match self.retired_at {
            Some(at) => key.retired_at(at),
            None => key,
        })
    }

    /// Reads a key that seals.
    ///
    /// # Errors
    ///
    /// As [`signing`](Self::signing).
    pub fn sealing(&self) -> Result<SealingKey> {
        let mut key = self.read_with(|text| {
            let key = if text.trim_start().starts_with('{') {
                SealingKey::from_jwk(text)?
            } else {
                SealingKey::from_base64url(text)?
            };
            match &self.kid {
                Some(kid) => key.named(kid),
                None => Ok(key),
            }
        })?;
        if let Some(at) = self.active_from {
            key = key.active_from(at);
        }
        Ok(match self.retired_at {
            Some(at) => key.retired_at(at),
            None => key,
        })
    }

    /// The file, if it is one.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.at {
            At::File(path) => Some(path),
            At::Text(_) | At::Env(_) => None,
        }
    }

    fn read_with<K>(&self, read: impl FnOnce(&str) -> Result<K>) -> Result<K> {
        let text = match &self.at {
            At::Text(text) => text.clone(),
            At::Env(name) => Zeroizing::new(std::env::var(name).map_err(|_| {
                invalid(format!(
                    "the environment variable {name} is not set, or is no text"
                ))
            })?),
            At::File(path) => Zeroizing::new(std::fs::read_to_string(path).map_err(|error| {
                invalid(format!("the file {} can't be read", path.display())).with_source(error)
            })?),
        };
        read(&text).map_err(|error| {
            let message = format!("{}: {error}", self.place());
            Error::new(ErrorKind::Invalid, message)
        })
    }

    fn place(&self) -> String {
        let name = self.kid.as_deref().map(|kid| format!(" {kid:?}"));
        let name = name.unwrap_or_default();
        match &self.at {
            At::Text(_) => format!("key{name}"),
            At::Env(variable) => format!("key{name} in the environment variable {variable}"),
            At::File(path) => format!("key{name} in the file {}", path.display()),
        }
    }

    fn form(&self, text: &str, operations: &[&str]) -> Result<Form> {
        let text = text.trim_start();
        if text.starts_with('{') {
            return Ok(Form::Jwk(Jwk::parse(text, "sig", operations)?));
        }
        let algorithm = self.algorithm.ok_or_else(|| {
            invalid("it does not say what it is for: name an algorithm, such as HS256 or EdDSA")
        })?;
        if text.starts_with("-----BEGIN") {
            return match algorithm.family() {
                Family::Signature => Ok(Form::Pem(algorithm)),
                Family::Hmac => Err(invalid(format!(
                    "it is a key in PEM, and {algorithm} takes a secret: write 32 random bytes as base64url, or name the algorithm of that key, such as EdDSA"
                ))),
            };
        }
        Ok(Form::Secret(algorithm))
    }

    /// The name that the configuration gives, unless the JWK has another one of its own.
    fn chosen(&self, jwk: Option<&Jwk>) -> Result<Option<&str>> {
        match (&self.kid, jwk.and_then(|jwk| jwk.kid.as_ref())) {
            (Some(kid), Some(own)) if kid != own => Err(invalid(format!(
                "the JWK calls itself {own:?}, and the configuration {kid:?}: one of them has to go"
            ))),
            (kid, _) => Ok(kid.as_deref()),
        }
    }

    fn secret(&self, form: &Form, text: &str) -> Result<HmacKey> {
        let (key, jwk) = match form {
            Form::Jwk(jwk) => (HmacKey::of(self.algorithm, jwk)?, Some(jwk)),
            Form::Pem(algorithm) | Form::Secret(algorithm) => {
                (HmacKey::from_base64url(*algorithm, text)?, None)
            }
        };
        match self.chosen(jwk)? {
            Some(kid) => key.named(kid),
            None => Ok(key),
        }
    }

    fn private(&self, form: &Form, text: &str) -> Result<PrivateKey> {
        let (key, jwk) = match form {
            Form::Jwk(jwk) => (PrivateKey::of(self.algorithm, jwk)?, Some(jwk)),
            Form::Pem(algorithm) | Form::Secret(algorithm) => {
                (PrivateKey::from_pem(*algorithm, text)?, None)
            }
        };
        match self.chosen(jwk)? {
            Some(kid) => key.named(kid),
            None => Ok(key),
        }
    }

    fn public(&self, form: &Form, text: &str) -> Result<PublicKey> {
        let is_private = match form {
            Form::Jwk(jwk) => jwk.is_private(),
            _ => pem::decode(text).is_some_and(|(label, _)| label.contains("PRIVATE KEY")),
        };
        if is_private {
            return Ok(self.private(form, text)?.public().clone());
        }
        let (key, jwk) = match form {
            Form::Jwk(jwk) => (PublicKey::of(self.algorithm, jwk)?, Some(jwk)),
            Form::Pem(algorithm) | Form::Secret(algorithm) => {
                (PublicKey::from_pem(*algorithm, text)?, None)
            }
        };
        match self.chosen(jwk)? {
            Some(kid) => key.named(kid),
            None => Ok(key),
        }
    }
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySource")
            .field("at", &self.place())
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// How a key is written.
enum Form {
    Secret(Algorithm),
    Pem(Algorithm),
    Jwk(Jwk),
}

impl Form {
    fn is_secret(&self) -> bool {
        match self {
            Form::Secret(algorithm) => algorithm.family() == Family::Hmac,
            Form::Pem(_) => false,
            Form::Jwk(jwk) => jwk.kty == "oct",
        }
    }
}
