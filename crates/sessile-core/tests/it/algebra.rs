//! Change → Plan → Patch → Record, against a map.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use sessile_core::{
    Change, Credential, Data, Lifetime, Log, Name, Patched, Plan, Record, Target, Text, Timestamp,
};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

/// What a handler can do to data, in a form that can be shown and run on a map.
#[derive(Clone, Debug)]
enum Op {
    Set(usize, u8),
    Remove(usize),
    Clear,
    Add(usize, u8),
    /// Removes the key when its value is even: a closure that sometimes removes.
    DropEven(usize),
}

type Model = BTreeMap<String, u64>;

fn key(index: usize) -> Name {
    Name::new(["a", "b", "c", "\"d\\"][index]).unwrap()
}

fn number(text: Option<&Text>) -> u64 {
    text.map_or(0, |text| text.decode().unwrap())
}

impl Op {
    fn change(&self) -> Change {
        match *self {
            Op::Set(at, value) => Change::Set(key(at), Text::encode(&value).unwrap()),
            Op::Remove(at) => Change::Remove(key(at)),
            Op::Clear => Change::Clear,
            Op::Add(at, by) => Change::Update(
                key(at),
                Arc::new(move |text| Text::encode(&(number(text) + u64::from(by))).map(Some)),
            ),
            Op::DropEven(at) => Change::Update(
                key(at),
                Arc::new(|text| Ok(text.filter(|text| number(Some(text)) % 2 == 1).cloned())),
            ),
        }
    }

    fn run(&self, model: &mut Model) {
        let name = |at| key(at).as_str().to_owned();
        match *self {
            Op::Set(at, value) => {
                model.insert(name(at), value.into());
            }
            Op::Remove(at) => {
                model.remove(&name(at));
            }
            Op::Clear => model.clear(),
            Op::Add(at, by) => *model.entry(name(at)).or_default() += u64::from(by),
            Op::DropEven(at) => {
                if model.get(&name(at)).is_some_and(|value| value % 2 == 0) {
                    model.remove(&name(at));
                }
            }
        }
    }

    fn is_plain(&self) -> bool {
        !matches!(self, Op::Add(..) | Op::DropEven(_))
    }
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (0..4_usize, 0..3_u8).prop_map(|(at, value)| Op::Set(at, value)),
        2 => (0..4_usize).prop_map(Op::Remove),
        1 => Just(Op::Clear),
        4 => (0..4_usize, 0..3_u8).prop_map(|(at, by)| Op::Add(at, by)),
        1 => (0..4_usize).prop_map(Op::DropEven),
    ];
    prop::collection::vec(op, 0..8)
}

fn log(ops: &[Op]) -> Log {
    ops.iter().map(Op::change).collect()
}

fn record(ops: &[Op]) -> (Record, Model) {
    let mut model = Model::new();
    ops.iter().for_each(|op| op.run(&mut model));
    let mut record = Record::new(&Credential::random(), NOW, &Lifetime::default());
    record.data = model
        .iter()
        .map(|(key, value)| (Name::new(key).unwrap(), Text::encode(value).unwrap()))
        .collect();
    (record, model)
}

fn model(data: &Data) -> Model {
    data.iter()
        .map(|(name, text)| (name.as_str().to_owned(), number(Some(text))))
        .collect()
}

fn applied(plan: &Plan, record: &Record) -> Option<Record> {
    match plan.patch().apply_to(record, NOW).unwrap() {
        Patched::Applied(record) => Some(record),
        Patched::Conflict => None,
        Patched::Gone => panic!("the record is live"),
    }
}

/// One store, one session: replays until the patch applies.
fn commit(log: &Log, seen: &Record, stored: &mut Record) -> usize {
    let mut view = seen.clone();
    for tries in 1.. {
        let plan = Plan::replay(log, Some(&view), view.version).unwrap();
        match applied(&plan, stored) {
            Some(next) => {
                *stored = next;
                return tries;
            }
            None => view = stored.clone(),
        }
    }
    unreachable!()
}

