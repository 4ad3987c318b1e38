//! The model keeps every law, at full depth.

use sessile_conformance::ModelStore;

sessile_conformance::store!(|| async { ModelStore::new() }, depth = full);
