//! The statements. What they have in common with the others is the order of the columns.
//!
//! The rule of all that change a record: **lock the row first, in a CTE of its own; decide on the
//! row as it was locked; update from that.** An expectation in the `WHERE` of the `UPDATE` is
//! wrong twice over at READ COMMITTED: as an anti-join it is checked again with the row that the
//! statement saw when it began, which loses acknowledged writes; as a sub-plan it is right, but
//! whoever then asks why nothing was updated sees the state from before the wait.

use std::sync::Arc;

use crate::SqlOptions;

/// What makes the table. Times are milliseconds since the Unix epoch, written by the application:
/// the database's clock is never read.
pub(super) const MIGRATIONS: &str = "\
CREATE TABLE IF NOT EXISTS sessile_sessions (
  sid bytea PRIMARY KEY,
  format bigint NOT NULL,
  hash bytea,
  previous bytea,
  version bigint,
  created_at bigint,
  last_seen bigint,
  idle_deadline bigint,
  absolute_deadline bigint,
  subject bytea,
  data jsonb,
  ended_until bigint,
  free_at bigint GENERATED ALWAYS AS (coalesce(ended_until + 60000, least(idle_deadline, absolute_deadline) + 3600000)) STORED
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS sessile_sessions_free_at ON sessile_sessions (free_at);
CREATE INDEX IF NOT EXISTS sessile_sessions_subject ON sessile_sessions (subject) WHERE subject IS NOT NULL;
";

/// The statements with the names of the tables in them.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) migrations: Arc<str>,
    pub(super) create: Arc<str>,
    pub(super) lock_subject: Arc<str>,
    pub(super) create_capped: Arc<str>,
    pub(super) load: Arc<str>,
    pub(super) apply: Arc<str>,
    pub(super) end: Arc<str>,
    pub(super) list: Arc<str>,
    pub(super) count: Arc<str>,
    pub(super) sweep: Arc<str>,
}

impl Statements {
    pub(super) fn new(options: &SqlOptions) -> Self {
        Statements {
            migrations: options.statement(MIGRATIONS),
            create: options.statement(CREATE),
            lock_subject: options.statement(LOCK_SUBJECT),
            create_capped: options.statement(CREATE_CAPPED),
            load: options.statement(LOAD),
            apply: options.statement(APPLY),
            end: options.statement(END),
            list: options.statement(LIST),
            count: options.statement(COUNT),
            sweep: options.statement(SWEEP),
        }
    }
}

/// Inserts, if there is nothing but a tombstone past its time: that is as good as nothing, and the
/// only thing that is ever written over. A row = created.
const CREATE: &str = "\
INSERT INTO sessile_sessions AS s (sid, format, hash, previous, version, created_at, last_seen,
  idle_deadline, absolute_deadline, subject, data)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text::jsonb)
ON CONFLICT (sid) DO UPDATE SET (format, hash, previous, version, created_at, last_seen,
  idle_deadline, absolute_deadline, subject, data, ended_until)
  = ROW (excluded.format, excluded.hash, excluded.previous, excluded.version, excluded.created_at,
  excluded.last_seen, excluded.idle_deadline, excluded.absolute_deadline, excluded.subject,
  excluded.data, NULL)
WHERE s.ended_until <= $12
RETURNING 1::bigint";

/// Logins of one subject wait for one another until their transactions end. The lock is by a hash
/// of table and subject: two that share one wait for nothing, which harms nobody.
const LOCK_SUBJECT: &str = "\
SELECT pg_advisory_xact_lock(hashtextextended('sessile_sessions' || encode($1, 'hex'), 0))";

