//! Any sequence of operations, against a model plain enough to be obviously right.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use sessile_core::{Created, Loaded, Outcome, Patch, Timestamp};
use sessile_memory::{Capacity, Table};

use crate::support::*;

#[derive(Clone, Debug)]
enum Op {
    Create {
        subject: Option<usize>,
        idle: u64,
    },
    /// Of a session made earlier, as are the next ones; `at` counts modulo how many there are.
    Again {
        at: usize,
    },
    End {
        at: usize,
        keep: u64,
    },
    Touch {
        at: usize,
    },
    Lifetime {
        at: usize,
        idle: u64,
    },
    Write {
        at: usize,
    },
    Advance {
        by: u64,
    },
    Sweep {
        limit: usize,
    },
}

const SUBJECTS: [&str; 2] = ["ann", "bob"];

/// Around the width of a tick, so that its borders are met.
fn millis() -> impl Strategy<Value = u64> {
    prop_oneof![1..20_000_u64, Just(4096), Just(8192)]
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let at = 0..64_usize;
    let op = prop_oneof![
        6 => (prop::option::of(0..2_usize), millis())
            .prop_map(|(subject, idle)| Op::Create { subject, idle }),
        1 => at.clone().prop_map(|at| Op::Again { at }),
        2 => (at.clone(), millis()).prop_map(|(at, keep)| Op::End { at, keep }),
        2 => at.clone().prop_map(|at| Op::Touch { at }),
        2 => (at.clone(), millis()).prop_map(|(at, idle)| Op::Lifetime { at, idle }),
        2 => at.prop_map(|at| Op::Write { at }),
        4 => millis().prop_map(|by| Op::Advance { by }),
        1 => (0..5_usize).prop_map(|limit| Op::Sweep { limit }),
    ];
    prop::collection::vec(op, 0..60)
}

/// A session as the model knows it.
#[derive(Clone, Debug)]
struct Known {
    subject: Option<&'static str>,
    idle: Duration,
    deadline: Timestamp,
    ended: Option<Timestamp>,
}

#[derive(Default)]
struct Model {
    now: Timestamp,
    known: BTreeMap<u32, Known>,
}

impl Model {
    fn pick(&self, at: usize) -> Option<u32> {
        let count = self.known.len();
        (count > 0).then(|| u32::try_from(at % count).unwrap())
    }

    fn is_live(&self, number: u32) -> bool {
        let known = &self.known[&number];
        known.ended.is_none() && self.now < known.deadline
    }

    fn live(&self, subject: Option<&str>) -> Vec<u32> {
        let of = |known: &Known| subject.is_none() || known.subject == subject;
        let numbers = self.known.iter().filter(|(_, known)| of(known));
        numbers
            .map(|(number, _)| *number)
            .filter(|number| self.is_live(*number))
            .collect()
    }

    /// Does it to both, and compares the answers.
    fn run(&mut self, table: &Table, op: &Op) {
        let now = self.now;
        match *op {
            Op::Create { subject, idle } => {
                let number = u32::try_from(self.known.len()).unwrap();
                let idle = Duration::from_millis(idle);
                let subject = subject.map(|at| SUBJECTS[at]);
                let draft = draft(number).made(now).idle(idle).absolute(DAY);
                match subject {
                    Some(subject) => draft.of(subject),
                    None => draft,
                }
                .put(table);
                let known = Known {
                    subject,
                    idle,
                    deadline: now.after(idle),
                    ended: None,
                };
                self.known.insert(number, known);
            }
            Op::Again { at } => {
                let taken = |number: &u32| {
                    let until = self.known[number].ended;
                    self.is_live(*number) || until.is_some_and(|until| now < until)
                };
                if let Some(number) = self.pick(at).filter(taken) {
                    let record = draft(number).made(now).record();
                    assert_eq!(table.create(record, None, now), Created::Taken);
                }
            }
            Op::End { at, keep } => {
                let Some(number) = self.pick(at) else { return };
                let live = self.is_live(number);
                let until = now.after(Duration::from_millis(keep));
                let last = table.end(&id(number), until);
                assert!(last.is_some() || !live, "the last state is returned");
                let ended = &mut self.known.get_mut(&number).unwrap().ended;
                *ended = (*ended).max(Some(until));
            }
            Op::Touch { at } => self.patch(table, at, &touch(now), None),
            Op::Write { at } => self.patch(table, at, &set("a", now.as_millis()), Some(None)),
            Op::Lifetime { at, idle } => {
                let idle = Duration::from_millis(idle);
                self.patch(table, at, &lifetime(idle, DAY), Some(Some(idle)));
            }
            Op::Advance { by } => self.now = now.after(Duration::from_millis(by)),
            Op::Sweep { limit } => {
                table.sweep(now, limit);
            }
        }
    }

