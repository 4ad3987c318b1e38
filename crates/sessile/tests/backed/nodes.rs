//! Nodes over one store, as their clients see them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::header::SET_COOKIE;
use http::response::Parts;
use http::{Method, Response, StatusCode};
use sessile::{
    Arrival, Error, ErrorKind, KeyRing, ManualClock, MasterKey, MemoryStore, Misrouted, Session,
    SessionLayer, Sticky, Strategy,
};
use sessile_core::{Applied, Candidate, Created, Guarantees, Loaded, Patch, Record, Result, Store};
use sessile_core::{SessionId, SubjectCap, Timestamp};

use crate::client::{Client, seconds, send};

fn ring() -> KeyRing {
    KeyRing::new(MasterKey::new("k", (0..32).collect::<Vec<u8>>()).unwrap())
}

fn layer(strategy: impl Strategy, clock: &Arc<ManualClock>) -> SessionLayer {
    SessionLayer::new(strategy).clock(clock.clone())
}

fn node(label: &str, store: impl Store, clock: &Arc<ManualClock>) -> SessionLayer {
    let node = Sticky::node(label).keys(ring()).backing(store);
    let node = node.quiet(Duration::from_millis(1));
    layer(node.build().unwrap(), clock)
}

fn two() -> (SessionLayer, SessionLayer) {
    let (store, clock) = (MemoryStore::default(), Arc::default());
    (node("n1", store.clone(), &clock), node("n2", store, &clock))
}

fn label(client: &Client) -> &str {
    client.credential().unwrap().split('.').next().unwrap()
}

fn sets_cookie(response: &Response<String>) -> bool {
    response.headers().contains_key(SET_COOKIE)
}

#[tokio::test]
async fn a_write_is_told_by_the_credential_and_a_read_is_not() {
    let (n1, _) = two();
    let mut client = Client::default();
    client.insert(&n1, "a", 1).await;
    let first = client.credential().unwrap().to_owned();
    let read = client
        .get(&n1, async |session| session.get::<u64>("a").map(drop))
        .await;
    assert!(!sets_cookie(&read));
    let same = client
        .post(&n1, async |session| session.insert("a", 1))
        .await;
    assert!(!sets_cookie(&same), "nothing was written");
    client.insert(&n1, "a", 2).await;
    assert_ne!(client.credential().unwrap(), first);
}

#[tokio::test]
async fn a_session_follows_its_client_from_node_to_node() {
    let (n1, n2) = two();
    let mut client = Client::default();
    client.insert(&n1, "a", 1).await;
    assert_eq!(label(&client), "n1");
    assert_eq!(client.look(&n2).await, "nobody a=1 resumed");
    assert_eq!(label(&client), "n2");
    client.insert(&n2, "b", 2).await;
    client.login(&n1, "ann").await;
    assert_eq!(client.look(&n2).await, "ann a=1 b=2 resumed");
    let gone = client.post(&n2, async |session| session.logout()).await;
    assert_eq!(gone.status(), StatusCode::OK);
    assert!(client.credential().is_none());
}

#[tokio::test]
async fn a_response_that_comes_after_a_login_gives_out_nothing_of_before() {
    let (n1, _) = two();
    let mut client = Client::default();
    client.insert(&n1, "a", 1).await;
    let before = client.clone();
    client.insert(&n1, "a", 2).await;
    // Its credential says less than it reads, and would be given anew.
    let straggler = send(&n1, before.request(Method::GET), async |_session| {
        client.login(&n1, "ann").await;
    });
    let straggler = straggler.await;
    assert_eq!(straggler.status(), StatusCode::OK);
    assert!(!sets_cookie(&straggler));
    let other = send(&n1, client.request(Method::GET), async |_session| {}).await;
    assert!(!sets_cookie(&other));
}

#[tokio::test]
async fn a_drained_node_tells_its_clients_to_go_anywhere() {
    let (n1, n2) = two();
    let mut client = Client::default();
    client.insert(&n1, "a", 1).await;
    n1.sessions().drain(seconds(30)).await.unwrap();
    assert_eq!(client.look(&n1).await, "nobody a=1 resumed");
    assert_eq!(label(&client), "0");
    assert_eq!(client.look(&n2).await, "nobody a=1 resumed");
    assert_eq!(label(&client), "n2");
}

#[tokio::test]
async fn without_a_store_a_request_at_the_wrong_node_is_misdirected() {
    let clock = Arc::default();
    let alone = |label: &str, answer| {
        let node = Sticky::node(label).keys(ring()).misrouted([answer]);
        layer(node.build().unwrap(), &clock)
    };
    let (n1, n2) = (alone("n1", Misrouted::Fail), alone("n2", Misrouted::Fail));
    let mut client = Client::default();
    client.insert(&n1, "a", 1).await;
    let wrong = client.get(&n2, async |_session| {}).await;
    assert_eq!(wrong.status(), StatusCode::MISDIRECTED_REQUEST);
    assert!(!sets_cookie(&wrong));
    let error = wrong.extensions().get::<Error>().unwrap();
    assert_eq!(
        (error.kind(), error.node()),
        (ErrorKind::WrongNode, Some("n1"))
    );
    let drained = n1.sessions().drain(seconds(1)).await.unwrap_err();
    assert!(drained.to_string().starts_with("1 sessions end"));
    // Who gives up says so, and a new session begins with the first write.
    let n3 = alone("n3", Misrouted::Lost);
    assert_eq!(client.look(&n3).await, "nobody lost");
    client.insert(&n3, "b", 1).await;
    assert_eq!(label(&client), "n3");
}

