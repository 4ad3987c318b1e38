//! `[token]`.

use std::time::Duration;

use crate::MasterKey;
use crate::config::examine::either;
use crate::config::fields::Fields;
use crate::config::problem::Problems;
use crate::config::secret::{self, Secret};
use crate::config::url::StoreUrl;

/// Longer than that, a token is no token any more.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

#[derive(Clone, Debug)]
pub(in crate::config) struct Token {
    #[cfg_attr(not(feature = "token"), expect(dead_code))]
    pub(in crate::config) sealed: bool,
    #[cfg_attr(not(feature = "token"), expect(dead_code))]
    pub(in crate::config) issuer: String,
    #[cfg_attr(not(feature = "token"), expect(dead_code))]
    pub(in crate::config) audience: String,
    #[cfg_attr(not(feature = "token"), expect(dead_code))]
    pub(in crate::config) life: Option<Duration>,
    #[cfg_attr(not(feature = "token"), expect(dead_code))]
    pub(in crate::config) remember: Option<usize>,
    pub(in crate::config) revocation: Option<Revocation>,
    /// The one that signs or seals, then those that verify or open.
    pub(in crate::config) keys: Vec<TokenKey>,
}

/// Where revocations are kept.
#[derive(Clone, Debug)]
pub(in crate::config) struct Revocation {
    pub(in crate::config) url: StoreUrl,
    pub(in crate::config) within: Option<Duration>,
}

/// A JOSE key that may still have to be fetched.
#[derive(Clone, Debug)]
pub(in crate::config) struct TokenKey {
    path: String,
    pub(in crate::config) kid: String,
    pub(in crate::config) algorithm: String,
    pub(in crate::config) secret: Secret,
    /// The name under which it stands in the file, `env` and `file` included.
    place: &'static str,
}

impl Token {
    pub(in crate::config) fn read(table: &Fields<'_>, problems: &mut Problems) -> Option<Self> {
        for (key, example) in [
            ("issuer", "https://app.example"),
            ("audience", "https://app.example"),
        ] {
            if !table.at(key).is_there() {
                problems.add(
                    table.at(key).path(),
                    format!("is missing: write who it is, such as \"{example}\""),
                );
            }
        }
        check_life(&table.at("life"), problems);
        let sealed = table.at("format").text() == Some("sealed");
        let keys = read_keys(&table.at("keys"), sealed, problems);
        let text = |key| Some(table.at(key).text()?.to_owned());
        Some(Token {
            sealed,
            issuer: text("issuer")?,
            audience: text("audience")?,
            life: table.at("life").duration(),
            remember: table.at("remember").count(),
            revocation: table.at("revocation").there().and_then(|table| {
                Some(Revocation {
                    url: StoreUrl::new(table.at("url").text()?),
                    within: table.at("within").duration(),
                })
            }),
            keys: keys?,
        })
    }
}

impl TokenKey {
    fn read(table: &Fields<'_>) -> Option<Self> {
        let algorithm = match table.at("alg").text()? {
            // The name that RFC 9864 prefers.
            "Ed25519" => "EdDSA",
            name => name,
        };
        let place = ["value", "pem", "jwk", "env", "file"]
            .into_iter()
            .find(|key| table.at(key).is_there());
        Some(TokenKey {
            path: table.path().to_owned(),
            kid: table.at("kid").text()?.to_owned(),
            algorithm: algorithm.to_owned(),
            secret: Secret::from(table)?,
            place: place?,
        })
    }

    /// The path of where the key is told to be.
    pub(in crate::config) fn place(&self) -> String {
        format!("{}.{}", self.path, self.place)
    }

    /// Reads the variable or file of a key that was not checked when the configuration was read.
    pub(in crate::config) fn check_elsewhere(&self, problems: &mut Problems) -> Option<()> {
        match self.secret.is_here() {
            true => Some(()),
            false => self.check_text(problems),
        }
    }

    /// Checks the key's text: base64url, PEM or JWK.
    fn check_text(&self, problems: &mut Problems) -> Option<()> {
        let text = problems.check(&self.place(), self.secret.read())?;
        problems.check(&self.place(), self.check(&text))
    }

    /// How many bytes a symmetric key has at the least; a sealing one has exactly as many.
    fn bytes(&self) -> Option<usize> {
        match self.algorithm.as_str() {
            "HS256" | "A256GCM" => Some(32),
            "HS384" => Some(48),
            "HS512" => Some(64),
            _ => None,
        }
    }

