//! What becomes of the heads of request and response on a hop.

use http::header::{
    CONNECTION, COOKIE, HOST, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Request, Uri, Version};
use http_body::Body as _;

use super::hop::HOP;
use super::parcel::Parcel;
use super::route::Way;

/// Concern one connection (RFC 9110, section 7.6.1), beside what `Connection` lists.
const ONE_CONNECTION: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Never removed because `Connection` lists them: no client may take from a request what says
/// whose it is, where it came from, or where it ends.
const KEPT: [&str; 9] = [
    "authorization",
    "content-length",
    "cookie",
    "forwarded",
    "host",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
];

/// The request that goes to the peer. `X-Forwarded-*` and `Forwarded` stay as they are: they tell
/// of the road to the service, which the balancer knows, and both nodes are the service.
pub(super) fn outgoing(parts: &Parts, way: &Way, body: Parcel, upgrade: bool) -> Request<Parcel> {
    let mut headers = parts.headers.clone();
    let trailers = lists(&headers, &TE, "trailers");
    let protocol = headers.get(UPGRADE).filter(|_| upgrade).cloned();
    strip(&mut headers);

    let mut connection = None;
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
        connection = Some("te");
    }
    if let Some(protocol) = protocol {
        headers.insert(UPGRADE, protocol);
        connection = Some(if trailers { "upgrade, te" } else { "upgrade" });
    }
    if let Some(connection) = connection {
        headers.insert(CONNECTION, HeaderValue::from_static(connection));
    }
    // Without it the client sends no body of unknown length with a GET.
    if !upgrade && !body.is_end_stream() && body.size_hint().exact().is_none() {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    set_host(&mut headers, &parts.uri);
    join_cookies(&mut headers);
    add_via(&mut headers, parts.version, &way.from);
    headers.insert(HOP, way.hop.clone());

    let mut request = Request::new(body);
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = target(&parts.uri, &way.address);
    *request.headers_mut() = headers;
    request
}

/// Makes the peer's response ours: what concerned the connection between us goes.
pub(super) fn incoming<B>(response: &mut http::Response<B>) {
    strip(response.headers_mut());
    *response.version_mut() = Version::HTTP_11;
}

/// Whether a request asks for another protocol, one that we can pass through.
pub(super) fn wants_upgrade(parts: &Parts) -> bool {
    let protocol = parts.headers.get(UPGRADE);
    parts.version == Version::HTTP_11
        && lists(&parts.headers, &CONNECTION, "upgrade")
        // Plain-text HTTP/2 would change how the connection speaks, not what is at its end.
        && protocol.is_some_and(|protocol| !protocol.as_bytes().eq_ignore_ascii_case(b"h2c"))
}

fn strip(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(elements)
        .filter_map(|name| HeaderName::from_bytes(name).ok())
        .filter(|name| !KEPT.contains(&name.as_str()) && *name != TRAILER)
        .collect();
    for name in listed.iter().chain(&ONE_CONNECTION) {
        headers.remove(name);
    }
}

/// The elements of a comma-separated header.
fn elements(line: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    line.as_bytes()
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
}

fn lists(headers: &HeaderMap, name: &HeaderName, element: &str) -> bool {
    let mut all = headers.get_all(name).iter().flat_map(elements);
    all.any(|found| {
        // A weight may follow, as in `trailers;q=0.5`.
        let word = found.split(|byte| *byte == b';').next().unwrap_or(found);
        word.trim_ascii().eq_ignore_ascii_case(element.as_bytes())
    })
}

/// The client's own: of HTTP/2, and of a target in absolute form, the authority (RFC 9113, section
/// 8.3.1; RFC 9112, section 3.2.2). Without either the client of the hop writes the peer's.
fn set_host(headers: &mut HeaderMap, uri: &Uri) {
    let Some(authority) = uri.authority() else {
        return;
    };
    let host = authority.as_str().rsplit('@').next().unwrap_or_default();
    if let Ok(host) = HeaderValue::from_str(host) {
        headers.insert(HOST, host);
    }
}