/// With the subject locked, and in a statement of its own, so that it sees what the one before it
/// made. $13 is the cap, $14 whether the oldest ones make room.
/// Gives: whether it was made, whether the id was taken, how many were live.
const CREATE_CAPPED: &str = "\
WITH taken AS MATERIALIZED (
  SELECT 1 FROM sessile_sessions WHERE sid = $1 AND (ended_until IS NULL OR ended_until > $12)
), live AS MATERIALIZED (
  SELECT sid, row_number() OVER (ORDER BY created_at DESC, last_seen DESC, sid DESC) AS place
  FROM sessile_sessions
  WHERE subject = $10 AND ended_until IS NULL AND idle_deadline > $12 AND absolute_deadline > $12
), evicted AS (
  UPDATE sessile_sessions SET (format, hash, previous, version, created_at, last_seen,
    idle_deadline, absolute_deadline, subject, data, ended_until)
    = ROW ($2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, $15)
  WHERE sid IN (SELECT sid FROM live WHERE place >= $13) AND ended_until IS NULL
    AND $14 AND NOT EXISTS (SELECT 1 FROM taken)
), made AS (
  INSERT INTO sessile_sessions AS s (sid, format, hash, previous, version, created_at, last_seen,
    idle_deadline, absolute_deadline, subject, data)
  SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text::jsonb
  WHERE NOT EXISTS (SELECT 1 FROM taken) AND ($14 OR (SELECT count(*) FROM live) < $13)
  ON CONFLICT (sid) DO UPDATE SET (format, hash, previous, version, created_at, last_seen,
    idle_deadline, absolute_deadline, subject, data, ended_until)
    = ROW (excluded.format, excluded.hash, excluded.previous, excluded.version,
    excluded.created_at, excluded.last_seen, excluded.idle_deadline, excluded.absolute_deadline,
    excluded.subject, excluded.data, NULL)
  WHERE s.ended_until <= $12
  RETURNING 1
)
SELECT EXISTS (SELECT 1 FROM made), EXISTS (SELECT 1 FROM taken), $14 OR (SELECT count(*) FROM live) < $13";

const LOAD: &str = "\
SELECT sid, format, hash, previous, version, created_at, last_seen, idle_deadline,
  absolute_deadline, subject, data::text, ended_until
FROM sessile_sessions WHERE sid = $1";

