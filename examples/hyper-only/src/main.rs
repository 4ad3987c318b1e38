//! Sessions without axum: hyper's server and a tower service. The same counter as in
//! `quickstart`, a login and a logout, through [`LazySession`].
//!
//! ```text
//! cargo run -p hyper-only
//! curl -c jar -b jar http://127.0.0.1:3000/visits
//! curl -c jar -b jar -X POST http://127.0.0.1:3000/login/alice
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::net::Ipv4Addr;

use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use sessile::{CookieConfig, LazySession, Session, SessionLayer, Sticky};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

type Answer = Response<Full<Bytes>>;

/// A request for any other path never looks for its session.
async fn handle(request: Request<Incoming>) -> Result<Answer, Infallible> {
    let answered = match (request.method(), request.uri().path()) {
        (&Method::GET, "/visits") => visits(&request).await,
        (&Method::POST, "/logout") => logout(&request).await,
        (&Method::POST, path) if path.starts_with("/login/") => login(&request, &path[7..]).await,
        _ => Ok(answer(StatusCode::NOT_FOUND, "no such page\n")),
    };
    // An `Err` of the service would close the connection; an error of the session is an answer.
    Ok(answered.unwrap_or_else(|error| error.response()))
}

async fn visits(request: &Request<Incoming>) -> sessile::Result<Answer> {
    let plus_one = |n: &mut u64| {
        *n += 1;
        *n
    };
    let visits = session(request)
        .await?
        .update_now("visits", plus_one)
        .await?;
    Ok(answer(StatusCode::OK, format!("visit {visits}")))
}

async fn login(request: &Request<Incoming>, subject: &str) -> sessile::Result<Answer> {
    // A new session that inherits the counter; the old one has ended.
    session(request).await?.login(subject)?;
    Ok(answer(StatusCode::OK, format!("logged in as {subject}\n")))
}

async fn logout(request: &Request<Incoming>) -> sessile::Result<Answer> {
    session(request).await?.logout()?;
    Ok(answer(StatusCode::OK, "logged out\n"))
}

async fn session(request: &Request<Incoming>) -> sessile::Result<Session> {
    let lazy: Option<&LazySession> = request.extensions().get();
    lazy.expect("the service has a SessionLayer").load().await
}

fn answer(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    // For plain http on this machine: behind https, leave the cookie as it is by default.
    let cookie = CookieConfig::new().insecure_dev().build()?;
    let service = ServiceBuilder::new()
        .layer(SessionLayer::new(Sticky::new()).cookie(cookie))
        .service_fn(handle);

    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(async move {
            let connection = auto::Builder::new(TokioExecutor::new());
            if let Err(error) = connection
                .serve_connection(TokioIo::new(stream), service)
                .await
            {
                eprintln!("{error}");
            }
        });
    }
}
