-- Version 1. A later version is a file of its own that changes this one; see sqlite_file.py, MIGRATIONS.

-- One row: which history this is, and the highest number of a change and the highest rev that were ever deleted (what
-- comes after goes on above them).
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    floor_rev INTEGER NOT NULL
) STRICT;

-- `record` is the whole task (model/codec.py). The other columns repeat what queries need of it.
-- `seq` is the number of the row's last change, over all tasks: what another process reads on from.
CREATE TABLE tasks (
    task_id TEXT NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    state TEXT NOT NULL,
    owner TEXT,
    holder TEXT,
    created_at REAL NOT NULL,
    started_at REAL,
    updated_at REAL,
    finished_at REAL,
    record TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX tasks_by_change ON tasks (seq);
CREATE INDEX tasks_by_state ON tasks (state, created_at, task_id);
CREATE INDEX tasks_by_owner ON tasks (owner, state, created_at, task_id) WHERE owner IS NOT NULL;
CREATE INDEX tasks_by_holder ON tasks (holder) WHERE holder IS NOT NULL;
CREATE INDEX tasks_by_end ON tasks (finished_at, task_id, state) WHERE finished_at IS NOT NULL;

-- Lines first_n … last_n as a JSON list of [t, level, text]: one row a flush, not one a line, for cheap appends.
CREATE TABLE logs (
    task_id TEXT NOT NULL,
    last_n INTEGER NOT NULL,
    first_n INTEGER NOT NULL,
    lines TEXT NOT NULL,
    PRIMARY KEY (task_id, last_n)
) STRICT;

CREATE TABLE results (
    task_id TEXT NOT NULL PRIMARY KEY,
    result TEXT NOT NULL
) STRICT;

CREATE TABLE leases (
    lease_id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    pid_started TEXT NOT NULL,
    beat INTEGER NOT NULL,
    lease_s REAL NOT NULL
) STRICT;

INSERT INTO meta (id, epoch, seq, floor_rev) VALUES (1, lower(hex(randomblob(8))), 0, 0);
