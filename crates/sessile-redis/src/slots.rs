//! Slots: which node of a cluster holds which keys.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, RedisConnectionInfo, Value};

/// A server, by name or address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Node {
    /// The server that a seed names.
    pub(crate) fn of(info: &ConnectionInfo) -> Option<Self> {
        let (host, port) = match info.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                (host.clone(), *port)
            }
            _ => return None,
        };
        Some(Node { host, port })
    }

    /// How to connect to it.
    pub(crate) fn info(&self, redis: &RedisConnectionInfo, tls: bool) -> ConnectionInfo {
        let (host, port) = (self.host.clone(), self.port);
        let addr = if tls {
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host, port)
        };
        let info = addr.into_connection_info();
        let info = info.expect("an address is all that it takes");
        info.set_redis_settings(redis.clone())
    }

    /// Reads `slot host:port`, the rest of a redirection. No host means that of the one who says so.
    pub(crate) fn redirected(detail: &str, by: &Node) -> Option<Self> {
        let (_, address) = detail.split_once(' ')?;
        let (host, port) = address.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some(Node {
            host: if host.is_empty() { &by.host } else { host }.to_owned(),
            port: port.parse().ok()?,
        })
    }
}

/// Which node holds which slots, as one node said it.
#[derive(Debug, Default)]
pub(crate) struct Slots(Vec<Range>);

#[derive(Debug)]
struct Range {
    first: u16,
    last: u16,
    node: Node,
}

impl Slots {
    /// Reads what `CLUSTER SLOTS` answered.
    pub(crate) fn read(value: &Value, by: &Node) -> Option<Self> {
        let Value::Array(ranges) = value else {
            return None;
        };
        let mut slots: Vec<_> = ranges
            .iter()
            .map(|range| Range::read(range, by))
            .collect::<Option<_>>()?;
        slots.sort_unstable_by_key(|range| range.first);
        Some(Slots(slots))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The node that holds a slot.
    pub(crate) fn node(&self, slot: u16) -> Option<&Node> {
        let after = self.0.partition_point(|range| range.first <= slot);
        let range = self.0.get(after.checked_sub(1)?)?;
        (slot <= range.last).then_some(&range.node)
    }

    /// Every node that holds any.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.0.iter().map(|range| &range.node)
    }
}

impl Range {
    fn read(value: &Value, by: &Node) -> Option<Self> {
        let Value::Array(parts) = value else {
            return None;
        };
        let [Value::Int(first), Value::Int(last), Value::Array(node), ..] = &parts[..] else {
            return None;
        };
        let [host, Value::Int(port), ..] = &node[..] else {
            return None;
        };
        let host = match host {
            Value::BulkString(host) if !host.is_empty() && host != b"?" => {
                String::from_utf8(host.clone()).ok()?
            }
            _ => by.host.clone(),
        };
        Some(Range {
            first: u16::try_from(*first).ok()?,
            last: u16::try_from(*last).ok()?,
            node: Node {
                host,
                port: u16::try_from(*port).ok()?,
            },
        })
    }
}

/// The slot of a key: CRC-16/XMODEM of it, or of what stands between its first braces.
pub(crate) fn slot(key: &str) -> u16 {
    let hashed = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map_or(key, |(tag, _)| if tag.is_empty() { key } else { tag });
    let mut crc = 0_u16;
    for byte in hashed.bytes() {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x1021;
            }
        }
    }
    crc % 16384
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the specification of Redis Cluster, and from `CLUSTER KEYSLOT`.
    #[test]
    fn slots_are_those_that_a_server_computes() {
        assert_eq!(slot("123456789"), 0x31c3);
        assert_eq!(slot("{user1000}.following"), slot("user1000"));
        assert_eq!(slot("foo{}{bar}"), 8363);
        assert_eq!(slot("foo{{bar}}zap"), slot("{bar"));
        assert_eq!(slot(""), 0);
    }

    #[test]
    fn a_redirection_names_a_node_or_another_port_of_the_same() {
        let by = Node {
            host: "a".into(),
            port: 1,
        };
        let read = |detail| Node::redirected(detail, &by).map(|node| (node.host, node.port));
        assert_eq!(
            read("3999 127.0.0.1:6381"),
            Some(("127.0.0.1".into(), 6381))
        );
        assert_eq!(read("3999 :6381"), Some(("a".into(), 6381)));
        assert_eq!(read("3999 ::1:6381"), Some(("::1".into(), 6381)));
        assert_eq!(read("3999"), None);
        assert_eq!(read("3999 a:port"), None);
    }
}
