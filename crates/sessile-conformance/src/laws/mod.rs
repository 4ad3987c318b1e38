//! The laws, one function each.

mod bytes;
mod caps;
mod comparing;
mod creating;
mod dropping;
mod ending;
mod expecting;
mod expiring;
mod merging;
mod parallel;
mod rotating;
mod subjects;
mod sweeping;
mod touching;

use crate::law::Law;
use crate::races;

/// Every law, in the order in which a session meets them.
pub fn laws() -> &'static [Law] {
    crate::__laws!(__list)
}

macro_rules! list {
    ($($module:ident :: $law:ident = $about:literal;)*) => {
        const { &[$(Law {
            name: stringify!($law),
            about: $about,
            check: |ground| Box::pin($module::$law(ground)),
        }),*] }
    };
}
use list as __list;
