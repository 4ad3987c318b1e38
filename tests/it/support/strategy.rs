//! The strategies that a promise is tried with. A test names the widest list whose every strategy
//! makes that promise; which one does not is a matter of its `Guarantees`.

use sessile_e2e::{KEY, Server};

/// The arguments that make `testbed` one of them.
pub(crate) type Strategy = &'static [&'static str];

/// What every strategy promises.
pub(crate) const ALL: &[Strategy] = &[
    STICKY,
    STORED,
    TOKEN,
    &["--strategy=token", "--sealed"],
    REVOCABLE[0],
    REVOCABLE[1],
];

/// What needs `Guarantees::revocation` on every copy of a credential: a token alone expires, and
/// that is all.
pub(crate) const REVOKING: &[Strategy] = &[STICKY, STORED, REVOCABLE[0], REVOCABLE[1]];

/// What needs `Writes::Merged`: a token is written as a whole, and the last response wins.
pub(crate) const MERGING: &[Strategy] = &[STICKY, STORED];

pub(crate) const STICKY: Strategy = &["--strategy=sticky"];
const STORED: Strategy = &["--strategy=stored=memory:"];
const TOKEN: Strategy = &["--strategy=token"];

const REVOCABLE: [Strategy; 2] = [
    &["--strategy=token", "--revocation=memory:"],
    &["--strategy=token", "--sealed", "--revocation=memory:"],
];

/// A `testbed` of each of them, one after the other.
pub(crate) fn testbeds(strategies: &[Strategy]) -> impl Iterator<Item = Server> {
    strategies.iter().map(|arguments| {
        // Seen when the test fails.
        println!("testbed {}", arguments.join(" "));
        Server::with("testbed", arguments, KEY)
    })
}
