//! axum-login's own example, on our stores by way of the bridge: its login, its protected page and
//! its logout, over sockets. What is asked of it is what its users see, and what they could not
//! rely on before.

use std::fs;

use sessile_e2e::{Client, Folder, KEY, RedisServer, Server};

const LOGIN: &str = "username=ferris&password=hunter42";

fn start(store: &str) -> Server {
    Server::with("axum-login-example", &[store], KEY)
}

/// Who the protected page takes a client for; nobody is sent to the login.
fn user(client: &mut Client) -> Option<String> {
    let page = client.get("/");
    if page.status == 307 {
        assert_eq!(page.header("location"), Some("/login?next=%2F"));
        return None;
    }
    let page = page.is(200).body;
    let (_, name) = page.split_once("Logged in as ").unwrap();
    Some(name.split('<').next().unwrap().to_owned())
}

fn log_in(client: &mut Client) {
    let answer = client.form("/login", LOGIN).is(303);
    assert_eq!(answer.header("location"), Some("/"));
}

/// The example from the first visit to the logout; answers every cookie that it gave out.
fn tour(server: &Server) -> Vec<String> {
    let mut client = server.client();
    assert_eq!(user(&mut client), None);

    // A wrong password makes an anonymous session, which carries the message.
    client.form("/login", "username=ferris&password=no").is(303);
    let mut planted = client.clone();
    assert!(client.get("/login").body.contains("Invalid credentials"));
    assert_eq!(user(&mut client), None);

    log_in(&mut client);
    let page = client.get("/").is(200).body;
    assert!(page.contains("Successfully logged in as ferris"), "{page}");
    assert_eq!(user(&mut client).as_deref(), Some("ferris"));
    assert_ne!(client.jar, planted.jar);
    let before_login = planted.jar["id"].clone();
    assert_eq!(user(&mut planted), None, "the id of before the login");

    // Two more devices: a logout is that of one session.
    let (mut second, mut copy) = (server.client(), client.clone());
    log_in(&mut second);
    client.get("/logout").is(303);
    assert!(!client.jar.contains_key("id"), "the cookie is removed");
    let stale = copy.jar["id"].clone();
    assert_eq!(
        user(&mut copy),
        None,
        "a copy of the cookie, after the logout"
    );
    assert_eq!(user(&mut second).as_deref(), Some("ferris"));

    // And nothing that the old cookie is used for makes it one that is logged in.
    copy.jar.insert("id".to_owned(), stale.clone());
    log_in(&mut copy);
    assert_ne!(copy.jar["id"], stale, "its id is not used again");
    copy.jar.insert("id".to_owned(), stale.clone());
    assert_eq!(user(&mut copy), None);
    vec![before_login, second.jar["id"].clone(), stale]
}

/// The id within a signed cookie: what comes after the signature's 44 characters.
fn id(cookie: &str) -> &str {
    &cookie[cookie.len() - 22..]
}

#[test]
fn axum_logins_example_runs_on_the_memory_of_the_process() {
    tour(&start("memory:"));
}

#[test]
fn axum_logins_example_runs_on_redis() {
    let redis = RedisServer::start(&[]);
    let cookies = tour(&start(&redis.url()));
    let keys = redis.cli(&["--scan"]);
    assert!(!keys.is_empty());
    for cookie in &cookies {
        assert!(!keys.contains(id(cookie)), "{keys}");
    }
}

#[test]
fn axum_logins_example_runs_on_sqlite_and_a_dump_opens_nothing() {
    let folder = Folder::new("axum-login");
    let url = format!("sqlite:{}/sessions.db", folder.path().display());
    let server = start(&url);
    let cookies = tour(&server);
    drop(server);
    let files = fs::read_dir(folder.path()).unwrap();
    let dump: Vec<u8> = files
        .flat_map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect();
    let holds = |bytes: &[u8]| dump.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(b"axum-login.data"), "this is where sessions are kept");
    for cookie in cookies {
        let id = id(&cookie);
        let raw = base64(id);
        let number = i128::from_le_bytes(raw);
        assert!(!holds(id.as_bytes()) && !holds(&raw));
        assert!(!holds(&number.to_be_bytes()) && !holds(number.to_string().as_bytes()));
    }
}

fn base64(id: &str) -> [u8; 16] {
    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
    URL_SAFE_NO_PAD.decode(id).unwrap().try_into().unwrap()
}
