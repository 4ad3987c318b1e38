//! The patch: what a store is asked to do to a record, all of it or nothing.

use std::time::Duration;

use smallvec::SmallVec;

use crate::encoding::corrupt;
use crate::{
    Data, Lifetime, Name, Previous, Record, Result, Text, Timestamp, VerifierHash, Wrapped,
};

/// The last version that a record may have: the largest number that every store keeps exactly.
pub const VERSION_LIMIT: u64 = (1 << 53) - 1;

/// What a store is asked to do to one record, in plain data.
///
/// A store either calls [`apply_to`](Patch::apply_to) under a lock, or does the same in its own
/// language (one script, one statement). It must be atomic, and it must never create a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    pub(crate) base: u64,
    pub(crate) accept_older: bool,
    pub(crate) clear: bool,
    pub(crate) set: SmallVec<[(Name, Text); 2]>,
    pub(crate) remove: SmallVec<[Name; 1]>,
    pub(crate) expect: SmallVec<[(Name, Option<Text>); 1]>,
    pub(crate) rotate: Option<Rotation>,
    pub(crate) lifetime: Option<Lifetime>,
    pub(crate) touch: Option<Timestamp>,
    pub(crate) confirm: Option<Timestamp>,
}

/// Replaces a record's verifier, if it still is the expected one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The verifier that the client presented.
    pub expect: VerifierHash,
    /// Its successor.
    pub new: VerifierHash,
    /// The successor, readable only with the verifier that the client presented.
    pub wrapped: Wrapped,
}

/// What [`Patch::apply_to`] makes of a record.
#[derive(Debug)]
pub enum Patched {
    /// The record to be kept instead.
    Applied(Record),
    /// An expectation failed, or the record is older than the patch's base. Nothing changes.
    Conflict,
    /// The record is past a deadline. Nothing changes.
    Gone,
}

impl Patch {
    /// A patch that does nothing, made by someone who knows of version `base`.
    pub fn new(base: u64) -> Self {
        Patch {
            base,
            ..Patch::default()
        }
    }

    /// Writes a key. The last word on a key counts.
    pub fn set(&mut self, name: Name, text: Text) {
        self.forget(&name);
        self.set.push((name, text));
    }

    /// Removes a key. The last word on a key counts.
    pub fn remove(&mut self, name: Name) {
        self.forget(&name);
        if !self.clear {
            self.remove.push(name);
        }
    }

    /// Removes every key that is there when the patch is applied, and all that was set so far.
    pub fn clear(&mut self) {
        self.clear = true;
        self.set.clear();
        self.remove.clear();
    }

    /// Applies only if the stored value of this key is byte for byte this one, or absent.
    pub fn expect(&mut self, name: Name, stored: Option<Text>) {
        if !self.expect.iter().any(|(known, _)| *known == name) {
            self.expect.push((name, stored));
        }
    }

    /// Replaces the verifier, or not.
    pub fn rotate(&mut self, rotation: Option<Rotation>) {
        self.rotate = rotation;
    }

    /// Gives the session a lifetime of its own, counted from its creation and from now.
    pub fn lifetime(&mut self, lifetime: Lifetime) {
        self.lifetime = Some(lifetime);
    }

    /// Writes down that the session was used at `seen`.
    pub fn touch(&mut self, seen: Timestamp) {
        self.touch = Some(seen);
    }

    /// The current verifier was presented: the previous one, if it was open-ended, is honoured
    /// until `until` and no longer.
    pub fn confirm(&mut self, until: Timestamp) {
        self.confirm = Some(until);
    }

    /// Applies to a record older than the base too.
    pub fn accept_older(&mut self) {
        self.accept_older = true;
    }

    /// Somebody on the way to the store knows of version `known`: the base is at least that.
    pub fn raise_base(&mut self, known: u64) {
        self.base = self.base.max(known);
    }

    /// The highest version that the maker of this patch knows of.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The keys to be written.
    pub fn sets(&self) -> &[(Name, Text)] {
        &self.set
    }

    /// The keys to be removed.
    pub fn removes(&self) -> &[Name] {
        &self.remove
    }

    /// Whether every key is to be removed first.
    pub fn clears(&self) -> bool {
        self.clear
    }

    /// What the stored values must be for the patch to apply.
    pub fn expects(&self) -> &[(Name, Option<Text>)] {
        &self.expect
    }

    /// The rotation, if there is one.
    pub fn rotation(&self) -> Option<&Rotation> {
        self.rotate.as_ref()
    }

    /// Whether it applies to a record older than the base too.
    pub fn accepts_older(&self) -> bool {
        self.accept_older
    }

    /// The lifetime that the session is to have from now on, if it gets another one.
    pub fn new_lifetime(&self) -> Option<Lifetime> {
        self.lifetime
    }

    /// The use that is to be written down, if one is.
    pub fn touched(&self) -> Option<Timestamp> {
        self.touch
    }

    /// Until when an open-ended previous verifier is honoured from now on, if that is to end.
    pub fn confirmed(&self) -> Option<Timestamp> {
        self.confirm
    }

    /// Whether the patch changes anything but the notes of use ([`touch`](Self::touch),
    /// [`confirm`](Self::confirm)). Only then does the version grow.
    pub fn is_write(&self) -> bool {
        self.clear
            || !self.set.is_empty()
            || !self.remove.is_empty()
            || self.rotate.is_some()
            || self.lifetime.is_some()
    }

