//! The versions of tower-sessions: the same trait in two crates, so the same code twice.

use std::fmt;

use async_trait::async_trait;
use sessile_core::{Error, ErrorKind, Store};

use crate::Bridged;
use crate::bridged::describe;
use crate::theirs::{Calls, Entry, Failure, TowerSessions};

/// One version: the wrapper for a store of theirs, and our stores as theirs.
macro_rules! version {
    ($name:ident, $module:ident, $core:ident, $feature:literal, $number:literal) => {
        #[doc = concat!("A store of tower-sessions ", $number, ".")]
        #[cfg(feature = $feature)]
        #[derive(Clone, Copy)]
        pub struct $name<S>(pub S);

        #[cfg(feature = $feature)]
        mod $module {
            use $core::session::{Id, Record};
            use $core::session_store::{
                Error as TheirError, ExpiredDeletion, Result, SessionStore,
            };

            use super::*;

            impl<S: SessionStore> TowerSessions for $name<S> {}

            #[async_trait]
            impl<S: SessionStore> Calls for $name<S> {
                async fn create(&self, entry: Entry) -> std::result::Result<i128, Failure> {
                    let mut record = into_theirs(entry);
                    self.0.create(&mut record).await.map_err(failure)?;
                    Ok(record.id.0)
                }

                async fn save(&self, entry: Entry) -> std::result::Result<(), Failure> {
                    self.0.save(&into_theirs(entry)).await.map_err(failure)
                }

                async fn load(&self, id: i128) -> std::result::Result<Option<Entry>, Failure> {
                    let record = self.0.load(&Id(id)).await.map_err(failure)?;
                    Ok(record.map(from_theirs))
                }

                async fn delete(&self, id: i128) -> std::result::Result<(), Failure> {
                    self.0.delete(&Id(id)).await.map_err(failure)
                }
            }

            #[async_trait]
            impl<S: Store> SessionStore for Bridged<S> {
                async fn create(&self, record: &mut Record) -> Result<()> {
                    let entry = from_theirs(record.clone());
                    let created = self.create(&entry, || Id::default().0).await;
                    record.id = Id(created.map_err(|error| their_error(&error))?);
                    Ok(())
                }

                async fn save(&self, record: &Record) -> Result<()> {
                    let saved = self.save(&from_theirs(record.clone())).await;
                    saved.map_err(|error| their_error(&error))
                }

                async fn load(&self, id: &Id) -> Result<Option<Record>> {
                    let entry = self.load(id.0).await;
                    let entry = entry.map_err(|error| their_error(&error))?;
                    Ok(entry.map(into_theirs))
                }

                async fn delete(&self, id: &Id) -> Result<()> {
                    let deleted = self.delete(id.0).await;
                    deleted.map_err(|error| their_error(&error))
                }
            }

            #[async_trait]
            impl<S: Store> ExpiredDeletion for Bridged<S> {
                async fn delete_expired(&self) -> Result<()> {
                    let deleted = self.delete_expired().await;
                    deleted.map_err(|error| their_error(&error))
                }
            }

            fn into_theirs(entry: Entry) -> Record {
                Record {
                    id: Id(entry.id),
                    data: entry.data,
                    expiry_date: entry.expiry,
                }
            }

            fn from_theirs(record: Record) -> Entry {
                Entry {
                    id: record.id.0,
                    data: record.data,
                    expiry: record.expiry_date,
                }
            }

            fn failure(error: TheirError) -> Failure {
                match error {
                    TheirError::Encode(_) => Failure::Encode,
                    TheirError::Decode(_) => Failure::Decode,
                    TheirError::Backend(said) => Failure::Backend(said),
                }
            }

            fn their_error(error: &Error) -> TheirError {
                let said = describe(error);
                match error.kind() {
                    ErrorKind::Encode | ErrorKind::TooLarge => TheirError::Encode(said),
                    ErrorKind::Decode | ErrorKind::Corrupt => TheirError::Decode(said),
                    _ => TheirError::Backend(said),
                }
            }
        }

        #[cfg(feature = $feature)]
        impl<S: fmt::Debug> fmt::Debug for $name<S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }
    };
}

version!(V0_14, v0_14, tower_sessions_core_0_14, "v0_14", "0.14");
version!(V0_15, v0_15, tower_sessions_core_0_15, "v0_15", "0.15");
