//! nginx: with a map and an upstream for each node, which any version has; or with `sticky route`
//! and `drain`, which the open-source version has from 1.29.6 on.

use super::line;
use super::options::{Node, Options};

const LIMITS: &str = "max_fails=1 fail_timeout=2s";

pub(super) fn with_map(options: &Options) -> String {
    let mut text = String::new();
    line!(
        text,
        "# nginx: include this in http {{ }}, for example as /etc/nginx/conf.d/app.conf"
    );
    label(&mut text, options);
    line!(text, "\n# A label that is no node's is balanced.");
    line!(
        text,
        "map $app_node $app_upstream {{\n    default app_all_nodes;"
    );
    for node in &options.nodes {
        let word = ["default", "hostnames", "include", "volatile"].contains(&&*node.label);
        let escape = if word { "\\" } else { "" }; // a word of the map's own
        line!(text, "    {escape}{0} app_{0};", node.label);
    }
    line!(text, "}}\n\nupstream app_all_nodes {{");
    for node in &options.nodes {
        server(&mut text, node, LIMITS);
    }
    line!(text, "    keepalive 16;\n}}");
    for first in 0..options.nodes.len() {
        line!(text, "\nupstream app_{} {{", options.nodes[first].label);
        for (place, node) in options.from(first).enumerate() {
            server(&mut text, node, if place == 0 { LIMITS } else { "backup" });
        }
        line!(text, "    keepalive 16;\n}}");
    }
    pass(&mut text, options, "$app_upstream");
    text
}

pub(super) fn with_sticky(options: &Options) -> String {
    let mut text = String::new();
    line!(
        text,
        "# nginx from 1.29.6 on: include this in http {{ }}, for example as /etc/nginx/conf.d/app.conf"
    );
    label(&mut text, options);
    line!(
        text,
        "\nupstream app_all_nodes {{\n    zone app_all_nodes 64k;"
    );
    line!(
        text,
        "    # Add `drain` to a server to keep who is there and to send nobody new."
    );
    for node in &options.nodes {
        server(&mut text, node, &format!("route={} {LIMITS}", node.label));
    }
    line!(text, "    sticky route $app_node;\n    keepalive 16;\n}}");
    pass(&mut text, options, "app_all_nodes");
    text
}

/// `$cookie_NAME` can't be used: a variable's name has no `-`.
fn label(text: &mut String, options: &Options) {
    let cookie = &options.cookie;
    line!(
        text,
        "map $http_cookie $app_node {{
    default \"\";
    \"~(?:^|;\\s*){cookie}=(?<app_label>[a-z0-9]+)\\.\" $app_label;
}}"
    );
}

fn server(text: &mut String, node: &Node, how: &str) {
    line!(text, "    server {} {how};", node.address);
}

fn pass(text: &mut String, options: &Options, upstream: &str) {
    let listen = &options.listen;
    line!(
        text,
        "
map $http_upgrade $app_connection {{
    default upgrade;
    \"\" \"\";
}}

server {{
    listen {listen};
    # The application bounds what it takes.
    client_max_body_size 0;

    location / {{
        proxy_pass http://{upstream};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection $app_connection;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_connect_timeout 1s;
        # What was sent is sent again only if its method says that this is harmless. A 503 of the
        # application is an answer, and is passed on.
        proxy_next_upstream error timeout;
        proxy_buffering off;
        proxy_request_buffering off;
    }}
}}"
    );
}
