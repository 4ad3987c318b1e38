//! The schedule: tasks that are polled when they were woken, and effects in any order.

use super::*;

pub(super) struct Flag(pub(super) AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub(super) struct Running {
    pub(super) request: usize,
    pub(super) name: String,
    pub(super) woken: Arc<Flag>,
    pub(super) future: Pin<Box<dyn Future<Output = ()>>>,
}

impl Running {
    pub(super) fn new(
        request: usize,
        name: String,
        future: impl Future<Output = ()> + 'static,
    ) -> Self {
        Running {
            request,
            name,
            woken: Arc::new(Flag(AtomicBool::new(true))),
            future: Box::pin(future),
        }
    }
}

pub(super) type Jar = Rc<RefCell<Option<String>>>;

pub(super) fn request_with(jar: &Jar) -> Request<String> {
    let mut client = Client::default();
    if let Some(credential) = &*jar.borrow() {
        client.present(credential);
    }
    client.request(Method::POST)
}

/// A request and its tasks, each to be polled on its own.
pub(super) fn spawn(
    at: usize,
    plan: &Plan,
    layer: &SessionLayer,
    jar: &Jar,
    notes: &Shared,
) -> Vec<Running> {
    let mut all = Vec::new();
    let (mut givers, mut finishes) = (Vec::new(), Vec::new());
    for (number, task) in plan.tasks.iter().enumerate() {
        let (give, given) = tokio::sync::oneshot::channel::<Session>();
        let (finish, finished) = tokio::sync::oneshot::channel::<()>();
        let (task, notes) = (task.clone(), notes.clone());
        givers.push(give);
        if number == 0 || plan.waits {
            finishes.push(finished);
        }
        let run = async move {
            let Ok(session) = given.await else { return };
            for what in task {
                perform(what, at, &session, &notes).await;
            }
            let _ = finish.send(());
        };
        all.push(Running::new(at, format!("r{at} task {number}"), run));
    }
    let (layer, jar, notes) = (layer.clone(), jar.clone(), notes.clone());
    let run = async move {
        let mut hands = Some((givers, finishes));
        let service = service_fn(|request: Request<String>| {
            let lazy = request.extensions().get::<LazySession>().unwrap().clone();
            let (givers, finishes) = hands.take().unwrap();
            async move {
                let session = match lazy.load().await {
                    Ok(session) => session,
                    Err(error) => return Ok::<_, Infallible>(error.response::<String>()),
                };
                for give in givers {
                    let _ = give.send(session.clone());
                }
                for finished in finishes {
                    let _ = finished.await;
                }
                Ok(http::Response::default())
            }
        });
        let request = request_with(&jar);
        let answer = layer.layer(service).oneshot(request).await.unwrap();
        let mut notes = notes.borrow_mut();
        let status = answer.status();
        let lines: Vec<_> = answer.headers().get_all(SET_COOKIE).iter().collect();
        notes
            .trace
            .push(format!("r{at} answered {status} {lines:?}"));
        assert!(lines.len() <= 1);
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            assert!(lines.is_empty(), "a cookie with nobody knows what");
        }
        for line in lines {
            let line = line.to_str().unwrap();
            let value = line.split_once('=').unwrap().1;
            let value = value.split_once(';').map_or(value, |(value, _)| value);
            let removes = line.contains("Max-Age=0");
            *jar.borrow_mut() = (!removes).then(|| value.to_owned());
        }
        let known = if status.is_success() {
            Known::Acknowledged
        } else {
            Known::Maybe
        };
        notes.settle(at, u64::MAX, known);
        notes.answers.insert(at, status);
    };
    all.push(Running::new(at, format!("r{at}"), run));
    all
}

pub(super) struct Bytes<'a>(pub(super) std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    pub(super) fn next(&mut self) -> usize {
        self.0.next().copied().map_or(0, usize::from)
    }
}

/// Runs what is there to its end, in the order of the schedule.
pub(super) fn run(gated: &Gated, mut running: Vec<Running>, story: &Story, notes: &Shared) {
    let mut bytes = Bytes(story.schedule.iter());
    let trace = |line: String| notes.borrow_mut().trace.push(line);
    for _ in 0..5_000 {
        let choice = bytes.next();
        if story.drops && choice >= 245 && !running.is_empty() {
            let one = bytes.next() % running.len();
            gated.world(|world| world.polled = running[one].request);
            let dropped = running.swap_remove(one);
            trace(format!("drop {}", dropped.name));
            if !dropped.name.contains("task") {
                // What nobody had committed is dropped with the request.
                let mut notes = notes.borrow_mut();
                notes.settle(dropped.request, u64::MAX, Known::Maybe);
            }
            drop(dropped);
            continue;
        }
        let ops = gated.world(|world| world.ops.len());
        let woken: Vec<_> = (0..running.len())
            .filter(|at| running[*at].woken.0.load(Ordering::SeqCst))
            .collect();
        if ops == 0 && woken.is_empty() {
            assert!(
                running.is_empty(),
                "hangs: {:?}",
                running.iter().map(|one| &one.name).collect::<Vec<_>>()
            );
            return;
        }
        let choice = choice % (ops + woken.len());
        if choice < woken.len() {
            let one = &mut running[woken[choice]];
            trace(format!("poll {}", one.name));
            gated.world(|world| world.polled = one.request);
            one.woken.0.store(false, Ordering::SeqCst);
            let waker = Waker::from(one.woken.clone());
            let polled = one.future.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_ready() {
                drop(running.remove(woken[choice]));
            }
            continue;
        }
        let at = choice - woken.len();
        let effect = gated.world(|world| world.ops[at].effect.take());
        let (name, is_dropped) = gated.world(|world| {
            let op = &world.ops[at];
            (op.name, op.is_dropped.load(Ordering::SeqCst))
        });
        if let Some(effect) = effect {
            let byte = bytes.next();
            if is_dropped && byte % 2 == 1 {
                trace(format!("{name} is never done"));
                gated.world(|world| world.ops.remove(at));
                continue;
            }
            let fault = match (story.faults && byte >= 225, byte % 3) {
                (false, _) => None,
                (true, 0) => Some(Fault::Unavailable),
                (true, 1) if name == "create" || name == "apply" => Some(Fault::Lost),
                (true, 2) if name != "open" && name != "reload" => Some(Fault::Unheard),
                (true, _) => Some(Fault::Unavailable),
            };
            trace(format!("{name} takes effect: {fault:?}"));
            if name == "end" && matches!(fault, Some(Fault::Unheard)) {
                gated.world(|world| world.unheard_end = true);
            }
            effect(fault);
            gated.check_ended(Timestamp::default());
        } else {
            trace(format!("{name} answers"));
            if name == "end" && is_dropped {
                gated.world(|world| world.unheard_end = true);
            }
            let op = gated.world(|world| world.ops.remove(at));
            (op.answer)();
        }
    }
    panic!("does not come to an end");
}

/// Tells a story on a session of Alice's, and checks what holds of all of them.
pub(super) fn tell(story: &Story) {
    let notes = Shared::default();
    let told = notes.clone();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(story, &notes)));
    if let Err(panic) = result {
        eprintln!("{story:?}");
        for line in &told.borrow().trace {
            eprintln!("  {line}");
        }
        std::panic::resume_unwind(panic);
    }
}
