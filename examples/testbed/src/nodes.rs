//! Sticky sessions: of this process alone, or of one of several nodes.

use std::sync::Arc;
use std::time::Duration;

use sessile::core::{Error, ErrorKind};
use sessile::{Capacity, KeyRing, Misrouted, Peers, Result, SessionLayer, Sticky};

use crate::InFront;
use crate::flags::{Strategy, duration};

/// What the command line says of this node.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeFlags {
    label: Option<Arc<str>>,
    backing: Option<String>,
    peers: Option<String>,
    misrouted: Vec<Misrouted>,
    revalidate: Option<Duration>,
    capacity: Option<usize>,
}

/// The label of this node, if it has one.
#[derive(Clone)]
pub(crate) struct Name(pub(crate) Option<Arc<str>>);

impl NodeFlags {
    /// Whether this is a flag of nodes.
    pub(crate) fn knows(flag: &str) -> bool {
        let flags = [
            "node",
            "backing",
            "peers",
            "misrouted",
            "revalidate",
            "capacity",
        ];
        flag.strip_prefix("--")
            .is_some_and(|flag| flags.contains(&flag))
    }

    /// Reads one of them.
    pub(crate) fn read(&mut self, flag: &str, value: String) -> Result<(), String> {
        match flag {
            "--node" => self.label = Some(value.into()),
            "--backing" => self.backing = Some(value),
            "--peers" => self.peers = Some(value),
            "--misrouted" => {
                self.misrouted = value.split(',').map(answer).collect::<Result<_, _>>()?
            }
            "--revalidate" => self.revalidate = Some(duration(&value)?),
            _ => {
                self.capacity = Some(
                    value
                        .parse()
                        .map_err(|_| format!("{value:?} is no number"))?,
                )
            }
        }
        Ok(())
    }

    /// Refuses what would have no effect.
    pub(crate) fn check(&self, strategy: &Strategy) -> Result<(), String> {
        if *self != NodeFlags::default() && *strategy != Strategy::Sticky {
            return Err("the flags of nodes are for --strategy sticky".to_owned());
        }
        let of_several =
            self.backing.is_some() || self.peers.is_some() || !self.misrouted.is_empty();
        if self.label.is_none() && of_several {
            return Err("--backing, --peers and --misrouted need a --node".to_owned());
        }
        if self.backing.is_none() && self.revalidate.is_some() {
            return Err("--revalidate needs a --backing".to_owned());
        }
        Ok(())
    }

    pub(crate) fn name(&self) -> Name {
        Name(self.label.clone())
    }

    /// The answers to the request of another node's session. Who names peers wants them asked.
    fn answers(&self) -> Vec<Misrouted> {
        if !self.misrouted.is_empty() {
            return self.misrouted.clone();
        }
        let last = match self.backing {
            Some(_) => Misrouted::Adopt,
            None => Misrouted::Fail,
        };
        let first = self.peers.as_ref().map(|_| Misrouted::Forward);
        first.into_iter().chain([last]).collect()
    }
}

fn answer(name: &str) -> Result<Misrouted, String> {
    match name {
        "forward" => Ok(Misrouted::Forward),
        "adopt" => Ok(Misrouted::Adopt),
        "fail" => Ok(Misrouted::Fail),
        "lost" => Ok(Misrouted::Lost),
        _ => Err(format!("{name:?} is none of forward, adopt, fail and lost")),
    }
}

/// The layer of sticky sessions.
pub(crate) async fn build(
    flags: &NodeFlags,
    in_front: InFront,
    keys: Option<KeyRing>,
) -> Result<SessionLayer> {
    let capacity = flags.capacity.map(Capacity::sessions);
    let Some(label) = &flags.label else {
        let mut sticky = Sticky::new().capacity(capacity.unwrap_or_default());
        if let Some(ring) = keys {
            sticky = sticky.keys(ring);
        }
        return Ok(SessionLayer::new(sticky));
    };
    let Some(ring) = keys else {
        let message = "a node needs the keys of all nodes: set SESSILE_KEY, the same on each";
        return Err(Error::new(ErrorKind::Invalid, message).into());
    };
    let node = Sticky::node(&**label).keys(ring).misrouted(flags.answers());
    let node = node.capacity(capacity.unwrap_or_default());
    let layer = match &flags.backing {
        None => SessionLayer::new(node.build()?),
        Some(url) => {
            let mut node = node.backing(in_front(sessile::connect(url).await?));
            if let Some(revalidate) = flags.revalidate {
                node = node.revalidate(revalidate);
            }
            SessionLayer::new(node.build()?)
        }
    };
    Ok(match &flags.peers {
        Some(peers) => layer.peers(self::peers(peers)?),
        None => layer,
    })
}

/// A template, or `n1=http://…,n2=http://…`.
fn peers(text: &str) -> Result<Peers> {
    if text.contains('=') {
        let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        Peers::table(pairs)
    } else {
        Peers::template(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(list: &[(&str, &str)]) -> NodeFlags {
        let mut flags = NodeFlags::default();
        for (flag, value) in list {
            assert!(NodeFlags::knows(flag));
            flags.read(flag, (*value).to_owned()).unwrap();
        }
        flags
    }

    #[test]
    fn a_node_asks_its_peers_first_and_then_its_store() {
        use Misrouted::{Adopt, Fail, Forward};
        let node = ("--node", "n1");
        let (backing, peers) = (("--backing", "memory:"), ("--peers", "http://{node}.app"));
        assert_eq!(flags(&[node]).answers(), [Fail]);
        assert_eq!(flags(&[node, backing]).answers(), [Adopt]);
        assert_eq!(flags(&[node, peers]).answers(), [Forward, Fail]);
        assert_eq!(flags(&[node, peers, backing]).answers(), [Forward, Adopt]);
        let named = flags(&[node, peers, ("--misrouted", "adopt,fail")]);
        assert_eq!(named.answers(), [Adopt, Fail]);
        assert!(
            NodeFlags::default()
                .read("--misrouted", "adopt,".into())
                .is_err()
        );
    }

    #[test]
    fn flags_without_effect_are_refused() {
        let sticky = Strategy::Sticky;
        assert!(flags(&[("--capacity", "9")]).check(&sticky).is_ok());
        for flag in ["--backing", "--peers", "--misrouted"] {
            assert!(flags(&[(flag, "fail")]).check(&sticky).is_err(), "{flag}");
        }
        let node = ("--node", "n1");
        assert!(
            flags(&[node, ("--revalidate", "5s")])
                .check(&sticky)
                .is_err()
        );
        let stored = Strategy::Stored("memory:".into());
        assert!(flags(&[node]).check(&stored).is_err());
    }

    #[test]
    fn peers_are_a_template_or_a_list() {
        assert!(peers("http://{node}.app:8080").unwrap().knows("n7"));
        let list = peers("n1=http://127.0.0.1:1,n2=http://127.0.0.1:2").unwrap();
        assert!(list.knows("n2") && !list.knows("n3"));
        assert!(peers("http://app").is_err());
    }
}
