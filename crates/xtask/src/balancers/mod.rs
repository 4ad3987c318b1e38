//! `cargo xtask balancers`: the configuration of a balancer that sends each session to the node
//! whose label its cookie starts with, written from the one list of nodes.
//!
//! What each balancer is told, and why, stands as comments in what it prints. All of them only
//! ever repeat a request whose connection was never made, where they can be told so.

mod caddy;
mod envoy;
mod haproxy;
mod nginx;
mod options;
mod traefik;

use options::{Options, Proxy};

/// Prints the configuration that these arguments ask for.
pub(crate) fn print(arguments: &[&str]) -> Result<(), String> {
    print!("{}", write(&Options::parse(arguments)?)?);
    Ok(())
}

fn write(options: &Options) -> Result<String, String> {
    Ok(match options.proxy {
        Proxy::Haproxy => haproxy::write(options),
        Proxy::Nginx => nginx::with_map(options),
        Proxy::NginxSticky => nginx::with_sticky(options),
        Proxy::Envoy => envoy::write(options)?,
        Proxy::Traefik => traefik::write(options),
        Proxy::Caddy => caddy::write(options),
    })
}

/// Writes a line of a configuration: the text is formatted, and a line feed follows.
macro_rules! line {
    ($to:ident, $($text:tt)+) => {{
        $to.push_str(&format!($($text)+));
        $to.push('\n');
    }};
}
use line;

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "n1=127.0.0.1:8101,n2=127.0.0.1:8102,n3=127.0.0.1:8103";

    /// What is printed for three nodes. After a change on purpose, run with `GOLDEN=write`.
    #[test]
    fn the_configuration_of_every_balancer_is_as_it_was() {
        for proxy in Proxy::ALL {
            let options = Options::parse(&["--proxy", proxy.name(), "--nodes", NODES]).unwrap();
            let written = write(&options).unwrap();
            let file = format!(
                "{}/tests/golden/{}",
                env!("CARGO_MANIFEST_DIR"),
                proxy.name()
            );
            if std::env::var_os("GOLDEN").is_some_and(|how| how == "write") {
                std::fs::write(&file, &written).unwrap();
            }
            let golden = std::fs::read_to_string(&file).unwrap();
            assert!(written == golden, "{file} differs from:\n{written}");
        }
    }

    #[test]
    fn a_single_node_and_other_names_are_written_everywhere() {
        for proxy in Proxy::ALL {
            let arguments = [
                "--nodes",
                "solo=10.0.0.1:80",
                "--proxy",
                proxy.name(),
                "--cookie",
                "sid",
                "--listen",
                "0.0.0.0:8443",
                "--ready",
                "/up",
            ];
            let written = write(&Options::parse(&arguments).unwrap()).unwrap();
            let has_checks = !matches!(proxy, Proxy::Nginx | Proxy::NginxSticky);
            assert_eq!(written.contains("/up"), has_checks, "{written}");
            for part in ["solo", "10.0.0.1", "sid", "8443"] {
                assert!(written.contains(part), "{part} is not in:\n{written}");
            }
            assert!(!written.contains("backup"), "{written}");
        }
    }
}
