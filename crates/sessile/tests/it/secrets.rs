//! What is written to logs: the events that an owner should know of, and no secret, at any level.

use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use http::Method;
use sessile::{CookieConfig, KeyRing, LazySession, MasterKey, Session, SessionLayer, Typed};
use sessile_core::Credential;
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::level_filters::LevelFilter;

use crate::client::{Client, fresh, minutes, over, seconds, send};
use crate::sockets::{Version, connect};

const VALUE: &str = "hunter2-the-value";
const KEY: &[u8; 32] = b"a-master-key-that-nobody-may-see";

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Everything that this thread says from here on.
    pub(crate) fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
        let log = Log::default();
        let sink = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || sink.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The events of this crate.
    pub(crate) fn events(&self) -> Vec<String> {
        let text = self.text();
        let ours = text.lines().filter(|line| line.contains(" sessile: "));
        ours.map(|line| line.split_once(" sessile: ").unwrap().1.to_owned())
            .collect()
    }
}

/// Every form in which the secrets of a credential could show.
fn forms(text: &str) -> Vec<String> {
    let credential = Credential::decode(&text[crate::LABEL.len()..][..43]).unwrap();
    let verifier = credential.verifier.expose();
    let listed = format!("{verifier:?}");
    let hex: String = verifier.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        text.to_owned(),
        text[crate::LABEL.len()..][22..42].to_owned(),
        text[text.len() - 22..].to_owned(),
        listed.trim_matches(['[', ']']).to_owned(),
        hex,
        u128::from_be_bytes(verifier).to_string(),
        u128::from_le_bytes(verifier).to_string(),
    ]
}

fn assert_clean(text: &str, credentials: &[String]) {
    let key = std::str::from_utf8(KEY).unwrap();
    let listed = format!("{:?}", &KEY[..8]);
    let mut secrets = vec![
        VALUE.to_owned(),
        key.to_owned(),
        listed.replace([']', '['], ""),
    ];
    secrets.extend(credentials.iter().flat_map(|text| forms(text)));
    for secret in secrets {
        let found = text.lines().find(|line| line.contains(&secret));
        assert_eq!(found, None, "{secret} is shown");
    }
}

fn keyed() -> crate::Home {
    let key = MasterKey::new("2026-11", KEY.to_vec()).unwrap();
    crate::home().keys(KeyRing::new(key))
}

async fn story(session: Session) -> sessile::Result<String> {
    if session.subject().is_none() {
        session.insert("secret", VALUE)?;
        session.login("alice")?;
    } else if session.contains("renewed") {
        assert!(session.get::<u64>("secret").is_err());
        session.logout()?;
    } else {
        session.insert("renewed", true)?;
        session.renew()?;
    }
    Ok(session.id().to_string())
}

#[tokio::test]
async fn no_secret_is_in_any_log_at_the_finest_level() {
    let (log, _guard) = Log::listen();
    let (mut credentials, mut ids) = (Vec::new(), Vec::new());
    for version in [Version::Http1, Version::Http2] {
        let (layer, _) = over(keyed());
        let headers = DefaultOnResponse::new().include_headers(true);
        let trace = TraceLayer::new_for_http().on_response(headers);
        let app = Router::new().fallback(get(story)).layer(layer).layer(trace);
        let mut connection = connect(app, version).await;
        let mut client = Client::default();
        for _ in 0..6 {
            let answer = connection.ask(&mut client, Method::GET).await;
            assert_eq!(answer.status(), 200);
            ids.push(answer.into_body());
            credentials.extend(client.credential().map(str::to_owned));
        }
    }
    let text = log.text();
    assert!(
        text.contains(" TRACE ") && text.contains("h2::"),
        "the log was at work"
    );
    assert!(
        text.contains("set-cookie"),
        "and showed the headers, but for their values"
    );
    assert!(credentials.len() >= 8);
    assert_clean(&text, &credentials);
}

