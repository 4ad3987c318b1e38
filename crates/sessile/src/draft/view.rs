//! The view: what a handler sees of its session.

use std::sync::Arc;

use sessile_core::{Arrival, Data, Opened, Plan, Record, Target, Text};

/// A record, and what was done to it so far. For most requests nothing was, and there is no draft.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) arrival: Arrival,
    pub(crate) record: Option<&'a Arc<Record>>,
    pub(crate) plan: Option<&'a Plan>,
}

impl Default for View<'_> {
    /// Of a session that nobody looked for.
    fn default() -> Self {
        View {
            arrival: Arrival::New,
            record: None,
            plan: None,
        }
    }
}

impl<'a> View<'a> {
    /// Of a session that nothing was done to.
    pub(crate) fn of(opened: &'a Opened) -> Self {
        let record = opened.held().map(|held| &held.record);
        View {
            arrival: opened.arrival,
            record,
            plan: None,
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Text> {
        let record = self.record.map(|record| &**record);
        match self.plan {
            Some(plan) => plan.get(record, name),
            None => record?.data.get(name),
        }
    }

    pub(crate) fn data(&self) -> Data {
        let record = self.record.map(|record| &**record);
        match self.plan {
            Some(plan) => plan.data(record),
            None => record.map(|record| record.data.clone()).unwrap_or_default(),
        }
    }

    pub(crate) fn target(&self) -> &'a Target {
        match (self.plan, self.record) {
            (Some(plan), _) => plan.target(),
            (None, Some(_)) => &Target::Same,
            (None, None) => &Target::Nobody,
        }
    }

    /// The session's record, if the changes so far leave it the same session.
    pub(crate) fn stored(&self) -> Option<&'a Record> {
        self.record
            .filter(|_| *self.target() == Target::Same)
            .map(|record| &**record)
    }

    pub(crate) fn subject(&self) -> Option<Arc<str>> {
        match self.target() {
            Target::Same => self.record.and_then(|record| record.subject.clone()),
            Target::New { subject } => subject.clone(),
            Target::Nobody => None,
        }
    }
}
