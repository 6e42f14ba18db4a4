package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// applicationID marks the file as a store of runner, for `file` and for us.
const applicationID = 0x72756e72 // "runr"

// migrations bring a file from each version to the next; the first makes it. They are
// never changed, only added to.
var migrations = []string{`
CREATE TABLE runs (                -- a run: one execution of a job that changed something here
  id             INTEGER PRIMARY KEY,
  job            TEXT NOT NULL,    -- the job's name, with its folder if that is not the root
  file           TEXT NOT NULL,    -- the job file, from the root
  began_ms       INTEGER NOT NULL, -- times are milliseconds since 1970, UTC
  ended_ms       INTEGER,          -- NULL: it goes on, or it died
  state          TEXT NOT NULL,    -- running, done, interrupted, failed
  exit           INTEGER,          -- the exit code
  pid            INTEGER NOT NULL,
  host           TEXT NOT NULL,    -- the machine that it ran on
  version        TEXT NOT NULL,    -- of runner
  server         TEXT NOT NULL,    -- the model server
  server_version TEXT NOT NULL,
  simulated      INTEGER NOT NULL, -- 1: by a simulated server
  partial        INTEGER NOT NULL, -- 1: over a part of the rows
  rows           INTEGER,          -- with a record
  ok             INTEGER,
  failed         INTEGER,
  asked          INTEGER,          -- tasks that were asked
  reused         INTEGER,          -- tasks that were answered without a call
  prompt_tokens  INTEGER,
  output_tokens  INTEGER
) STRICT;

CREATE TABLE results (             -- what came of a question; never updated: asking again adds one
  id             INTEGER PRIMARY KEY,
  key            BLOB NOT NULL,    -- SHA-256 of question
  question       TEXT,             -- the request as JSON; NULL: taken over from an output file
  model          TEXT NOT NULL,    -- the name that it was asked for by
  ok             INTEGER NOT NULL, -- 1: an answer; 0: a failure
  response       TEXT,
  thinking       TEXT,
  done_reason    TEXT,
  prompt_tokens  INTEGER,          -- the server's counts
  output_tokens  INTEGER,
  total_ns       INTEGER,          -- the server's durations, in nanoseconds
  load_ns        INTEGER,
  prompt_ns      INTEGER,
  output_ns      INTEGER,
  warnings       TEXT,             -- a JSON list, or NULL
  simulated      INTEGER NOT NULL,
  class          TEXT,             -- of a failure
  message        TEXT,
  status         INTEGER,          -- HTTP status, where there was one
  attempts       INTEGER NOT NULL,
  run            INTEGER,          -- NULL: taken over from an output file
  started_ms     INTEGER,          -- of the last attempt
  stored_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX results_key ON results (key, ok, id);

CREATE TABLE tasks (               -- what a task of a job is, from one run to another
  job            TEXT NOT NULL,
  row            INTEGER NOT NULL, -- the row's number, from 0
  step           TEXT NOT NULL,
  from_run       INTEGER NOT NULL, -- the first run in which it was so
  to_run         INTEGER,          -- the last one; NULL: it still is
  row_id         TEXT NOT NULL,
  key            BLOB,             -- NULL: no request could be made, or none was
  result         INTEGER,          -- in results; NULL: there is none
  class          TEXT,             -- of a task that failed
  message        TEXT,
  PRIMARY KEY (job, row, step, from_run)
) STRICT, WITHOUT ROWID;
CREATE INDEX tasks_row_id ON tasks (job, row_id, step) WHERE to_run IS NULL;

CREATE TABLE attempts (            -- calls that gave no answer, or one that could not be used
  id             INTEGER PRIMARY KEY,
  run            INTEGER NOT NULL,
  row            INTEGER NOT NULL,
  row_id         TEXT NOT NULL,
  step           TEXT NOT NULL,
  attempt        INTEGER NOT NULL, -- from 1
  key            BLOB,
  started_ms     INTEGER NOT NULL,
  elapsed_ns     INTEGER NOT NULL,
  class          TEXT NOT NULL,
  message        TEXT NOT NULL,
  status         INTEGER
) STRICT;
CREATE INDEX attempts_task ON attempts (run, row, step);

CREATE TABLE models (              -- which model a name stood for when it was last seen
  name           TEXT PRIMARY KEY,
  digest         TEXT NOT NULL,
  seen_ms        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE files (               -- the output files that a job's last whole run left
  job            TEXT NOT NULL,
  path           TEXT NOT NULL,    -- from the root
  sha256         TEXT NOT NULL,
  run            INTEGER,          -- that noted it so; NULL: a run that changed nothing else
  PRIMARY KEY (job, path)
) STRICT, WITHOUT ROWID;
`, `
ALTER TABLE runs ADD COLUMN steps TEXT;           -- a JSON list: the job's steps in file order
ALTER TABLE runs ADD COLUMN bench TEXT;           -- how a benchmark is run, as JSON; NULL: it is none
ALTER TABLE runs ADD COLUMN since INTEGER;        -- of a benchmark that went on with one that was interrupted, and of a run that asks everything anew: the run that began it
ALTER TABLE runs ADD COLUMN inputs TEXT;          -- JSON: the SHA-256 of each file that the job was made of
ALTER TABLE runs ADD COLUMN hardware TEXT;        -- what the figures depend on beside the models
ALTER TABLE runs ADD COLUMN lag_median_ns INTEGER; -- how long goroutines waited for a processor
ALTER TABLE runs ADD COLUMN lag_p99_ns INTEGER;

-- What the reader of an answer measured; NULL: nobody did. Microseconds since 1970 are of
-- one monotonic clock in each run.
ALTER TABLE results ADD COLUMN due_us INTEGER;    -- when its first attempt was to start
ALTER TABLE results ADD COLUMN sent_us INTEGER;   -- when its last attempt began to be sent
ALTER TABLE results ADD COLUMN late_ns INTEGER;   -- how much later that was than it was to be
ALTER TABLE results ADD COLUMN first_ns INTEGER;  -- from sending to the first text or thinking
ALTER TABLE results ADD COLUMN text_ns INTEGER;   -- from sending to the first text
ALTER TABLE results ADD COLUMN newest_ns INTEGER; -- from sending to the last text or thinking
ALTER TABLE results ADD COLUMN last_ns INTEGER;   -- from sending to the last byte
ALTER TABLE results ADD COLUMN chunks INTEGER;    -- pieces with text or thinking

ALTER TABLE tasks ADD COLUMN model TEXT;          -- of a task without a result: the model that it would have asked

CREATE TABLE loads (                              -- each time that a run waited for a model to be loaded
  id             INTEGER PRIMARY KEY,
  run            INTEGER NOT NULL,
  model          TEXT NOT NULL,
  began_us       INTEGER NOT NULL,                -- microseconds since 1970, by the run's clock
  took_ns        INTEGER NOT NULL
) STRICT;

CREATE TABLE loaded (                             -- the models of a run, as the server had them in memory
  run            INTEGER NOT NULL,
  model          TEXT NOT NULL,
  digest         TEXT NOT NULL,
  size           INTEGER NOT NULL,                -- bytes
  size_vram      INTEGER NOT NULL,                -- bytes of it in a GPU's memory
  context        INTEGER NOT NULL,                -- tokens
  PRIMARY KEY (run, model)
) STRICT, WITHOUT ROWID;
`}

