//! A patch in parts, some of which a flaw leaves out or changes.

use sessile_core::{Name, Patch, Text};

/// A part of a patch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Clear,
    Set,
    Removal,
    Expectations,
    Rotation,
}

/// The patch without some of its parts.
pub(super) fn without(patch: &Patch, left_out: &[Part]) -> Patch {
    rebuilt(patch, left_out, Clone::clone, Clone::clone)
}

/// The patch with other names and values.
pub(super) fn renamed(
    patch: &Patch,
    name: impl Fn(&Name) -> Name,
    text: impl Fn(&Text) -> Text,
) -> Patch {
    rebuilt(patch, &[], name, text)
}

/// A patch that applies whatever the version, as this one does otherwise.
pub(super) fn on_older(patch: &Patch) -> Patch {
    let mut patch = patch.clone();
    patch.accept_older();
    patch
}

fn rebuilt(
    patch: &Patch,
    left_out: &[Part],
    rename: impl Fn(&Name) -> Name,
    change: impl Fn(&Text) -> Text,
) -> Patch {
    let has = |part: Part| !left_out.contains(&part);
    let mut rebuilt = Patch::new(patch.base());
    if patch.accepts_older() {
        rebuilt.accept_older();
    }
    if patch.clears() && has(Part::Clear) {
        rebuilt.clear();
    }
    for (name, text) in patch.sets().iter().filter(|_| has(Part::Set)) {
        rebuilt.set(rename(name), change(text));
    }
    for name in patch.removes().iter().filter(|_| has(Part::Removal)) {
        rebuilt.remove(rename(name));
    }
    for (name, stored) in patch.expects().iter().filter(|_| has(Part::Expectations)) {
        rebuilt.expect(rename(name), stored.as_ref().map(&change));
    }
    rebuilt.rotate(patch.rotation().filter(|_| has(Part::Rotation)).cloned());
    if let Some(lifetime) = patch.new_lifetime() {
        rebuilt.lifetime(lifetime);
    }
    if let Some(seen) = patch.touched() {
        rebuilt.touch(seen);
    }
    if let Some(until) = patch.confirmed() {
        rebuilt.confirm(until);
    }
    rebuilt
}
