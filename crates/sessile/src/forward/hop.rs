//! The signed header of a hop: `<from>.<expiry>.<tag>`.
//!
//! - `from`: the label of the node that sends the request on.
//! - `expiry`: in seconds since the Unix epoch.
//! - `tag`: base64url of the [`Macs`] tag, purpose `sessile/hop/1`, for the credential's carrier,
//!   over `<from> 00 <expiry> 00 <method> 00 <path and query> 00 <credential>`.
//!
//! It says one thing: this request has made its hop. The whole credential is bound and not its id
//! alone, so that nothing has to be taken apart.
//!
//! How far in the future an expiry lies is not judged, on purpose. Of two nodes whose clocks
//! differ one is not ahead of the other, and takes the other's header for good; so a loop ends
//! after two hops at the most, however wrong the clocks are.

use std::fmt::Write as _;
use std::time::Duration;

use base64_simd::{Out, URL_SAFE_NO_PAD as BASE64};
use http::{HeaderName, HeaderValue, Request};
use sessile_core::{KeyRing, Macs, Tag, Timestamp};

/// The header's name. Copies from outside are always removed.
pub(super) const HOP: HeaderName = HeaderName::from_static("sessile-hop");

const PURPOSE: &str = "sessile/hop/1";
const LIFE: Duration = Duration::from_secs(5);
const TAG_TEXT: usize = 22;
/// Label, dot, the seconds of a 64-bit number, dot, tag.
const LONGEST: usize = 16 + 1 + 20 + 1 + TAG_TEXT;

/// Signs and verifies the hops of one service.
#[derive(Debug)]
pub(super) struct Signer {
    macs: Macs,
    node: Box<str>,
}

impl Signer {
    pub(super) fn new(ring: KeyRing, node: &str) -> Self {
        Signer {
            macs: Macs::new(ring, PURPOSE, ""),
            node: node.into(),
        }
    }

    /// The header for a request that leaves this node now.
    pub(super) fn sign<B>(
        &self,
        request: &Request<B>,
        carrier: &str,
        credential: &[u8],
        now: Timestamp,
    ) -> Option<HeaderValue> {
        let expiry = (now.after(LIFE).as_millis() / 1000).to_string();
        let signed = signed(&self.node, &expiry, request, credential);
        let tag = self.macs.tag(carrier, &signed);
        let mut text = String::with_capacity(LONGEST);
        // Writing to a String does not fail.
        let _ = write!(text, "{}.{expiry}.", self.node);
        BASE64.encode_append(tag, &mut text);
        let mut value = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The label of the node that sent this request on, if one did.
    pub(super) fn verify<'a, B>(
        &self,
        header: &'a HeaderValue,
        request: &Request<B>,
        carrier: &str,
        credential: &[u8],
        now: Timestamp,
    ) -> Option<&'a str> {
        let text = header.to_str().ok().filter(|text| text.len() <= LONGEST)?;
        let (from, rest) = text.split_once('.')?;
        let (expiry, tag) = rest.split_once('.')?;
        let seconds: u64 = expiry.parse().ok()?;
        // A longer text would not fit where it is decoded to.
        if now.as_millis() / 1000 > seconds || tag.len() != TAG_TEXT {
            return None;
        }
        let mut sent = Tag::default();
        let read = BASE64.decode(tag.as_bytes(), Out::from_slice(&mut sent));
        if read.ok()?.len() != Tag::default().len() {
            return None;
        }
        let signed = signed(from, expiry, request, credential);
        self.macs
            .verify(carrier, &signed, &sent, now)
            .then_some(from)
    }
}

/// What is signed. No part but the last can hold a zero byte.
fn signed<B>(from: &str, expiry: &str, request: &Request<B>, credential: &[u8]) -> Vec<u8> {
    let path = request.uri().path_and_query();
    let path = path.map_or("/", |path| path.as_str());
    let parts = [
        from.as_bytes(),
        expiry.as_bytes(),
        request.method().as_str().as_bytes(),
        path.as_bytes(),
        credential,
    ];
    parts.join(&0)
}

#[cfg(test)]
mod tests {
    use sessile_core::MasterKey;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn signer(first: u8, node: &str) -> Signer {
        let secret: Vec<u8> = (first..first + 32).collect();
        let ring = KeyRing::new(MasterKey::new("k", secret).unwrap());
        Signer::new(ring, node)
    }

    fn request(method: &str, uri: &str) -> Request<()> {
        let request = Request::builder().method(method).uri(uri).body(());
        request.unwrap()
    }

    #[test]
    fn a_hop_is_good_for_its_request_and_credential_alone_and_for_seconds() {
        let (n1, n2) = (signer(0, "n1"), signer(0, "n2"));
        let sent = request("POST", "http://example.org/a?b=c");
        let header = n1.sign(&sent, "sid", b"n2.x.y", NOW).unwrap();
        let verify = |signer: &Signer, request: &Request<()>, credential: &[u8], now| {
            signer
                .verify(&header, request, "sid", credential, now)
                .map(str::to_owned)
        };
        let seen = request("POST", "/a?b=c");
        let good = verify(&n2, &seen, b"n2.x.y", NOW);
        assert_eq!(good.as_deref(), Some("n1"));
        assert!(verify(&n2, &seen, b"n2.x.y", NOW.after(LIFE)).is_some());
        let late = NOW.after(LIFE + Duration::from_secs(1));
        assert_eq!(verify(&n2, &seen, b"n2.x.y", late), None);
        assert_eq!(verify(&n2, &seen, b"n2.x.z", NOW), None);
        assert_eq!(verify(&n2, &request("GET", "/a?b=c"), b"n2.x.y", NOW), None);
        assert_eq!(
            verify(&n2, &request("POST", "/a?b=d"), b"n2.x.y", NOW),
            None
        );
        let key = signer(1, "n2");
        assert_eq!(verify(&key, &seen, b"n2.x.y", NOW), None);
        let other = n2.verify(&header, &seen, "authorization", b"n2.x.y", NOW);
        assert_eq!(other, None);
    }

    #[test]
    fn every_changed_character_is_refused() {
        let signer = signer(0, "n1");
        let root = request("GET", "/");
        let header = signer.sign(&root, "sid", b"n2.x.y", NOW).unwrap();
        let text = header.to_str().unwrap();
        for at in 0..text.len() {
            for with in ["A", "b", "9", ".", "", "~", "AAA"] {
                let forged = [&text[..at], with, &text[at + 1..]].concat();
                let value = HeaderValue::from_str(&forged).unwrap();
                let good = signer
                    .verify(&value, &root, "sid", b"n2.x.y", NOW)
                    .is_some();
                assert_eq!(good, forged == text, "{forged:?}");
            }
        }
        for garbage in ["", ".", "..", "n1.1.1", &"x".repeat(5000)] {
            let value = HeaderValue::from_str(garbage).unwrap();
            assert_eq!(signer.verify(&value, &root, "sid", b"n2.x.y", NOW), None);
        }
    }
}
