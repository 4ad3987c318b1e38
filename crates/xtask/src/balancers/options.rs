//! The arguments of `cargo xtask balancers`. What is parsed can be written into any of the
//! configurations as it is: nothing in it has a meaning there.

/// What is to be written.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) proxy: Proxy,
    pub(super) nodes: Vec<Node>,
    pub(super) cookie: String,
    pub(super) listen: Address,
    pub(super) ready: String,
}

/// A node, by the label that its credentials start with.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) label: String,
    pub(super) address: Address,
}

/// `host:port`; an IPv6 address is in brackets.
#[derive(Debug, PartialEq)]
pub(super) struct Address {
    host: String,
    pub(super) port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    Haproxy,
    Nginx,
    NginxSticky,
    Envoy,
    Traefik,
    Caddy,
}

impl Options {
    pub(super) fn parse(arguments: &[&str]) -> Result<Self, String> {
        let (mut proxy, mut nodes) = (None, None);
        let (mut cookie, mut listen, mut ready) = (None, None, None);
        let mut rest = arguments.iter();
        while let Some(flag) = rest.next() {
            let place = match *flag {
                "--proxy" => &mut proxy,
                "--nodes" => &mut nodes,
                "--cookie" => &mut cookie,
                "--listen" => &mut listen,
                "--ready" => &mut ready,
                other => {
                    return Err(format!(
                        "{other:?} is no option: write --proxy, --nodes, --cookie, --listen or --ready"
                    ));
                }
            };
            let value = rest
                .next()
                .ok_or_else(|| format!("{flag} needs a value after it"))?;
            if place.replace(*value).is_some() {
                return Err(format!("{flag} is given twice: leave one of them out"));
            }
        }
        let example = "write --nodes n1=127.0.0.1:8101,n2=127.0.0.1:8102";
        Ok(Options {
            proxy: Proxy::parse(proxy)?,
            nodes: parse_nodes(nodes.ok_or_else(|| format!("there are no nodes: {example}"))?)?,
            cookie: parse_cookie(cookie.unwrap_or("__Host-sid"))?,
            listen: Address::parse(listen.unwrap_or("127.0.0.1:8080"))?,
            ready: parse_path(ready.unwrap_or("/ready"))?,
        })
    }

    /// The nodes, this one first and those after it next: whoever is sent elsewhere when it is
    /// away goes to another place than the orphans of the next node.
    pub(super) fn from(&self, first: usize) -> impl Iterator<Item = &Node> {
        self.nodes.iter().cycle().skip(first).take(self.nodes.len())
    }
}

impl Proxy {
    pub(super) const ALL: [Proxy; 6] = [
        Proxy::Haproxy,
        Proxy::Nginx,
        Proxy::NginxSticky,
        Proxy::Envoy,
        Proxy::Traefik,
        Proxy::Caddy,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Proxy::Haproxy => "haproxy",
            Proxy::Nginx => "nginx",
            Proxy::NginxSticky => "nginx-sticky",
            Proxy::Envoy => "envoy",
            Proxy::Traefik => "traefik",
            Proxy::Caddy => "caddy",
        }
    }

    fn parse(name: Option<&str>) -> Result<Self, String> {
        let all = Proxy::ALL.map(Proxy::name).join(", ");
        let name =
            name.ok_or_else(|| format!("for which balancer? write --proxy and one of {all}"))?;
        let found = Proxy::ALL.into_iter().find(|proxy| proxy.name() == name);
        found.ok_or_else(|| format!("{name:?} is none of the balancers: write one of {all}"))
    }
}

