//! Traefik, from 3.6 on: routers and a failover for each node.

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
        "# Traefik: traefik --entrypoints.app.address={listen} --providers.file.filename=FILE
http:
  routers:
    all-nodes: {{rule: 'PathPrefix(`/`)', service: all-nodes, priority: 1, entryPoints: [app]}}"
    );
    let alone = nodes.len() == 1;
    for node in nodes {
        let label = &node.label;
        let rule = format!("HeaderRegexp(`Cookie`, `(^|; ?){cookie}={label}\\.`)");
        line!(
            text,
            "    {label}: {{rule: '{rule}', service: {}, priority: 10, entryPoints: [app]}}",
            if alone { "all-nodes" } else { label }
        );
        if !alone {
            line!(
                text,
                "    {label}-reads: {{rule: '{rule} && (Method(`GET`) || Method(`HEAD`))', service: {label}-reads, priority: 20, entryPoints: [app]}}"
            );
        }
    }
    line!(
        text,
        "  serversTransports:
    app: {{forwardingTimeouts: {{dialTimeout: 1s}}}}
  services:
    all-nodes:"
    );
    pool(&mut text, ready, &mut nodes.iter());
    if alone {
        return text;
    }
    line!(text, "    # Away is who fails the check. Until it does, what only reads is tried elsewhere at once;
    # what writes gets its 502, since Traefik can't tell what was sent from what was not. Its passive
    # check would notice sooner, but takes an application's own 500 for a node that is away.");
    for (first, node) in nodes.iter().enumerate() {
        let label = &node.label;
        line!(text, "    {label}: {{failover: {{service: {label}-alone, fallback: {label}-others}}}}
    {label}-reads: {{failover: {{service: {label}-alone, fallback: {label}-others, errors: {{status: ['502', '504'], maxRequestBodyBytes: 1048576}}}}}}
    {label}-alone:");
        pool(&mut text, ready, &mut std::iter::once(node));
        line!(text, "    {label}-others:");
        pool(&mut text, ready, &mut options.from(first).skip(1));
    }
    text
}

fn pool(text: &mut String, ready: &str, nodes: &mut dyn Iterator<Item = &Node>) {
    line!(
        text,
        "      loadBalancer:
        serversTransport: app
        healthCheck: {{path: {ready}, interval: 500ms, timeout: 1s}}
        servers:"
    );
    for node in nodes {
        line!(text, "        - url: http://{}", node.address);
    }
}
