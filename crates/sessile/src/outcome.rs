//! What the client gets: the handler's response with the session's headers, or an error's.

use http::response::Parts;
use http::{Response, StatusCode};
use sessile_core::Arrival;

use crate::carrier::{self, Carrier};
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
    if let Err(error) = committed.and_then(|()| write_credential(handle, response)) {
        telemetry::failed(error.kind());
        *response = error.response();
        // With the store away nobody knows what the client should hold. Otherwise it is told what
        // was done all the same, such as a login before the change that failed; and on a stale
        // state, the credential that lets its second try work.
        if !matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Unknown) {
            let _ = write_credential(handle, response);
        }
    }
    carrier::vary(response.headers_mut(), &handle.shared.carriers);
    if matches!(
        response.status(),
        StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST
    ) {
        challenge(handle, response);
    }
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
            let shared = &handle.shared;
            carrier::carry_over(
                &head.headers,
                page.headers_mut(),
                &shared.carriers,
                &shared.cookie,
            );
            page
        }
    };
}

fn write_credential<B>(handle: &Handle, response: &mut Response<B>) -> Result<()> {
    let shared = &handle.shared;
    let (carrier, cookie) = (handle.carrier(), &shared.cookie);
    let headers = response.headers_mut();
    handle.issue(|issue, held| match (issue, held) {
        (issue, Some(held))
            if issue == Issue::Credential || issue == Issue::Nothing && handle.reissues(held) =>
        {
            let name = carrier.name(cookie);
            let text = shared.strategy.issue(&held.record, &held.verifier, name)?;
            let ends = held.record.absolute_deadline;
            let kept = cookie.is_persistent().then(|| ends.since(handle.now()));
            carrier::write(headers, carrier, cookie, Some((&text, kept)))
        }
        (Issue::Removal, _) => carrier::write(headers, carrier, cookie, None),
        _ => Ok(()),
    })
}

/// Tells a client that may authenticate by a bearer token that it was refused: why, as far as
/// RFC 6750, section 3.1, has a word for it.
#[cold]
fn challenge<B>(handle: &Handle, response: &mut Response<B>) {
    let arrival = handle.view(|view| view.arrival);
    let by_bearer = handle.has_credential() && *handle.carrier() == Carrier::Bearer;
    let error = response.extensions().get::<Error>().map(Error::kind);
    let why = match (response.status(), error) {
        (StatusCode::UNAUTHORIZED, _) if by_bearer && arrival != Arrival::Resumed => {
            Some("invalid_token")
        }
        (StatusCode::UNAUTHORIZED, _) => None,
        (_, Some(ErrorKind::Ambiguous)) => Some("invalid_request"),
        _ => return,
    };
    carrier::challenge(response.headers_mut(), &handle.shared.carriers, why);
}
