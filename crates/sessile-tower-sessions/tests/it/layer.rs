//! Our stores under the layer of tower-sessions: what a browser gets to see.

macro_rules! tests {
    ($version:ident, $tower_sessions:ident) => {
        mod $version {
            use std::sync::Arc;

            use axum::Router;
            use axum::body::Body;
            use axum::http::{Request, Response, StatusCode, header};
            use axum::routing::{get, post};
            use sessile_conformance::ModelStore;
            use sessile_tower_sessions::Bridged;
            use tokio::sync::Semaphore;
            use tower::ServiceExt as _;
            use $tower_sessions::{Session, SessionManagerLayer, SessionStore};

            /// What a slow request waits for, and what it tells when it waits.
            type Gate = Arc<(Semaphore, Semaphore)>;

            fn app(store: impl SessionStore + Clone, gate: &Gate) -> Router {
                let gate = Arc::clone(gate);
                let slow = async move |session: Session| {
                    session.insert("basket", "late").await.unwrap();
                    gate.1.add_permits(1);
                    gate.0.acquire().await.unwrap().forget();
                };
                Router::new()
                    .route("/", get(read))
                    .route("/login", post(login))
                    .route(
                        "/logout",
                        post(async |session: Session| {
                            session.flush().await.unwrap();
                        }),
                    )
                    .route("/slow", post(slow))
                    .layer(SessionManagerLayer::new(store).with_secure(false))
            }

            async fn read(session: Session) -> String {
                let user: Option<String> = session.get("user").await.unwrap();
                user.unwrap_or_default()
            }

            async fn login(session: Session) {
                session.cycle_id().await.unwrap();
                session.insert("user", "ferris").await.unwrap();
            }

            async fn ask(app: &Router, method: &str, path: &str, cookie: &str) -> Response<Body> {
                let request = Request::builder().method(method).uri(path);
                let request = request.header(header::COOKIE, cookie);
                let request = request.body(Body::empty()).unwrap();
                app.clone().oneshot(request).await.unwrap()
            }

            fn cookie(response: &Response<Body>) -> String {
                let set = response.headers()[header::SET_COOKIE].to_str().unwrap();
                set.split(';').next().unwrap().to_owned()
            }

            async fn body(response: Response<Body>) -> String {
                let body = axum::body::to_bytes(response.into_body(), 1000).await;
                String::from_utf8(body.unwrap().to_vec()).unwrap()
            }

            /// Logs out while a slow request of the same session is under way; answers that
            /// request's response, and who the old cookie is afterwards.
            async fn straggle(store: impl SessionStore + Clone) -> (Response<Body>, String) {
                let gate = Gate::new((Semaphore::new(0), Semaphore::new(0)));
                let app = app(store, &gate);
                let cookie = cookie(&ask(&app, "POST", "/login", "").await);
                assert_eq!(body(ask(&app, "GET", "/", &cookie).await).await, "ferris");
                let slow = tokio::spawn({
                    let (app, cookie) = (app.clone(), cookie.clone());
                    async move { ask(&app, "POST", "/slow", &cookie).await }
                });
                gate.1.acquire().await.unwrap().forget();
                let out = ask(&app, "POST", "/logout", &cookie).await;
                assert_eq!(out.status(), StatusCode::OK);
                gate.0.add_permits(1);
                let answer = slow.await.unwrap();
                (answer, body(ask(&app, "GET", "/", &cookie).await).await)
            }

            #[tokio::test]
            async fn a_slow_request_does_not_undo_a_logout_and_is_told_so() {
                let store = Bridged::new(ModelStore::new());
                let (answer, user) = straggle(store).await;
                assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
                assert!(!answer.headers().contains_key(header::SET_COOKIE));
                assert_eq!(user, "");
            }

            /// The control: what the same program does on the store of tower-sessions.
            #[tokio::test]
            async fn without_the_bridge_it_does() {
                let store = $tower_sessions::MemoryStore::default();
                let (answer, user) = straggle(store).await;
                assert_eq!(answer.status(), StatusCode::OK);
                assert_eq!(user, "ferris");
            }
        }
    };
}

tests!(v0_14, tower_sessions);
tests!(v0_15, tower_sessions_0_15);
