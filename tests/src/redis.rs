//! Redis and Valkey: one server, a cluster, and a primary with sentinels.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Daemon, Folder, eventually, free_port, program};

/// One server.
#[derive(Debug)]
pub struct RedisServer {
    program: PathBuf,
    port: u16,
    options: Vec<String>,
    daemon: Daemon,
    folder: Folder,
}

impl RedisServer {
    /// Starts a `redis-server` with these options beside its defaults, such as
    /// `["--appendfsync", "always"]`. It keeps nothing on disk unless told so.
    ///
    /// # Panics
    ///
    /// If there is none, or it does not start.
    pub fn start(options: &[&str]) -> Self {
        let program = program("redis-server", &[]).expect("redis-server on the PATH");
        Self::start_program(program, options)
    }

    /// Starts a `valkey-server`, if there is one.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_valkey(options: &[&str]) -> Option<Self> {
        let program = program("valkey-server", &[])?;
        Some(Self::start_program(program, options))
    }

    fn start_program(program: PathBuf, options: &[&str]) -> Self {
        let folder = Folder::new("redis");
        let options: Vec<_> = options.iter().map(|option| (*option).to_owned()).collect();
        let port = free_port();
        let daemon = launch(&program, port, &options, folder.path());
        let server = RedisServer {
            program,
            port,
            options,
            daemon,
            folder,
        };
        server.wait_until_ready();
        server
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process, to send it signals.
    pub fn daemon(&mut self) -> &mut Daemon {
        &mut self.daemon
    }

    /// Kills it, without a chance to write anything.
    pub fn kill(&mut self) {
        self.daemon.kill();
    }

    /// Kills it and starts it again on the same port and the same files; returns when it answers.
    pub fn restart(&mut self) {
        self.kill();
        self.daemon = launch(&self.program, self.port, &self.options, self.folder.path());
        self.wait_until_ready();
    }

    /// What the server answers to a command, as `redis-cli` shows it.
    ///
    /// # Panics
    ///
    /// If `redis-cli` can't be run.
    pub fn cli(&self, command: &[&str]) -> String {
        let mut cli = Command::new("redis-cli");
        cli.args(["-p", &self.port.to_string()]).args(command);
        let output = cli.output().expect("redis-cli on the PATH");
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }

    fn wait_until_ready(&self) {
        eventually("Redis answers", || {
            (self.cli(&["ping"]) == "PONG").then_some(())
        });
    }
}

fn launch(program: &Path, port: u16, options: &[String], folder: &Path) -> Daemon {
    let mut command = Command::new(program);
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no"])
        .args(options)
        .current_dir(folder);
    Daemon::start(&mut command, &folder.join("log"))
}

/// A cluster.
#[derive(Debug)]
pub struct RedisCluster {
    /// Its servers; the first ones were primaries when it was made.
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts a cluster of so many primaries, each with so many replicas. A node is given up after
    /// a second.
    ///
    /// # Panics
    ///
    /// If it does not come about.
    pub fn start(primaries: usize, replicas: usize) -> Self {
        let start = |_| {
            let bus = free_port().to_string();
            let options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
            RedisServer::start(&[&options[..], &["--cluster-port", &bus]].concat())
        };
        let nodes: Vec<_> = (0..primaries * (1 + replicas)).map(start).collect();
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]);
        create.args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)));
        create.args(["--cluster-replicas", &replicas.to_string(), "--cluster-yes"]);
        let output = create.output().expect("redis-cli on the PATH");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "no cluster: {said}");
        let cluster = RedisCluster { nodes };
        cluster.wait_until_ready();
        cluster
    }

    /// Its URL, with all servers in it.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port))
            .collect();
        format!("redis+cluster://{}", hosts.join(","))
    }

    fn wait_until_ready(&self) {
        for node in &self.nodes {
            eventually("all nodes see the whole cluster", || {
                let info = node.cli(&["cluster", "info"]);
                let known = format!("cluster_known_nodes:{}\r", self.nodes.len());
                (info.contains("cluster_state:ok") && info.contains(&known)).then_some(())
            });
        }
        let replicas = |node: &RedisServer| node.cli(&["info", "replication"]);
        for node in &self.nodes {
            eventually("the replicas follow", || {
                let info = replicas(node);
                (info.contains("role:master") || info.contains("master_link_status:up"))
                    .then_some(())
            });
        }
    }
}

/// A primary and a replica, and three sentinels that know the primary as `main`.
#[derive(Debug)]
pub struct RedisSentinels {
    /// The primary at first.
    pub primary: RedisServer,
    /// The replica at first.
    pub replica: RedisServer,
    sentinels: Vec<(u16, Daemon)>,
    _folder: Folder,
}

impl RedisSentinels {
    /// Starts them. A primary is given up after half a second.
    ///
    /// # Panics
    ///
    /// If they do not come about.
    pub fn start() -> Self {
        let primary = RedisServer::start(&[]);
        let port = primary.port.to_string();
        let replica = RedisServer::start(&["--replicaof", "127.0.0.1", &port]);
        let folder = Folder::new("sentinels");
        let start = |number| sentinel(&primary, &folder.path().join(format!("{number}")));
        let servers = RedisSentinels {
            sentinels: (0..3).map(start).collect(),
            primary,
            replica,
            _folder: folder,
        };
        servers.wait_until_ready();
        servers
    }

    /// The URL.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self
            .sentinels
            .iter()
            .map(|(port, _)| format!("127.0.0.1:{port}"))
            .collect();
        format!("redis+sentinel://{}/main", hosts.join(","))
    }

    /// The port of one of the sentinels.
    pub fn sentinel_port(&self) -> u16 {
        self.sentinels[0].0
    }

    fn wait_until_ready(&self) {
        eventually("the replica follows", || {
            let info = self.replica.cli(&["info", "replication"]);
            info.contains("master_link_status:up").then_some(())
        });
        for (port, _) in &self.sentinels {
            eventually("the sentinels know each other and the replica", || {
                let mut cli = Command::new("redis-cli");
                let output = cli
                    .args(["-p", &port.to_string(), "info", "sentinel"])
                    .output();
                let info = String::from_utf8(output.ok()?.stdout).ok()?;
                info.contains("status=ok,").then_some(())?;
                info.contains("slaves=1,sentinels=3").then_some(())
            });
        }
    }
}

fn sentinel(primary: &RedisServer, folder: &Path) -> (u16, Daemon) {
    fs::create_dir_all(folder).expect("a folder in a folder of ours");
    let (own, port) = (free_port(), primary.port);
    let config = folder.join("sentinel.conf");
    let lines = format!(
        "port {own}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {port} 2\n\
         sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n"
    );
    fs::write(&config, lines).expect("a file in a folder of ours");
    let program = program("redis-server", &[]).expect("redis-server on the PATH");
    let mut command = Command::new(program);
    command.arg(&config).arg("--sentinel").current_dir(folder);
    (own, Daemon::start(&mut command, &folder.join("log")))
}
