//! A poem endpoint without sessions, and how any poem endpoint is driven.

use http::header::{COOKIE, SET_COOKIE};
use poem::{Endpoint, Request, Response, Route, get, handler};

use super::{Contestant, Reply};
use crate::workload::{COUNT, IGNORE, INSERT, READ, Recipe, SIGN_IN};

pub async fn start() -> impl Contestant {
    OnPoem(
        Route::new()
            .at(IGNORE, get(handle))
            .at(READ, get(handle))
            .at(COUNT, get(handle))
            .at(INSERT, get(handle))
            .at(SIGN_IN, get(handle)),
    )
}

#[handler]
fn handle() {}

/// A contestant out of an endpoint.
pub struct OnPoem<E>(pub E);

impl<E: Endpoint<Output = Response> + 'static> Contestant for OnPoem<E> {
    type Response = Response;

    async fn call(&mut self, recipe: &Recipe) -> Response {
        let mut request = Request::builder().uri(recipe.uri.clone()).finish();
        if let Some(cookie) = &recipe.cookie {
            request.headers_mut().insert(COOKIE, cookie.clone());
        }
        self.0
            .call(request)
            .await
            .expect("an endpoint that answers")
    }
}

impl Reply for Response {
    fn status(&self) -> u16 {
        self.status().as_u16()
    }

    fn set_cookie(&self) -> Option<&str> {
        self.headers().get(SET_COOKIE)?.to_str().ok()
    }
}
