//! The budget over HTTP: what each kind of request to a process costs its store, counted where the
//! store is.

use std::fmt;

use sessile_e2e::{Client, KEY, MariaDb, Postgres, Proxy, RedisServer, Server};
use sqlx::mysql::MySqlPool;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Row as _};

/// What a request may ask of its store: reads, and changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Calls {
    reads: u64,
    changes: u64,
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} + {} calls", self.reads, self.changes)
    }
}

/// A kind of request, and what it may ask.
type Step = (&'static str, fn(&mut Client), Calls);

const fn calls(reads: u64, changes: u64) -> Calls {
    Calls { reads, changes }
}

/// In the order in which a browser would come by. The keys are the usual ones of the testbed.
const STEPS: [Step; 9] = [
    (
        "an anonymous reader",
        |client| assert!(!client.get("/all").is(200).sets_cookie()),
        calls(0, 0),
    ),
    (
        "garbage",
        |client| {
            let mut other = client.clone();
            let garbage = "A".repeat(43) + "." + &"A".repeat(22);
            other.jar.insert("__Host-sid".to_owned(), garbage);
            assert_eq!(other.arrival(), "unknown");
        },
        calls(0, 0),
    ),
    (
        "a new session",
        |client| drop(client.json("PUT", "/set/a", "1").is(204)),
        calls(0, 1),
    ),
    (
        "a session that nobody asks for",
        |client| drop(client.get("/ignore").is(200)),
        calls(0, 0),
    ),
    (
        "a read",
        |client| assert_eq!(client.get("/get/a").body, "1"),
        calls(1, 0),
    ),
    (
        "a write",
        |client| drop(client.json("PUT", "/set/a", "2").is(204)),
        calls(1, 1),
    ),
    (
        "an update",
        |client| assert_eq!(client.post("/incr/a").body, "3"),
        calls(1, 1),
    ),
    (
        "a login",
        |client| drop(client.post("/login/alice").is(204)),
        calls(1, 2),
    ),
    (
        "a logout",
        |client| drop(client.post("/logout").is(204)),
        calls(1, 1),
    ),
];

fn testbed(url: &str) -> Server {
    Server::with("testbed", &[&format!("--strategy=stored={url}")], KEY)
}

/// Takes all steps twice, the first time so that connections are open, scripts known and
/// statements prepared. Answers what each cost the second time.
async fn costs(server: &Server, spent: impl AsyncFn() -> u64) -> Vec<(&'static str, Calls, u64)> {
    let mut costs = Vec::new();
    for _ in 0..2 {
        costs.clear();
        let mut client = server.client();
        for (name, step, calls) in STEPS {
            let before = spent().await;
            step(&mut client);
            costs.push((name, calls, spent().await - before));
        }
    }
    costs
}

#[tokio::test(flavor = "multi_thread")]
async fn on_redis_a_call_is_one_round_trip_and_a_change_one_script() {
    let redis = RedisServer::start(&[]);
    let proxy = Proxy::start(redis.port());
    let server = testbed(&format!("redis://127.0.0.1:{}", proxy.port()));
    for (name, calls, trips) in costs(&server, async || proxy.round_trips()).await {
        println!("Redis: {name}: {calls}, {trips} round trips");
        assert_eq!(trips, calls.reads + calls.changes, "{name}");
    }
    let times = |command: &str| {
        let said = redis.cli(&["info", "commandstats"]);
        let stat = format!("cmdstat_{command}:calls=");
        let calls = said
            .split(&stat)
            .nth(1)
            .and_then(|rest| rest.split(',').next());
        calls.map_or(0, |calls| calls.parse::<u64>().unwrap())
    };
    for (name, calls, scripts) in costs(&server, async || times("evalsha")).await {
        assert_eq!(scripts, calls.changes, "{name}");
    }
    // A script reads its record so too.
    for (name, calls, reads) in costs(&server, async || times("hgetall")).await {
        assert_eq!(reads, calls.reads + calls.changes, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_a_call_is_one_statement() {
    let postgres = Postgres::start_counting();
    let pool = PgPool::connect(&postgres.url()).await.unwrap();
    sqlx::query("CREATE EXTENSION pg_stat_statements")
        .execute(&pool)
        .await
        .unwrap();
    let server = testbed(&postgres.url());
    // What opens a connection, begins and commits names no table; ours do, and nobody else's.
    let statements = async |filter: &str| {
        let sum = format!(
            "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements
             WHERE query NOT LIKE '%pg_stat_statements%' AND {filter}"
        );
        let row = sqlx::query(AssertSqlSafe(sum)).fetch_one(&pool).await;
        u64::try_from(row.unwrap().get::<i64, _>(0)).unwrap()
    };
    let ours = async || statements("query LIKE '%sessile_sessions%'").await;
    for (name, calls, count) in costs(&server, ours).await {
        println!("PostgreSQL: {name}: {calls}, {count} statements");
        assert_eq!(count, calls.reads + calls.changes, "{name}");
    }
    let transactions = "(query ILIKE 'begin%' OR query ILIKE 'commit%' OR query ILIKE 'rollback%')";
    let transactions = async || statements(transactions).await;
    for (name, _, count) in costs(&server, transactions).await {
        assert_eq!(count, 0, "{name}: a statement is its own transaction");
    }
}

/// A change locks the row, and writes it: two statements within a transaction. The server counts
/// what is executed: neither the pool's pings (`Com_admin_commands`), which nobody waits for, nor
/// what is prepared once on each connection, nor what sets one up (`Com_set_option`).
#[tokio::test(flavor = "multi_thread")]
async fn on_mariadb_a_read_is_one_statement_and_a_change_at_most_four() {
    let mariadb = MariaDb::start();
    let pool = MySqlPool::connect(&mariadb.url()).await.unwrap();
    let server = testbed(&mariadb.url());
    let executed = async || {
        let kinds = "'Com_select', 'Com_insert', 'Com_update', 'Com_delete', 'Com_replace',
            'Com_begin', 'Com_commit', 'Com_rollback'";
        let sum = format!(
            "SELECT CAST(SUM(variable_value) AS SIGNED) FROM information_schema.global_status
             WHERE variable_name IN ({kinds})"
        );
        let row = sqlx::query(AssertSqlSafe(sum)).fetch_one(&pool).await;
        u64::try_from(row.unwrap().get::<i64, _>(0)).unwrap()
    };
    // Asking is a statement too.
    let asking = executed().await;
    let asking = executed().await - asking;
    for (name, calls, count) in costs(&server, executed).await {
        let count = count - asking;
        println!("MariaDB: {name}: {calls}, {count} statements");
        let bounds = calls.reads + calls.changes..=calls.reads + 4 * calls.changes;
        assert!(bounds.contains(&count), "{name}: {count}");
    }
}
