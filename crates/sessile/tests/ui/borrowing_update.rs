//! An update may run again, long after the function that made it has returned.

use sessile::Session;

fn add(session: &Session) -> sessile::Result<u64> {
    let by = 2;
    session.update("n", |n: &mut u64| {
        *n += by;
        *n
    })
}

fn main() {}
