//! The laws, tried on stores that keep them and on stores that break them.

mod model;
