//! `cargo xtask bench`: the workloads on this crate and on its peers, in a workspace of their own.

use crate::shell::{cargo, run};

/// Whatever stands after `bench` is the benchmark's own business: a mode, or all of them.
pub(crate) fn all(args: &[&str]) -> Result<(), String> {
    let mut bench = cargo("run --release --manifest-path benches/Cargo.toml --");
    run(bench.args(args))
}
