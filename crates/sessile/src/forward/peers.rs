//! Where the nodes are: from a label to an address. The only place where addresses come from; what
//! a client sends is never one.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Uri;
use http::uri::{Authority, Scheme};

use crate::{Error, ErrorKind, Result};

/// What stands for the label in a template.
const NODE: &str = "{node}";
/// The label that means "nobody's".
const NOBODY: &str = "0";

/// The addresses of the nodes, by label, and how long they may take. See
/// [`SessionLayer::peers`](crate::SessionLayer::peers).
///
/// ```
/// use sessile::Peers;
///
/// # fn main() -> sessile::Result<()> {
/// let by_name = Peers::template("http://{node}.app.internal:8080")?;
/// let listed = Peers::table([("n1", "http://10.0.0.1:8080"), ("n2", "http://10.0.0.2:8080")])?;
/// assert!(listed.knows("n2") && !listed.knows("n3"));
/// # let _ = by_name;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Peers {
    kind: Kind,
    pub(super) connect: Duration,
    pub(super) answer: Duration,
}

#[derive(Clone, Debug)]
enum Kind {
    Template { before: Box<str>, after: Box<str> },
    Table(BTreeMap<Box<str>, Authority>),
}

impl Peers {
    /// Addresses made from the label, such as `http://{node}.app:8080`. Every label of a validly
    /// signed credential is taken to be a node; where there is none, connecting fails.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if it does not have `{node}` exactly once, or is not `http://`, a
    /// host and a port.
    pub fn template(template: &str) -> Result<Self> {
        let parts: Vec<&str> = template.split(NODE).collect();
        let [before, after] = parts[..] else {
            return invalid(format!(
                "{template:?} must have {NODE} exactly once, where the label goes: write \"http://{NODE}.app:8080\""
            ));
        };
        for label in ["a", "0123456789abcdef"] {
            authority(&[before, label, after].concat(), template)?;
        }
        Ok(Peers::new(Kind::Template {
            before: before.into(),
            after: after.into(),
        }))
    }

    /// Addresses listed by label. A label that is not in the list is no peer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] if the list is empty, has a label twice, a label is not 1 to 16 of
    /// `a-z` and `0-9` or the reserved `0`, or an address is not `http://`, a host and a port.
    pub fn table<L, A>(nodes: impl IntoIterator<Item = (L, A)>) -> Result<Self>
    where
        L: AsRef<str>,
        A: AsRef<str>,
    {
        let mut table = BTreeMap::new();
        for (label, address) in nodes {
            let (label, address) = (label.as_ref(), address.as_ref());
            if !is_label(label) {
                return invalid(format!(
                    "{label:?} is no node's label: use 1 to 16 of a-z and 0-9, such as \"n1\", and not \"{NOBODY}\", which means nobody's"
                ));
            }
            if table
                .insert(label.into(), authority(address, address)?)
                .is_some()
            {
                return invalid(format!(
                    "node {label:?} is listed twice: it has one address"
                ));
            }
        }
        if table.is_empty() {
            return invalid(
                "no peers are listed: write each node's label and address, or leave peers out"
                    .into(),
            );
        }
        Ok(Peers::new(Kind::Table(table)))
    }

    /// How long looking a peer's name up and connecting to it may take. Past it nothing was sent,
    /// and the next answer to a foreign credential counts. Default: 1 second.
    #[must_use]
    pub fn connect_within(mut self, deadline: Duration) -> Self {
        self.connect = deadline;
        self
    }

    /// How long a peer may keep the request waiting: for taking its next piece, and then for the
    /// head of the response; at most twice that while pieces still move. The client's own slowness
    /// does not count, and neither does the body of the response. Past it the client gets `504`.
    /// Default: 30 seconds.
    #[must_use]
    pub fn answer_within(mut self, deadline: Duration) -> Self {
        self.answer = deadline;
        self
    }

    fn new(kind: Kind) -> Self {
        Peers {
            kind,
            connect: Duration::from_secs(1),
            answer: Duration::from_secs(30),
        }
    }

    /// Whether there is an address for this label.
    pub fn knows(&self, label: &str) -> bool {
        self.address(label).is_some()
    }