    /// Whether the text can be a key of this algorithm, as far as that can be told without its
    /// cryptography.
    fn check(&self, text: &str) -> Result<(), String> {
        let algorithm = &self.algorithm;
        if text.starts_with('{') {
            return match self.place {
                "value" | "pem" => Err("is a JWK: write it as jwk".into()),
                _ => Ok(()),
            };
        }
        if self.place == "jwk" {
            return Err("is no JWK: write a JSON object, such as '{\"kty\":\"OKP\", …}'".into());
        }
        let is_pem = text.starts_with("-----BEGIN ");
        let Some(least) = self.bytes() else {
            return match is_pem {
                true if self.place == "value" => Err("is PEM: write it as pem".into()),
                true => Ok(()),
                false => Err(format!(
                    "is no key for {algorithm}: write one as pem or jwk"
                )),
            };
        };
        if is_pem || self.place == "pem" {
            return Err(format!(
                "can't be PEM with {algorithm}: write value, the key as base64url"
            ));
        }
        let bytes = secret::bytes(text)?;
        if algorithm == "A256GCM" && bytes.len() != least {
            return Err(format!(
                "has {} bytes: {algorithm} takes exactly {least} random ones, such as the output of `openssl rand -base64 {least}`",
                bytes.len()
            ));
        }
        if bytes.len() < least {
            return Err(format!(
                "has {} bytes: {algorithm} needs at least {least} random ones, such as the output of `openssl rand -base64 {least}`",
                bytes.len()
            ));
        }
        let strong = MasterKey::new(&self.kid, bytes.to_vec());
        strong.map(|_| ()).map_err(|error| error.to_string())
    }
}

fn check_life(life: &Fields<'_>, problems: &mut Problems) {
    match life.duration() {
        Some(Duration::ZERO) => problems.add(life.path(), "is no time at all: write some, such as \"15m\""),
        Some(long) if long > LONGEST => problems.add(
            life.path(),
            "is longer than a token may live: write at most \"24h\"; a session goes on by being re-issued, until lifetime.absolute",
        ),
        _ => {}
    }
}

fn read_keys(table: &Fields<'_>, sealed: bool, problems: &mut Problems) -> Option<Vec<TokenKey>> {
    if !table.is_there() {
        problems.add(
            table.at("sign").path(),
            "is missing: write one such as { kid = \"2026-11\", alg = \"HS256\", env = \"SESSILE_JWT_KEY\" }",
        );
        return None;
    }
    let all = std::iter::once(table.at("sign")).chain(table.at("verify").items());
    let keys: Option<Vec<_>> = all.map(|key| TokenKey::read(&key)).collect();
    let keys = keys?;
    for (at, key) in keys.iter().enumerate() {
        if keys[..at].iter().any(|earlier| earlier.kid == key.kid) {
            problems.add(
                &format!("{}.kid", key.path),
                "is another key's as well: give each a kid of its own, one kid is one key with one algorithm",
            );
        }
        check_algorithm(key, at == 0, sealed, keys[0].bytes().is_some(), problems);
        if key.secret.is_here() {
            key.check_text(problems);
        }
    }
    Some(keys)
}

fn check_algorithm(
    key: &TokenKey,
    signs: bool,
    sealed: bool,
    symmetric: bool,
    problems: &mut Problems,
) {
    let path = format!("{}.alg", key.path);
    let name = key.algorithm.as_str();
    match (name, sealed) {
        ("A256GCM", true) => {}
        (_, true) => problems.add(&path, "is for signing, and the format is \"sealed\": write \"A256GCM\""),
        ("A256GCM", false) => {
            let signing = either(["HS256", "HS384", "HS512", "EdDSA", "ES256", "ES384", "PS256"], "or");
            problems.add(&path, format!("is for sealing, and the format is \"signed\": write {signing}"));
        }
        ("RS256", false) if signs => {
            problems.add(&path, "only verifies what was signed elsewhere: write PS256, or better EdDSA");
        }
        _ if key.bytes().is_some() != symmetric => problems.add(
            &path,
            "is of another family than the signing key's, and a verifier that takes both is what attacks on algorithms need: use keys of one family",
        ),
        _ => {}
    }
}
