//! The page of `quickstart` in a headless Chromium.

use sessile_e2e::Server;

use crate::support::{Chromium, skipped};

const WHY: &str = "no chromium on the PATH; `cargo xtask test` installs it";

#[test]
fn the_page_is_there_without_scripts_and_is_drawn() {
    let Some(chromium) = Chromium::find() else {
        return skipped("the_page_is_there_without_scripts_and_is_drawn", WHY);
    };
    let server = Server::start("quickstart");
    let page = chromium.dump(&server.url("/"));
    for part in [
        "<title>sessile quickstart</title>",
        "<strong id=\"visits\">0</strong>",
        "<form method=\"post\" action=\"/login\"",
        "<label for=\"name\">Your name</label>",
        "You have no session yet",
    ] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert!(!page.contains("<script"));
    let (drawn, blank) = (
        chromium.draw(&server.url("/")),
        chromium.draw("about:blank"),
    );
    assert!(drawn.starts_with(b"\x89PNG\r\n\x1a\n"));
    assert_eq!(size(&drawn), size(&blank));
    assert!(
        drawn.len() > 5 * blank.len(),
        "{} and {}",
        drawn.len(),
        blank.len()
    );
}

/// Width and height, as a PNG file begins.
fn size(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn a_person_counts_logs_in_revokes_and_logs_out() {
    let Some(chromium) = Chromium::find() else {
        return skipped("a_person_counts_logs_in_revokes_and_logs_out", WHY);
    };
    let server = Server::start("quickstart");
    let mut tab = chromium.open();
    tab.go(&server.url("/"));
    for _ in 0..2 {
        tab.click("form[action='/visit'] button");
    }
    assert_eq!(tab.text("#visits"), "2");
    assert_eq!(tab.run("document.cookie"), "", "scripts do not see it");

    tab.write("#name", "Ada <b>& \"co\"</b>");
    tab.click("form[action='/login'] button");
    assert_eq!(tab.text("#subject"), "Ada <b>& \"co\"</b>");
    assert_eq!(tab.text("#visits"), "2", "the count came along");

    let mut elsewhere = server.client();
    elsewhere
        .form("/login", "name=Ada+%3Cb%3E%26+%22co%22%3C%2Fb%3E")
        .is(303);
    tab.go(&server.url("/"));
    assert_eq!(tab.run("document.querySelectorAll('tbody tr').length"), 2);
    tab.click("form[action='/revoke'] button");
    assert_eq!(tab.run("document.querySelectorAll('tbody tr').length"), 1);
    assert!(elsewhere.get("/").body.contains("Your session has ended"));

    tab.click("form[action='/logout'] button");
    assert_eq!(tab.text("#subject"), "");
    assert_eq!(tab.text("#visits"), "0");
    assert!(tab.text("#state").contains("no session yet"));
    #[cfg(unix)]
    {
        // The browser's connections do not keep the server from stopping.
        assert!(server.terminate().success());
    }
}
