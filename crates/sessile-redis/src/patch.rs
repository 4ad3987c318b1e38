//! A patch as the arguments of a script.

use std::borrow::Cow;

use sessile_core::{Patch, SessionId, Timestamp};

use crate::call::{Argument, flag, id, number, text};
use crate::fields::time;

/// How the script is to keep the index of the record's subject when the session is to live longer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach<'a> {
    /// It does so itself: indices have keys with this prefix, on the same server.
    Here(&'a str),
    /// Elsewhere it was seen to that the entry stands until then.
    Until(u64),
}

/// The arguments, in the order that `lua/apply.lua` names.
pub(crate) fn arguments<'a>(
    sid: &SessionId,
    now: Timestamp,
    patch: &'a Patch,
    reach: Reach<'a>,
) -> Vec<Argument<'a>> {
    let mut arguments = Vec::with_capacity(20 + 2 * patch.sets().len() + 3 * patch.expects().len());
    arguments.extend([
        id(sid),
        time(now),
        number(patch.base()),
        flag(patch.accepts_older()),
        flag(patch.is_write()),
    ]);
    arguments.extend(match patch.rotation() {
        Some(rotation) => [
            Cow::Borrowed(&rotation.expect.as_bytes()[..]),
            Cow::Borrowed(&rotation.new.as_bytes()[..]),
            Cow::Borrowed(&rotation.wrapped.as_bytes()[..]),
        ],
        None => [text(""), text(""), text("")],
    });
    arguments.push(match patch.confirmed() {
        Some(until) => Cow::Owned(until.as_millis().to_be_bytes().to_vec()),
        None => text(""),
    });
    arguments.extend(match patch.new_lifetime() {
        Some(lifetime) => [
            number(lifetime.idle().as_millis()),
            number(lifetime.absolute().as_millis()),
        ],
        None => [text(""), text("")],
    });
    arguments.push(patch.touched().map_or(text(""), time));
    arguments.push(flag(patch.clears()));
    arguments.extend(match reach {
        Reach::Here(prefix) => [text(prefix), text("")],
        Reach::Until(until) => [text(""), number(until)],
    });

    arguments.push(number(patch.expects().len()));
    for (name, stored) in patch.expects() {
        arguments.push(text(name.as_str()));
        arguments.push(flag(stored.is_some()));
        arguments.push(
            stored
                .as_ref()
                .map_or(text(""), |stored| text(stored.as_str())),
        );
    }
    arguments.push(number(patch.removes().len()));
    arguments.extend(patch.removes().iter().map(|name| text(name.as_str())));
    arguments.push(number(patch.sets().len()));
    for (name, value) in patch.sets() {
        arguments.extend([text(name.as_str()), text(value.as_str())]);
    }
    arguments
}
