//! Who may depend on whom: application → façade → siblings → core, strictly downward.
//!
//! The rules are those of `docs/src/architecture.md`. A crate in no row of [`place`] is refused,
//! so that adding one means saying where it stands.

use crate::metadata::{Dependency, Metadata, Package};

/// Crates that carry HTTP or a runtime, by the first word of their names.
const BARRED_FROM_CORE: &[&str] = &["http", "tower", "tokio", "axum", "hyper"];

/// Where a crate of the workspace stands, top to bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// An example: a program that uses the published crates as anybody would.
    Application,
    /// The end-to-end tests, the program of others that they run, and `xtask`: part of the
    /// workshop, free to look anywhere.
    Workshop,
    Facade,
    /// A home for sessions, or the bridge to other people's. The flag: the façade has it always,
    /// not only behind a feature.
    Sibling {
        always: bool,
    },
    Conformance,
    Core,
}

fn place(package: &Package) -> Option<Place> {
    if package.folder.starts_with("examples/") {
        return Some(Place::Application);
    }
    match package.name.as_str() {
        "xtask" | "sessile-e2e" | "axum-login-example" => Some(Place::Workshop),
        "sessile" => Some(Place::Facade),
        "sessile-memory" => Some(Place::Sibling { always: true }),
        "sessile-token" | "sessile-redis" | "sessile-sql" | "sessile-tower-sessions" => {
            Some(Place::Sibling { always: false })
        }
        "sessile-conformance" => Some(Place::Conformance),
        "sessile-core" => Some(Place::Core),
        _ => None,
    }
}

/// Every violation, in words; none means the arrows hold.
pub(crate) fn check(metadata: &Metadata) -> Vec<String> {
    let mut violations = Vec::new();
    for package in &metadata.packages {
        let Some(from) = place(package) else {
            violations.push(format!(
                "{} has no place: give it one in `arrows.rs`",
                package.name
            ));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|d| metadata.is_member(&d.name))
        {
            let to = metadata
                .packages
                .iter()
                .find(|p| p.name == dependency.name)
                .and_then(place);
            if let Some(why) = to.and_then(|to| forbidden(from, to, dependency)) {
                violations.push(format!("{} → {}: {why}", package.name, dependency.name));
            }
        }
        if from == Place::Core {
            violations.extend(impurities(metadata, package));
        }
    }
    violations
}

/// Why this arrow may not be drawn, or `None` when it may.
fn forbidden(from: Place, to: Place, dependency: &Dependency) -> Option<&'static str> {
    use Place::{Application, Conformance, Core, Facade, Sibling, Workshop};
    let for_tests = dependency.kind == "dev";
    match (from, to) {
        (Workshop, _) => None,
        (_, Application | Workshop) => Some("nothing depends on a program"),
        (Application, Facade) => None,
        (Application, _) => Some("an example needs one crate, `sessile`, like any application"),
        (Facade | Sibling { .. }, Conformance) if for_tests => None,
        (_, Conformance) => Some("the laws are for tests only"),
        (Facade, Sibling { always: false }) if !dependency.optional && !for_tests => {
            Some("a heavy sibling comes in by a feature only")
        }
        (Facade, Sibling { .. } | Core) | (Sibling { .. } | Conformance, Core) => None,
        (Sibling { .. }, Sibling { .. }) => Some("siblings never see one another"),
        _ => Some("arrows point downward"),
    }
}

/// What the core links to and must not.
fn impurities(metadata: &Metadata, core: &Package) -> Vec<String> {
    let why = "the core knows nothing of HTTP, Tower or a runtime";
    let reach = metadata.reach(core).into_iter().filter(|name| barred(name));
    reach
        .map(|name| format!("{} ⇒ {name}: {why}", core.name))
        .collect()
}