/// As the guide has it. A proxy that replays is the test itself.
#[tokio::test]
async fn a_proxy_that_replays_is_told_the_right_node_and_sent_no_credential() {
    let (store, clock) = (MemoryStore::default(), Arc::default());
    let node = |label: &str| {
        let node = Sticky::node(label).keys(ring()).backing(store.clone());
        let node = node.misrouted([Misrouted::Fail]).build().unwrap();
        layer(node, &clock).on_error(|error: &Error, _: &Parts| {
            let replay = format!("instance={}", error.node()?);
            let page = Response::builder().status(error.status());
            page.header("fly-replay", replay).body(String::new()).ok()
        })
    };
    let nodes = [("n1", node("n1")), ("n2", node("n2"))];
    let insert = async |session: Session| session.insert("a", 1);
    let mut client = Client::default();
    client.post(&nodes[0].1, insert).await;
    let before = client.credential().unwrap().to_owned();

    let wrong = client.post(&nodes[1].1, insert).await;
    assert_eq!(wrong.status(), StatusCode::MISDIRECTED_REQUEST);
    assert_eq!(client.credential(), Some(&*before));
    let replay = wrong.headers()["fly-replay"].to_str().unwrap();
    let instance = replay.strip_prefix("instance=").unwrap();
    let (_, right) = nodes.iter().find(|(label, _)| *label == instance).unwrap();
    let read = async |session: Session| session.get::<u64>("a").map(|a| assert_eq!(a, Some(1)));
    let answer = client.get(right, read).await;
    assert_eq!(answer.status(), StatusCode::OK);

    // Other errors name no node, and nobody is told to replay.
    let refused = client
        .post(right, async |session| session.insert("", 1))
        .await;
    assert!(refused.status().is_client_error() || refused.status().is_server_error());
    assert!(!refused.headers().contains_key("fly-replay"));
}

#[tokio::test]
async fn on_a_store_that_went_back_a_write_is_refused_and_the_next_one_works() {
    let (store, clock) = (Forgetful::default(), Arc::new(ManualClock::default()));
    let (n1, n2) = (
        node("n1", store.clone(), &clock),
        node("n2", store.clone(), &clock),
    );
    for read_first in [true, false] {
        let mut client = Client::default();
        client.insert(&n1, "a", 1).await;
        store.note().await;
        client.insert(&n1, "a", 2).await;
        store.forget(&clock).await;
        if read_first {
            assert_eq!(client.look(&n2).await, "nobody a=1 stale");
        } else {
            let refused = client
                .post(&n2, async |session| session.insert("a", 3))
                .await;
            assert_eq!(refused.status(), StatusCode::CONFLICT);
        }
        client.insert(&n2, "a", 3).await;
        assert_eq!(client.look(&n2).await, "nobody a=3 resumed");
    }
    let mut client = Client::default();
    client.insert(&n1, "a", 1).await;
    store.note().await;
    client.insert(&n1, "a", 2).await;
    store.forget(&clock).await;
    let accepted = client.post(&n2, async |session| {
        assert_eq!(session.arrival(), Arrival::Stale);
        session.accept_stale();
        session.insert("b", 1)
    });
    assert_eq!(accepted.await.status(), StatusCode::OK);
    assert_eq!(client.look(&n2).await, "nobody a=1 b=1 resumed");
}

/// A store that can forget the last writes to the session that was made last.
#[derive(Clone, Debug, Default)]
struct Forgetful(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    store: MemoryStore,
    last: Option<SessionId>,
    noted: Option<Arc<Record>>,
}

impl Forgetful {
    fn store(&self) -> MemoryStore {
        self.0.lock().unwrap().store.clone()
    }

    async fn note(&self) {
        let sid = self.0.lock().unwrap().last.unwrap();
        let loaded = self.store().load(&sid, Timestamp::default()).await;
        let Ok(Loaded::Live(record)) = loaded else {
            panic!("{loaded:?}");
        };
        self.0.lock().unwrap().noted = Some(record);
    }

    async fn forget(&self, clock: &ManualClock) {
        let store = MemoryStore::default();
        let noted = self.0.lock().unwrap().noted.clone().unwrap();
        let now = sessile::Clock::now(clock);
        let created = store.create(noted, None, now).await.unwrap();
        assert_eq!(created, Created::Created);
        self.0.lock().unwrap().store = store;
    }
}

#[async_trait::async_trait]
impl Store for Forgetful {
    async fn create(
        &self,
        record: Arc<Record>,
        cap: Option<SubjectCap>,
        now: Timestamp,
    ) -> Result<Created> {
        self.0.lock().unwrap().last = Some(record.sid);
        self.store().create(record, cap, now).await
    }

    async fn load(&self, sid: &SessionId, now: Timestamp) -> Result<Loaded> {
        self.store().load(sid, now).await
    }

    async fn apply(&self, sid: &SessionId, now: Timestamp, patch: &Patch) -> Result<Applied> {
        self.store().apply(sid, now, patch).await
    }

    async fn end(
        &self,
        sid: &SessionId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Arc<Record>>> {
        self.store().end(sid, now, until).await
    }

    async fn list(&self, subject: &str, now: Timestamp) -> Result<Vec<Candidate>> {
        self.store().list(subject, now).await
    }

    async fn count(&self, now: Timestamp) -> Result<Option<u64>> {
        self.store().count(now).await
    }

    async fn sweep(&self, now: Timestamp, limit: usize) -> Result<usize> {
        self.store().sweep(now, limit).await
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::shared(sessile::Durability::Async)
    }
}