#[tokio::test]
async fn no_secret_is_in_what_the_types_and_errors_show() {
    let (layer, clock) = over(keyed());
    let mut client = Client::default();
    let (mut shown, mut credentials) = (String::new(), Vec::new());
    let mut show = |text: String| shown += &(text + "\n");
    show(format!(
        "{:?} {:?}",
        keyed(),
        MasterKey::new("k", KEY.to_vec())
    ));
    for round in 0..3 {
        let request = client.request(Method::POST);
        let answer = crate::client::send_lazy(&layer, request, async |lazy: LazySession| {
            let session = lazy.load().await.unwrap();
            session.insert("secret", VALUE).unwrap();
            session.insert("big", "x".repeat(60_000)).unwrap();
            show(format!(
                "{lazy:?} {session:?} {:?}",
                Typed::<Secret>::new(session.clone())
            ));
            let errors = [
                session.get::<u64>("secret").unwrap_err(),
                session.update("secret", |_: &mut u64| {}).unwrap_err(),
                session.insert("more", VALUE.repeat(500)).unwrap_err(),
                session.insert(format!("{VALUE}\n"), 1).unwrap_err(),
                session
                    .update("k", |_: &mut u64| panic!("no value here"))
                    .unwrap_err(),
            ];
            for error in errors {
                show(format!(
                    "{error} {error:?} {:?}",
                    std::error::Error::source(&error)
                ));
            }
            session.renew().unwrap();
            if round == 2 {
                session.login("alice").unwrap();
            }
        })
        .await;
        client.keep(&answer);
        show(format!("{answer:?}"));
        credentials.extend(client.credential().map(str::to_owned));
        clock.advance(seconds(90));
    }
    show(format!("{layer:?} {:?} {layer:#?}", layer.sessions()));
    show(format!("{:?}", layer.sessions().list("alice").await));
    show(format!("{:?}", tower::Layer::layer(&layer, ())));
    for text in &credentials {
        let credential = Credential::decode(&text[crate::LABEL.len()..][..43]).unwrap();
        let presented = sessile_core::Presented {
            text: text.as_bytes(),
            carrier: "__Host-sid",
            arrived: sessile::Timestamp::default(),
        };
        show(format!(
            "{credential:?} {:?} {presented:?}",
            credential.verifier
        ));
    }
    assert!(shown.contains("alice"), "the table was shown");
    assert_clean(&shown, &credentials);
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Secret(String);

impl sessile::SessionValue for Secret {
    const KEY: sessile::Key<Self> = sessile::Key::new("secret");
}

async fn kept(layer: &SessionLayer, client: &mut Client) -> Session {
    let mut kept = None;
    client
        .get(layer, async |session| kept = Some(session))
        .await;
    kept.unwrap()
}

#[tokio::test]
async fn what_an_owner_should_know_of_is_an_event_with_the_public_id() {
    let (log, _guard) = Log::listen();
    let (layer, clock) = fresh();
    let mut client = Client::default();
    client.insert(&layer, "a", 1).await;
    assert_eq!(log.events().len(), 0, "nothing happened");

    let late = kept(&layer, &mut client).await;
    let id = late.id();
    late.insert("b", 1).unwrap();
    late.commit().await.unwrap();
    drop(late);
    assert_eq!(log.events().len(), 0, "it was committed");
    let late = kept(&layer, &mut client).await;
    late.insert("c", 1).unwrap();
    drop(late);
    let dropped = log.events();
    assert!(dropped[0].contains("dropped") && dropped[0].contains(&id.to_string()));

    let (a, other) = (client.credential().unwrap().to_owned(), "x");
    let request = http::Request::builder()
        .header("cookie", format!("__Host-sid={a}; __Host-sid={other}"))
        .body(String::new());
    send(&layer, request.unwrap(), async |_session| {}).await;
    assert!(log.events()[1].contains("several session cookies"));

    let mut reader = client.clone();
    reader
        .get(&layer, async |session| {
            client.post(&layer, async |session| session.logout()).await;
            session.insert("d", 1)
        })
        .await;
    assert!(log.events()[2].contains("ended during the request"));

    client.insert(&layer, "a", 1).await;
    let mut old = client.clone();
    client.post(&layer, async |session| session.renew()).await;
    client.look(&layer).await;
    clock.advance(minutes(1));
    let id = kept(&layer, &mut client).await.id();
    old.look(&layer).await;
    let reuse = &log.events()[3];
    assert!(reuse.contains("two parties") && reuse.contains(&id.to_string()));

    assert_eq!(log.events().len(), 4);
}

#[test]
fn plain_http_is_warned_of_once() {
    const ALONE: &str = "SESSILE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        // Once in a process: so in one where no other test has asked for it.
        let mut test = std::process::Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", "secrets::plain_http_is_warned_of_once"]);
        assert!(test.env(ALONE, "1").status().unwrap().success());
        return;
    }
    let (log, _guard) = Log::listen();
    for _ in 0..3 {
        let dev = CookieConfig::new().insecure_dev().build().unwrap();
        let _ = fresh().0.cookie(dev);
    }
    let events = log.events();
    assert_eq!(events.len(), 1);
    assert!(events[0].contains("plain http"));
}
