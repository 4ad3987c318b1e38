//! The statements. SQLite has one writer at a time, so that a condition in the `WHERE` of an
//! `UPDATE` is checked with the row as it is then.

use std::sync::Arc;

use crate::SqlOptions;

/// What makes the table. Times are milliseconds since the Unix epoch, written by the application:
/// the database's clock is never read.
pub(super) const MIGRATIONS: &str = "\
CREATE TABLE IF NOT EXISTS sessile_sessions (
  sid BLOB NOT NULL PRIMARY KEY,
  format INTEGER NOT NULL,
  hash BLOB,
  previous BLOB,
  version INTEGER,
  created_at INTEGER,
  last_seen INTEGER,
  idle_deadline INTEGER,
  absolute_deadline INTEGER,
  subject BLOB,
  data TEXT,
  ended_until INTEGER,
  free_at INTEGER GENERATED ALWAYS AS (coalesce(ended_until + 60000, min(idle_deadline, absolute_deadline) + 3600000)) STORED
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessile_sessions_free_at ON sessile_sessions (free_at);
CREATE INDEX IF NOT EXISTS sessile_sessions_subject ON sessile_sessions (subject) WHERE subject IS NOT NULL;
";

/// The statements with the names of the tables in them.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) migrations: Arc<str>,
    pub(super) create: Arc<str>,
    pub(super) load: Arc<str>,
    pub(super) apply: Arc<str>,
    pub(super) end: Arc<str>,
    pub(super) live: Arc<str>,
    pub(super) list: Arc<str>,
    pub(super) count: Arc<str>,
    pub(super) sweep: Arc<str>,
}

impl Statements {
    pub(super) fn new(options: &SqlOptions) -> Self {
        Statements {
            migrations: options.statement(MIGRATIONS),
            create: options.statement(CREATE),
            load: options.statement(LOAD),
            apply: options.statement(APPLY),
            end: options.statement(END),
            live: options.statement(LIVE),
            list: options.statement(LIST),
            count: options.statement(COUNT),
            sweep: options.statement(SWEEP),
        }
    }
}

/// Inserts, if there is nothing but a tombstone past its time: that is as good as nothing, and the
/// only thing that is ever written over. A row = created.
const CREATE: &str = "\
INSERT INTO sessile_sessions (sid, format, hash, previous, version, created_at, last_seen,
  idle_deadline, absolute_deadline, subject, data)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
ON CONFLICT (sid) DO UPDATE SET (format, hash, previous, version, created_at, last_seen,
  idle_deadline, absolute_deadline, subject, data, ended_until)
  = (excluded.format, excluded.hash, excluded.previous, excluded.version, excluded.created_at,
  excluded.last_seen, excluded.idle_deadline, excluded.absolute_deadline, excluded.subject,
  excluded.data, NULL)
WHERE sessile_sessions.ended_until <= ?12
RETURNING 1";

const LOAD: &str = "\
SELECT sid, format, hash, previous, version, created_at, last_seen, idle_deadline,
  absolute_deadline, subject, data, ended_until
FROM sessile_sessions WHERE sid = ?1";

/// Updates, if the patch applies, in the order of `Patch::apply_to`; no row = it does not, and
/// the core says why. `k` is what is known of the row, if it is one of ours; `n` is what the patch
/// makes of it.
const APPLY: &str = "\
UPDATE sessile_sessions AS s SET
  data = n.new_data,
  hash = coalesce(?10, s.hash),
  previous = CASE
    WHEN ?9 IS NOT NULL THEN ?11
    WHEN length(s.previous) = 48 AND ?12 IS NOT NULL THEN CAST(s.previous || ?12 AS BLOB)
    ELSE s.previous END,
  last_seen = max(n.seen, coalesce(?15, 0)),
  idle_deadline = CASE WHEN ?15 IS NULL THEN n.idle
    ELSE min(max(n.seen, ?15) + (n.idle - n.seen), 9007199254740991) END,
  absolute_deadline = CASE WHEN ?13 IS NULL THEN s.absolute_deadline
    ELSE min(s.created_at + ?13, 9007199254740991) END,
  version = CASE WHEN ?16 THEN max(s.version, ?3) + 1 ELSE s.version END
