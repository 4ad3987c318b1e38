//! Runs a mix of requests in every order of their calls.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use super::program::Program;
use super::world::{Turn, World};
use crate::violation::Holds;

/// One order of calls: at each step, which of the requests that are not done has its turn.
///
/// How many steps there are depends on what the store answers, so the orders are found as they are
/// run: each run takes the first one that is left at every step beyond those already decided, and
/// the next run differs in the last step at which there is another one.
#[derive(Debug, Default)]
pub(super) struct Orders {
    /// The choice at each step, and how many there were.
    steps: Vec<(usize, usize)>,
    step: usize,
}

impl Orders {
    fn choose(&mut self, of: usize) -> usize {
        if self.step == self.steps.len() {
            self.steps.push((0, of));
        }
        let (choice, _) = self.steps[self.step];
        self.step += 1;
        // Fewer than before if the store did not answer as it did.
        choice.min(of - 1)
    }

    /// Goes on to the next order, if there is one.
    pub(super) fn next(&mut self) -> bool {
        self.step = 0;
        while let Some((choice, of)) = self.steps.pop() {
            if choice + 1 < of {
                self.steps.push((choice + 1, of));
                return true;
            }
        }
        false
    }
}

/// A request, and where it stands.
struct Request {
    place: usize,
    turn: Arc<Turn>,
    running: Pin<Box<dyn Future<Output = Holds> + Send>>,
}

/// Runs the requests in one order; answers who had each turn.
pub(super) async fn run(
    world: &Arc<World>,
    mix: &[Program],
    orders: &mut Orders,
) -> (Vec<Program>, Holds) {
    let request = |(place, program): (usize, &Program)| {
        let turn = Arc::new(Turn::default());
        Request {
            place,
            running: Box::pin(program.run(world.clone(), turn.clone(), place)),
            turn,
        }
    };
    let mut requests: Vec<Request> = mix.iter().enumerate().map(request).collect();
    let mut order = Vec::new();
    while !requests.is_empty() {
        let at = orders.choose(requests.len());
        let request = &mut requests[at];
        order.push(mix[request.place]);
        if let Some(done) = step(request).await {
            if done.is_err() {
                return (order, done);
            }
            requests.remove(at);
        }
    }
    (order, Ok(()))
}

/// One turn: the request makes its call, and what it does with the answer. `None` if it has another
/// call to make.
async fn step(request: &mut Request) -> Option<Holds> {
    request.turn.grant();
    poll_fn(|context| match request.running.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if request.turn.is_over() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every order of requests of so many steps each.
    fn orders(steps: &[usize]) -> Vec<Vec<usize>> {
        let mut all = Vec::new();
        let mut orders = Orders::default();
        loop {
            let mut left: Vec<_> = steps.iter().copied().enumerate().collect();
            let mut order = Vec::new();
            while !left.is_empty() {
                let at = orders.choose(left.len());
                order.push(left[at].0);
                left[at].1 -= 1;
                left.retain(|(_, left)| *left > 0);
            }
            all.push(order);
            if !orders.next() {
                return all;
            }
        }
    }

    #[test]
    fn every_order_is_run_and_none_twice() {
        // So many as a multinomial says.
        for (steps, expected) in [
            (&[1][..], 1),
            (&[2, 3], 10),
            (&[4, 4], 70),
            (&[2, 2, 2], 90),
            (&[4, 2, 1], 105),
        ] {
            let all = orders(steps);
            assert_eq!(all.len(), expected);
            assert_eq!(BTreeSet::from_iter(all).len(), expected);
        }
    }
}