/// HTTP/2 splits cookies into several lines; HTTP/1.1 has one (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<_> = headers.get_all(COOKIE).iter().collect();
    if lines.len() < 2 {
        return;
    }
    let lines: Vec<_> = lines.into_iter().map(HeaderValue::as_bytes).collect();
    // Whole values joined by what is allowed in one are allowed.
    if let Ok(mut line) = HeaderValue::from_bytes(&lines.join(&b"; "[..])) {
        line.set_sensitive(true);
        headers.insert(COOKIE, line);
    }
}

/// RFC 9110, section 7.6.3.
fn add_via(headers: &mut HeaderMap, version: Version, node: &str) {
    let version = match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    };
    if let Ok(via) = HeaderValue::from_str(&[version, " ", node].concat()) {
        headers.append(VIA, via);
    }
}

fn target(uri: &Uri, address: &Authority) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(address.clone());
    let path = uri.path_and_query().cloned();
    parts.path_and_query = Some(path.unwrap_or(PathAndQuery::from_static("/")));
    // All three parts are there, which is all that is asked.
    Uri::from_parts(parts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let parse = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        lines.iter().map(parse).collect()
    }

    fn sent(uri: &str, version: Version, lines: &[(&'static str, &str)]) -> Request<Parcel> {
        let mut parts = Request::new(()).into_parts().0;
        (parts.uri, parts.version, parts.headers) = (uri.parse().unwrap(), version, headers(lines));
        let way = Way {
            address: Authority::from_static("10.0.0.1:81"),
            hop: HeaderValue::from_static("signed"),
            from: "n1".into(),
        };
        let upgrade = wants_upgrade(&parts);
        let (parcel, _) = Parcel::new(String::new());
        outgoing(&parts, &way, parcel, upgrade)
    }

    #[test]
    fn what_concerns_one_connection_goes_and_what_says_whose_a_request_is_stays() {
        let request = sent(
            "/",
            Version::HTTP_11,
            &[
                ("host", "example.org"),
                ("connection", "close, X-Own , cookie"),
                ("connection", "x-forwarded-for"),
                ("x-own", "1"),
                ("keep-alive", "timeout=5"),
                ("proxy-connection", "close"),
                ("te", "deflate"),
                ("transfer-encoding", "chunked"),
                ("upgrade", "websocket"),
                ("cookie", "sid=n2.x.y"),
                ("x-forwarded-for", "192.0.2.1"),
                ("accept", "*/*"),
            ],
        );
        let expected = headers(&[
            ("host", "example.org"),
            ("cookie", "sid=n2.x.y"),
            ("x-forwarded-for", "192.0.2.1"),
            ("accept", "*/*"),
            ("via", "1.1 n1"),
            ("sessile-hop", "signed"),
        ]);
        assert_eq!(*request.headers(), expected);
    }

    #[test]
    fn an_upgrade_and_the_wish_for_trailers_are_passed_on_as_our_own() {
        let request = sent(
            "/",
            Version::HTTP_11,
            &[
                ("connection", "Upgrade, TE"),
                ("upgrade", "websocket"),
                ("te", "trailers;q=0.5, deflate"),
            ],
        );
        assert_eq!(request.headers()[CONNECTION], "upgrade, te");
        assert_eq!(request.headers()[UPGRADE], "websocket");
        assert_eq!(request.headers()[TE], "trailers");
        for (version, protocol) in [(Version::HTTP_11, "h2c"), (Version::HTTP_2, "websocket")] {
            let lines = [("connection", "upgrade"), ("upgrade", protocol)];
            let request = sent("/", version, &lines);
            assert!(!request.headers().contains_key(UPGRADE), "{version:?}");
        }
    }

    #[test]
    fn a_request_of_http_2_becomes_one_of_http_1() {
        let lines = [("cookie", "a=1"), ("cookie", "sid=n2.x.y; b=2")];
        let request = sent("https://example.org:444/a?b=c", Version::HTTP_2, &lines);
        assert_eq!(request.version(), Version::HTTP_11);
        assert_eq!(request.uri(), "http://10.0.0.1:81/a?b=c");
        assert_eq!(request.headers()[HOST], "example.org:444");
        let cookies: Vec<_> = request.headers().get_all(COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; sid=n2.x.y; b=2"]);
        assert_eq!(request.headers()[VIA], "2 n1");
    }
}
