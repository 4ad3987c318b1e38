//! `quickstart`: what a newcomer sees and does.

use sessile_e2e::Server;

#[test]
fn it_says_where_it_listens_and_warns_of_plain_http() {
    let server = Server::start("quickstart");
    let first = server.greeting.lines().next().unwrap();
    assert_eq!(first, format!("listening on {}", server.url("")));
    assert!(
        server.errors().contains("plain http"),
        "{}",
        server.errors()
    );
    assert!(server.client().get("/").body.contains("insecure_dev()"));
}

#[test]
fn visits_are_counted_for_whoever_brings_the_cookie() {
    let server = Server::start("quickstart");
    let mut client = server.client();
    let first = client.get("/visits").is(200);
    assert_eq!(first.body, "visit 1");
    assert!(
        first
            .header("content-type")
            .unwrap()
            .starts_with("text/plain")
    );
    let cookie = first.header("set-cookie").unwrap();
    assert!(cookie.starts_with("sid=s."), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    let second = client.get("/visits");
    assert_eq!(
        (second.body.as_str(), second.sets_cookie()),
        ("visit 2", false)
    );
    for _ in 0..2 {
        assert_eq!(server.client().get("/visits").body, "visit 1");
    }
}

#[test]
fn a_forged_cookie_gets_a_new_session_and_a_new_cookie() {
    let server = Server::start("quickstart");
    let mut honest = server.client();
    honest.get("/visits");
    let genuine = honest.jar["sid"].clone();
    // Garbage, and somebody's own cookie with its verifier or its tag changed.
    let last = if genuine.ends_with('A') { "B" } else { "A" };
    let tag = format!("{}{last}", &genuine[..genuine.len() - 1]);
    let verifier = format!("{}{}{}", &genuine[..30], "AAAA", &genuine[34..]);
    for forged in ["forged", "", "s.AAAA.AAAA", &verifier] {
        let mut client = server.client();
        client.jar.insert("sid".into(), forged.into());
        assert_eq!(client.get("/visits").is(200).body, "visit 1", "{forged}");
        assert_ne!(client.jar["sid"], forged);
        assert_ne!(client.jar["sid"], genuine);
        assert_eq!(client.get("/visits").body, "visit 2");
    }
    // The verifier alone opens a session that is here; the tag speaks for those that are gone.
    let mut client = server.client();
    client.jar.insert("sid".into(), tag);
    assert_eq!(client.get("/visits").body, "visit 2");
    assert_eq!(honest.get("/visits").body, "visit 3");
}

#[test]
fn looking_at_the_page_makes_no_session() {
    let server = Server::start("quickstart");
    let page = server.client().get("/").is(200);
    assert!(!page.sets_cookie());
    assert_eq!(page.header("vary"), Some("cookie"));
    assert!(page.body.contains("You have no session yet"));
}

#[test]
fn login_brings_the_count_along_and_logout_ends_it() {
    let server = Server::start("quickstart");
    let mut client = server.client();
    client.post("/visit").is(303);
    let before = client.clone();
    let login = client
        .form("/login", "name=%3Cb%3EAda%3C%2Fb%3E+%26+%22co%22")
        .is(303);
    assert_eq!(login.header("location"), Some("/"));
    assert_ne!(client.jar, before.jar, "a login is a new session");
    let page = client.get("/").body;
    assert!(
        page.contains("&lt;b&gt;Ada&lt;/b&gt; &amp; &quot;co&quot;"),
        "{page}"
    );
    assert!(!page.contains("<b>Ada"), "what a user types is text");
    assert!(page.contains("<strong id=\"visits\">1</strong> visit "));
    client.post("/logout").is(303);
    assert!(
        client.jar.is_empty(),
        "the browser is told to forget the cookie"
    );
    assert!(
        client
            .get("/")
            .body
            .contains("<strong id=\"visits\">0</strong>")
    );
    let late = before.clone().post("/visit").is(409);
    assert!(
        late.body.contains("This session has ended"),
        "{}",
        late.body
    );
}

#[test]
fn my_sessions_are_listed_and_others_can_be_revoked() {
    let server = Server::start("quickstart");
    let log_in = |name: &str| {
        let mut client = server.client();
        client.form("/login", &format!("name={name}")).is(303);
        client
    };
    let (mut here, mut there, mut far) = (log_in("ada"), log_in("ada"), log_in("ada"));
    let mut stranger = log_in("bob");
    let ids = revocable(&here.get("/").body);
    assert_eq!(ids.len(), 2, "this one has no button");

    stranger.form("/revoke", &format!("id={}", ids[0])).is(303);
    assert_eq!(revocable(&here.get("/").body).len(), 2, "one's own only");

    here.form("/revoke", &format!("id={}", ids[0])).is(303);
    assert_eq!(revocable(&here.get("/").body), ids[1..]);
    let gone = there.get("/").body;
    assert!(gone.contains("Your session has ended"), "{gone}");
    assert!(!gone.contains("Logged in as"));

    here.post("/revoke-others").is(303);
    assert!(revocable(&here.get("/").body).is_empty());
    assert!(!far.get("/").body.contains("Logged in as"));
    assert!(here.get("/").body.contains("Logged in as"));
    assert!(stranger.get("/").body.contains("Logged in as"));
}

#[test]
fn a_post_from_another_site_is_refused() {
    let server = Server::start("quickstart");
    let mut client = server.client();
    client.form("/login", "name=ada").is(303);
    for header in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        client.send("POST", "/logout", &[header], "").is(403);
    }
    assert!(client.get("/").body.contains("Logged in as"));
}

/// The ids behind the page's "Revoke" buttons.
fn revocable(page: &str) -> Vec<String> {
    let parts = page.split("name=\"id\" value=\"").skip(1);
    parts
        .map(|part| part.split('"').next().unwrap().to_owned())
        .collect()
}
