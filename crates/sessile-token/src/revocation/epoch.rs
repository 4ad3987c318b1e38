//! The epoch of a subject: sessions from before it are over.

use std::sync::Arc;
use std::time::Duration;

use sessile_core::{
    Applied, Created, Data, Error, ErrorKind, Loaded, Name, Patch, Record, Result, SessionId,
    Store, Text, Timestamp, VerifierHash,
};
use sha2::{Digest as _, Sha256};

use super::Standing;
use crate::claims::Parties;

const LEAST: &str = "epoch";
const EXCEPT: &str = "except";

/// The entry outlives every token: it is small, and there is one for each subject whose sessions
/// were ever ended all at once.
const KEPT: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// How often a change starts over when others change the same epoch.
const ATTEMPTS: usize = 64;

/// Which logins of a subject are over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Epoch {
    /// Sessions of an earlier login than this are over, ...
    pub(crate) least: u64,
    /// ... but for these.
    except: Arc<[SessionId]>,
}

impl Epoch {
    pub(crate) fn judge(&self, epoch: u64, sid: &SessionId) -> Standing {
        if epoch >= self.least || self.except.contains(sid) {
            Standing::Good
        } else {
            Standing::Ended
        }
    }

    fn of_record(record: &Record) -> Result<Self> {
        let text = |name: &str| {
            let corrupt = || Error::new(ErrorKind::Corrupt, "a subject's epoch can't be read");
            record.data.get(name).ok_or_else(corrupt)
        };
        Ok(Epoch {
            least: text(LEAST)?.decode()?,
            except: text(EXCEPT)?.decode::<Vec<SessionId>>()?.into(),
        })
    }

    fn entries(&self) -> Result<[(Name, Text); 2]> {
        Ok([
            (Name::from_static(LEAST)?, Text::encode(&self.least)?),
            (Name::from_static(EXCEPT)?, Text::encode(&*self.except)?),
        ])
    }
}

/// Where the epochs of these parties' subjects are.
#[derive(Debug)]
pub(crate) struct Epochs {
    prefix: Sha256,
}

impl Epochs {
    pub(crate) fn new(parties: &Parties) -> Self {
        let mut prefix = Sha256::new();
        for part in ["sessile/token/epoch/1", &parties.issuer, &parties.audience] {
            // Each with its length, so that no two lists of parts are one text.
            prefix.update((part.len() as u64).to_be_bytes());
            prefix.update(part);
        }
        Epochs { prefix }
    }

    /// The id under which a subject's epoch is kept. Sessions have random ones.
    pub(crate) fn id(&self, subject: &str) -> SessionId {
        let hash = self.prefix.clone().chain_update(subject).finalize();
        let mut id = [0; 16];
        id.copy_from_slice(&hash[..16]);
        SessionId::from_bytes(id)
    }

    pub(crate) async fn read(
        &self,
        store: &dyn Store,
        subject: &str,
        now: Timestamp,
    ) -> Result<Epoch> {
        match store.load(&self.id(subject), now).await? {
            Loaded::Live(record) => Epoch::of_record(&record),
            Loaded::Absent => Ok(Epoch::default()),
            // Neither can come about by us: it is kept for a hundred years and never ended.
            Loaded::Expired | Loaded::Ended => Err(lost()),
        }
    }

    /// Raises the epoch: everybody who logged in before is out, but for these sessions.
    pub(crate) async fn raise(
        &self,
        store: &dyn Store,
        subject: &str,
        except: &[SessionId],
        now: Timestamp,
    ) -> Result<Epoch> {
        let id = self.id(subject);
        let raised = |old: u64| Epoch {
            least: (old + 1).max(now.as_millis()),
            except: except.into(),
        };
        for _ in 0..ATTEMPTS {
            match store.load(&id, now).await? {
                Loaded::Live(record) => {
                    let epoch = raised(Epoch::of_record(&record)?.least);
                    let mut patch = Patch::new(record.version);
                    for (name, text) in epoch.entries()? {
                        patch.expect(name.clone(), record.data.get(name.as_str()).cloned());
                        patch.set(name, text);
                    }
                    if let Applied::Applied { .. } = store.apply(&id, now, &patch).await? {
                        return Ok(epoch);
                    }
                }
                Loaded::Absent => {
                    let epoch = raised(0);
                    let mut record = Record::blank(id, VerifierHash::from_bytes([0; 32]));
                    record.version = 1;
                    record.created_at = now;
                    record.last_seen = now;
                    record.idle_deadline = now.after(KEPT);
                    record.absolute_deadline = record.idle_deadline;
                    record.data = Data::from_iter(epoch.entries()?);
                    if store.create(Arc::new(record), None, now).await? == Created::Created {
                        return Ok(epoch);
                    }
                }
                Loaded::Expired | Loaded::Ended => return Err(lost()),
            }
        }
        let message = "others kept changing the subject's epoch";
        Err(Error::new(ErrorKind::Conflict, message))
    }
}

fn lost() -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "a subject's epoch was ended in the store",
    )
}