impl Address {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is no address: write a host and a port, such as 127.0.0.1:8101, app-1.internal:80 or [::1]:8101"
            )
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(wrong)?;
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let good = match inner {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
            None => is_made_of(host, "-."),
        };
        if !good {
            return Err(wrong());
        }
        let host = inner.unwrap_or(host).to_owned();
        Ok(Address { host, port })
    }

    /// Without brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn is_ip(&self) -> bool {
        self.host.parse::<std::net::IpAddr>().is_ok()
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn parse_nodes(text: &str) -> Result<Vec<Node>, String> {
    let mut nodes: Vec<Node> = Vec::new();
    for entry in text.split(',') {
        let (label, address) = entry.split_once('=').ok_or_else(|| {
            format!("{entry:?} is no node: write its label and address, such as n1=127.0.0.1:8101")
        })?;
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if !(1..=16).contains(&label.len()) || !label.bytes().all(good) {
            return Err(format!(
                "{label:?} is no label: use 1 to 16 of a-z and 0-9, such as n1, and the same in the node's own configuration"
            ));
        }
        if label == "0" {
            return Err(
                "the label 0 means nobody's, and is balanced over all: give the node another"
                    .to_owned(),
            );
        }
        let address = Address::parse(address)?;
        if let Some(twin) = nodes.iter().find(|node| node.label == label) {
            return Err(format!(
                "{label:?} is listed twice, as {} and as {address}: a label is one node's",
                twin.address
            ));
        }
        if let Some(twin) = nodes.iter().find(|node| node.address == address) {
            return Err(format!(
                "{address} is listed twice, as {} and as {label}: a node has one label",
                twin.label
            ));
        }
        let label = label.to_owned();
        nodes.push(Node { label, address });
    }
    Ok(nodes)
}

fn parse_cookie(name: &str) -> Result<String, String> {
    if is_made_of(name, "-_") {
        return Ok(name.to_owned());
    }
    Err(format!(
        "{name:?} can't be written into every balancer's rules: name the cookie with letters, digits, - and _, such as __Host-sid"
    ))
}

fn parse_path(path: &str) -> Result<String, String> {
    if path.starts_with('/') && is_made_of(path, "/-_.") {
        return Ok(path.to_owned());
    }
    Err(format!(
        "{path:?} is no path to ask for readiness: write one such as /ready, with letters, digits and / - _ ."
    ))
}

fn is_made_of(text: &str, others: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_refused_with_what_to_write_instead() {
        let nodes = "n1=127.0.0.1:1,n2=127.0.0.1:2";
        for (arguments, hint) in [
            (&["--nodes", nodes][..], "--proxy and one of haproxy"),
            (
                &["--proxy", "apache", "--nodes", nodes],
                "one of haproxy, nginx",
            ),
            (&["--proxy", "caddy"], "--nodes n1="),
            (&["--proxy"], "needs a value"),
            (&["--port", "1"], "--listen"),
            (&["--proxy", "caddy", "--proxy", "envoy"], "twice"),
            (
                &["--proxy", "caddy", "--nodes", "127.0.0.1:1"],
                "n1=127.0.0.1:8101",
            ),
            (
                &["--proxy", "caddy", "--nodes", "N1=127.0.0.1:1"],
                "a-z and 0-9",
            ),
            (&["--proxy", "caddy", "--nodes", "0=127.0.0.1:1"], "nobody"),
            (
                &["--proxy", "caddy", "--nodes", "n1=127.0.0.1"],
                "a host and a port",
            ),
            (
                &["--proxy", "caddy", "--nodes", "n1=a b:1"],
                "a host and a port",
            ),
            (&["--proxy", "caddy", "--nodes", "n1=[::g]:1"], "[::1]:8101"),
            (
                &["--proxy", "caddy", "--nodes", "n1=a:1,n1=b:1"],
                "one node's",
            ),
            (
                &["--proxy", "caddy", "--nodes", "n1=a:1,n2=a:1"],
                "one label",
            ),
            (
                &["--proxy", "caddy", "--nodes", nodes, "--cookie", "a`b"],
                "__Host-sid",
            ),
            (
                &["--proxy", "caddy", "--nodes", nodes, "--listen", "8080"],
                "a host and a port",
            ),
            (
                &["--proxy", "caddy", "--nodes", nodes, "--ready", "ready"],
                "/ready",
            ),
            (
                &["--proxy", "caddy", "--nodes", nodes, "--ready", "/a b"],
                "/ready",
            ),
        ] {
            let why = Options::parse(arguments).unwrap_err();
            assert!(why.contains(hint), "{arguments:?}: {why}");
        }
    }

    #[test]
    fn an_ipv6_address_has_its_brackets_where_a_port_follows() {
        let address = Address::parse("[::1]:80").unwrap();
        assert_eq!(
            (address.to_string().as_str(), address.host()),
            ("[::1]:80", "::1")
        );
    }
}
