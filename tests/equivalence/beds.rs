//! Where the suite runs: a testbed for each strategy and store, from a file in which little else
//! than a word differs.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use sessile_e2e::{Configured, Folder, MariaDb, Postgres, RedisServer, Shared, pause};

/// One configuration, and two processes that have it.
pub(crate) struct Bed {
    pub(crate) name: &'static str,
    config: String,
    pub(crate) first: Configured,
    /// Another node of the same service.
    pub(crate) second: Configured,
    pub(crate) promised: Promised,
    /// What the processes need, for as long as they run.
    _under: Under,
}

/// What the testbed says of its guarantees.
#[derive(Clone, Debug)]
pub(crate) struct Promised {
    /// `None`: a copy of a credential is good until it expires.
    pub(crate) revoked_within: Option<Duration>,
    pub(crate) merges: bool,
    pub(crate) all_nodes: bool,
    pub(crate) any_node: bool,
    pub(crate) outlives_the_process: bool,
    pub(crate) max_bytes: usize,
    /// The same for the page.
    pub(crate) shown: [String; 5],
}

/// What runs under a bed.
#[expect(dead_code, reason = "kept for their ends")]
pub(crate) enum Under {
    Nothing,
    Redis(Arc<RedisServer>),
    Postgres(Postgres),
    MariaDb(MariaDb),
    Folder(Folder),
}

pub(crate) type Make = fn() -> (String, Under);

/// Every bed, each with what makes it.
pub(crate) const ALL: [(&str, Make); 9] = [
    ("sticky", || {
        ("strategy = \"sticky\"\n".to_owned(), Under::Nothing)
    }),
    ("sticky over Redis", || {
        let (redis, url) = redis(1);
        let section = format!("node = \"{{node}}\"\nbacking = {url:?}\nrevalidate = \"1s\"\n");
        (format!("strategy = \"sticky\"\n[sticky]\n{section}"), redis)
    }),
    ("Redis", || {
        let (redis, url) = redis(2);
        (stored(&url), redis)
    }),
    ("PostgreSQL", || {
        let server = Postgres::start();
        (stored(&server.url()), Under::Postgres(server))
    }),
    ("MariaDB", || {
        let server = MariaDb::start();
        (stored(&server.url()), Under::MariaDb(server))
    }),
    ("SQLite", || {
        let folder = Folder::new("equivalence");
        let url = format!("sqlite:{}/sessions.db", folder.path().display());
        (stored(&url), Under::Folder(folder))
    }),
    ("token, signed", || {
        (token("signed", "HS256", "signing", ""), Under::Nothing)
    }),
    ("token, sealed", || {
        (token("sealed", "A256GCM", "sealing", ""), Under::Nothing)
    }),
    ("token, revocable", || {
        let (redis, url) = redis(3);
        let revocation = format!("revocation = {{ url = {url:?}, within = \"1s\" }}\n");
        (token("signed", "HS256", "signing", &revocation), redis)
    }),
];

fn redis(database: u32) -> (Under, String) {
    static SERVER: Shared<RedisServer> = Shared::new();
    let server = SERVER.get(|| RedisServer::start(&[]));
    let url = format!("{}/{database}", server.url());
    (Under::Redis(server), url)
}

fn stored(url: &str) -> String {
    format!("strategy = \"stored\"\n[stored]\nurl = {url:?}\n")
}

fn token(format: &str, alg: &str, key: &str, more: &str) -> String {
    let key = format!("{{ kid = \"k\", alg = {alg:?}, file = \"{{folder}}/{key}.key\" }}");
    format!(
        "strategy = \"token\"\n[token]\nformat = {format:?}\nissuer = \"i\"\naudience = \"a\"\n{more}keys.sign = {key}\n"
    )
}

impl Bed {
    pub(crate) fn start(name: &'static str, make: Make) -> Bed {
        let (strategy, under) = make();
        let keys = "[keys]\ncurrent = { id = \"2026-11\", env = \"SESSILE_KEY\" }\n";
        let config = format!("{strategy}{keys}");
        let first = process(&config, "n1", "");
        let promised = Promised::of(&first.client().get("/guarantees").is(200).json());
        Bed {
            name,
            second: process(&config, "n2", ""),
            promised,
            config,
            first,
            _under: under,
        }
    }

    /// One more process, with these lines at the end of its file.
    pub(crate) fn process(&self, more: &str) -> Configured {
        process(&self.config, "n3", more)
    }

    /// Waits until what one node revoked is revoked on the other, too.
    pub(crate) fn until_revoked_everywhere(&self) {
        let bound = self.promised.revoked_within.unwrap_or_default();
        pause(u64::try_from(bound.as_millis()).unwrap() + 100);
    }
}

fn process(config: &str, node: &str, more: &str) -> Configured {
    Configured::start(&format!("{}{more}", config.replace("{node}", node)))
}

impl Promised {
    fn of(said: &Value) -> Promised {
        let revoked_within = match &said["revocation"] {
            Value::String(word) if word == "immediate" => Some(Duration::ZERO),
            Value::String(_) => None,
            bound => bound["within_ms"].as_u64().map(Duration::from_millis),
        };
        let word = |key: &str| said[key].as_str().unwrap().to_owned();
        let revocation = match revoked_within {
            Some(Duration::ZERO) => "immediate".to_owned(),
            Some(bound) => format!("within {bound:?}"),
            None => "at_expiry".to_owned(),
        };
        let any_node = said["any_node"] == true;
        Promised {
            revoked_within,
            merges: word("writes") == "merged",
            all_nodes: word("scope") == "all_nodes",
            any_node,
            outlives_the_process: word("durability") != "volatile",
            max_bytes: usize::try_from(said["max_bytes"].as_u64().unwrap()).unwrap(),
            shown: [
                revocation,
                word("writes"),
                word("scope"),
                word("durability"),
                if any_node { "yes" } else { "no" }.to_owned(),
            ],
        }
    }
}