proptest! {
    /// Alone, a patch does to the record what the changes did to the map, and the view says so
    /// before it is applied.
    #[test]
    fn a_patch_is_its_log(before in ops(), ops in ops()) {
        let (record, mut expected) = record(&before);
        let plan = Plan::replay(&log(&ops), Some(&record), record.version).unwrap();
        ops.iter().for_each(|op| op.run(&mut expected));

        prop_assert_eq!(model(&plan.data(Some(&record))), expected.clone());
        for at in 0..4 {
            let name = key(at);
            let viewed = plan.get(Some(&record), name.as_str()).map(|text| number(Some(text)));
            prop_assert_eq!(viewed, expected.get(name.as_str()).copied());
        }
        let next = applied(&plan, &record).unwrap();
        prop_assert_eq!(model(&next.data), expected);
        prop_assert_eq!(next.version > record.version, plan.patch().is_write());
    }

    /// Without closures a patch applies to whatever the record has become, and decides exactly
    /// the keys it mentions.
    #[test]
    fn plain_changes_merge_by_key(before in ops(), meanwhile in ops(), ops in ops()) {
        let ops: Vec<_> = ops.into_iter().filter(Op::is_plain).collect();
        let (seen, _) = record(&before);
        let mut stored = seen.clone();
        commit(&log(&meanwhile), &seen, &mut stored);

        let plan = Plan::replay(&log(&ops), Some(&seen), seen.version).unwrap();
        let patch = plan.patch();
        let mut expected = if patch.clears() { Model::new() } else { model(&stored.data) };
        for name in patch.removes() {
            expected.remove(name.as_str());
        }
        for (name, text) in patch.sets() {
            expected.insert(name.as_str().to_owned(), number(Some(text)));
        }
        prop_assert_eq!(model(&applied(&plan, &stored).unwrap().data), expected);
    }

    /// With closures, what was committed is what the whole log does to the record as it was at
    /// the commit, on every key the log decides there.
    #[test]
    fn a_committed_log_with_closures_is_a_run_on_the_record_of_the_commit(
        before in ops(), meanwhile in ops(), ops in ops(),
    ) {
        let (seen, _) = record(&before);
        let mut stored = seen.clone();
        commit(&log(&meanwhile), &seen, &mut stored);
        let at_commit = stored.clone();
        commit(&log(&ops), &seen, &mut stored);

        let mut expected = model(&at_commit.data);
        ops.iter().for_each(|op| op.run(&mut expected));
        let result = model(&stored.data);
        // A plain write that was the same as what the handler had seen is left out: it counts as
        // made before what others did meanwhile. Keys that only got such writes are theirs.
        for at in 0..4 {
            let name = key(at);
            let decided = ops.iter().any(|op| matches!(*op, Op::Add(to, by) if to == at && by > 0));
            if decided {
                prop_assert_eq!(result.get(name.as_str()), expected.get(name.as_str()));
            }
        }
    }

    /// Any interleaving of two handlers that add to counters keeps every addition, and disjoint
    /// counters never make each other try again.
    #[test]
    fn additions_are_never_lost(
        before in ops(),
        adds in prop::collection::vec((0..4_usize, 1..4_u8), 1..5),
        others in prop::collection::vec((0..4_usize, 1..4_u8), 1..5),
    ) {
        let (seen, mut expected) = record(&before);
        let mut stored = seen.clone();
        for adds in [&adds, &others] {
            let ops: Vec<_> = adds.iter().map(|(at, by)| Op::Add(*at, *by)).collect();
            ops.iter().for_each(|op| op.run(&mut expected));
            let disjoint = !adds.iter().any(|(at, _)| others.iter().any(|(other, _)| at == other));
            let tries = commit(&log(&ops), &seen, &mut stored);
            prop_assert!(tries == 1 || !disjoint);
        }
        prop_assert_eq!(model(&stored.data), expected);
    }

    /// The control to the law above: were the patch without its expectations, additions would be
    /// lost, and this model would notice.
    #[test]
    fn without_expectations_additions_are_lost(by in 1..4_u8, other in 1..4_u8) {
        let (seen, _) = record(&[]);
        let mut stored = seen.clone();
        for by in [by, other] {
            let plan = Plan::replay(&log(&[Op::Add(0, by)]), Some(&seen), seen.version).unwrap();
            let written = plan.get(Some(&seen), "a").cloned().unwrap();
            let blind = Plan::replay(&vec![Change::Set(key(0), written)], Some(&seen), 0).unwrap();
            stored = applied(&blind, &stored).unwrap();
        }
        prop_assert!(number(stored.data.get("a")) < u64::from(by) + u64::from(other));
    }

    /// A login ends up in a new session with the data, another person's login without it, and a
    /// destroy in nothing, whatever else was done before.
    #[test]
    fn login_and_destroy_decide_where_the_changes_end_up(
        before in ops(), early in ops(), late in ops(), mine in any::<bool>(),
    ) {
        let (mut record, start) = record(&before);
        record.subject = (!mine).then(|| Arc::from("somebody else"));
        let me: Arc<str> = Arc::from("me");

        let mut changes = log(&early);
        changes.push(Change::Login(me.clone()));
        changes.extend(log(&late));
        let plan = Plan::replay(&changes, Some(&record), record.version).unwrap();
        prop_assert_eq!(plan.target(), &Target::New { subject: Some(me) });
        prop_assert!(!plan.ends_first());
        let mut expected = start;
        early.iter().for_each(|op| op.run(&mut expected));
        if !mine {
            expected.clear();
        }
        late.iter().for_each(|op| op.run(&mut expected));
        prop_assert_eq!(model(&plan.data(Some(&record))), expected);

        changes.push(Change::Destroy);
        let plan = Plan::replay(&changes, Some(&record), record.version).unwrap();
        prop_assert_eq!(plan.target(), &Target::Nobody);
        prop_assert!(plan.ends_first() && plan.data(Some(&record)).is_empty());

        changes.push(Op::Set(0, 1).change());
        let plan = Plan::replay(&changes, Some(&record), record.version).unwrap();
        prop_assert_eq!(plan.target(), &Target::New { subject: None });
        prop_assert!(plan.ends_first());
        prop_assert_eq!(model(&plan.data(Some(&record))), Model::from([("a".to_owned(), 1)]));
    }
}