// migrate brings the file to the version after the last of the steps, in one transaction.
func migrate(ctx context.Context, conn *sql.Conn, steps []string) error {
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := migrateFrom(ctx, conn, steps)
	if err != nil {
		_, _ = conn.ExecContext(ctx, "ROLLBACK") // the first error is the one to tell
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

// migrateFrom looks at the version again: another process may have been faster.
func migrateFrom(ctx context.Context, conn *sql.Conn, steps []string) error {
	version, err := versionOf(ctx, conn, len(steps))
	if err != nil {
		return err
	}
	if version == len(steps) {
		// A file that can't be written is told now, and not with the first answer.
		_, err := conn.ExecContext(ctx, "DELETE FROM models WHERE false")
		return err
	}
	for ; version < len(steps); version++ {
		if _, err := conn.ExecContext(ctx, steps[version]); err != nil {
			return fmt.Errorf("to version %d: %w", version+1, err)
		}
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version))
	return err
}

// versionNow is versionOf in one state of the file: another process may be making it.
func versionNow(ctx context.Context, conn *sql.Conn) (int, error) {
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return 0, err
	}
	version, err := versionOf(ctx, conn, len(migrations))
	_, ending := conn.ExecContext(ctx, "ROLLBACK")
	return version, errors.Join(err, ending)
}

// versionOf gives the file's version, 0 for a new one. One that is not ours or newer
// than the newest that is known is an error with a sentence.
func versionOf(ctx context.Context, conn *sql.Conn, newest int) (int, error) {
	var version, id, tables int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, err
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return 0, err
	}
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
		return 0, err
	}
	switch {
	case id != applicationID && (version != 0 || tables > 0):
		return 0, errForeign
	case version > newest:
		return 0, errNewer
	}
	return version, nil
}
