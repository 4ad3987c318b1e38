//! A strategy with a known key, a forger who has it too, and a store to be revoked in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64_simd::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
pub(crate) use sessile_core::*;
pub(crate) use sessile_token::*;
use sha2::Sha256;

pub(crate) const CARRIER: &str = "__Host-sid";
pub(crate) const ISSUER: &str = "https://app.example";
pub(crate) const SID: &str = "AQEBAQEBAQEBAQEBAQEBAQ";
pub(crate) const KID: &str = "2026-11";
/// 2026-01-01T00:00:00Z in seconds.
pub(crate) const NOW: u64 = 1_767_225_600;

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

pub(crate) fn now() -> Timestamp {
    at(NOW)
}

pub(crate) fn secret(first: u8) -> Vec<u8> {
    (first..first + 32).collect()
}

pub(crate) fn hmac_key() -> HmacKey {
    let key = HmacKey::new(Algorithm::HS256, secret(0)).unwrap();
    key.named(KID).unwrap()
}

pub(crate) fn sealing_key() -> SealingKey {
    SealingKey::new(secret(0)).unwrap().named(KID).unwrap()
}

pub(crate) fn signed() -> Token {
    with(Token::signed(TokenKeys::new(hmac_key())))
}

pub(crate) fn sealed() -> Token {
    with(Token::sealed(SealingKeys::new(sealing_key())))
}

pub(crate) fn with(builder: TokenBuilder) -> Token {
    builder.issuer(ISSUER).audience(ISSUER).build().unwrap()
}

pub(crate) const HEADER: &str = r#"{"alg":"HS256","kid":"2026-11","typ":"session+jwt"}"#;

/// The claims of a good token that was made `now`, one of them replaced or left out.
pub(crate) fn claims_with(name: &str, value: Option<&str>) -> String {
    let (issued, expires, ends) = (
        NOW.to_string(),
        (NOW + 900).to_string(),
        (NOW + 43200).to_string(),
    );
    let issuer = format!("{ISSUER:?}");
    let sid = format!("{SID:?}");
    let mut members = vec![
        ("iss", &*issuer),
        ("aud", &*issuer),
        ("sub", "\"ada\""),
        ("sid", &*sid),
        ("jti", "\"AgICAgICAgICAgICAgICAg\""),
        ("iat", &*issued),
        ("nbf", &*issued),
        ("exp", &*expires),
        ("sct", &*issued),
        ("sxp", &*ends),
        ("ver", "3"),
        ("data", "{\"n\":1}"),
    ];
    match value {
        Some(value) => match members.iter_mut().find(|(known, _)| *known == name) {
            Some(member) => member.1 = value,
            None => members.push((name, value)),
        },
        None => members.retain(|(known, _)| *known != name),
    }
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, value)| format!("{name:?}:{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

pub(crate) fn good_claims() -> String {
    claims_with("ver", Some("3"))
}

/// A token with a good MAC over whatever it says.
pub(crate) fn forge(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    forge_with(&secret(0), header, claims)
}

pub(crate) fn forge_with(
    secret: &[u8],
    header: impl AsRef<[u8]>,
    claims: impl AsRef<[u8]>,
) -> String {
    let message = [
        BASE64.encode_to_string(header),
        BASE64.encode_to_string(claims),
    ]
    .join(".");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(message.as_bytes());
    let tag = BASE64.encode_to_string(mac.finalize().into_bytes());
    [message, tag].join(".")
}

pub(crate) fn presented(text: &str, at: Timestamp) -> Presented<'_> {
    Presented {
        text: text.as_bytes(),
        carrier: CARRIER,
        arrived: at,
    }
}

/// Opens what must not have to wait.
pub(crate) fn open_at(token: &Token, text: &str, at: Timestamp) -> Opened {
    match token.open(&presented(text, at), at) {
        step @ Step::Ready(_) => run(step).unwrap(),
        Step::Waiting(_) => panic!("it had to wait"),
    }
}

pub(crate) fn open(token: &Token, text: &str) -> Opened {
    open_at(token, text, now())
}

pub(crate) fn arrival(token: &Token, text: &str) -> Arrival {
    open(token, text).arrival
}

#[track_caller]
pub(crate) fn refused(text: &str) {
    assert_eq!(arrival(&signed(), text), Arrival::Unknown, "{text}");
}

#[track_caller]
pub(crate) fn refused_claims(claims: impl AsRef<[u8]>) {
    refused(&forge(HEADER, claims));
}

