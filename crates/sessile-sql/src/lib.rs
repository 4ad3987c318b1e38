//! Session stores over PostgreSQL, MySQL/MariaDB and SQLite.
