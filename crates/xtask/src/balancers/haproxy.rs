//! HAProxy, from 2.2 on. One rule for all nodes: the label is the server's name.

use super::line;
use super::options::Options;

pub(super) fn write(options: &Options) -> String {
    let Options {
        cookie,
        listen,
        ready,
        ..
    } = options;
    let mut text = String::new();
    line!(text, "# HAProxy: haproxy -f FILE
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout tunnel 1h

frontend app
    bind {listen}
    option forwardfor
    default_backend nodes

backend nodes
    balance roundrobin
    # What could not be connected is tried elsewhere at once; what was sent is never sent again.
    option redispatch 1
    retries 2
    option httpchk GET {ready}
    # 404 means: keep who is there, send nobody new. A node that hands its sessions over stays at 200.
    http-check disable-on-404
    # A name that no server has, and one whose server is down, is balanced.
    use-server %[req.cook({cookie}),field(1,.)] if {{ req.cook({cookie}) -m found }}");
    for node in &options.nodes {
        line!(
            text,
            "    server {} {} check inter 500 fall 2 rise 1",
            node.label,
            node.address
        );
    }
    text
}