#[track_caller]
pub(crate) fn accepted(text: &str) {
    assert_eq!(arrival(&signed(), text), Arrival::Resumed, "{text}");
}

/// Waits for a future.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(future)
}

pub(crate) fn lifetime() -> Lifetime {
    Lifetime::new(Duration::from_secs(1800), Duration::from_secs(43200)).unwrap()
}

/// A new session, as the façade makes one.
pub(crate) fn record(subject: Option<&str>, data: &[(&str, &str)], now: Timestamp) -> Record {
    let mut record = Record::new(&Credential::random(), now, &lifetime());
    record.subject = subject.map(Arc::from);
    record.data = data
        .iter()
        .map(|(name, text)| (Name::new(name).unwrap(), Text::from_encoded(text)))
        .collect();
    record
}

pub(crate) fn issue(token: &Token, record: &Record) -> String {
    token.issue(record, &Verifier::random(), CARRIER).unwrap()
}

/// A store in a map: what every store does, by the core's own reference.
#[derive(Clone, Debug, Default)]
pub(crate) struct MapStore(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    kept: HashMap<SessionId, Kept>,
    away: bool,
    calls: usize,
}

#[derive(Debug)]
enum Kept {
    Record(Arc<Record>),
    Tombstone(Timestamp),
}

impl MapStore {
    pub(crate) fn set_away(&self, away: bool) {
        self.0.lock().unwrap().away = away;
    }

    pub(crate) fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }

    fn with<R>(&self, run: impl FnOnce(&mut HashMap<SessionId, Kept>) -> R) -> Result<R> {
        let mut inner = self.0.lock().unwrap();
        inner.calls += 1;
        if inner.away {
            return Err(Error::new(ErrorKind::Unavailable, "the store is away"));
        }
        Ok(run(&mut inner.kept))
    }
}

#[async_trait]
impl Store for MapStore {
    async fn create(
        &self,
        record: Arc<Record>,
        _: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        self.with(|kept| match kept.get(&record.sid) {
            Some(Kept::Record(_)) => Created::Taken,
            Some(Kept::Tombstone(until)) if now < *until => Created::Taken,
            _ => {
                kept.insert(record.sid, Kept::Record(record));
                Created::Created
            }
        })
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        self.with(|kept| match kept.get(sid) {
            Some(Kept::Record(record)) if record.is_live(now) => Loaded::Live(record.clone()),
            Some(Kept::Record(_)) => Loaded::Expired,
            Some(Kept::Tombstone(until)) if now < *until => Loaded::Ended,
            // A tombstone past its time is forgotten, as a sweep would.
            Some(Kept::Tombstone(_)) | None => Loaded::Absent,
        })
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        self.with(|kept| {
            let Some(Kept::Record(record)) = kept.get(sid) else {
                return Ok(Applied::Gone);
            };
            Ok(match patch.apply_to(record, now)? {
                Patched::Applied(next) => {
                    let (version, next) = (next.version, Arc::new(next));
                    kept.insert(*sid, Kept::Record(next.clone()));
                    Applied::Applied {
                        version,
                        record: Some(next),
                    }
                }
                Patched::Conflict => Applied::Conflict(record.clone()),
                Patched::Gone => Applied::Gone,
            })
        })?
    }

    async fn end(
        &self,
        sid: &SessionId,
        _: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        self.with(|kept| {
            let until = match kept.get(sid) {
                Some(Kept::Tombstone(known)) => until.max(*known),
                _ => until,
            };
            match kept.insert(*sid, Kept::Tombstone(until)) {
                Some(Kept::Record(record)) => Some(record),
                _ => None,
            }
        })
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        self.with(|kept| {
            let live = kept.values().filter_map(|kept| match kept {
                Kept::Record(record) if record.is_live(now) => Some(record),
                _ => None,
            });
            live.filter(|record| record.subject.as_deref() == Some(subject))
                .map(|record| Candidate {
                    sid: record.sid,
                    record: Some(record.clone()),
                })
                .collect()
        })
    }

    async fn count(&self, _: Timestamp) -> Result<Option<u64>> {
        Ok(None)
    }

    async fn sweep(&self, _: Timestamp, _: usize) -> Result<usize> {
        Ok(0)
    }

    async fn ping(&self) -> Result<()> {
        self.with(|_| ())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::shared(Durability::Acknowledged)
    }
}
