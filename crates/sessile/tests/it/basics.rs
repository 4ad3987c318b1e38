//! First things first.

use http::header::{CACHE_CONTROL, SET_COOKIE, VARY};
use http::{Response, StatusCode};
use sessile::Arrival;

use crate::client::{Client, minutes, service, sticky};

#[tokio::test]
async fn a_counter_counts() {
    let (layer, clock) = sticky();
    let app = service(&layer, |session| async move {
        let n = session
            .update_now("n", |n: &mut u64| {
                *n += 1;
                *n
            })
            .await
            .unwrap();
        Response::new(format!("{n} {}", session.arrival()))
    });
    let mut client = Client::default();
    let first = client.get(&app).await;
    assert_eq!(first.body(), "1 new");
    assert_eq!(first.headers()[CACHE_CONTROL], "no-store");
    assert_eq!(first.headers()[VARY], "cookie");
    for n in 2..5 {
        let response = client.get(&app).await;
        assert_eq!(*response.body(), format!("{n} resumed"));
        assert!(!response.headers().contains_key(SET_COOKIE));
    }
    clock.advance(minutes(30));
    assert_eq!(client.get(&app).await.body(), "1 expired");
    assert_eq!(layer.sessions().count().await.unwrap(), Some(1));
}

#[tokio::test]
async fn login_logout() {
    let (layer, _) = sticky();
    let set = service(&layer, |session| async move {
        session.insert("cart", 7).unwrap();
        Response::new(String::new())
    });
    let login = service(&layer, |session| async move {
        session.login("alice").unwrap();
        Response::new(session.id().to_string())
    });
    let look = service(&layer, |session| async move {
        Response::new(format!(
            "{:?} {:?} {}",
            session.get::<u32>("cart").unwrap(),
            session.subject(),
            session.arrival()
        ))
    });
    let logout = service(&layer, |session| async move {
        session.logout().unwrap();
        Response::new(String::new())
    });
    let mut client = Client::default();
    client.get(&set).await;
    let planted = client.clone();
    client.post(&login).await;
    assert_eq!(
        client.get(&look).await.body(),
        "Some(7) Some(\"alice\") resumed"
    );
    assert_eq!(planted.clone().get(&look).await.body(), "None None ended");
    let old = client.clone();
    let out = client.post(&logout).await;
    assert_eq!(out.status(), StatusCode::OK);
    assert!(client.cookie.is_none());
    assert_eq!(
        old.clone().get(&look).await.body(),
        &format!("None None {}", Arrival::Ended)
    );
}
