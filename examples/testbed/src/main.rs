//! The whole of a session over plain HTTP, so that a test in any language can drive it: tests
//! from end to end, balancers, browsers, load generators.
//!
//! It has no logic of its own. Each route is a line or two of the public API, in `routes/`.
//!
//! ```text
//! SESSILE_KEY=$(openssl rand -base64 32) PORT=3000 cargo run -p testbed -- --strategy sticky
//! ```

use std::convert::identity;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    testbed::run(identity).await
}
