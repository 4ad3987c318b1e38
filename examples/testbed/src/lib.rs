//! The testbed but for its `main`, so that a test can put something in front of its store.

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
use std::sync::Arc;

use flags::{Flags, Parsed};
use sessile::core::Store;
use tokio::net::TcpListener;

/// What is put in front of each store that the flags name.
pub type InFront = fn(Arc<dyn Store>) -> Arc<dyn Store>;

/// The whole program: reads the command line, and serves until it is asked to stop.
pub async fn run(in_front: InFront) -> ExitCode {
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
    match serve(&flags, in_front).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("testbed: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(flags: &Flags, in_front: InFront) -> Result<(), Box<dyn Error>> {
    let (app, drain) = app::build(flags, in_front).await?;
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
