//! What forwarding asks of a strategy whose credentials carry the label of a node.

use std::fmt;

use sessile_core::{KeyRing, Presented, Timestamp};

/// Whose session a credential is, as far as its label tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// This node's, or nobody's: garbage, a forgery and a reserved label are for this node to
    /// answer.
    Own,
    /// That of the node with this label. The credential's signature was verified.
    Foreign(&'a str),
}

/// A strategy whose credentials carry the label of a node.
pub trait Routing: fmt::Debug + Send + Sync + 'static {
    /// This node's label.
    fn node(&self) -> &str;

    /// The master ring, from which the key of the hop's signature is derived. The same on all
    /// nodes.
    fn keys(&self) -> &KeyRing;

    /// Whose session this is. Cheap and without I/O: the own label costs nothing, a well-formed
    /// foreign one a MAC.
    fn owner<'a>(&self, presented: &Presented<'a>, now: Timestamp) -> Owner<'a>;
}