    pub(super) fn address(&self, label: &str) -> Option<Authority> {
        // Checked again although it was signed: with a template the label becomes part of a name.
        if !is_label(label) {
            return None;
        }
        match &self.kind {
            Kind::Table(table) => table.get(label).cloned(),
            Kind::Template { before, after } => {
                let address = [before, label, after].concat();
                authority(&address, &address).ok()
            }
        }
    }
}

fn is_label(label: &str) -> bool {
    (1..=16).contains(&label.len())
        && label != NOBODY
        && label
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn authority(address: &str, written: &str) -> Result<Authority> {
    let parts = address.parse::<Uri>().map(Uri::into_parts).ok();
    let Some(parts) = parts else {
        return invalid(format!(
            "{written:?} is no address: write \"http://10.0.0.1:8080\""
        ));
    };
    match (parts.scheme, parts.authority, parts.path_and_query) {
        (Some(scheme), _, _) if scheme == Scheme::HTTPS => invalid(format!(
            "{written:?} is https, and a hop is plain http inside of a private network: write \"http://…\", or the address of a proxy on this machine that adds TLS"
        )),
        (Some(scheme), Some(authority), path)
            if scheme == Scheme::HTTP
                && path.as_ref().is_none_or(|path| path == "/")
                && !authority.as_str().contains('@')
                && has_a_good_port(&authority)
                && !authority.host().is_empty() =>
        {
            Ok(authority)
        }
        _ => invalid(format!(
            "{written:?} must be http://, a host and a port, and nothing else: a request keeps its own path"
        )),
    }
}

/// `Authority` keeps whatever stands behind the colon, and answers no port where that is none.
fn has_a_good_port(authority: &Authority) -> bool {
    let rest = authority.as_str().strip_prefix(authority.host());
    match authority.port_u16() {
        Some(port) => port != 0,
        None => rest == Some(""),
    }
}

fn invalid<T>(message: String) -> Result<T> {
    Err(Error::new(ErrorKind::Invalid, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_comes_from_the_table_or_the_template_alone() {
        let table = Peers::table([("n1", "http://127.0.0.1:81"), ("n2", "http://[::1]:82/")]);
        let table = table.unwrap();
        assert_eq!(table.address("n1").unwrap(), "127.0.0.1:81");
        assert_eq!(table.address("n2").unwrap(), "[::1]:82");
        assert_eq!(table.address("n3"), None);
        let template = Peers::template("http://{node}.app:8080").unwrap();
        assert_eq!(template.address("n1").unwrap(), "n1.app:8080");
        for label in [
            "0",
            "",
            "N1",
            "n-1",
            "a.b",
            "x@y",
            "a:1",
            "12345678901234567",
        ] {
            assert_eq!(template.address(label), None, "{label:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_to_write_instead() {
        for (bad, hint) in [
            ("http://app:8080", "exactly once"),
            ("http://{node}.{node}:8080", "exactly once"),
            ("https://{node}.app", "http://"),
            ("{node}.app:8080", "http://"),
            ("http://{node}.app/base", "its own path"),
            ("http://user@{node}.app", "a host and a port"),
            ("http://{node}.app:0", "a host and a port"),
            ("http://127.0.0.1:80{node}", "a host and a port"),
            ("http://{node}.app:80x", "a host and a port"),
            ("http://{node}.app:99999", "a host and a port"),
            ("http://{node} .app", "10.0.0.1"),
            ("", "exactly once"),
        ] {
            let error = Peers::template(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(hint), "{bad:?}: {error}");
        }
        let good = "http://127.0.0.1:1";
        let tables: [(&[(&str, &str)], &str); 5] = [
            (&[], "no peers"),
            (&[("N1", good)], "1 to 16"),
            (&[("0", good)], "nobody"),
            (&[("n1", good), ("n1", good)], "twice"),
            (&[("n1", "127.0.0.1:1")], "http://"),
        ];
        for (table, hint) in tables {
            let error = Peers::table(table.iter().copied()).unwrap_err();
            assert!(error.to_string().contains(hint), "{table:?}: {error}");
        }
    }
}
