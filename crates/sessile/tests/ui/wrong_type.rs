//! A key fixes the type of its value.

use sessile::{Key, Session};

const AGE: Key<u8> = Key::new("age");

fn read(session: &Session) -> sessile::Result<Option<String>> {
    session.get(AGE)
}

fn main() {}
