//! Testbeds as nodes with sticky sessions: killed, stopped, and started again on their ports.

use std::process::ExitStatus;

use crate::{Client, Server, free_port};

/// One node, which may be away.
#[derive(Debug)]
pub struct Node {
    /// Its label.
    pub label: &'static str,
    /// Where it listens.
    pub port: u16,
    program: &'static str,
    arguments: Vec<String>,
    server: Option<Server>,
}

/// Several nodes over one store.
#[derive(Debug)]
pub struct Nodes(pub Vec<Node>);

impl Nodes {
    /// Testbeds with these labels, with these arguments besides. A label may be there twice.
    pub fn start(labels: &[&'static str], arguments: &[&str]) -> Nodes {
        Nodes::of("testbed", labels, arguments)
    }

    /// The same of another program that reads the testbed's command line.
    pub fn of(program: &'static str, labels: &[&'static str], arguments: &[&str]) -> Nodes {
        let ports: Vec<_> = labels.iter().map(|_| free_port()).collect();
        let peers: Vec<_> = labels
            .iter()
            .zip(&ports)
            .enumerate()
            .filter(|(at, (label, _))| !labels[..*at].contains(label))
            .map(|(_, (label, port))| format!("{label}=http://127.0.0.1:{port}"))
            .collect();
        let peers = peers.join(",");
        let node = |(label, port): (&&'static str, u16)| {
            let mut own = ["--node", label, "--peers", &peers]
                .map(str::to_owned)
                .to_vec();
            own.extend(arguments.iter().map(|argument| (*argument).to_owned()));
            let mut node = Node {
                label,
                port,
                program,
                arguments: own,
                server: None,
            };
            node.start();
            node
        };
        Nodes(labels.iter().zip(ports).map(node).collect())
    }

    /// Label and port of each, for a balancer.
    pub fn table(&self) -> Vec<(&'static str, u16)> {
        self.0.iter().map(|node| (node.label, node.port)).collect()
    }

    /// The one with this label.
    pub fn get(&mut self, label: &str) -> &mut Node {
        let found = self.0.iter_mut().find(|node| node.label == label);
        found.unwrap()
    }
}

impl Node {
    /// Starts it, and waits until it listens.
    pub fn start(&mut self) {
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        self.server = Some(Server::on(self.port, self.program, &arguments));
    }

    /// Kills it, without a chance to say good-bye.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        self.server.as_ref().unwrap().signal(name);
    }

    /// Asks it to stop, and waits until it did: it hands its sessions over first.
    pub fn terminate(&mut self) -> ExitStatus {
        self.server.take().unwrap().terminate()
    }

    /// A client of this node with an empty jar.
    pub fn client(&self) -> Client {
        Client::new(self.port)
    }
}
