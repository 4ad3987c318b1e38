//! A session store over Redis and Valkey.