    /// `write` is `None` for a touch, and else the new idle time, if it gets one.
    fn patch(&mut self, table: &Table, at: usize, patch: &Patch, write: Option<Option<Duration>>) {
        let Some(number) = self.pick(at) else { return };
        let live = self.is_live(number);
        let applied = table.apply(&id(number), self.now, patch).unwrap();
        assert_eq!(matches!(applied, Outcome::Applied(_)), live);
        assert_eq!(matches!(applied, Outcome::Gone), !live);
        if !live || matches!(write, Some(None)) {
            return;
        }
        let known = self.known.get_mut(&number).unwrap();
        known.idle = write.flatten().unwrap_or(known.idle);
        known.deadline = self.now.after(known.idle);
    }

    fn check(&self, table: &Table) {
        for (number, known) in &self.known {
            let loaded = table.load(&id(*number), self.now);
            let ended = known.ended.is_some_and(|until| self.now < until);
            match loaded {
                Loaded::Live(record) => {
                    assert!(self.is_live(*number));
                    assert_eq!(record.idle_deadline, known.deadline);
                }
                Loaded::Ended => assert!(ended),
                // Depends on what was forgotten by now.
                Loaded::Expired | Loaded::Absent => assert!(!self.is_live(*number) && !ended),
            }
        }
        for subject in SUBJECTS {
            let expected = self.live(Some(subject));
            let expected: Vec<_> = expected.into_iter().map(id).collect();
            assert_eq!(listed(table, subject, self.now), expected);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// With room for all, every session is exactly as live, ended, listed and counted as the
    /// model says, whatever was forgotten on the way.
    #[test]
    fn a_table_with_room_is_its_model(ops in ops()) {
        let table = Table::new(Capacity::sessions(500));
        let mut model = Model { now: NOW, ..Model::default() };
        for op in &ops {
            model.run(&table, op);
            model.check(&table);
        }
        // Last, because a count forgets all that is overdue.
        prop_assert_eq!(table.count(model.now), model.live(None).len() as u64);
        model.check(&table);
        model.now = model.now.after(DAY);
        table.sweep(model.now, usize::MAX);
        for number in model.known.keys() {
            let gone = matches!(table.load(&id(*number), model.now), Loaded::Absent);
            prop_assert!(gone, "in the end, all is forgotten");
        }
        prop_assert!(SUBJECTS.iter().all(|subject| table.list(subject, model.now).is_empty()));
    }

    /// In a table that evicts, the list and the count are exactly what can be loaded, and no more
    /// is there than fits.
    #[test]
    fn a_full_table_lists_and_counts_what_it_holds(ops in ops(), room in 1..6_usize) {
        let table = Table::new(Capacity::sessions(room).bytes(usize::MAX));
        let (mut now, mut made) = (NOW, Vec::new());
        for op in &ops {
            let pick = |at: usize| (!made.is_empty()).then(|| u32::try_from(at % made.len()).unwrap());
            match *op {
                Op::Create { subject, idle } => {
                    let number = u32::try_from(made.len()).unwrap();
                    let draft = draft(number).made(now).idle(Duration::from_millis(idle));
                    let subject = subject.map(|at| SUBJECTS[at]);
                    match subject {
                        Some(subject) => draft.of(subject),
                        None => draft,
                    }
                    .put(&table);
                    prop_assert!(is_live(&table, number, now), "the new one is kept");
                    made.push(subject);
                }
                Op::End { at, keep } => if let Some(number) = pick(at) {
                    table.end(&id(number), now.after(Duration::from_millis(keep)));
                },
                Op::Touch { at } | Op::Write { at } | Op::Again { at } => {
                    if let Some(number) = pick(at) {
                        table.apply(&id(number), now, &touch(now)).unwrap();
                    }
                }
                Op::Lifetime { at, idle } => if let Some(number) = pick(at) {
                    let patch = lifetime(Duration::from_millis(idle), DAY);
                    table.apply(&id(number), now, &patch).unwrap();
                },
                Op::Advance { by } => now = now.after(Duration::from_millis(by)),
                Op::Sweep { limit } => {
                    table.sweep(now, limit);
                }
            }
            let held = live(&table, 0..u32::try_from(made.len()).unwrap(), now);
            prop_assert!(held.len() <= room);
            for subject in SUBJECTS {
                let of = |number: &&u32| made[**number as usize] == Some(subject);
                let expected: Vec<_> = held.iter().filter(of).copied().map(id).collect();
                prop_assert_eq!(listed(&table, subject, now), expected);
            }
        }
        let held = live(&table, 0..u32::try_from(made.len()).unwrap(), now);
        prop_assert_eq!(table.count(now), held.len() as u64);
    }
}
