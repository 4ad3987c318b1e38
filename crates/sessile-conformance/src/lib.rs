//! The laws of a session store, one test each.
