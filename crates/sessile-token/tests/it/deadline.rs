//! A store that hangs holds nobody up for longer than the deadline.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::support::*;

/// Takes every call and answers none.
#[derive(Debug)]
struct Hanging;

#[async_trait]
impl Store for Hanging {
    async fn create(&self, _: Arc<Record>, _: Option<SubjectCap>, _: Timestamp) -> Result<Created> {
        pending().await
    }

    async fn load(&self, _: &SessionId, _: Timestamp) -> Result<Loaded> {
        pending().await
    }

    async fn apply(&self, _: &SessionId, _: Timestamp, _: &Patch) -> Result<Applied> {
        pending().await
    }

    async fn end(&self, _: &SessionId, _: Timestamp, _: Timestamp) -> Result<Option<Arc<Record>>> {
        pending().await
    }

    async fn list(&self, _: &str, _: Timestamp) -> Result<Vec<Candidate>> {
        pending().await
    }

    async fn count(&self, _: Timestamp) -> Result<Option<u64>> {
        pending().await
    }

    async fn sweep(&self, _: Timestamp, _: usize) -> Result<usize> {
        pending().await
    }

    async fn ping(&self) -> Result<()> {
        pending().await
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::shared(Durability::Volatile)
    }
}

/// What came of a call, which must have taken exactly this long.
async fn after<T>(deadline: Duration, call: impl Future<Output = Result<T>>) -> ErrorKind {
    let start = Instant::now();
    let error = call.await.err().expect("nobody answered");
    assert_eq!(start.elapsed(), deadline);
    error.kind()
}

#[tokio::test(start_paused = true)]
async fn a_revocation_store_that_hangs_is_given_up_at_the_deadline() {
    let ring = || TokenKeys::new(hmac_key());
    let text = issue(&signed(), &record(None, &[], now()));
    for deadline in [None, Some(Duration::from_millis(300))] {
        let mut builder = Token::signed(ring()).revocation(Hanging);
        if let Some(deadline) = deadline {
            builder = builder.deadline(deadline);
        }
        let token = with(builder);
        let deadline = deadline.unwrap_or(Duration::from_secs(2));
        assert_eq!(token.deadline(), deadline);
        let opened = token.open(&presented(&text, now()), now());
        assert_eq!(after(deadline, opened).await, ErrorKind::Unavailable);
        let sid = SessionId::random();
        for kind in [
            after(deadline, token.end(sid, now(), now())).await,
            after(deadline, token.list("ada", now())).await,
            after(deadline, token.revoke_all("ada", &[], now())).await,
        ] {
            assert_eq!(kind, ErrorKind::Unavailable);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_of_handles_that_hangs_is_given_up_at_the_deadline() {
    let deadline = Duration::from_millis(300);
    let refresh = Refresh::new(Hanging).deadline(deadline);
    let handle = Credential::random().encode();
    // It may have been written down, or not.
    let issued = after(deadline, refresh.issue("ada", now())).await;
    assert_eq!(issued, ErrorKind::Unknown);
    for kind in [
        after(deadline, refresh.redeem(&handle, now())).await,
        after(deadline, refresh.end(&handle, now())).await,
        after(deadline, refresh.revoke_all("ada", now())).await,
    ] {
        assert_eq!(kind, ErrorKind::Unavailable);
    }
    let usual = Refresh::new(Hanging);
    let redeemed = after(Duration::from_secs(2), usual.redeem(&handle, now())).await;
    assert_eq!(redeemed, ErrorKind::Unavailable);
}
