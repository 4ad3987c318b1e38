//! Writing claims, and how long they will be.

use sessile_core::{Data, Error, ErrorKind, Name, Result, Text, Timestamp};

use super::{LATEST, Parties, Terms};
use crate::{base64, json};

/// The random name of a token: the claim `jti`.
type TokenId = [u8; 16];

/// What stands in every token, each number as long as it will be before the year 2286.
const WIDEST: &str = r#","sid":"0123456789012345678901","jti":"0123456789012345678901","iat":9999999999,"nbf":9999999999,"exp":9999999999,"sct":9999999999,"sxp":9999999999,"ver":9007199254740991,"data":{}}"#;
const SUBJECT: &[u8] = br#","sub":"#;
const WIDEST_EPOCH: &str = r#","sep":9999999999999"#;

/// So many bytes are enough for the claims of most tokens.
const ROOM: usize = 1024;

impl Terms {
    /// Writes the claims of a session down.
    ///
    /// # Errors
    ///
    /// As [`size`].
    pub(crate) fn write(
        &self,
        parties: &Parties,
        subject: Option<&str>,
        data: &Data,
        token_id: TokenId,
    ) -> Result<Vec<u8>> {
        let mut json = Vec::with_capacity(ROOM);
        json.extend_from_slice(parties.head.as_bytes());
        if let Some(subject) = subject {
            json.extend_from_slice(SUBJECT);
            json::write_string(&mut json, subject);
        }
        json.extend_from_slice(br#","sid":""#);
        base64::encode_to(self.sid.as_bytes(), &mut json);
        json.extend_from_slice(br#"","jti":""#);
        base64::encode_to(token_id, &mut json);
        json.push(b'"');
        let mut number = |name: &[u8], value: u64| {
            json.extend_from_slice(name);
            json::write_integer(&mut json, value);
        };
        number(br#","iat":"#, seconds(self.issued));
        number(br#","nbf":"#, seconds(self.issued));
        number(br#","exp":"#, seconds(self.expires));
        number(br#","sct":"#, seconds(self.created));
        number(br#","sxp":"#, seconds(self.ends));
        number(br#","ver":"#, self.version);
        if let Some(epoch) = self.epoch {
            number(br#","sep":"#, epoch);
        }
        json.extend_from_slice(br#","data":{"#);
        for (name, text) in data.iter() {
            check_value(name, text)?;
            json::write_name(&mut json, name.as_str());
            json.extend_from_slice(text.as_str().as_bytes());
        }
        json.extend_from_slice(b"}}");
        Ok(json)
    }
}

/// How many bytes the claims of a session have, at the most.
///
/// # Errors
///
/// [`ErrorKind::Encode`] if a value is no JSON, or nested too deeply to be read back: what is not
/// one value could add claims of its own.
pub(crate) fn size(
    parties: &Parties,
    subject: Option<&str>,
    data: &Data,
    has_epoch: bool,
) -> Result<usize> {
    let mut size = parties.head.len() + WIDEST.len();
    if let Some(subject) = subject {
        size += SUBJECT.len() + json::string_len(subject);
    }
    if has_epoch {
        size += WIDEST_EPOCH.len();
    }
    for (at, (name, text)) in data.iter().enumerate() {
        check_value(name, text)?;
        let comma = usize::from(at > 0);
        size += comma + json::string_len(name.as_str()) + 1 + text.as_str().len();
    }
    Ok(size)
}

fn check_value(name: &Name, text: &Text) -> Result<()> {
    if json::is_value(text.as_str(), 2) {
        return Ok(());
    }
    let message = format!(
        "the value of {name:?} is no JSON, or nested deeper than {} levels, and can't be in a token",
        json::DEEPEST - 2
    );
    Err(Error::new(ErrorKind::Encode, message))
}

fn seconds(at: Timestamp) -> u64 {
    (at.as_millis() / 1000).min(LATEST)
}

#[cfg(test)]
mod tests {
    use sessile_core::SessionId;

    use super::*;

    #[test]
    fn the_widest_claims_are_as_long_as_is_said() {
        let parties = Parties::new("https://\"app\".example", "a");
        let latest = Timestamp::from_millis(9_999_999_999_000);
        let entry = |name: &str, text: &str| (Name::new(name).unwrap(), Text::from_encoded(text));
        for subject in [None, Some("user"), Some("\"\n\u{1}é")] {
            for count in 0..4 {
                let entries = [entry("a", "1"), entry("\"\\", "[]"), entry("é", "\"x\"")];
                let data: Data = entries.into_iter().take(count).collect();
                for epoch in [None, Some(9_999_999_999_999)] {
                    let terms = Terms {
                        sid: SessionId::random(),
                        issued: latest,
                        expires: latest,
                        created: latest,
                        ends: latest,
                        version: Timestamp::MAX.as_millis(),
                        epoch,
                    };
                    let written = terms.write(&parties, subject, &data, [7; 16]).unwrap();
                    let size = size(&parties, subject, &data, epoch.is_some()).unwrap();
                    assert_eq!(written.len(), size);
                }
            }
        }
    }
}
