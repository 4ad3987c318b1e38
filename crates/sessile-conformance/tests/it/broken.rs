//! Each broken store breaks the laws that it says it breaks, and no other.

use sessile_conformance::broken::{BrokenStore, Flaw};
use sessile_conformance::{Depth, Factory, laws};

/// The laws that do not hold. One task at a time: what comes of a race is always the same then.
fn broken(stores: &dyn Factory) -> Vec<(&'static str, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut broken = Vec::new();
    for law in laws() {
        if let Err(violation) = runtime.block_on(law.check_at(stores, Depth::Quick)) {
            broken.push((law.name(), violation.to_string()));
        }
    }
    broken
}

#[test]
fn every_broken_store_breaks_the_laws_that_it_says_and_no_other() {
    let mut wrong = 0;
    for flaw in Flaw::ALL {
        let found = broken(&|| async { BrokenStore::new(*flaw) });
        let names: Vec<_> = found.iter().map(|(name, _)| *name).collect();
        if names != flaw.breaks() {
            wrong += 1;
            println!("{flaw:?} breaks [{}]", names.join(" "));
            for (name, violation) in found {
                println!("    {name}: {violation}");
            }
        }
    }
    assert_eq!(wrong, 0, "see above");
}

#[test]
fn every_law_is_broken_by_some_store() {
    let caught: Vec<_> = Flaw::ALL.iter().flat_map(|flaw| flaw.breaks()).collect();
    for law in laws() {
        assert!(caught.contains(&&law.name()), "{}", law.name());
    }
}
