//! What the client gets: the handler's response with the session's headers, or an error's.

use http::Response;
use http::response::Parts;
use sessile_core::Held;

use crate::cookie;
use crate::draft::Issue;
use crate::handle::Handle;
use crate::layer::DefaultOnError;
use crate::{Error, ErrorKind, Result, telemetry};

/// Makes the page for an error: any `Fn(&Error, &Parts) -> Option<Response<B>>`, see
/// [`SessionLayer::on_error`](crate::SessionLayer::on_error).
pub trait OnError<B> {
    /// The page, or `None` for an empty one. `head` is that of the response it replaces.
    fn page(&self, error: &Error, head: &Parts) -> Option<Response<B>>;
}

impl<B> OnError<B> for DefaultOnError {
    fn page(&self, _: &Error, _: &Parts) -> Option<Response<B>> {
        None
    }
}

impl<F, B> OnError<B> for F
where
    F: Fn(&Error, &Parts) -> Option<Response<B>>,
{
    fn page(&self, error: &Error, head: &Parts) -> Option<Response<B>> {
        self(error, head)
    }
}

/// Makes of the handler's response the answer to a request whose commit came to this. In place:
/// a response is large, and every move of it shows.
pub(crate) fn answer<B: Default>(
    handle: &Handle,
    committed: Result<()>,
    response: &mut Response<B>,
    on_error: &impl OnError<B>,
) {
    if let Err(error) = committed.and_then(|()| write_cookie(handle, response)) {
        telemetry::failed(error.kind());
        *response = error.response();
        // With the store away nobody knows what the client should hold. Otherwise it is told what
        // was done all the same, such as a login before the change that failed; and on a stale
        // state, the credential that lets its second try work.
        if !matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Unknown) {
            let _ = write_cookie(handle, response);
        }
    }
    cookie::vary(response.headers_mut());
    page(handle, response, on_error);
}

/// Lets the application make the page of a response that carries an error: ours, or a rejection.
#[inline]
pub(crate) fn page<B: Default>(
    handle: &Handle,
    response: &mut Response<B>,
    on_error: &impl OnError<B>,
) {
    if let Some(error) = response.extensions().get::<Error>() {
        make_page(handle, &error.clone(), response, on_error);
    }
}

#[cold]
fn make_page<B: Default>(
    handle: &Handle,
    error: &Error,
    response: &mut Response<B>,
    on_error: &impl OnError<B>,
) {
    let (head, body) = std::mem::take(response).into_parts();
    *response = match on_error.page(error, &head) {
        None => Response::from_parts(head, body),
        Some(page) => {
            let mut page = error.dress(page, false);
            cookie::carry_over(&head.headers, page.headers_mut(), &handle.shared.cookie);
            page
        }
    };
}

fn write_cookie<B>(handle: &Handle, response: &mut Response<B>) -> Result<()> {
    let config = &handle.shared.cookie;
    let line = handle.issue(|issue, held| match (issue, held) {
        (Issue::Credential, Some(held)) => credential(handle, held).map(Some),
        (Issue::Nothing, Some(held)) if handle.reissues(held) => credential(handle, held).map(Some),
        (Issue::Removal, _) => cookie::removal(config).map(Some),
        _ => Ok(None),
    })?;
    if let Some(line) = line {
        cookie::write(response.headers_mut(), config, line);
    }
    Ok(())
}

fn credential(handle: &Handle, held: &Held) -> Result<http::HeaderValue> {
    let text = handle
        .shared
        .strategy
        .issue(&held.record, &held.verifier, handle.name())?;
    let remaining = held.record.absolute_deadline.since(handle.now());
    cookie::set(&handle.shared.cookie, &text, remaining)
}
