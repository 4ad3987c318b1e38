//! What the client gets: the handler's response with the session's headers, or an error's.

use http::Response;
use http::response::Parts;
use sessile_core::Held;

use crate::cookie;
use crate::draft::Issue;
use crate::handle::Handle;
use crate::layer::Opaque;
use crate::{Error, ErrorKind, Result, telemetry};

/// Makes the page for an error: any `Fn(&Error, &Parts) -> Option<Response<B>>`, see
/// [`SessionLayer::on_error`](crate::SessionLayer::on_error).
pub trait OnError<B> {
    /// The page, or `None` for an empty one. `head` is that of the response it replaces.
    fn page(&self, error: &Error, head: &Parts) -> Option<Response<B>>;
}

impl<B> OnError<B> for Opaque {
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

/// A session that ended under a request that only read is no failure of that request.
pub(crate) fn forgive(committed: Result<()>, handle: &Handle, data_only: bool) -> Result<()> {
    match committed {
        Err(error) if error.kind() == ErrorKind::Gone && data_only && handle.safe => {
            telemetry::gone_on_read(handle.name());
            Ok(())
        }
        other => other,
    }
}

/// Gives the handler's response the session's headers.
pub(crate) fn tell<B: Default>(handle: &Handle, mut response: Response<B>) -> Response<B> {
    if let Err(error) = write_cookie(handle, &mut response) {
        return fail(handle, &error, response);
    }
    cookie::vary(response.headers_mut());
    response
}

/// Turns a response into an error's.
pub(crate) fn fail<B: Default>(
    handle: &Handle,
    error: &Error,
    replaced: Response<B>,
) -> Response<B> {
    telemetry::failed(error.kind());
    let mut response = error.response();
    // The second try works on the state that the store has.
    if error.kind() == ErrorKind::Stale {
        let _ = write_cookie(handle, &mut response);
    }
    cookie::vary(response.headers_mut());
    drop(replaced);
    response
}

/// Lets the application make the page of a response that carries an error.
pub(crate) fn page<B, E: OnError<B>>(on_error: &E, response: Response<B>) -> Response<B> {
    let Some(error) = response.extensions().get::<Error>().cloned() else {
        return response;
    };
    let (head, body) = response.into_parts();
    match on_error.page(&error, &head) {
        None => Response::from_parts(head, body),
        Some(page) => {
            let mut page = error.dress(page, false);
            cookie::carry_over(&head.headers, page.headers_mut());
            page
        }
    }
}

fn write_cookie<B>(handle: &Handle, response: &mut Response<B>) -> Result<()> {
    let config = &handle.shared.cookie;
    let line = match handle.lock().as_deref().map(|draft| draft.issue()) {
        Some((Issue::Credential, Some(held))) => issue(handle, held)?,
        Some((Issue::Removal, _)) => cookie::removal(config)?,
        _ => return Ok(()),
    };
    cookie::write(response.headers_mut(), config, line);
    Ok(())
}

fn issue(handle: &Handle, held: &Held) -> Result<http::HeaderValue> {
    let text = handle
        .shared
        .strategy
        .issue(&held.record, &held.credential, handle.name())?;
    let remaining = held.record.absolute_deadline.since(handle.now());
    cookie::set(&handle.shared.cookie, &text, remaining)
}
