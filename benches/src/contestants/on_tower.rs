//! Drives any tower service, axum's routers among them.

use std::{fmt::Debug, marker::PhantomData};

use bytes::Bytes;
use http::{Request, Response, header::SET_COOKIE};
use http_body_util::Full;
use tower::{Service, ServiceExt};

use super::{Contestant, Reply};
use crate::workload::Recipe;

/// The body of the plain tower services, both ways.
pub type Body = Full<Bytes>;

/// What [`serve`] makes; named so that `threads` can clone it for each thread.
#[derive(Debug)]
pub struct OnTower<S, B = Body> {
    service: S,
    body: PhantomData<fn(B)>,
}

/// A contestant out of a service.
pub fn serve<S, B>(service: S) -> OnTower<S, B> {
    OnTower {
        service,
        body: PhantomData,
    }
}

impl<S: Clone, B> Clone for OnTower<S, B> {
    fn clone(&self) -> Self {
        serve(self.service.clone())
    }
}

impl<S, B, R> Contestant for OnTower<S, B>
where
    S: Service<Request<B>, Response = Response<R>, Error: Debug> + 'static,
    B: Default + 'static,
    R: 'static,
{
    type Response = Response<R>;

    async fn call(&mut self, recipe: &Recipe) -> Response<R> {
        let service = self.service.ready().await.expect("a service that is ready");
        service
            .call(recipe.request())
            .await
            .expect("a service that answers")
    }
}

impl<B> Reply for Response<B> {
    fn status(&self) -> u16 {
        self.status().as_u16()
    }

    fn set_cookie(&self) -> Option<&str> {
        self.headers().get(SET_COOKIE)?.to_str().ok()
    }
}