/// See the head of this file. No row = nothing there.
///
/// - `cur` locks: it waits, and has the newest committed row, or none.
/// - `known` looks at the data: what is no data of ours is empty here, and `is_data` says so.
/// - `next` is what the patch makes of it, in the order of `Patch::apply_to`.
/// - `decided` is the outcome: gone, unreadable, conflict, no version left, too large, applied.
const APPLY: &str = r"
WITH cur AS MATERIALIZED (
  SELECT * FROM sessile_sessions WHERE sid = $1 FOR UPDATE
), known AS MATERIALIZED (
  SELECT cur.*, held.object, held.is_object AND size.is_data AS is_data, size.bytes
  FROM cur
  CROSS JOIN LATERAL (SELECT
    coalesce(jsonb_typeof(cur.data) = 'object', false) AS is_object,
    CASE WHEN jsonb_typeof(cur.data) = 'object' THEN cur.data ELSE '{}' END AS object) held
  CROSS JOIN LATERAL (SELECT
    coalesce(bool_and(jsonb_typeof(value) = 'string' AND octet_length(key) BETWEEN 1 AND 128
      AND key !~ '[\u0001-\u001f\u007f-\u009f]'), true) AS is_data,
    coalesce(sum(octet_length(key) + octet_length(value #>> '{}')), 0) AS bytes
    FROM jsonb_each(held.object)) size
), next AS MATERIALIZED (
  SELECT known.*, merged.data AS new_data, size.bytes AS new_bytes, lived.seen, lived.idle
  FROM known
  CROSS JOIN LATERAL (SELECT
    (CASE WHEN $5 THEN '{}' ELSE known.object END - $7::text[]) || $6::text::jsonb AS data) merged
  CROSS JOIN LATERAL (SELECT
    coalesce(sum(octet_length(key) + octet_length(value)), 0) AS bytes
    FROM jsonb_each_text(merged.data)) size
  CROSS JOIN LATERAL (SELECT
    CASE WHEN $14::bigint IS NULL THEN known.last_seen ELSE greatest(known.last_seen, $2) END AS seen,
    CASE WHEN $14 IS NULL THEN known.idle_deadline
      ELSE least(greatest(known.last_seen, $2) + $14, 9007199254740991) END AS idle) lived
), decided AS MATERIALIZED (
  SELECT next.*, CASE
    WHEN ended_until IS NOT NULL THEN 'gone'
    WHEN NOT coalesce(format = $17 AND is_data AND bytes <= $18
      AND octet_length(hash) = 32 AND (previous IS NULL OR octet_length(previous) IN (48, 56))
      AND version BETWEEN 1 AND 9007199254740991
      AND created_at BETWEEN 0 AND 9007199254740991
      AND last_seen BETWEEN 0 AND 9007199254740991
      AND idle_deadline BETWEEN last_seen AND 9007199254740991
      AND absolute_deadline BETWEEN 0 AND 9007199254740991, false) THEN 'corrupt'
    WHEN $2 >= least(idle_deadline, absolute_deadline) THEN 'gone'
    WHEN (version < $3 AND NOT $4)
      OR ($9::bytea IS NOT NULL AND hash <> $9)
      OR EXISTS (SELECT 1 FROM jsonb_each_text($8::text::jsonb) e
        WHERE next.object ->> e.key IS DISTINCT FROM e.value) THEN 'conflict'
    WHEN $16 AND greatest(version, $3) >= 9007199254740991 THEN 'spent'
    WHEN new_bytes > bytes AND new_bytes > $18 THEN 'too_large'
    ELSE 'applied' END AS outcome
  FROM next
), upd AS (
  UPDATE sessile_sessions s SET
    data = d.new_data,
    hash = coalesce($10::bytea, d.hash),
    previous = CASE
      WHEN $9 IS NOT NULL THEN d.hash || $11::bytea
      WHEN octet_length(d.previous) = 48 AND $12::bigint IS NOT NULL THEN d.previous || int8send($12)
      ELSE d.previous END,
    last_seen = greatest(d.seen, $15::bigint),
    idle_deadline = CASE WHEN $15 IS NULL THEN d.idle
      ELSE least(greatest(d.seen, $15) + (d.idle - d.seen), 9007199254740991) END,
    absolute_deadline = CASE WHEN $13::bigint IS NULL THEN d.absolute_deadline
      ELSE least(d.created_at + $13, 9007199254740991) END,
    version = CASE WHEN $16 THEN greatest(d.version, $3) + 1 ELSE d.version END
  FROM decided d WHERE s.sid = d.sid AND d.outcome = 'applied'
  RETURNING s.*
)
SELECT d.sid, d.format, coalesce(upd.hash, d.hash), coalesce(upd.previous, d.previous),
  coalesce(upd.version, d.version), d.created_at, coalesce(upd.last_seen, d.last_seen),
  coalesce(upd.idle_deadline, d.idle_deadline), coalesce(upd.absolute_deadline, d.absolute_deadline),
  d.subject,
  CASE WHEN d.outcome = 'conflict' THEN d.data::text
    WHEN upd.sid IS NOT NULL AND d.version <> $3 THEN upd.data::text END,
  d.ended_until, d.outcome
FROM decided d LEFT JOIN upd ON true";

/// Leaves a tombstone in place of a record, of an earlier tombstone or of nothing, and gives the
/// row as it was. The last column says whether it was left; it was not if somebody created a
/// record while this looked at nothing.
const END: &str = "\
WITH cur AS MATERIALIZED (
  SELECT * FROM sessile_sessions WHERE sid = $1 FOR UPDATE
), upd AS (
  UPDATE sessile_sessions s SET (format, hash, previous, version, created_at, last_seen,
    idle_deadline, absolute_deadline, subject, data, ended_until)
    = ROW ($2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, greatest(cur.ended_until, $3))
  FROM cur WHERE s.sid = cur.sid
  RETURNING 1
), ins AS (
  INSERT INTO sessile_sessions (sid, format, ended_until)
  SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT 1 FROM cur)
  ON CONFLICT (sid) DO NOTHING
  RETURNING 1
)
SELECT cur.sid, cur.format, cur.hash, cur.previous, cur.version, cur.created_at, cur.last_seen,
  cur.idle_deadline, cur.absolute_deadline, cur.subject, cur.data::text, cur.ended_until,
  EXISTS (SELECT 1 FROM upd) OR EXISTS (SELECT 1 FROM ins)
FROM (VALUES (1)) one LEFT JOIN cur ON true";

/// What a slower clock still takes for live is listed too, and so are those of another format:
/// they can be ended.
const LIST: &str = "\
SELECT sid, format, hash, previous, version, created_at, last_seen, idle_deadline,
  absolute_deadline, subject, data::text, ended_until
FROM sessile_sessions
WHERE subject = $1 AND ended_until IS NULL
  AND (format <> $3 OR (idle_deadline > $2 AND absolute_deadline > $2))";

const COUNT: &str = "\
SELECT count(*) FROM sessile_sessions
WHERE ended_until IS NULL AND idle_deadline > $1 AND absolute_deadline > $1";

/// Frees what is past its time and its margin. Rows that somebody works on are skipped, and what
/// has got another deadline meanwhile stays.
const SWEEP: &str = "\
WITH due AS MATERIALIZED (
  SELECT sid FROM sessile_sessions
  WHERE free_at <= $1 AND (format = $3 OR ended_until IS NOT NULL)
  ORDER BY free_at LIMIT $2
  FOR UPDATE SKIP LOCKED
)
DELETE FROM sessile_sessions s USING due WHERE s.sid = due.sid AND s.free_at <= $1";
