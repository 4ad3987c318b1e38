//! The real balancers, each with the configuration that `cargo xtask balancers` writes for it.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::{Daemon, Folder, eventually, free_port, program};

/// A balancer that there is a configuration for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BalancerKind {
    /// HAProxy, of the system.
    Haproxy,
    /// nginx, of the system, with a map.
    Nginx,
    /// Envoy.
    Envoy,
    /// Traefik.
    Traefik,
    /// Caddy.
    Caddy,
}

/// A running balancer. It ends with its handle.
#[derive(Debug)]
pub struct Balancer {
    /// Where it listens, on the loopback.
    pub port: u16,
    daemon: Daemon,
    _folder: Folder,
}

impl BalancerKind {
    /// Its name as a program, and as an argument of the generator.
    pub fn name(self) -> &'static str {
        match self {
            BalancerKind::Haproxy => "haproxy",
            BalancerKind::Nginx => "nginx",
            BalancerKind::Envoy => "envoy",
            BalancerKind::Traefik => "traefik",
            BalancerKind::Caddy => "caddy",
        }
    }

    /// The program, on the `PATH` or among the tools that `cargo xtask test` installs.
    fn program(self) -> Option<PathBuf> {
        let mut folders = vec![PathBuf::from("/usr/sbin")];
        // Where `cargo xtask test` keeps what it installs.
        let tools = above_this_program(3).join("tools");
        for tool in fs::read_dir(tools).into_iter().flatten().flatten() {
            let name = tool.file_name();
            let own = name
                .to_str()
                .and_then(|name| name.strip_prefix(self.name()));
            if own.is_some_and(|rest| rest.starts_with('-')) {
                // Envoy's `bin/envoy` is a script around the program itself.
                let bin = if self == BalancerKind::Envoy {
                    "envoy/_bin"
                } else {
                    "bin"
                };
                folders.push(tool.path().join(bin));
            }
        }
        let folders: Vec<_> = folders.iter().map(PathBuf::as_path).collect();
        program(self.name(), &folders)
    }

    /// The configuration for these nodes.
    fn configuration(self, nodes: &[(&str, u16)], port: u16) -> String {
        let nodes: Vec<_> = nodes
            .iter()
            .map(|(label, port)| format!("{label}=127.0.0.1:{port}"))
            .collect();
        let output = Command::new(&*XTASK)
            .args([
                "balancers",
                "--proxy",
                self.name(),
                "--nodes",
                &nodes.join(","),
            ])
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .output()
            .unwrap_or_else(|why| panic!("{}: {why}", XTASK.display()));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What starts it in the foreground, as one process, with everything it writes in `folder`.
    fn command(self, program: &Path, folder: &Path, configuration: &str, port: u16) -> Command {
        let write = |name: &str, text: &str| {
            let file = folder.join(name);
            fs::write(&file, text).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
            file
        };
        let mut command = Command::new(program);
        command.current_dir(folder).env("HOME", folder);
        match self {
            BalancerKind::Haproxy => {
                command
                    .arg("-db")
                    .arg("-f")
                    .arg(write("app.cfg", configuration));
            }
            BalancerKind::Nginx => {
                write("app.conf", configuration);
                command.arg("-p").arg(folder).args(["-e", "stderr"]);
                command.arg("-c").arg(write("nginx.conf", NGINX));
            }
            BalancerKind::Envoy => {
                command.args([
                    "--disable-hot-restart",
                    "--concurrency",
                    "1",
                    "-l",
                    "warning",
                ]);
                command.arg("-c").arg(write("app.yaml", configuration));
            }
            BalancerKind::Traefik => {
                let file = write("app.yml", configuration);
                command
                    .arg(format!("--entrypoints.app.address=127.0.0.1:{port}"))
                    .arg(format!("--providers.file.filename={}", file.display()))
                    .args([
                        "--global.checknewversion=false",
                        "--global.sendanonymoususage=false",
                    ]);
            }
            BalancerKind::Caddy => {
                let text = format!("{{\n\tadmin off\n\tpersist_config off\n}}\n{configuration}");
                command.args(["run", "--adapter", "caddyfile", "--config"]);
                command.arg(write("Caddyfile", &text));
            }
        }
        command
    }
}

/// The workspace's own commands, built once for all tests and in their profile.
static XTASK: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = above_this_program(2);
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(profile) => profile,
    };
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--package",
            "xtask",
            "--profile",
            profile,
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(
        built.is_ok_and(|status| status.success()),
        "xtask does not build"
    );
    folder
        .join("xtask")
        .with_extension(std::env::consts::EXE_EXTENSION)
});

/// What stands around the configuration that is included.
const NGINX: &str = "\
daemon off;
master_process off;
pid nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    include app.conf;
}
";

impl Balancer {
    /// Starts it in front of these nodes, and waits until it listens; `None`
    /// and a word about it if it is not installed.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start(proxy: BalancerKind, nodes: &[(&str, u16)]) -> Option<Balancer> {
        let name = proxy.name();
        let Some(program) = proxy.program() else {
            println!(
                "not run: there is no {name}; `cargo xtask test --only balancers` installs it"
            );
            return None;
        };
        // Somebody else can take the port between our look and the program's.
        for _ in 0..3 {
            let mut balancer = Balancer::launch(proxy, &program, nodes);
            let listens = eventually(name, || {
                let address = ("127.0.0.1", balancer.port);
                let there = TcpStream::connect(address).is_ok();
                (there || !balancer.daemon.is_running()).then_some(there)
            });
            if listens && balancer.daemon.is_running() {
                return Some(balancer);
            }
            println!("{name} did not start: {}", balancer.daemon.log());
        }
        panic!("{name} does not start")
    }

    fn launch(proxy: BalancerKind, program: &Path, nodes: &[(&str, u16)]) -> Balancer {
        let (folder, port) = (Folder::new(proxy.name()), free_port());
        let configuration = proxy.configuration(nodes, port);
        let mut command = proxy.command(program, folder.path(), &configuration, port);
        let daemon = Daemon::start(&mut command, &folder.path().join("log"));
        Balancer {
            port,
            daemon,
            _folder: folder,
        }
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        self.daemon.log()
    }
}

/// A folder that this program is in: `target/debug/deps/…`.
fn above_this_program(levels: usize) -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let folder = program.ancestors().nth(levels).map(Path::to_owned);
    folder.unwrap_or_default()
}
