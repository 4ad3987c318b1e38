//! Caddy, from 2.8 on: a `reverse_proxy` for each node, that prefers it.

use super::line;
use super::options::{Node, Options};

pub(super) fn write(options: &Options) -> String {
    let Options {
        cookie,
        listen,
        ready,
        nodes,
        ..
    } = options;
    let mut text = String::new();
    line!(
        text,
        "# Caddy: caddy run --adapter caddyfile --config FILE
http://:{port} {{
\tbind {host}",
        port = listen.port,
        host = listen.host()
    );
    line!(text, "\t# The first that is there is taken; the order differs from node to node, so that the sessions of
\t# one that is away do not all go to the same place.");
    for (first, node) in nodes.iter().enumerate() {
        let label = &node.label;
        line!(
            text,
            "\t@{label} header_regexp Cookie `(?:^|;\\s*){cookie}={label}\\.`"
        );
        pass(
            &mut text,
            &format!("@{label} "),
            &mut options.from(first),
            "first",
            ready,
        );
    }
    line!(text, "\t# Everybody else.");
    pass(&mut text, "", &mut nodes.iter(), "round_robin", ready);
    line!(text, "}}");
    text
}

fn pass(
    text: &mut String,
    matcher: &str,
    nodes: &mut dyn Iterator<Item = &Node>,
    policy: &str,
    ready: &str,
) {
    let nodes: Vec<_> = nodes.map(|node| node.address.to_string()).collect();
    line!(
        text,
        "\treverse_proxy {matcher}{} {{
\t\tlb_policy {policy}
\t\tlb_try_duration 2s
\t\tfail_duration 2s
\t\thealth_uri {ready}
\t\thealth_interval 500ms
\t\ttransport http {{
\t\t\tdial_timeout 1s
\t\t}}
\t}}",
        nodes.join(" ")
    );
}
