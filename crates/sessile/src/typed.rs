//! One key of a session, with its type.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Key, Result, Session};

/// A type that lives under one key of its own.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sessile::{Key, SessionValue};
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Cart {
///     articles: Vec<u32>,
/// }
///
/// impl SessionValue for Cart {
///     const KEY: Key<Self> = Key::new("cart");
/// }
/// ```
pub trait SessionValue: Serialize + DeserializeOwned + Sized {
    /// The key.
    const KEY: Key<Self>;
}

/// One key of the session, and the whole session behind [`session`](Typed::session). An extractor
/// for axum with the same rejections as [`Session`].
///
/// There is no `DerefMut`: a change is a call, so that it can be exact and can fail.
pub struct Typed<T> {
    session: Session,
    value: PhantomData<fn() -> T>,
}

impl<T: SessionValue> Typed<T> {
    /// The key of `T` in this session.
    pub fn new(session: Session) -> Self {
        Typed {
            session,
            value: PhantomData,
        }
    }

    /// The value, if there is one. See [`Session::get`].
    ///
    /// # Errors
    ///
    /// As [`Session::get`].
    pub fn get(&self) -> Result<Option<T>> {
        self.session.get(T::KEY)
    }

    /// Writes the value, whatever is there. See [`Session::insert`].
    ///
    /// # Errors
    ///
    /// As [`Session::insert`].
    pub fn set(&self, value: T) -> Result<()> {
        self.session.insert(T::KEY, value)
    }

    /// Removes the value. See [`Session::remove`].
    ///
    /// # Errors
    ///
    /// As [`Session::remove`].
    pub fn remove(&self) -> Result<bool> {
        self.session.remove(T::KEY)
    }

    /// Writes a function of the value that is there, exactly. See [`Session::update`].
    ///
    /// # Errors
    ///
    /// As [`Session::update`].
    pub fn update<R>(&self, f: impl Fn(&mut T) -> R + Send + Sync + 'static) -> Result<R>
    where
        T: Default,
    {
        self.session.update(T::KEY, f)
    }

    /// The same, committed at once. See [`Session::update_now`].
    ///
    /// # Errors
    ///
    /// As [`Session::update_now`].
    pub async fn update_now<R>(&self, f: impl Fn(&mut T) -> R + Send + Sync + 'static) -> Result<R>
    where
        T: Default,
        R: Send + 'static,
    {
        self.session.update_now(T::KEY, f).await
    }

    /// Takes the value out, exactly once over all requests. See [`Session::take_now`].
    ///
    /// # Errors
    ///
    /// As [`Session::take_now`].
    pub async fn take_now(&self) -> Result<Option<T>>
    where
        T: Send + 'static,
    {
        self.session.take_now(T::KEY).await
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }
}

impl<T> Clone for Typed<T> {
    fn clone(&self) -> Self {
        Typed {
            session: self.session.clone(),
            value: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Typed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Typed").field(&self.session).finish()
    }
}
