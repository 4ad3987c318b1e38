//! Where a request belongs: here, or at a peer.

use std::sync::Arc;

use http::uri::Authority;
use http::{HeaderValue, Request};
use sessile_core::{Clock, Forwards, Presented, Route as Owner, Strategy};

use super::Peers;
use super::hop::{HOP, Signer};
use crate::carrier::{self, Carrier, Found};
use crate::layer::Shared;
use crate::{CookieConfig, telemetry};

/// What is known of all requests of one layer.
#[derive(Debug)]
pub(super) struct Route {
    strategy: Arc<dyn Strategy>,
    node: Box<str>,
    peers: Peers,
    signer: Signer,
    cookie: CookieConfig,
    carriers: Box<[Carrier]>,
    clock: Arc<dyn Clock>,
}

/// Where a request is to go, and what proves that we sent it.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) address: Authority,
    pub(super) hop: HeaderValue,
    /// This node's label.
    pub(super) from: Box<str>,
}

impl Route {
    pub(super) fn new(forwards: Forwards<'_>, peers: &Peers, shared: &Shared) -> Self {
        Route {
            strategy: shared.strategy.clone(),
            node: forwards.node.into(),
            peers: peers.clone(),
            signer: Signer::new(forwards.keys.clone(), forwards.node),
            cookie: shared.cookie.clone(),
            carriers: shared.carriers.clone(),
            clock: shared.clock.clone(),
        }
    }

    /// The way to the request's owner, if that is a peer; `None` is for this node to answer.
    /// Whatever came in as a hop's header is taken out of the request.
    pub(super) fn find<B>(&self, request: &mut Request<B>) -> Option<Way> {
        let header = take_hop(request);
        let name = self.cookie.as_name();
        let found = carrier::read(request.headers(), &self.carriers, name);
        let Found::One(at, credential) = found else {
            return None;
        };
        // The own label needs no look at the clock and no signature: the strategy sees to it.
        if is_of(&self.node, credential) {
            return None;
        }
        let now = self.clock.now();
        let carrier = self.carriers[at].name(&self.cookie);
        let presented = Presented {
            text: credential,
            carrier,
            arrived: now,
        };
        let Owner::Foreign(label) = self.strategy.route(&presented, now) else {
            return None;
        };
        let address = self.peers.address(label)?;
        // One hop and no more: it has come to the node that another takes for the owner.
        let from = header.as_ref().and_then(|header| {
            self.signer
                .verify(header, request, carrier, credential, now)
        });
        if let Some(from) = from {
            telemetry::hopped_astray(from, label);
            return None;
        }
        Some(Way {
            address,
            hop: self.signer.sign(request, carrier, credential, now)?,
            from: self.node.clone(),
        })
    }
}

/// Removes every copy of the hop's header. Several are no hop of ours.
fn take_hop<B>(request: &mut Request<B>) -> Option<HeaderValue> {
    let headers = request.headers_mut();
    let one = headers.get_all(HOP).iter().nth(1).is_none();
    headers.remove(HOP).filter(|_| one)
}

fn is_of(node: &str, credential: &[u8]) -> bool {
    let rest = credential.strip_prefix(node.as_bytes());
    rest.is_some_and(|rest| rest.starts_with(b"."))
}
