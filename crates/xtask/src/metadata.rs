//! The part of `cargo metadata` that the checks need, as plain data.

use std::collections::HashMap;

use serde_json::Value;

use crate::shell::{cargo, quiet};

/// The workspace's packages, and who is linked to whom.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    /// Normal dependencies that were resolved, of every package, by package id.
    links: HashMap<String, Vec<String>>,
    names: HashMap<String, String>,
}

/// A member of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    id: String,
    pub(crate) name: String,
    /// The folder, relative to the workspace: `crates/sessile`.
    pub(crate) folder: String,
    pub(crate) published: bool,
    pub(crate) features: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// What a manifest asks for.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `normal`, `dev` or `build`.
    pub(crate) kind: String,
    pub(crate) optional: bool,
}

impl Metadata {
    pub(crate) fn load() -> Result<Self, String> {
        let text = quiet(&mut cargo("metadata --format-version 1 --all-features"))
            .ok_or("`cargo metadata` failed: run it to see why")?;
        let json = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Ok(Self::parse(&json))
    }

    pub(crate) fn parse(json: &Value) -> Self {
        let members: Vec<&str> = array(&json["workspace_members"]).filter_map(text).collect();
        let root = text(&json["workspace_root"]).unwrap_or_default();
        let mut metadata = Self::default();
        for package in array(&json["packages"]) {
            let package = package_of(package, root);
            metadata
                .names
                .insert(package.id.clone(), package.name.clone());
            if members.contains(&package.id.as_str()) {
                metadata.packages.push(package);
            }
        }
        for node in array(&json["resolve"]["nodes"]) {
            let normal = |dep: &&Value| array(&dep["dep_kinds"]).any(|kind| kind["kind"].is_null());
            let normal = array(&node["deps"])
                .filter(normal)
                .map(|dep| owned(&dep["pkg"]));
            metadata.links.insert(owned(&node["id"]), normal.collect());
        }
        metadata
    }

    pub(crate) fn is_member(&self, name: &str) -> bool {
        self.packages.iter().any(|package| package.name == name)
    }

    /// The names of all that `package` links to, through any number of steps.
    pub(crate) fn reach(&self, package: &Package) -> Vec<&str> {
        let mut reached: Vec<&str> = vec![&package.id];
        let mut next = 0;
        while let Some(id) = reached.get(next) {
            for link in self.links.get(*id).into_iter().flatten() {
                if !reached.contains(&link.as_str()) {
                    reached.push(link);
                }
            }
            next += 1;
        }
        reached[1..]
            .iter()
            .filter_map(|id| self.names.get(*id))
            .map(String::as_str)
            .collect()
    }
}

fn package_of(json: &Value, root: &str) -> Package {
    let manifest = owned(&json["manifest_path"]).replace('\\', "/");
    let folder = manifest
        .strip_prefix(&root.replace('\\', "/"))
        .unwrap_or(&manifest);
    let dependency = |json: &Value| Dependency {
        name: owned(&json["name"]),
        kind: text(&json["kind"]).unwrap_or("normal").to_owned(),
        optional: json["optional"].as_bool().unwrap_or(false),
    };
    let features = json["features"].as_object().into_iter().flatten();
    let features = features
        .map(|(name, _)| name.clone())
        .filter(|name| name != "default");
    Package {
        id: owned(&json["id"]),
        name: owned(&json["name"]),
        folder: folder
            .trim_matches('/')
            .trim_end_matches("/Cargo.toml")
            .to_owned(),
        published: json["publish"].is_null(),
        features: features.collect(),
        dependencies: array(&json["dependencies"]).map(dependency).collect(),
    }
}

fn array(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

fn text(json: &Value) -> Option<&str> {
    json.as_str()
}

fn owned(json: &Value) -> String {
    text(json).unwrap_or_default().to_owned()
}
