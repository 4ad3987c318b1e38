//! Two processes of one service, and the file for each stage of its migration.

use std::fs;

use sessile_e2e::{Folder, RedisServer, SEALING_KEY, SIGNING_KEY, Server, free_port};

/// How far a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The strategy that is left, alone.
    Before,
    Accept,
    Issue,
    Refuse,
    /// The strategy that is moved to, alone.
    After,
}

/// Two nodes over one Redis, in which each strategy has a place of its own.
pub(super) struct Service {
    from: &'static str,
    to: &'static str,
    nodes: [Node; 2],
    moved: usize,
    redis: RedisServer,
    folder: Folder,
}

struct Node {
    label: &'static str,
    port: u16,
    server: Option<Server>,
}

impl Service {
    /// Starts both nodes with the strategy that is left.
    pub(super) fn start(from: &'static str, to: &'static str) -> Self {
        let node = |label| Node {
            label,
            port: free_port(),
            server: None,
        };
        let mut service = Service {
            from,
            to,
            nodes: ["n1", "n2"].map(node),
            moved: 0,
            redis: RedisServer::start(&[]),
            folder: Folder::new("migration"),
        };
        for at in 0..service.nodes.len() {
            service.deploy(at, Stage::Before);
        }
        service
    }

    /// Stops a node, if it runs, and starts it on the same port with the file of another stage.
    pub(super) fn deploy(&mut self, at: usize, stage: Stage) {
        let config = self.config(self.nodes[at].label, stage);
        let node = &mut self.nodes[at];
        let file = self.folder.path().join(format!("{}.toml", node.label));
        fs::write(&file, config).unwrap();
        if let Some(server) = node.server.take() {
            self.moved += moved(&server);
            assert!(server.terminate().success());
        }
        let file = file.display().to_string();
        node.server = Some(Server::on(node.port, "testbed", &["--config", &file]));
    }

    pub(super) fn ports(&self) -> [u16; 2] {
        [self.nodes[0].port, self.nodes[1].port]
    }

    /// How many sessions have been moved by all processes that there were.
    pub(super) fn moved(&self) -> usize {
        let running = self.nodes.iter().filter_map(|node| node.server.as_ref());
        self.moved + running.map(moved).sum::<usize>()
    }

    fn config(&self, label: &str, stage: Stage) -> String {
        let phase = match stage {
            Stage::Before => return self.file(self.from, label, ""),
            Stage::After => return self.file(self.to, label, ""),
            Stage::Accept => "accept",
            Stage::Issue => "issue",
            Stage::Refuse => "refuse",
        };
        let from = format!("from.strategy = {:?}", self.from);
        let migrate = format!("[migrate]\n{from}\nkey = \"2026-11\"\nphase = {phase:?}\n");
        self.file(self.to, label, &migrate)
    }

    fn file(&self, strategy: &str, label: &str, migrate: &str) -> String {
        let redis = self.redis.url();
        format!(
            r#"strategy = {strategy:?}
{migrate}
[keys]
current = {{ id = "now", env = "SESSILE_KEY" }}
previous = [{{ id = "2026-11", value = "{SEALING_KEY}" }}]
[sticky]
node = {label:?}
backing = "{redis}/1"
[stored]
url = "{redis}/2"
[token]
issuer = "https://app.example"
audience = "https://app.example"
revocation = {{ url = "{redis}/3", within = "1s" }}
[token.keys]
sign = {{ kid = "2026-11", alg = "HS256", value = "{SIGNING_KEY}" }}
"#
        )
    }
}

/// How many sessions this process has moved, by what it says.
fn moved(server: &Server) -> usize {
    let said = server.errors();
    said.matches("a session was moved by the migration").count()
}
