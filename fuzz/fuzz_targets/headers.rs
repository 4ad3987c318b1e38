//! Headers of a request: cookies, bearer tokens and a header of one's own, a line each.
#![no_main]

use std::convert::Infallible;
use std::sync::LazyLock;

use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use libfuzzer_sys::fuzz_target;
use sessile::{Carrier, LazySession, SessionLayer};
use sessile_fuzz::{ready, signed};
use tower::{Layer as _, ServiceExt as _, service_fn};

static LAYER: LazyLock<SessionLayer> = LazyLock::new(|| {
    let own = Carrier::header("x-session").expect("a header's name");
    SessionLayer::new(signed()).carriers([Carrier::Cookie, Carrier::Bearer, own])
});

fuzz_target!(|input: &[u8]| {
    let mut request = Request::new(());
    for line in input.split(|byte| *byte == b'\n') {
        let (name, rest) = match line.split_first() {
            Some((b'a', rest)) => (AUTHORIZATION, rest),
            Some((b'x', rest)) => (HeaderName::from_static("x-session"), rest),
            _ => (COOKIE, line),
        };
        if let Ok(value) = HeaderValue::from_bytes(rest) {
            request.headers_mut().append(name, value);
        }
    }
    let service = LAYER.layer(service_fn(async |request: Request<()>| {
        let lazy = request.extensions().get::<LazySession>();
        let answer = match lazy.expect("the layer is there").load().await {
            Ok(session) => {
                assert!(!session.exists(), "nobody signed this");
                Response::new(String::new())
            }
            Err(error) => error.response(),
        };
        Ok::<_, Infallible>(answer)
    }));
    let Ok(answer) = ready(service.oneshot(request));
    let is_good = [StatusCode::OK, StatusCode::BAD_REQUEST].contains(&answer.status());
    assert!(is_good, "{answer:?}");
    for name in ["set-cookie", "session-token", "x-session"] {
        assert!(!answer.headers().contains_key(name), "{answer:?}");
    }
});
