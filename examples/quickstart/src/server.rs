//! Listening, and stopping when asked to.

use std::error::Error;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use axum::Router;
use tokio::net::TcpListener;

/// Serves on 127.0.0.1, port 3000 or `PORT`, until ctrl-c or SIGTERM.
pub(crate) async fn run(app: sessile::Result<Router>) -> ExitCode {
    match serve(app).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("quickstart: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(app: sessile::Result<Router>) -> Result<(), Box<dyn Error>> {
    let app = app?;
    let port = match std::env::var("PORT") {
        Ok(port) => port
            .parse()
            .map_err(|_| format!("PORT={port} is no port"))?,
        Err(_) => 3000,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|why| format!("127.0.0.1:{port}: {why}; set PORT to another port"))?;
    let url = format!("http://{}", listener.local_addr()?);
    println!("listening on {url}");
    println!("  open it in a browser, or: curl -c jar -b jar {url}/visits");
    println!("  plain http: the cookie is `sid` without Secure, by CookieConfig::insecure_dev();");
    println!("  behind https leave that call out, and it is `__Host-sid; Secure`");
    axum::serve(listener, app)
        .with_graceful_shutdown(stopped())
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
