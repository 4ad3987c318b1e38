//! A cluster: a link to each node, a map of slots, and redirections followed.
//!
//! `redis` has a connection to a cluster. It sends a command again after a broken connection or a
//! time-out, a write that may have been applied included, and without that it follows no redirection
//! either; and it keeps a connection whose node has stopped to answer. Hence this one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::select_ok;
use redis::{
    Cmd, ConnectionInfo, ErrorKind, RedisConnectionInfo, RedisError, ServerErrorKind, Value,
};

use crate::failure::Failure;
use crate::link::{Link, Target, Timeouts};
use crate::slots::{Node, Slots, slot};

/// How often one command is sent on by nodes that do not hold its key.
const REDIRECTIONS: usize = 5;
/// How long to wait while a slot is moving, or before the nodes are asked for their slots again.
const PAUSE: Duration = Duration::from_millis(50);

/// A cluster. Cheap to clone; the clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Cluster(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    seeds: Vec<Node>,
    redis: RedisConnectionInfo,
    tls: bool,
    timeouts: Timeouts,
    links: Mutex<HashMap<Node, Arc<Link>>>,
    slots: Mutex<Arc<Slots>>,
    is_asking: AtomicBool,
    asking: tokio::sync::Mutex<()>,
}

impl Cluster {
    pub(crate) fn new(seeds: &[ConnectionInfo], tls: bool, timeouts: Timeouts) -> Self {
        let redis = seeds.first().map(|seed| seed.redis_settings().clone());
        Cluster(Arc::new(Inner {
            seeds: seeds.iter().filter_map(Node::of).collect(),
            redis: redis.unwrap_or_default(),
            tls,
            timeouts,
            links: Mutex::default(),
            slots: Mutex::default(),
            is_asking: AtomicBool::new(false),
            asking: tokio::sync::Mutex::default(),
        }))
    }

    /// Sends a command to the node that holds its key; again only if one that does not hold it has
    /// said so.
    pub(crate) async fn send(&self, key: &str, cmd: &Cmd) -> Result<Value, Failure> {
        let mut node = self.owner(slot(key)).await?;
        let mut asking = false;
        let mut left = REDIRECTIONS;
        loop {
            let link = self.0.link(&node);
            let sent = if asking {
                link.send_asking(cmd).await
            } else {
                link.send(cmd).await
            };
            let failure = match sent {
                Ok(value) => return Ok(value),
                Err(failure) if left == 0 => return Err(failure),
                Err(failure) => failure,
            };
            left -= 1;
            let refusal = failure.refusal();
            if is_news(&failure) {
                self.ask_soon();
            }
            match (refusal, &failure) {
                (
                    Some(kind @ (ServerErrorKind::Moved | ServerErrorKind::Ask)),
                    Failure::Refused(error),
                ) => {
                    let to = error
                        .detail()
                        .and_then(|detail| Node::redirected(detail, &node));
                    let Some(to) = to else { return Err(failure) };
                    node = to;
                    asking = kind == ServerErrorKind::Ask;
                }
                (Some(ServerErrorKind::TryAgain), _) => tokio::time::sleep(PAUSE).await,
                _ => return Err(failure),
            }
        }
    }

    /// Sends a command to every node that holds any slots.
    pub(crate) async fn send_to_all(&self, cmd: &Cmd) -> Result<Vec<Value>, Failure> {
        self.owner(0).await?;
        let mut answers = Vec::new();
        let slots = self.0.slots();
        let nodes: std::collections::HashSet<_> = slots.nodes().collect();
        for node in nodes {
            answers.push(self.0.link(node).send(cmd).await?);
        }
        Ok(answers)
    }

    /// Whether any node answers.
    pub(crate) async fn ping(&self) -> Result<(), Failure> {
        let ping = redis::cmd("PING");
        let ask = |node| {
            let link = self.0.link(&node);
            let ping = &ping;
            Box::pin(async move { link.send(ping).await })
        };
        select_ok(self.0.nodes().into_iter().map(ask))
            .await
            .map(drop)
    }

    async fn owner(&self, slot: u16) -> Result<Node, Failure> {
        if let Some(node) = self.0.slots().node(slot) {
            return Ok(node.clone());
        }
        self.0.ask(&self.0.slots()).await?;
        let none = || {
            let message = "the cluster has no node for the slot of this key";
            Failure::NotSent(RedisError::from((
                ErrorKind::ClusterConnectionNotFound,
                message,
            )))
        };
        self.0.slots().node(slot).cloned().ok_or_else(none)
    }

    /// Has the map of slots drawn anew, in the background, unless that is under way.
    fn ask_soon(&self) {
        if self.0.is_asking.swap(true, Ordering::Relaxed) {
            return;
        }
        let inner = self.0.clone();
        tokio::spawn(async move {
            // What comes of it, the next command will see.
            let _ = inner.ask(&inner.slots()).await;
            tokio::time::sleep(PAUSE).await;
            inner.is_asking.store(false, Ordering::Relaxed);
        });
    }
}

/// Whether a failure says that the map of slots is out of date, or may be.
fn is_news(failure: &Failure) -> bool {
    use ServerErrorKind::{ClusterDown, MasterDown, Moved, ReadOnly};
    let refused = matches!(failure, Failure::Refused(_));
    !refused
        || matches!(
            failure.refusal(),
            Some(ClusterDown | MasterDown | Moved | ReadOnly)
        )
}

impl Inner {
    /// Asks all nodes at once for their slots and believes the first answer: a wrong one is put
    /// right by a redirection. Does nothing if somebody has done so since `known`.
    async fn ask(&self, known: &Arc<Slots>) -> Result<(), Failure> {
        let _turn = self.asking.lock().await;
        if !Arc::ptr_eq(&self.slots(), known) {
            return Ok(());
        }
        let mut question = redis::cmd("CLUSTER");
        question.arg("SLOTS");
        let ask = |node: Node| {
            let link = self.link(&node);
            let question = &question;
            Box::pin(async move {
                let answer = link.send(question).await?;
                let slots = Slots::read(&answer, &node).filter(|slots| !slots.is_empty());
                let none = || {
                    let message = "the node knows no slots of its cluster";
                    Failure::NotSent(RedisError::from((ErrorKind::UnexpectedReturnType, message)))
                };
                slots.ok_or_else(none)
            })
        };
        let (slots, _) = select_ok(self.nodes().into_iter().map(ask))
            .await
            // Whatever became of the question, the command itself was not sent.
            .map_err(Failure::into_not_sent)?;
        self.links().retain(|node, _| {
            self.seeds.contains(node) || slots.nodes().any(|known| known == node)
        });
        *self.slots.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(slots);
        Ok(())
    }

    /// The nodes that are known, and those that were given.
    fn nodes(&self) -> Vec<Node> {
        let mut nodes = self.seeds.clone();
        for node in self.slots().nodes() {
            if !nodes.contains(node) {
                nodes.push(node.clone());
            }
        }
        nodes
    }

    fn link(&self, node: &Node) -> Arc<Link> {
        let mut links = self.links();
        if let Some(link) = links.get(node) {
            return link.clone();
        }
        let target = Target::Server(node.info(&self.redis, self.tls));
        let link = Arc::new(Link::new(target, self.timeouts));
        links.insert(node.clone(), link.clone());
        link
    }

    fn links(&self) -> MutexGuard<'_, HashMap<Node, Arc<Link>>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slots(&self) -> Arc<Slots> {
        self.slots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
