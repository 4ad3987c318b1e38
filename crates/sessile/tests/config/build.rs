//! What is built works, and what is required is promised.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, to_bytes};
use axum::{Router, routing::get};
use sessile::{ErrorKind, MemoryStore, Registry, Session, SessionLayer};
use tower::ServiceExt as _;

use crate::{problems, read};

async fn arrival(session: Session) -> sessile::Result<String> {
    session.insert("a", 1)?;
    Ok(session.arrival().to_string())
}

pub(crate) fn app(layer: SessionLayer) -> Router {
    Router::new().route("/", get(arrival)).layer(layer)
}

/// What the client arrived as, and its cookie.
pub(crate) async fn visit(app: &Router, cookie: Option<&str>) -> (String, Option<String>) {
    let mut request = http::Request::get("/");
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    let response = app
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let cookie = response.headers().get("set-cookie").map(|line| {
        let line = line.to_str().unwrap();
        line.split(';').next().unwrap().to_owned()
    });
    let body = to_bytes(response.into_body(), 1000).await.unwrap();
    (String::from_utf8(body.to_vec()).unwrap(), cookie)
}

#[tokio::test]
async fn both_strategies_of_one_process_serve() {
    for text in [
        "strategy = \"sticky\"",
        "strategy = \"stored\"\nstored.url = \"memory:\"",
        "strategy = \"stored\"\nstored.url = \"memory:\"\nkeys.current = { id = \"k\", value = \"BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg\" }",
    ] {
        let config = read(text).unwrap();
        config.check().unwrap();
        let app = app(config.build().await.unwrap());
        let (arrival, cookie) = visit(&app, None).await;
        assert_eq!(arrival, "new");
        let cookie = cookie.unwrap();
        assert_eq!(
            cookie.len() > "__Host-sid=".len() + 43,
            !text.contains("stored") || text.contains("keys")
        );
        assert_eq!(visit(&app, Some(&cookie)).await.0, "resumed");
    }
}

#[tokio::test]
async fn what_is_required_and_promised_starts() {
    let config = read(
        r#"
        strategy = "sticky"
        [require]
        revocation = "immediate"
        writes = "merged"
        scope = "this_node"
        durability = "volatile"
        any_node = false
        "#,
    );
    config.unwrap().build().await.unwrap();
}

#[tokio::test]
async fn what_is_required_of_a_store_is_asked_of_the_store() {
    let text = "strategy = \"stored\"\nstored.url = \"mine:\"\nrequire.durability = \"async\"";
    let config = read(text).unwrap();
    let registry = Registry::new().register("mine", |_| async { Ok(MemoryStore::default()) });
    // What a store promises is known once it is there.
    config.check_with(&registry).unwrap();
    let problems = problems(config.build_with(&registry).await.map(|_| ()));
    assert!(
        problems[0].starts_with("require.durability: ") && problems[0].contains("\"volatile\""),
        "{problems:?}"
    );
}

#[tokio::test]
async fn a_registered_store_is_made_by_its_own_factory_and_not_before_the_build() {
    let made = Arc::new(AtomicUsize::new(0));
    let counted = made.clone();
    let registry = Registry::new().register("Mine", move |url: String| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            assert_eq!(url, "mine://user:hunter2@host/table");
            Ok(MemoryStore::default())
        }
    });
    let config =
        read("strategy = \"stored\"\nstored.url = \"mine://user:hunter2@host/table\"").unwrap();
    config.check_with(&registry).unwrap();
    assert_eq!(
        made.load(Ordering::Relaxed),
        0,
        "a check connects to nothing"
    );
    let layer = config.build_with(&registry).await.unwrap();
    assert_eq!(made.load(Ordering::Relaxed), 1);
    assert_eq!(visit(&app(layer), None).await.0, "new");
    assert!(config.check().is_err(), "it is nobody else's");
    assert_eq!(format!("{registry:?}"), "{\"mine\"}");
}

#[tokio::test]
async fn a_registered_scheme_goes_before_a_built_in_one() {
    let registry = Registry::new().register("redis", |_| async { Ok(MemoryStore::default()) });
    let config = read("strategy = \"stored\"\nstored.url = \"redis://127.0.0.1\"").unwrap();
    config.build_with(&registry).await.unwrap();
}

#[tokio::test]
async fn a_store_that_is_away_is_told_from_a_wrong_configuration() {
    let registry = Registry::new().register("mine", |url: String| async move {
        let message = format!("no answer from {url}, with hunter2");
        Err::<MemoryStore, _>(sessile_core::Error::new(ErrorKind::Unavailable, message))
    });
    let config = read("strategy = \"stored\"\nstored.url = \"mine://u:hunter2@host\"").unwrap();
    let error = config.build_with(&registry).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(error.problems()[0].path(), "stored.url");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    let wrong = read("strategy = \"no\"").unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Invalid);
    assert_eq!(sessile::Error::from(wrong).kind(), ErrorKind::Invalid);
}

