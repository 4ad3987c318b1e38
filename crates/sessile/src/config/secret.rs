//! Secrets, and where they are kept.

use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;

use base64_simd::URL_SAFE_NO_PAD as BASE64;
use zeroize::Zeroizing;

use super::fields::Fields;

/// Larger than any key, small enough for a device that never ends.
const FILE_LIMIT: u64 = 64 * 1024;

/// Where a secret is kept. Wiped from memory when dropped, if it is here.
#[derive(Clone)]
pub(super) enum Secret {
    Here(Zeroizing<String>),
    Variable(String),
    File(PathBuf),
}

impl Secret {
    /// The secret that a table with one of these keys names.
    pub(super) fn from(table: &Fields<'_>) -> Option<Self> {
        let text = |key| table.at(key).text();
        if let Some(text) = text("value")
            .or_else(|| text("pem"))
            .or_else(|| text("jwk"))
        {
            return Some(Secret::Here(Zeroizing::new(text.to_owned())));
        }
        if let Some(name) = text("env") {
            return Some(Secret::Variable(name.to_owned()));
        }
        text("file").map(|path| Secret::File(path.into()))
    }

    pub(super) fn is_here(&self) -> bool {
        matches!(self, Secret::Here(_))
    }

    /// The key of the table that names it, where there is one alone.
    pub(super) fn key(&self) -> Option<&'static str> {
        match self {
            Secret::Here(_) => None,
            Secret::Variable(_) => Some("env"),
            Secret::File(_) => Some("file"),
        }
    }

    /// The secret, without the white space around it.
    pub(super) fn read(&self) -> Result<Zeroizing<String>, String> {
        let text = match self {
            Secret::Here(text) => text.clone(),
            Secret::Variable(name) => Zeroizing::new(std::env::var(name).map_err(|error| {
                let name = shown(name);
                match error {
                    std::env::VarError::NotPresent => {
                        format!("{name} is not set: put the key into it")
                    }
                    std::env::VarError::NotUnicode(_) => {
                        format!("{name} holds no text: put the key into it as base64url")
                    }
                }
            })?),
            Secret::File(path) => {
                let mut text = Zeroizing::new(String::new());
                let file = std::fs::File::open(path);
                let read =
                    file.and_then(|file| file.take(FILE_LIMIT + 1).read_to_string(&mut text));
                match read {
                    Ok(length) if length as u64 > FILE_LIMIT => {
                        return Err(
                            "is larger than any key: name the file that holds the key alone".into(),
                        );
                    }
                    Ok(_) => text,
                    Err(error) => {
                        let why = error.kind();
                        return Err(format!(
                            "can't be read ({why}): name a file that this process can read"
                        ));
                    }
                }
            }
        };
        Ok(Zeroizing::new(text.trim().to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Here(_) => f.write_str("***"),
            Secret::Variable(name) => write!(f, "env {}", shown(name)),
            Secret::File(_) => f.write_str("file"),
        }
    }
}

/// The bytes that base64url stands for. The other alphabet and padding are read as well, since
/// `openssl rand -base64 32` gives them.
pub(super) fn bytes(text: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let url_safe = |byte| match byte {
        b'+' => b'-',
        b'/' => b'_',
        byte => byte,
    };
    let text: Zeroizing<Vec<u8>> =
        Zeroizing::new(text.trim_end_matches('=').bytes().map(url_safe).collect());
    BASE64.decode_to_vec(&*text).map(Zeroizing::new).map_err(|_| {
        "is no base64url: write at least 32 random bytes, such as the output of `openssl rand -base64 32`".into()
    })
}

/// A variable's name, if it looks like one: whoever puts the secret itself there does not find it
/// in a log.
fn shown(name: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    match name.len() <= 32 && name.bytes().all(plain) {
        true => name,
        false => "the variable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_are_read_with_and_without_padding() {
        let expected = [0xfb, 0xef, 0xff, 0x00];
        for text in ["--__AA", "++//AA==", "++//AA", "--__AA=="] {
            assert_eq!(&bytes(text).unwrap()[..], expected, "{text}");
        }
        assert!(bytes("a").is_err() && bytes("ab c").is_err());
    }

    #[test]
    fn what_may_be_a_secret_in_the_wrong_place_is_not_repeated() {
        assert_eq!(shown("SESSILE_KEY"), "SESSILE_KEY");
        assert_eq!(shown("c2VjcmV0c2VjcmV0c2VjcmV0"), "the variable");
        assert_eq!(shown(&"A".repeat(43)), "the variable");
    }
}