    /// Makes this a patch that does nothing, on version `base`. In place: a patch is large.
    pub(crate) fn reset(&mut self, base: u64) {
        self.base = base;
        self.accept_older = false;
        self.clear = false;
        self.set.clear();
        self.remove.clear();
        self.expect.clear();
        self.rotate = None;
        self.lifetime = None;
        self.touch = None;
        self.confirm = None;
    }

    /// Whether the patch only notes a use: nothing of the handler's depends on it.
    pub fn is_note(&self) -> bool {
        !self.is_write() && self.expect.is_empty()
    }

    /// Whether the patch neither does nor expects anything.
    pub fn is_empty(&self) -> bool {
        self.is_note() && self.touch.is_none() && self.confirm.is_none()
    }

    pub(crate) fn mentions(&self, name: &Name) -> bool {
        self.set.iter().any(|(known, _)| known == name) || self.remove.contains(name)
    }

    pub(crate) fn forget(&mut self, name: &Name) {
        self.set.retain(|(known, _)| known != name);
        self.remove.retain(|known| known != name);
    }

    /// Applies the patch to a record as it is at `now`: the reference that every store follows.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](crate::ErrorKind::TooLarge) if the data would grow beyond
    /// [`RECORD_LIMIT`](crate::RECORD_LIMIT), and [`Corrupt`](crate::ErrorKind::Corrupt) for a
    /// write beyond the last version, [`VERSION_LIMIT`]: no session comes there by itself.
    pub fn apply_to(&self, record: &Record, now: Timestamp) -> Result<Patched> {
        if !record.is_live(now) {
            return Ok(Patched::Gone);
        }
        let met = |(name, stored): &(Name, Option<Text>)| {
            record.data.get(name.as_str()) == stored.as_ref()
        };
        if (record.version < self.base && !self.accept_older)
            || !self.expect.iter().all(met)
            || self
                .rotate
                .as_ref()
                .is_some_and(|rotation| rotation.expect != record.hash)
        {
            return Ok(Patched::Conflict);
        }
        if self.is_write() && record.version.max(self.base) >= VERSION_LIMIT {
            return Err(corrupt("the session's version can grow no more"));
        }

        let data = self.merge(&record.data);
        // One that was too large already may shrink.
        if data.bytes() > record.data.bytes() {
            data.check_limit()?;
        }

        Ok(Patched::Applied(self.on(record, data, now)))
    }

    /// What a record becomes by this patch, which a store *has applied* to this version of it at
    /// `now`. Nothing is judged again: what this copy does not know of is that the session was used,
    /// so that its idle deadline may have been moved.
    pub fn applied_to(&self, record: &Record, now: Timestamp) -> Record {
        self.on(record, self.merge(&record.data), now)
    }

    fn on(&self, record: &Record, data: Data, now: Timestamp) -> Record {
        let mut next = Record {
            data,
            previous: record.previous.clone(),
            subject: record.subject.clone(),
            ..*record
        };
        if let Some(rotation) = &self.rotate {
            next.previous = Some(Box::new(Previous {
                hash: record.hash,
                wrapped: rotation.wrapped,
                until: None,
            }));
            next.hash = rotation.new;
        } else if let (Some(until), Some(previous)) = (self.confirm, &mut next.previous) {
            previous.until.get_or_insert(until);
        }
        if let Some(lifetime) = self.lifetime {
            next.absolute_deadline = record.created_at.after(lifetime.absolute());
            next.see(now, lifetime.idle());
        }
        if let Some(seen) = self.touch {
            next.see(seen, next.idle());
        }
        if self.is_write() {
            next.version = record.version.max(self.base).saturating_add(1);
        }
        next
    }

    /// The data after this patch. No name is in `set` twice, or in `remove` too.
    pub(crate) fn merge(&self, data: &Data) -> Data {
        let old = if self.clear { &[] } else { data.entries() };
        let place = |name: &Name| old.iter().position(|(known, _)| known == name);
        let places: SmallVec<[_; 2]> = self.set.iter().map(|(name, _)| place(name)).collect();
        let added = places.iter().filter(|place| place.is_none()).count();
        let is_kept = |(name, _): &&(Name, Text)| !self.remove.contains(name);
        let kept = match self.remove.is_empty() {
            true => old.len(),
            false => old.iter().filter(is_kept).count(),
        };
        // Exactly as many as there will be: the data is kept for as long as the session.
        let mut entries = Vec::with_capacity(kept + added);
        if kept == old.len() {
            // Nothing moves, so what is replaced stands where it stood.
            entries.extend_from_slice(old);
            for ((_, text), place) in self.set.iter().zip(&places) {
                if let Some(place) = *place {
                    entries[place].1 = text.clone();
                }
            }
        } else {
            for (name, text) in old.iter().filter(is_kept) {
                let set = self.set.iter().find(|(known, _)| known == name);
                entries.push((name.clone(), set.map_or(text, |(_, set)| set).clone()));
            }
        }
        if added > 0 {
            let news = self.set.iter().zip(&places);
            let news = news.filter(|(_, place)| place.is_none());
            entries.extend(news.map(|(entry, _)| entry.clone()));
            entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        }
        Data::from_sorted(entries)
    }
}

impl Record {
    /// A use at `seen`: `last_seen` only grows.
    fn see(&mut self, seen: Timestamp, idle: Duration) {
        self.last_seen = self.last_seen.max(seen);
        self.idle_deadline = self.last_seen.after(idle);
    }
}
