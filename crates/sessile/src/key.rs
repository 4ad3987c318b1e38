//! Keys: plain names, and names that fix the type of their value.

use std::fmt;
use std::marker::PhantomData;

use sessile_core::{Name, Result};

/// The name of a key in a session: `&str`, `&String`, `String`, or a typed [`Key`].
///
/// A name is 1 to 128 bytes long and has no control characters; what would write another one fails
/// with [`ErrorKind::Invalid`](crate::ErrorKind::Invalid).
pub trait KeyName: sealed::Sealed {}

/// A name whose value is a `T`: any plain name, or a [`Key<T>`].
pub trait AsKey<T>: KeyName {}

/// A name that fixes the type of its value, so that no call has to repeat it.
///
/// ```
/// use sessile::{Key, Result, Session};
///
/// const CART: Key<Vec<u32>> = Key::new("cart");
///
/// fn add(session: &Session, article: u32) -> Result<usize> {
///     session.update(CART, move |cart| {
///         cart.push(article);
///         cart.len()
///     })
/// }
/// ```
pub struct Key<T> {
    name: &'static str,
    value: PhantomData<fn(T) -> T>,
}

impl<T> Key<T> {
    /// A key of this name.
    pub const fn new(name: &'static str) -> Self {
        Key {
            name,
            value: PhantomData,
        }
    }

    /// The key's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.name).finish()
    }
}

/// What a name is to this crate; no other type can be one.
pub(crate) mod sealed {
    use super::{Name, Result};

    pub trait Sealed {
        fn as_str(&self) -> &str;
        fn to_name(&self) -> Result<Name>;
    }
}

macro_rules! plain {
    ($($name:ty),+) => {$(
        impl KeyName for $name {}
        impl<T> AsKey<T> for $name {}
        impl sealed::Sealed for $name {
            fn as_str(&self) -> &str {
                self
            }

            fn to_name(&self) -> Result<Name> {
                Name::new(self)
            }
        }
    )+};
}

plain!(&str, &String, String);

impl<T> KeyName for Key<T> {}
impl<T> AsKey<T> for Key<T> {}
impl<T> sealed::Sealed for Key<T> {
    fn as_str(&self) -> &str {
        self.name
    }

    fn to_name(&self) -> Result<Name> {
        Name::from_static(self.name)
    }
}