FROM (
  SELECT k.*,
    CASE WHEN ?14 IS NULL THEN k.last_seen ELSE max(k.last_seen, ?2) END AS seen,
    CASE WHEN ?14 IS NULL THEN k.idle_deadline
      ELSE min(max(k.last_seen, ?2) + ?14, 9007199254740991) END AS idle,
    (SELECT json_group_object(key, value) FROM (
      SELECT o.key, o.value FROM json_each(k.object) o
      WHERE NOT ?5 AND o.key NOT IN (SELECT key FROM json_each(?7))
        AND o.key NOT IN (SELECT key FROM json_each(?6))
      UNION ALL SELECT key, value FROM json_each(?6))) AS new_data,
    (SELECT coalesce(sum(length(CAST(key AS BLOB)) + length(CAST(value AS BLOB))), 0) FROM (
      SELECT o.key, o.value FROM json_each(k.object) o
      WHERE NOT ?5 AND o.key NOT IN (SELECT key FROM json_each(?7))
        AND o.key NOT IN (SELECT key FROM json_each(?6))
      UNION ALL SELECT key, value FROM json_each(?6))) AS new_bytes
  FROM (
    SELECT r.*,
      (SELECT coalesce(sum(length(CAST(key AS BLOB)) + length(CAST(value AS BLOB))), 0)
        FROM json_each(r.object)) AS bytes,
      NOT EXISTS (SELECT 1 FROM json_each(r.object)
        WHERE type <> 'text' OR length(CAST(key AS BLOB)) NOT BETWEEN 1 AND 128
          OR key GLOB '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159) || ']*')
        AS is_data
    FROM (
      SELECT *, CASE WHEN json_valid(data) THEN
        CASE WHEN json_type(data) = 'object' THEN data END END AS object
      FROM sessile_sessions
      WHERE sid = ?1 AND ended_until IS NULL AND format = ?17
        AND idle_deadline > ?2 AND absolute_deadline > ?2
        AND length(hash) = 32 AND (previous IS NULL OR length(previous) IN (48, 56))
        AND version BETWEEN 1 AND 9007199254740991
        AND created_at BETWEEN 0 AND 9007199254740991
        AND last_seen BETWEEN 0 AND 9007199254740991
        AND idle_deadline BETWEEN last_seen AND 9007199254740991
        AND absolute_deadline BETWEEN 0 AND 9007199254740991
        AND (version >= ?3 OR ?4)
        AND (NOT ?16 OR max(version, ?3) < 9007199254740991)
        AND (?9 IS NULL OR hash = ?9)
    ) r WHERE object IS NOT NULL
  ) k
  WHERE k.is_data AND k.bytes <= ?18
    AND NOT EXISTS (SELECT 1 FROM json_each(?8) e LEFT JOIN json_each(k.object) o ON o.key = e.key
      WHERE o.value IS NOT e.value)
) n
WHERE s.sid = n.sid AND (n.new_bytes <= n.bytes OR n.new_bytes <= ?18)
RETURNING sid, format, hash, previous, version, created_at, last_seen, idle_deadline,
  absolute_deadline, subject, data, ended_until";

/// Leaves a tombstone in place of a record, of an earlier tombstone or of nothing.
const END: &str = "\
INSERT INTO sessile_sessions (sid, format, ended_until) VALUES (?1, ?2, ?3)
ON CONFLICT (sid) DO UPDATE SET (format, hash, previous, version, created_at, last_seen,
  idle_deadline, absolute_deadline, subject, data, ended_until)
  = (excluded.format, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  max(coalesce(sessile_sessions.ended_until, 0), excluded.ended_until))";

/// The live sessions of a subject, the newest first.
const LIVE: &str = "\
SELECT sid FROM sessile_sessions
WHERE subject = ?1 AND ended_until IS NULL AND idle_deadline > ?2 AND absolute_deadline > ?2
ORDER BY created_at DESC, last_seen DESC, sid DESC";

/// What a slower clock still takes for live is listed too, and so are those of another format:
/// they can be ended.
const LIST: &str = "\
SELECT sid, format, hash, previous, version, created_at, last_seen, idle_deadline,
  absolute_deadline, subject, data, ended_until
FROM sessile_sessions
WHERE subject = ?1 AND ended_until IS NULL
  AND (format <> ?3 OR (idle_deadline > ?2 AND absolute_deadline > ?2))";

const COUNT: &str = "\
SELECT count(*) FROM sessile_sessions
WHERE ended_until IS NULL AND idle_deadline > ?1 AND absolute_deadline > ?1";

/// Frees what is past its time and its margin.
const SWEEP: &str = "\
DELETE FROM sessile_sessions WHERE sid IN (
  SELECT sid FROM sessile_sessions
  WHERE free_at <= ?1 AND (format = ?3 OR ended_until IS NOT NULL)
  ORDER BY free_at LIMIT ?2)";
