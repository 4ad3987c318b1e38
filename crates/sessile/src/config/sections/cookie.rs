//! `[cookie]`.

use crate::config::fields::Fields;
use crate::config::problem::Problems;
use crate::{CookieConfig, SameSite};

/// The cookie, checked. The rules are [`CookieConfig::build`]'s; two are told here first, in the
/// words of a file.
pub(in crate::config) fn cookie(
    table: &Fields<'_>,
    problems: &mut Problems,
) -> Option<CookieConfig> {
    let is = |key, default| table.at(key).flag().unwrap_or(default);
    let (secure, insecure_dev) = (is("secure", true), is("insecure_dev", false));
    let same_site = table.at("same_site").text();
    if !secure && !insecure_dev {
        problems.add(
            table.at("secure").path(),
            "can't be false: the credential would be readable on the network; remove it, or write insecure_dev = true for development over plain http",
        );
        return None;
    }
    if insecure_dev && same_site == Some("none") {
        problems.add(
            table.at("same_site").path(),
            "can't be \"none\" without Secure, browsers refuse that: write \"lax\", or remove insecure_dev and use https",
        );
        return None;
    }
    let mut cookie = CookieConfig::new()
        .secure(secure)
        .http_only(is("http_only", true));
    if let Some(name) = table.at("name").text() {
        cookie = cookie.name(name);
    }
    if let Some(path) = table.at("path").text() {
        cookie = cookie.path(path);
    }
    if let Some(domain) = table.at("domain").text() {
        cookie = cookie.domain(domain);
    }
    if let Some(same_site) = same_site {
        cookie = cookie.same_site(match same_site {
            "strict" => SameSite::Strict,
            "none" => SameSite::None,
            _ => SameSite::Lax,
        });
    }
    if is("partitioned", false) {
        cookie = cookie.partitioned();
    }
    if is("persistent", false) {
        cookie = cookie.persistent();
    }
    if insecure_dev {
        cookie = cookie.insecure_dev();
    }
    // Each form is good by itself, so it is what was written in addition that does not go together.
    let culprit = ["domain", "http_only", "partitioned", "path", "name"]
        .into_iter()
        .map(|key| table.at(key))
        .find(Fields::is_there);
    let path = culprit.as_ref().unwrap_or(table).path();
    problems.check(path, cookie.build())
}
