//! The statements. A patch is applied by the core, between a `SELECT … FOR UPDATE` and an
//! `UPDATE` of the whole row: JSON paths made of keys lose data, and so does a JSON column.

use std::sync::Arc;

use crate::SqlOptions;

/// What makes the tables. Subjects are bytes, so that no collation finds two of them equal. Times
/// are milliseconds since the Unix epoch, written by the application: the database's clock is
/// never read. The second table has nothing but rows to be locked.
pub(super) const MIGRATIONS: &str = "\
CREATE TABLE IF NOT EXISTS sessile_sessions (
  sid BINARY(16) NOT NULL PRIMARY KEY,
  format BIGINT NOT NULL,
  hash VARBINARY(64),
  previous VARBINARY(128),
  version BIGINT,
  created_at BIGINT,
  last_seen BIGINT,
  idle_deadline BIGINT,
  absolute_deadline BIGINT,
  subject VARBINARY(512),
  data MEDIUMBLOB,
  ended_until BIGINT,
  free_at BIGINT GENERATED ALWAYS AS (COALESCE(ended_until + 60000, LEAST(idle_deadline, absolute_deadline) + 3600000)) STORED,
  KEY sessile_sessions_free_at (free_at),
  KEY sessile_sessions_subject (subject)
) ENGINE = InnoDB;
CREATE TABLE IF NOT EXISTS sessile_locks (
  id BIGINT NOT NULL PRIMARY KEY
) ENGINE = InnoDB;
INSERT IGNORE INTO sessile_locks (id)
SELECT a.n * 16 + b.n * 4 + c.n
FROM (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) a
CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) b
CROSS JOIN (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) c;
";

/// The statements with the names of the tables in them.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) migrations: Arc<str>,
    pub(super) insert: Arc<str>,
    pub(super) free: Arc<str>,
    pub(super) load: Arc<str>,
    pub(super) lock: Arc<str>,
    pub(super) update: Arc<str>,
    pub(super) bury: Arc<str>,
    pub(super) insert_tombstone: Arc<str>,
    pub(super) lock_subject: Arc<str>,
    pub(super) live: Arc<str>,
    pub(super) list: Arc<str>,
    pub(super) count: Arc<str>,
    pub(super) sweep: Arc<str>,
}

impl Statements {
    pub(super) fn new(options: &SqlOptions) -> Self {
        Statements {
            migrations: options.statement(MIGRATIONS),
            insert: options.statement(INSERT),
            free: options.statement(FREE),
            load: options.statement(LOAD),
            lock: options.statement(LOCK),
            update: options.statement(UPDATE),
            bury: options.statement(BURY),
            insert_tombstone: options.statement(INSERT_TOMBSTONE),
            lock_subject: options.statement(LOCK_SUBJECT),
            live: options.statement(LIVE),
            list: options.statement(LIST),
            count: options.statement(COUNT),
            sweep: options.statement(SWEEP),
        }
    }
}

const INSERT: &str = "\
INSERT INTO sessile_sessions (sid, format, hash, previous, version, created_at, last_seen,
  idle_deadline, absolute_deadline, subject, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// A tombstone past its time is as good as nothing.
const FREE: &str = "DELETE FROM sessile_sessions WHERE sid = ? AND ended_until <= ?";

const LOAD: &str = "\
SELECT sid, format, hash, previous, version, created_at, last_seen, idle_deadline,
  absolute_deadline, subject, data, ended_until
FROM sessile_sessions WHERE sid = ?";

/// The first statement of its transaction, so that there is no snapshot from before the wait.
const LOCK: &str = "\
SELECT sid, format, hash, previous, version, created_at, last_seen, idle_deadline,
  absolute_deadline, subject, data, ended_until
FROM sessile_sessions WHERE sid = ? FOR UPDATE";

const UPDATE: &str = "\
UPDATE sessile_sessions SET hash = ?, previous = ?, version = ?, last_seen = ?, idle_deadline = ?,
  absolute_deadline = ?, data = ?
WHERE sid = ?";

const BURY: &str = "\
UPDATE sessile_sessions SET format = ?, hash = NULL, previous = NULL, version = NULL,
  created_at = NULL, last_seen = NULL, idle_deadline = NULL, absolute_deadline = NULL,
  subject = NULL, data = NULL, ended_until = GREATEST(COALESCE(ended_until, 0), ?)
WHERE sid = ?";

const INSERT_TOMBSTONE: &str = "\
INSERT INTO sessile_sessions (sid, format, ended_until) VALUES (?, ?, ?)";

/// Logins of one subject wait for one another until their transactions end; two subjects that
/// share a row wait for nothing, which harms nobody.
const LOCK_SUBJECT: &str = "SELECT id FROM sessile_locks WHERE id = CRC32(?) % 64 FOR UPDATE";

/// The live sessions of a subject, the newest first. A locking read: it sees what is committed.
const LIVE: &str = "\
SELECT sid FROM sessile_sessions
WHERE subject = ? AND ended_until IS NULL AND idle_deadline > ? AND absolute_deadline > ?
ORDER BY created_at DESC, last_seen DESC, sid DESC FOR UPDATE";

/// What a slower clock still takes for live is listed too, and so are those of another format:
/// they can be ended.
const LIST: &str = "\
SELECT sid, format, hash, previous, version, created_at, last_seen, idle_deadline,
  absolute_deadline, subject, data, ended_until
FROM sessile_sessions
WHERE subject = ? AND ended_until IS NULL
  AND (format <> ? OR (idle_deadline > ? AND absolute_deadline > ?))";

const COUNT: &str = "\
SELECT COUNT(*) FROM sessile_sessions
WHERE ended_until IS NULL AND idle_deadline > ? AND absolute_deadline > ?";

/// Frees what is past its time and its margin. Rows that somebody works on are skipped, and what
/// has got another deadline meanwhile stays.
const SWEEP: &str = "\
DELETE s FROM sessile_sessions s JOIN (
  SELECT sid FROM sessile_sessions
  WHERE free_at <= ? AND (format = ? OR ended_until IS NOT NULL)
  ORDER BY free_at LIMIT ?
  FOR UPDATE SKIP LOCKED
) due ON due.sid = s.sid
WHERE s.free_at <= ?";
