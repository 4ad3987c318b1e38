//! The master key, from the environment.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sessile::{KeyRing, MasterKey, Result};

const VARIABLE: &str = "SESSILE_KEY";

/// The ring of `SESSILE_KEY`, if it is set.
pub(crate) fn from_env() -> Result<Option<KeyRing>> {
    let Ok(text) = std::env::var(VARIABLE) else {
        return Ok(None);
    };
    Ok(Some(KeyRing::new(MasterKey::new(VARIABLE, secret(&text))?)))
}

/// Base64url where that gives enough bytes, else the text as it is.
fn secret(text: &str) -> Vec<u8> {
    match URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')) {
        Ok(bytes) if bytes.len() >= 32 => bytes,
        _ => text.as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_decoded_and_anything_else_taken_as_it_is() {
        let encoded = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        assert_eq!(secret(encoded), (0..32).collect::<Vec<u8>>());
        assert_eq!(secret(&format!("{encoded}=")), secret(encoded));
        let plain = "thirty-two bytes, but no base64url";
        assert_eq!(secret(plain), plain.as_bytes());
        // Base64url of too few bytes: perhaps a key that only looks like it.
        assert_eq!(secret("abcdefgh"), b"abcdefgh");
    }
}
