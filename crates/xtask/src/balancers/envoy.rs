//! Envoy, from 1.36 on: a route for each node names its address in a header of our own, and the
//! policy `override_host` picks it.

use super::line;
use super::options::Options;

/// Names the owner's address, inside of Envoy and on the way to the node.
const OWNER: &str = "x-sessile-owner";
const TYPE: &str = "\"@type\": type.googleapis.com/envoy.extensions";

pub(super) fn write(options: &Options) -> Result<String, String> {
    let Options {
        cookie,
        listen,
        ready,
        nodes,
        ..
    } = options;
    let named = nodes.iter().map(|node| &node.address).chain([listen]);
    if let Some(named) = { named }.find(|address| !address.is_ip()) {
        return Err(format!(
            "Envoy picks a session's node by its address: write an IP address in place of {:?}",
            named.host()
        ));
    }
    let mut text = String::new();
    line!(
        text,
        "# Envoy: envoy -c FILE
static_resources:
  listeners:
  - name: app
    address: {{socket_address: {{address: \"{host}\", port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          {TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: app
          use_remote_address: true
          upgrade_configs: [{{upgrade_type: websocket}}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{{TYPE}.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - name: app
              domains: [\"*\"]
              # Needed: a node that is away is tried first, until the check notices or even longer,
              # and the retry is what saves the request. Only what was never sent is sent again.
              retry_policy:
                retry_on: connect-failure,refused-stream,reset-before-request
                num_retries: 2
                host_selection_retry_max_attempts: 5
                retry_host_predicate:
                - name: envoy.retry_host_predicates.previous_hosts
                  typed_config: {{{TYPE}.retry.host.previous_hosts.v3.PreviousHostsPredicate}}
              routes:",
        host = listen.host(),
        port = listen.port
    );
    for node in nodes {
        line!(text, "              - match: {{prefix: /, headers: [{{name: cookie, string_match: {{safe_regex: {{regex: '(.*; ?)?{cookie}={label}\\..*'}}}}}}]}}
                request_headers_to_add: [{{header: {{key: {OWNER}, value: \"{address}\"}}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}}]
                route: {{cluster: app, timeout: 0s}}", label = node.label, address = node.address);
    }
    line!(
        text,
        "              # Everybody else. Outsiders must not name an owner.
              - match: {{prefix: /}}
                request_headers_to_remove: [{OWNER}]
                route: {{cluster: app, timeout: 0s}}
  clusters:
  - name: app
    type: STATIC
    connect_timeout: 1s
    load_balancing_policy:
      policies:
      - typed_extension_config:
          name: envoy.load_balancing_policies.override_host
          typed_config:
            {TYPE}.load_balancing_policies.override_host.v3.OverrideHost
            override_host_sources: [{{header: {OWNER}}}]
            fallback_policy:
              policies:
              - typed_extension_config:
                  name: envoy.load_balancing_policies.round_robin
                  typed_config: {{{TYPE}.load_balancing_policies.round_robin.v3.RoundRobin}}
    health_checks:
    - timeout: 1s
      interval: 0.5s
      # Needed: without traffic it would look once in a minute only.
      no_traffic_interval: 0.5s
      unhealthy_threshold: 2
      healthy_threshold: 1
      http_health_check: {{path: {ready}}}
    load_assignment:
      cluster_name: app
      endpoints:
      - lb_endpoints:"
    );
    for node in nodes {
        let (host, port) = (node.address.host(), node.address.port);
        line!(
            text,
            "        - endpoint: {{address: {{socket_address: {{address: \"{host}\", port_value: {port}}}}}}}"
        );
    }
    Ok(text)
}
