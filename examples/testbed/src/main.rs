//! The whole of a session over plain HTTP, so that a test in any language can drive it: tests
//! from end to end, balancers, browsers, load generators.
//!
//! It has no logic of its own. Each route is a line or two of the public API, in `routes/`.
//!
//! ```text
//! SESSILE_KEY=$(openssl rand -base64 32) PORT=3000 cargo run -p testbed -- --strategy sticky
//! ```

mod app;
mod config;
mod drain;
mod flags;
mod keys;
mod nodes;
mod routes;
mod token;

use std::error::Error;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use flags::{Flags, Parsed};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let flags = match flags::parse(std::env::args().skip(1)) {
        Ok(Parsed::Run(flags)) => flags,
        Ok(Parsed::Help) => {
            print!("{}", flags::HELP);
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("testbed: {why}");
            return ExitCode::from(2);
        }
    };
    match serve(&flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("testbed: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(flags: &Flags) -> Result<(), Box<dyn Error>> {
    let (app, drain) = app::build(flags).await?;
    let port = match std::env::var("PORT") {
        Ok(port) => port
            .parse()
            .map_err(|_| format!("PORT={port} is no port"))?,
        Err(_) => 3000,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|why| format!("127.0.0.1:{port}: {why}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            stopped().await;
            drain.finish().await;
        })
        .await?;
    Ok(())
}

/// Ready when the process is asked to stop. Requests in flight are answered first.
async fn stopped() {
    let interrupted = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        _ = interrupted => {}
        _ = terminated => {}
    }
}
