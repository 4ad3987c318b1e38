//! What only these tests need: a browser, the strategies, and a word on what was not run.

mod chromium;
pub(crate) mod strategy;

pub(crate) use chromium::Chromium;

/// Says why a test checks nothing here, past the capture of its output.
pub(crate) fn skipped(test: &str, why: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}");
}