#[test]
fn a_check_reads_the_files_of_keys_in_use() {
    let folder = std::env::temp_dir();
    let path = folder.join(format!("sessile-config-{}", std::process::id()));
    std::fs::write(&path, "BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg=\n").unwrap();
    let text = format!("strategy = \"sticky\"\nkeys.current = {{ id = \"k\", file = {path:?} }}");
    let config = read(&text).unwrap();
    config.check().unwrap();
    std::fs::write(&path, "x".repeat(70_000)).unwrap();
    assert!(problems(config.check())[0].starts_with("keys.current.file: is larger"));
    std::fs::remove_file(&path).unwrap();
    assert!(problems(config.check())[0].starts_with("keys.current.file: can't be read"));
}

/// With tokens the whole key is read, without them its form.
const FORM_ALONE: &str = if cfg!(feature = "token") {
    "key \"k\""
} else {
    ""
};

#[test]
fn a_weak_key_of_tokens_in_a_file_is_found_by_the_check() {
    let path = std::env::temp_dir().join(format!("sessile-config-token-{}", std::process::id()));
    let config = |alg: &str| {
        read(&format!(
            "strategy = \"token\"\n[token]\nissuer = \"i\"\naudience = \"a\"\n[token.keys]\nsign = {{ kid = \"k\", alg = {alg:?}, file = {path:?} }}"
        ))
        .unwrap()
    };
    for (text, alg, wrong) in [
        ("c2hvcnQ", "HS256", "has 5 bytes"),
        ("-----BEGIN PUBLIC KEY-----", "HS256", "can't be PEM"),
        ("BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg", "HS256", ""),
        (
            "BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg",
            "HS384",
            "has 32 bytes",
        ),
        (
            "BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg",
            "EdDSA",
            "is no key for EdDSA",
        ),
        ("-----BEGIN PRIVATE KEY-----", "EdDSA", FORM_ALONE),
        ("{\"kty\":\"OKP\"}", "EdDSA", FORM_ALONE),
    ] {
        std::fs::write(&path, text).unwrap();
        let checked = config(alg).check();
        let problems: Vec<_> = checked.err().map_or(Vec::new(), |error| {
            error.problems().iter().map(ToString::to_string).collect()
        });
        let found = problems
            .iter()
            .find(|problem| problem.starts_with("token.keys.sign.file: "));
        assert_eq!(
            found.is_some(),
            !wrong.is_empty(),
            "{text} {alg}: {problems:?}"
        );
        assert!(
            found.is_none_or(|found| found.contains(wrong)),
            "{problems:?}"
        );
    }
    std::fs::remove_file(&path).unwrap();
}

#[cfg(not(feature = "token"))]
#[test]
fn a_strategy_that_this_build_does_not_have_names_its_feature() {
    let config = read(
        "strategy = \"token\"\n[token]\nissuer = \"i\"\naudience = \"a\"\n[token.keys]\nsign = { kid = \"a\", alg = \"HS256\", value = \"BwYFBAMCAQAPDg0MCwoJCBcWFRQTEhEQHx4dHBsaGRg\" }",
    );
    let problems = problems(config.unwrap().check());
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].contains("enable the feature `token`"),
        "{problems:?}"
    );
}

#[cfg(not(feature = "redis"))]
#[test]
fn a_store_that_this_build_does_not_have_names_its_feature() {
    for scheme in ["redis", "rediss", "redis+cluster", "redis+sentinel"] {
        let config = read(&format!(
            "strategy = \"stored\"\nstored.url = \"{scheme}://:hunter2@127.0.0.1\""
        ));
        let problems = problems(config.unwrap().check());
        assert!(problems[0].starts_with("stored.url: "), "{problems:?}");
        assert!(
            problems[0].contains("enable the feature `redis`"),
            "{problems:?}"
        );
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn a_store_on_disk_is_made_by_its_url() {
    let path = std::env::temp_dir().join(format!("sessile-config-{}.db", std::process::id()));
    let url = format!("sqlite:{}?mode=rwc", path.display());
    let text = format!(
        "strategy = \"stored\"\nstored.url = {url:?}\nrequire.durability = \"acknowledged\""
    );
    let config = read(&text).unwrap();
    config.check().unwrap();
    assert!(!path.exists(), "a check connects to nothing");
    let app = app(config.build().await.unwrap());
    let (_, cookie) = visit(&app, None).await;
    assert_eq!(visit(&app, cookie.as_deref()).await.0, "resumed");
    assert!(path.exists());
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}

#[tokio::test]
async fn each_carrier_arrives() {
    let layer =
        read("strategy = \"sticky\"\ncarriers = [\"bearer\", \"header:X-Session\", \"cookie\"]");
    let shown = format!("{:?}", layer.unwrap().build().await.unwrap());
    assert!(
        shown.contains("carriers: [bearer, header:x-session, cookie]"),
        "{shown}"
    );
}

#[cfg(not(feature = "redis"))]
#[tokio::test]
async fn a_url_alone_tells_the_feature_that_it_needs() {
    let error = sessile::Stored::connect("redis://:hunter2@127.0.0.1")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(
        error.to_string().contains("enable the feature \"redis\""),
        "{error}"
    );
    assert!(!error.to_string().contains("hunter2"), "{error}");
}
