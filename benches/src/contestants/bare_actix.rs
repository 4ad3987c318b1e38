//! An actix app without sessions, and how any actix service is driven.

use std::fmt::Debug;

use actix_http::Request;
use actix_web::{
    App,
    dev::{Service, ServiceResponse},
    http::header::{COOKIE, SET_COOKIE},
    test::{TestRequest, init_service},
    web,
};
use http::uri::PathAndQuery;

use super::{Contestant, Reply};
use crate::workload::{COUNT, IGNORE, INSERT, READ, Recipe, SIGN_IN};

pub async fn start() -> impl Contestant {
    let app = App::new()
        .route(IGNORE, web::get().to(handle))
        .route(READ, web::get().to(handle))
        .route(COUNT, web::get().to(handle))
        .route(INSERT, web::get().to(handle))
        .route(SIGN_IN, web::get().to(handle));
    OnActix(init_service(app).await)
}

async fn handle() -> &'static str {
    ""
}

/// A contestant out of an initialised app.
pub struct OnActix<S>(pub S);

impl<S, B> Contestant for OnActix<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error: Debug> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<B>;

    async fn call(&mut self, recipe: &Recipe) -> ServiceResponse<B> {
        let mut request = TestRequest::get().uri(
            recipe
                .uri
                .path_and_query()
                .map_or("/", PathAndQuery::as_str),
        );
        if let Some(cookie) = &recipe.cookie {
            // actix-web has header types of its own, from an older `http`.
            request = request.insert_header((COOKIE, cookie.as_bytes()));
        }
        self.0
            .call(request.to_request())
            .await
            .expect("an app that answers")
    }
}

impl<B> Reply for ServiceResponse<B> {
    fn status(&self) -> u16 {
        self.status().as_u16()
    }

    fn set_cookie(&self) -> Option<&str> {
        self.headers().get(SET_COOKIE)?.to_str().ok()
    }
}