/// `tower` and `tower-layer`, not `towering`.
fn barred(name: &str) -> bool {
    let family = name.split('-').next().unwrap_or(name);
    BARRED_FROM_CORE.contains(&family)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::check;
    use crate::metadata::Metadata;

    /// The violations of a made-up workspace, each arrow written `from → to`, with `dev` or
    /// `optional` behind it. A name with a slash is the folder of an example.
    fn violations(arrows: &[&str]) -> Vec<String> {
        let arrows: Vec<Vec<&str>> = arrows.iter().map(|a| a.split(' ').collect()).collect();
        let ids: BTreeSet<&str> = arrows.iter().flat_map(|a| [a[0], a[2]]).collect();
        let members = ids.iter().filter(|id| {
            id.starts_with("sessile") || id.starts_with("examples/") || **id == "xtask"
        });
        check(&Metadata::parse(&json!({
            "workspace_root": "/w",
            "workspace_members": members.collect::<Vec<_>>(),
            "packages": ids.iter().map(|id| package(id, &arrows)).collect::<Vec<_>>(),
            "resolve": { "nodes": ids.iter().map(|id| node(id, &arrows)).collect::<Vec<_>>() },
        })))
    }

    fn package(id: &str, arrows: &[Vec<&str>]) -> Value {
        let folder = if id.contains('/') { "" } else { "crates/" };
        let dependencies = arrows.iter().filter(|arrow| arrow[0] == id).map(|arrow| {
            let optional = arrow.get(3) == Some(&"optional");
            json!({ "name": name(arrow[2]), "kind": kind(arrow), "optional": optional })
        });
        json!({
            "id": id,
            "name": name(id),
            "manifest_path": format!("/w/{folder}{id}/Cargo.toml"),
            "dependencies": dependencies.collect::<Vec<_>>(),
        })
    }

    fn node(id: &str, arrows: &[Vec<&str>]) -> Value {
        let from_here = arrows.iter().filter(|arrow| arrow[0] == id);
        let deps = from_here
            .map(|arrow| json!({ "pkg": arrow[2], "dep_kinds": [{ "kind": kind(arrow) }] }));
        json!({ "id": id, "deps": deps.collect::<Vec<_>>() })
    }

    fn name(id: &str) -> &str {
        id.trim_start_matches("examples/")
    }

    fn kind(arrow: &[&str]) -> Option<&'static str> {
        (arrow.get(3) == Some(&"dev")).then_some("dev")
    }

    #[track_caller]
    fn refused(arrow: &str, why: &str) {
        let found = violations(&[arrow]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(why), "{found:?}");
    }

    #[test]
    fn this_workspace_keeps_its_arrows() {
        let metadata = Metadata::load().unwrap();
        assert!(metadata.is_member("xtask"), "the metadata was read");
        assert_eq!(check(&metadata), Vec::<String>::new());
    }

    #[test]
    fn the_arrows_that_point_downward_are_allowed() {
        let design = [
            "examples/quickstart → sessile",
            "examples/quickstart → axum",
            "sessile → http",
            "sessile → sessile-core",
            "sessile → sessile-memory",
            "sessile → sessile-redis optional",
            "sessile → sessile-conformance dev",
            "sessile-memory → sessile-core",
            "sessile-redis → sessile-core",
            "sessile-redis → tokio",
            "sessile-redis → sessile-conformance dev",
            "sessile-conformance → sessile-core",
            "sessile-core → sha2",
            "sessile-core → tokio dev",
        ];
        assert_eq!(violations(&design), Vec::<String>::new());
    }

    #[test]
    fn siblings_never_see_one_another_not_even_in_tests() {
        refused("sessile-redis → sessile-memory", "siblings");
        refused("sessile-sql → sessile-redis dev", "siblings");
        refused("sessile-tower-sessions → sessile-memory dev", "siblings");
    }

    #[test]
    fn no_arrow_points_upward() {
        refused("sessile-core → sessile", "downward");
        refused("sessile-core → sessile-memory", "downward");
        refused("sessile-memory → sessile", "downward");
        refused("sessile-memory → sessile dev", "downward");
        refused("sessile-tower-sessions → sessile", "downward");
        refused(
            "sessile → examples/quickstart dev",
            "nothing depends on a program",
        );
        refused("sessile-core → xtask", "nothing depends on a program");
    }

    #[test]
    fn heavy_siblings_come_by_a_feature_only() {
        refused("sessile → sessile-redis", "feature");
        refused("sessile → sessile-sql", "feature");
        refused("sessile → sessile-token", "feature");
        refused("sessile → sessile-tower-sessions", "feature");
    }

    #[test]
    fn conformance_sees_the_core_only_and_only_tests_see_it() {
        refused("sessile-conformance → sessile", "downward");
        refused("sessile-conformance → sessile-memory", "downward");
        refused("sessile-memory → sessile-conformance", "tests only");
        refused("sessile-core → sessile-conformance dev", "tests only");
    }

    #[test]
    fn an_example_needs_the_facade_alone() {
        refused("examples/quickstart → sessile-core", "one crate");
        refused("examples/quickstart → sessile-memory", "one crate");
    }

    #[test]
    fn the_core_links_to_no_http_and_no_runtime_at_any_depth() {
        for barred in [
            "http",
            "http-body",
            "tower",
            "tower-layer",
            "tokio",
            "axum-core",
            "hyper",
        ] {
            refused(&format!("sessile-core → {barred}"), "knows nothing");
            let through = ["sessile-core → innocent", &format!("innocent → {barred}")];
            assert_eq!(violations(&through).len(), 1, "{barred}");
        }
        assert_eq!(
            violations(&["sessile-core → httparse"]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_crate_without_a_place_is_refused() {
        refused("sessile-proxy → sessile-core", "no place");
    }
}
