//! One multiplexed connection, made when it is first needed and again when it broke.
//!
//! `redis` has a connection that comes back by itself. It keeps the error of a failed attempt for
//! whoever calls next, however much later; it keeps a connection whose server has stopped to
//! answer; and it can't ask sentinels. Hence this one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, ProtocolVersion, PushInfo,
    PushKind, RedisError, ServerErrorKind, Value,
};
use tokio::sync::watch;

use crate::failure::Failure;
use crate::sentinel::Sentinels;

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// For a connection, all that has to be asked for it included.
    pub(crate) connect: Duration,
    /// For an answer.
    pub(crate) response: Duration,
}

/// What is at the other end.
#[derive(Debug)]
pub(crate) enum Target {
    Server(ConnectionInfo),
    /// Whoever the sentinels call the primary at the moment.
    Primary(Sentinels),
}

/// One multiplexed connection. Callers share it; one that gives up leaves its answer to nobody.
#[derive(Debug)]
pub(crate) struct Link {
    target: Arc<Target>,
    timeouts: Timeouts,
    attempt: Mutex<Option<Attempt>>,
}

/// An attempt to connect, awaited by whoever calls meanwhile.
type Attempt = watch::Receiver<Option<Result<Live, RedisError>>>;

/// A connection that was made.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) connection: MultiplexedConnection,
    broken: Arc<AtomicBool>,
}

impl Link {
    pub(crate) fn new(target: Target, timeouts: Timeouts) -> Self {
        Link {
            target: Arc::new(target),
            timeouts,
            attempt: Mutex::new(None),
        }
    }

    pub(crate) fn fails_over(&self) -> bool {
        matches!(*self.target, Target::Primary(_))
    }

    /// Sends one command, once.
    pub(crate) async fn send(&self, cmd: &Cmd) -> Result<Value, Failure> {
        let live = self.live().await.map_err(Failure::NotSent)?;
        let answer = live.connection.clone().send_packed_command(cmd).await;
        live.judge(answer)
    }

    /// Sends a command to a server of a cluster that is about to become the owner of its key.
    pub(crate) async fn send_asking(&self, cmd: &Cmd) -> Result<Value, Failure> {
        let live = self.live().await.map_err(Failure::NotSent)?;
        let mut pipeline = redis::pipe();
        pipeline.cmd("ASKING").add_command(cmd.clone());
        let mut connection = live.connection.clone();
        let answers = connection.send_packed_commands(&pipeline, 1, 1).await;
        let none = || RedisError::from((ErrorKind::UnexpectedReturnType, "no answer"));
        live.judge(answers.and_then(|mut answers| answers.pop().ok_or_else(none)))
    }

    /// The connection, once it is there.
    async fn live(&self) -> Result<Live, RedisError> {
        let mut attempt = self.attempt();
        let given_up = || RedisError::from((ErrorKind::Io, "the attempt to connect was given up"));
        let outcome = attempt.wait_for(Option::is_some).await;
        match outcome.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            // The runtime that it was made on has ended.
            _ => Err(given_up()),
        }
    }

    /// The attempt under way, or that led to a connection that stands, or else a new one. It is a
    /// task of its own: a caller that gives up takes nobody's connection along.
    fn attempt(&self) -> Attempt {
        let mut current = self.lock();
        if let Some(attempt) = &*current
            && attempt.has_changed().is_ok_and(|_| is_good(attempt))
        {
            return attempt.clone();
        }
        let (sender, attempt) = watch::channel(None);
        let (target, timeouts) = (self.target.clone(), self.timeouts);
        tokio::spawn(async move {
            let outcome = target.connect(timeouts).await;
            sender.send_replace(Some(outcome));
            // The channel closes with the last receiver: until then this attempt is the one.
            sender.closed().await;
        });
        current.insert(attempt).clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Attempt>> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_good(attempt: &Attempt) -> bool {
    match &*attempt.borrow() {
        None => true,
        Some(Ok(live)) => !live.broken.load(Ordering::Relaxed),
        Some(Err(_)) => false,
    }
}

impl Live {
    /// What an answer, or the want of one, says about the command and the connection.
    fn judge(&self, answer: Result<Value, RedisError>) -> Result<Value, Failure> {
        let value = match answer {
            Ok(value) => value,
            Err(error) => {
                // After a timeout too: a server that went away without a word is never found out
                // otherwise.
                self.broken.store(true, Ordering::Relaxed);
                return Err(Failure::Lost(error));
            }
        };
        value.extract_error().map_err(|error| {
            let demoted = redis::ErrorKind::Server(ServerErrorKind::ReadOnly);
            if error.kind() == demoted {
                self.broken.store(true, Ordering::Relaxed);
            }
            Failure::Refused(error)
        })
    }
}

impl Target {
    async fn connect(&self, timeouts: Timeouts) -> Result<Live, RedisError> {
        match self {
            Target::Server(info) => connect(info, timeouts).await,
            Target::Primary(sentinels) => sentinels.connect(timeouts).await,
        }
    }
}

/// Connects to a server that is asked for sessions.
pub(crate) async fn connect(info: &ConnectionInfo, timeouts: Timeouts) -> Result<Live, RedisError> {
    let broken = Arc::new(AtomicBool::new(false));
    let notice = broken.clone();
    let config = config(timeouts).set_push_sender(move |push: PushInfo| {
        // Said by the library when the connection ends: nobody has to lose a command to learn it.
        if push.kind == PushKind::Disconnection {
            notice.store(true, Ordering::Relaxed);
        }
        Ok::<(), ()>(())
    });
    let settings = info.redis_settings().clone();
    let settings = settings
        .set_protocol(ProtocolVersion::RESP3)
        .set_lib_name("sessile", env!("CARGO_PKG_VERSION"));
    let connection = open(info.clone().set_redis_settings(settings), &config).await?;
    Ok(Live { connection, broken })
}

/// Connects to a sentinel.
pub(crate) async fn connect_to_sentinel(
    info: &ConnectionInfo,
    timeouts: Timeouts,
) -> Result<MultiplexedConnection, RedisError> {
    let settings = info.redis_settings().clone().set_skip_set_lib_name();
    open(info.clone().set_redis_settings(settings), &config(timeouts)).await
}

fn config(timeouts: Timeouts) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(timeouts.connect))
        .set_response_timeout(Some(timeouts.response))
        .set_pipeline_buffer_size(1024)
}

async fn open(
    info: ConnectionInfo,
    config: &AsyncConnectionConfig,
) -> Result<MultiplexedConnection, RedisError> {
    #[cfg(feature = "tls")]
    crate::builder::choose_cryptography();
    // A small command must not wait for the acknowledgement of the one before it.
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    let client = Client::open(info.set_tcp_settings(tcp))?;
    client
        .get_multiplexed_async_connection_with_config(config)
        .await
}
