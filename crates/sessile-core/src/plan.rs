//! The plan: what a log of changes comes to, as plain data.

use std::sync::Arc;

use crate::{Change, Data, Lifetime, Name, Patch, Record, Result, Text};

/// What a log of changes comes to when it starts from a record, or from none: the normal form.
///
/// It is also the handler's view: [`get`](Plan::get) answers what the session holds after the
/// changes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    target: Target,
    ends_first: bool,
    renew: bool,
    patch: Patch,
}

/// The session that the changes end up in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The one the request came with.
    Same,
    /// A new one.
    New {
        /// Who is logged in there.
        subject: Option<Arc<str>>,
    },
    /// None: there was none and nothing was written, or it was destroyed.
    Nobody,
}

impl Plan {
    /// Nothing done yet, on this record or on none. `base` is the highest version known of.
    pub fn new(record: Option<&Record>, base: u64) -> Self {
        Plan {
            target: if record.is_some() {
                Target::Same
            } else {
                Target::Nobody
            },
            ends_first: false,
            renew: false,
            patch: Patch::new(base),
        }
    }

    /// Makes this the plan that [`new`](Plan::new) makes, in place.
    pub fn reset(&mut self, record: Option<&Record>, base: u64) {
        self.target = if record.is_some() {
            Target::Same
        } else {
            Target::Nobody
        };
        self.ends_first = false;
        self.renew = false;
        self.patch.reset(base);
    }

    /// The plan that `log` comes to.
    ///
    /// # Errors
    ///
    /// What a closure in the log returns.
    pub fn replay<'a>(
        log: impl IntoIterator<Item = &'a Change>,
        record: Option<&Record>,
        base: u64,
    ) -> Result<Self> {
        let mut plan = Plan::new(record, base);
        for change in log {
            plan.fold(change, record)?;
        }
        Ok(plan)
    }

    /// Adds one change.
    ///
    /// # Errors
    ///
    /// What the change's closure returns; the plan is as before then.
    pub fn fold(&mut self, change: &Change, record: Option<&Record>) -> Result<()> {
        match change {
            Change::Set(name, text) => self.put(record, name, Some(text.clone())),
            Change::Remove(name) => self.put(record, name, None),
            Change::Clear => {
                if self.target != Target::Nobody {
                    self.patch.clear();
                }
            }
            Change::Update(name, rerun) => {
                let new = rerun(self.get(record, name.as_str()))?;
                self.update(record, name, new);
            }
            Change::Renew => self.renew = self.target == Target::Same,
            Change::Lifetime(lifetime) => self.patch.lifetime(*lifetime),
            Change::Login(subject) => self.login(record, subject),
            Change::Destroy => self.destroy(record),
        }
        Ok(())
    }

    /// Adds a [`Change::Update`] whose closure has already been run on the view, with this result.
    pub fn update(&mut self, record: Option<&Record>, name: &Name, new: Option<Text>) {
        if let (Some(record), false) = (record, self.patch.clear || self.patch.mentions(name)) {
            self.patch
                .expect(name.clone(), record.data.get(name.as_str()).cloned());
        }
        self.put(record, name, new);
    }

    fn put(&mut self, record: Option<&Record>, name: &Name, new: Option<Text>) {
        // Only what nothing precedes is elided: were an earlier write of the key merged with
        // somebody else's, leaving this one out would bring the wrong value back.
        if !self.patch.mentions(name) && self.get(record, name.as_str()) == new.as_ref() {
            return;
        }
        match new {
            Some(text) => {
                if self.target == Target::Nobody {
                    self.target = Target::New { subject: None };
                }
                self.patch.set(name.clone(), text);
            }
            None => self.patch.remove(name.clone()),
        }
    }

    fn login(&mut self, record: Option<&Record>, subject: &Arc<str>) {
        let bound = match &self.target {
            Target::Same => record.and_then(|record| record.subject.as_ref()),
            Target::New { subject } => subject.as_ref(),
            Target::Nobody => None,
        };
        // Another person's data is not inherited.
        if bound.is_some_and(|bound| bound != subject) {
            self.forget();
        }
        self.renew = false;
        self.target = Target::New {
            subject: Some(subject.clone()),
        };
    }

    fn destroy(&mut self, record: Option<&Record>) {
        self.forget();
        self.renew = false;
        self.patch.lifetime = None;
        self.ends_first = record.is_some();
        self.target = Target::Nobody;
    }

    fn forget(&mut self) {
        self.patch.clear();
        self.patch.expect.clear();
    }

    /// Writes on a record older than the base too.
    pub fn accept_older(&mut self) {
        self.patch.accept_older();
    }

    /// The session that the changes end up in.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Whether the session that the request came with was destroyed, and so is ended before
    /// anything else is done.
    pub fn ends_first(&self) -> bool {
        self.ends_first
    }

    /// Whether a new verifier was asked for.
    pub fn renews(&self) -> bool {
        self.renew
    }

    /// The lifetime that was set, if one was.
    pub fn lifetime(&self) -> Option<Lifetime> {
        self.patch.lifetime
    }

    /// The patch to [`Target::Same`]; the rotation is the caller's to add.
    pub fn patch(&self) -> &Patch {
        &self.patch
    }

    /// The patch, to add a rotation or notes of use to it.
    pub fn patch_mut(&mut self) -> &mut Patch {
        &mut self.patch
    }

    /// Whether there is nothing to be written, created or ended.
    pub fn is_idle(&self) -> bool {
        match self.target {
            // An expectation alone is something to do: what was answered on it must hold.
            Target::Same => {
                !self.renew && !self.patch.is_write() && self.patch.expects().is_empty()
            }
            Target::New { .. } => false,
            Target::Nobody => !self.ends_first,
        }
    }

    /// What a key holds after the changes.
    pub fn get<'a>(&'a self, record: Option<&'a Record>, name: &str) -> Option<&'a Text> {
        if let Some((_, text)) = self
            .patch
            .set
            .iter()
            .find(|(known, _)| known.as_str() == name)
        {
            return Some(text);
        }
        if self.patch.remove.iter().any(|known| known.as_str() == name) {
            return None;
        }
        self.inherited(record)?.get(name)
    }

    /// All keys after the changes, sorted.
    pub fn data(&self, record: Option<&Record>) -> Data {
        self.patch
            .merge(self.inherited(record).unwrap_or(&Data::new()))
    }

    /// What counts towards the limit after the changes: the bytes of all names and values.
    pub fn bytes(&self, record: Option<&Record>) -> usize {
        let kept = self.inherited(record).into_iter().flat_map(Data::iter);
        let kept = kept.filter(|(name, _)| !self.patch.mentions(name));
        let set = self.patch.set.iter().map(|(name, text)| (name, text));
        kept.chain(set)
            .map(|(name, text)| name.as_str().len() + text.as_str().len())
            .sum()
    }

    fn inherited<'a>(&self, record: Option<&'a Record>) -> Option<&'a Data> {
        if self.patch.clear {
            None
        } else {
            record.map(|record| &record.data)
        }
    }
}
