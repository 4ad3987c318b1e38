//! `[sticky]`.

use std::time::Duration;

use crate::config::fields::Fields;
use crate::config::problem::Problems;
use crate::config::url::StoreUrl;

#[derive(Clone, Debug)]
pub(in crate::config) struct Sticky {
    pub(in crate::config) node: Option<String>,
    pub(in crate::config) backing: Option<StoreUrl>,
    pub(in crate::config) revalidate: Option<Duration>,
    /// Empty: the strategy's own choice.
    pub(in crate::config) misrouted: Vec<Misrouted>,
    pub(in crate::config) peers: Option<Peers>,
    pub(in crate::config) capacity: Option<usize>,
}

/// What becomes of a request that belongs to another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Misrouted {
    Forward,
    Adopt,
    Fail,
}

/// Where the other nodes are.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "forward"), expect(dead_code))]
pub(in crate::config) enum Peers {
    /// With `{node}` in it.
    Template(String),
    /// Label and address.
    Table(Vec<(String, String)>),
}

impl Sticky {
    pub(in crate::config) fn read(
        table: &Fields<'_>,
        has_keys: bool,
        problems: &mut Problems,
    ) -> Self {
        check(table, has_keys, problems);
        let owned = |key| table.at(key).text().map(str::to_owned);
        Sticky {
            node: owned("node"),
            backing: table.at("backing").text().map(StoreUrl::new),
            revalidate: table.at("revalidate").duration(),
            misrouted: misrouted(table),
            peers: peers(&table.at("peers")),
            capacity: table.at("capacity").count(),
        }
    }

    /// Whether a session of another node is loaded from the store. Who names one wants it used.
    pub(in crate::config) fn adopts(&self) -> bool {
        match &self.misrouted[..] {
            [] => self.backing.is_some(),
            chain => chain.contains(&Misrouted::Adopt),
        }
    }
}

#[cfg(feature = "forward")]
impl Peers {
    pub(in crate::config) fn build(&self) -> crate::Result<crate::Peers> {
        match self {
            Peers::Template(template) => crate::Peers::template(template),
            Peers::Table(table) => crate::Peers::table(table.iter().map(|(n, at)| (n, at))),
        }
    }
}

/// What is there has to have its effect.
fn check(table: &Fields<'_>, has_keys: bool, problems: &mut Problems) {
    let is = |key: &str| table.at(key).is_there();
    let mut needs = |key: &str, good: bool, message: &str| {
        if is(key) && !good {
            problems.add(table.at(key).path(), message);
        }
    };
    needs(
        "node",
        has_keys,
        "needs keys that all nodes share: write keys.current = { id = \"2026-11\", env = \"SESSILE_KEY\" }",
    );
    needs(
        "backing",
        is("node"),
        "needs a label of this node, so that its copies are told from others': write sticky.node = \"n1\"",
    );
    needs(
        "revalidate",
        is("backing"),
        "has nothing to ask: write sticky.backing, or remove it",
    );
    needs(
        "misrouted",
        is("node"),
        "needs to know which node this is: write sticky.node = \"n1\"",
    );
    needs(
        "peers",
        is("node"),
        "needs to know which node this is: write sticky.node = \"n1\"",
    );
    check_chain(table, problems);
    let peers = table.at("peers");
    if peers.is_table() && peers.entries().is_empty() {
        problems.add(
            peers.path(),
            "names no node: write each node's address, such as n2 = \"http://n2.app:8080\"",
        );
    }
}

/// The chain is tried in its order, and `fail` ends it.
fn check_chain(table: &Fields<'_>, problems: &mut Problems) {
    let chain = table.at("misrouted");
    let is = |key: &str| table.at(key).is_there();
    if !chain.is_there() {
        return;
    }
    let mut seen = Vec::new();
    for step in chain.items() {
        let Some(word) = step.text() else { continue };
        let message = match word {
            _ if seen.contains(&word) => "is there twice: remove one",
            _ if seen.contains(&"fail") => {
                "comes after \"fail\", where nothing is tried any more: write \"fail\" last"
            }
            "forward" if seen.contains(&"adopt") => {
                "comes after \"adopt\", which has an answer for every session: write \"forward\" first"
            }
            "forward" if !is("peers") => {
                "\"forward\" needs to know where the others are: write sticky.peers = \"http://{node}.app:8080\", or remove it"
            }
            "adopt" if !is("backing") => {
                "\"adopt\" needs a store to load from: write sticky.backing, or remove it"
            }
            _ => "",
        };
        if !message.is_empty() {
            problems.add(step.path(), message);
        }
        seen.push(word);
    }
    if chain.is_empty_list() {
        problems.add(
            chain.path(),
            "is empty: write [\"fail\"] to refuse such requests, or remove it",
        );
    } else if is("peers") && !seen.contains(&"forward") {
        problems.add(table.at("peers").path(), "is for \"forward\", which sticky.misrouted does not have: add it there, or remove the peers");
    }
}

fn misrouted(table: &Fields<'_>) -> Vec<Misrouted> {
    let chain = table.at("misrouted");
    let steps = chain.items().filter_map(|step| {
        Some(match step.text()? {
            "forward" => Misrouted::Forward,
            "adopt" => Misrouted::Adopt,
            _ => Misrouted::Fail,
        })
    });
    steps.collect()
}

fn peers(place: &Fields<'_>) -> Option<Peers> {
    if let Some(template) = place.text() {
        return Some(Peers::Template(template.to_owned()));
    }
    let entries = place.entries().iter();
    let table =
        entries.filter_map(|(node, address)| Some((node.clone(), address.as_text()?.to_owned())));
    place.is_table().then(|| Peers::Table(table.collect()))
}
