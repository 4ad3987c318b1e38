//! A random walk: operations on two browsers and on credentials that somebody kept, each answer
//! held against the model's.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use serde_json::{Value, json};
use sessile_e2e::{Client, Response};

use crate::beds::Bed;
use crate::laws::at_once;
use crate::model::{Held, Model, Rules, Step};

const OPERATIONS: usize = 500;
const BROWSERS: usize = 2;
const KEYS: [&str; 4] = ["a", "b", "quo'te\"", "visits"];
const SUBJECTS: [&str; 2] = ["ada", "eve"];
/// How many credentials are kept, and for how long: less than a tombstone and a grace last.
const KEPT: usize = 6;
const KEEP: Duration = Duration::from_secs(25);

/// What happens next.
#[derive(Clone, Debug)]
enum Operation {
    /// One step by a route of its own.
    One(usize, Step),
    /// Several in one request.
    Mixed(usize, Vec<Step>),
    /// Increments of one key at once, and perhaps a renew among them.
    AtOnce(usize, usize, bool),
    /// A credential that was replaced or has ended is used once more.
    Replay(usize, Option<(&'static str, u64)>),
}

pub(crate) fn five_hundred_random_operations_agree_with_a_plain_model(bed: &Bed) {
    let rules = Rules {
        merges: bed.promised.merges,
        revokes: bed.promised.revoked_within.is_some(),
        inherits: true,
    };
    if let Err(why) = explore(bed, rules, 200) {
        panic!("{why}");
    }
}

/// Walks, and where the answers differ looks for a shorter walk on which they do, in so many tries.
fn explore(bed: &Bed, rules: Rules, tries: u32) -> Result<(), String> {
    let mut runner = TestRunner::new(Config {
        cases: 1,
        max_shrink_iters: tries,
        failure_persistence: None,
        ..Config::default()
    });
    let operations = proptest::collection::vec(operation(), OPERATIONS);
    let outcome = runner.run(&operations, |operations| {
        walk(bed, rules, &operations).map_err(TestCaseError::fail)
    });
    outcome.map_err(|error| match error {
        TestError::Fail(why, operations) => {
            let shown = operations
                .iter()
                .map(|operation| format!("\n  {operation:?}"));
            format!("{why}, after{}", shown.collect::<String>())
        }
        TestError::Abort(why) => why.to_string(),
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    let browser = 0..BROWSERS;
    prop_oneof![
        12 => (browser.clone(), prop_oneof![8 => step(), 1 => key().prop_map(Step::Take)]).prop_map(|(browser, step)| Operation::One(browser, step)),
        4 => (browser.clone(), proptest::collection::vec(step(), 1..6))
            .prop_map(|(browser, steps)| Operation::Mixed(browser, steps)),
        1 => (browser, 2..6_usize, any::<bool>())
            .prop_map(|(browser, n, renews)| Operation::AtOnce(browser, n, renews)),
        4 => (0..KEPT, proptest::option::of((key(), 0..9_u64)))
            .prop_map(|(which, write)| Operation::Replay(which, write)),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (key(), 0..9_u64).prop_map(|(key, value)| Step::Set(key, value)),
        3 => key().prop_map(Step::Get),
        2 => key().prop_map(Step::Remove),
        4 => key().prop_map(Step::Incr),
        1 => Just(Step::Clear),
        2 => Just(Step::Renew),
        2 => proptest::sample::select(&SUBJECTS[..]).prop_map(Step::Login),
        1 => Just(Step::Logout),
    ]
}

fn key() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(&KEYS[..])
}

/// The clients, and what the model says of each.
struct Walk {
    model: Model,
    browsers: Vec<(Client, Option<Held>)>,
    kept: Vec<(Client, Held, Instant)>,
}

fn walk(bed: &Bed, rules: Rules, operations: &[Operation]) -> Result<(), String> {
    let mut walk = Walk {
        model: Model::new(rules),
        browsers: (0..BROWSERS).map(|_| (bed.first.client(), None)).collect(),
        kept: Vec::new(),
    };
    operations.iter().try_for_each(|operation| {
        let taken = walk.take(operation);
        taken.map_err(|why| format!("{}: {operation:?}: {why}", bed.name))
    })
}

impl Walk {
    fn take(&mut self, operation: &Operation) -> Result<(), String> {
        let now = now();
        self.kept.retain(|(.., since)| now - *since < KEEP);
        match operation {
            Operation::One(browser, step) => self.one(*browser, *step)?,
            Operation::Mixed(browser, steps) => self.mixed(*browser, steps)?,
            Operation::AtOnce(browser, n, renews) => self.at_once(*browser, *n, *renews)?,
            Operation::Replay(which, write) => return self.replay(*which, *write),
        }
        let (Operation::One(browser, _)
        | Operation::Mixed(browser, _)
        | Operation::AtOnce(browser, ..)
        | Operation::Replay(browser, _)) = operation;
        self.look(*browser)
    }

    /// Everything that a browser can see.
    fn look(&mut self, browser: usize) -> Result<(), String> {
        let (client, held) = &mut self.browsers[browser];
        let data = self.model.data(held.as_ref());
        same(&client.get("/all").is(200).json(), &json!(data))?;
        let subject = self.model.subject(held.as_ref());
        same(&client.whoami()["subject"], &json!(subject))?;
        same(&!client.jar.is_empty(), &held.is_some())
    }

    fn one(&mut self, browser: usize, step: Step) -> Result<(), String> {
        let (client, held) = &mut self.browsers[browser];
        let before = client.clone();
        let (results, after) = self.model.request(held.as_ref(), &[step]);
        same(&answer(step, &send(client, step)), &results[0])?;
        self.replaced(browser, before, after);
        Ok(())
    }

    fn mixed(&mut self, browser: usize, steps: &[Step]) -> Result<(), String> {
        let (client, held) = &mut self.browsers[browser];
        let before = client.clone();
        let (results, after) = self.model.request(held.as_ref(), steps);
        let body = json!(steps.iter().map(|step| wire(*step)).collect::<Vec<_>>());
        let said = client.json("POST", "/mixed", &body.to_string());
        same(&said.is(200).json(), &json!(results))?;
        self.replaced(browser, before, after);
        Ok(())
    }

    fn at_once(&mut self, browser: usize, n: usize, renews: bool) -> Result<(), String> {
        let (client, Some(held)) = &mut self.browsers[browser] else {
            return Ok(()); // each would make a session of its own
        };
        let (before, held) = (client.clone(), held.clone());
        let done = at_once(n, client, |mut client, i| {
            let step = match renews && i == 0 {
                true => Step::Renew,
                false => Step::Incr("a"),
            };
            let said = answer(step, &send(&mut client, step));
            (client, said)
        });
        let mut said: Vec<_> = done.iter().filter_map(|(_, said)| said.as_u64()).collect();
        said.sort_unstable();
        let mut expected = Vec::new();
        let mut after = Some(held.clone());
        for _ in 0..said.len() {
            // Merged, each goes on where another one was; else all of them where this one was.
            let from = if self.model.merges() {
                after.clone()
            } else {
                Some(held.clone())
            };
            let (results, next) = self.model.request(from.as_ref(), &[Step::Incr("a")]);
            expected.extend(results[0].as_u64());
            after = next;
        }
        same(&said, &expected)?;
        let last = done.into_iter().next_back().map(|(client, _)| client);
        self.browsers[browser].0 = last.unwrap_or_else(|| before.clone());
        self.replaced(browser, before, after);
        Ok(())
    }

    /// Keeps the credential that a browser had, if it has another one or none.
    fn replaced(&mut self, browser: usize, before: Client, after: Option<Held>) {
        let (client, held) = &mut self.browsers[browser];
        if let Some(held) = held.take().filter(|_| client.jar != before.jar) {
            if self.kept.len() == KEPT {
                self.kept.remove(0);
            }
            self.kept.push((before, held, now()));
        }
        *held = after;
    }

    fn replay(&mut self, which: usize, write: Option<(&'static str, u64)>) -> Result<(), String> {
        let Some((client, held, _)) = self.kept.get_mut(which) else {
            return Ok(());
        };
        let mut client = client.clone();
        let is_dead = self.model.is_dead(held);
        let arrival = if is_dead { "ended" } else { "resumed" };
        same(&client.arrival().as_str(), &arrival)?;
        let data = self.model.data(Some(held));
        same(&client.get("/all").is(200).json(), &json!(data))?;
        let Some((key, value)) = write else {
            return Ok(());
        };
        let step = Step::Set(key, value);
        let said = send(&mut client, step);
        if is_dead {
            return same(&said.status, &409);
        }
        let (results, _) = self.model.request(Some(held), &[step]);
        same(&answer(step, &said), &results[0])
    }
}

fn send(client: &mut Client, step: Step) -> Response {
    let encoded = |key: &str| key.replace('"', "%22").replace('\'', "%27");
    match step {
        Step::Get(key) => client.get(&format!("/get/{}", encoded(key))),
        Step::Set(key, value) => {
            client.json("PUT", &format!("/set/{}", encoded(key)), &value.to_string())
        }
        Step::Remove(key) => client.send("DELETE", &format!("/remove/{}", encoded(key)), &[], ""),
        Step::Clear => client.post("/clear"),
        Step::Incr(key) => client.post(&format!("/incr/{}", encoded(key))),
        Step::Take(key) => client.post(&format!("/take/{}", encoded(key))),
        Step::Renew => client.post("/renew"),
        Step::Login(subject) => client.post(&format!("/login/{subject}")),
        Step::Logout => client.post("/logout"),
    }
}

/// What an answer says, as the model says it.
fn answer(step: Step, said: &Response) -> Value {
    match (step, said.status) {
        (Step::Get(_) | Step::Take(_), 404) => Value::Null,
        (Step::Remove(_), 404) => json!(false),
        (Step::Remove(_), 204) => json!(true),
        (Step::Get(_) | Step::Take(_) | Step::Incr(_), 200) => said.json(),
        (_, 204) => Value::Null,
        _ => json!({ "status": said.status, "body": said.body }),
    }
}

fn wire(step: Step) -> Value {
    match step {
        Step::Get(key) => json!(["get", key]),
        Step::Set(key, value) => json!(["set", key, value]),
        Step::Remove(key) => json!(["remove", key]),
        Step::Clear => json!(["clear"]),
        Step::Incr(key) => json!(["incr", key]),
        Step::Take(_) => Value::Null, // not one of the route's steps
        Step::Renew => json!(["renew"]),
        Step::Login(subject) => json!(["login", subject]),
        Step::Logout => json!(["logout"]),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(said: &T, expected: &T) -> Result<(), String> {
    match said == expected {
        true => Ok(()),
        false => Err(format!("{said:?} and not {expected:?}")),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a credential may be kept"
)]
fn now() -> Instant {
    Instant::now()
}

/// The walk notices: each of these models is wrong in one rule, and differs from a strategy that
/// is right.
#[test]
fn a_walk_finds_out_a_model_that_is_wrong_in_one_rule() {
    let (name, make) = crate::beds::ALL[0];
    let bed = Bed::start(name, make);
    let right = Rules {
        merges: true,
        revokes: true,
        inherits: true,
    };
    for wrong in [
        Rules {
            merges: false,
            ..right
        },
        Rules {
            revokes: false,
            ..right
        },
        Rules {
            inherits: false,
            ..right
        },
    ] {
        assert!(explore(&bed, wrong, 0).is_err(), "{wrong:?}");
    }
    explore(&bed, right, 200).unwrap();
}
