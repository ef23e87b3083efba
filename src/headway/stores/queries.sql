-- The queries of sqlite.py, each under its name.

-- name: counters
SELECT max(seq, coalesce((SELECT max(seq) FROM tasks), 0)), floor_rev FROM meta

-- name: epoch
SELECT epoch, home FROM meta

-- name: settle
UPDATE meta SET home = ?

-- name: begin_history
UPDATE meta SET home = ?, epoch = lower(hex(randomblob(8)))

-- name: last_seq
-- What is deleted takes its number along: then `meta` keeps the last one.
SELECT max(seq, coalesce((SELECT max(seq) FROM tasks), 0)) FROM meta

-- name: raise_floor
UPDATE meta SET floor_rev = max(floor_rev, :rev), seq = max(seq, coalesce((SELECT max(seq) FROM tasks), 0))

-- name: insert
INSERT INTO tasks (task_id, seq, rev, state, owner, holder, created_at, started_at, updated_at, finished_at, record)
VALUES (:task_id, :seq, :rev, :state, :owner, :holder, :created_at, :started_at, :updated_at, :finished_at, :record)
ON CONFLICT (task_id) DO NOTHING

-- name: update_progress
-- Of [[task_id, old rev, rev, updated_at, record], …]; the first gets the number :seq.
UPDATE tasks
SET
    seq = :seq + new.key,
    rev = json_extract(new.value, '$[2]'),
    updated_at = json_extract(new.value, '$[3]'),
    record = json_extract(new.value, '$[4]')
FROM json_each(:rows) AS new
WHERE task_id = json_extract(new.value, '$[0]') AND tasks.rev = json_extract(new.value, '$[1]')

-- name: updated_progress
-- Which places of the same were stored thereby, as a JSON array.
SELECT json_group_array(new.key)
FROM json_each(:rows) AS new
JOIN tasks ON task_id = json_extract(new.value, '$[0]') AND seq = :seq + new.key

-- name: update_progress_at_once
-- The same as a transaction of its own: all, or none where :seq is not the next number or one of :keys, [[task_id, old
-- rev], …], is not current.
UPDATE tasks
SET
    seq = :seq + new.key,
    rev = json_extract(new.value, '$[2]'),
    updated_at = json_extract(new.value, '$[3]'),
    record = json_extract(new.value, '$[4]')
FROM json_each(:rows) AS new
WHERE task_id = json_extract(new.value, '$[0]')
    AND :seq = (SELECT 1 + max(seq, coalesce((SELECT max(seq) FROM tasks), 0)) FROM meta)
    AND :count = (
        SELECT count(*)
        FROM json_each(:keys) AS asked
        JOIN tasks AS stored
            ON stored.task_id = json_extract(asked.value, '$[0]') AND stored.rev = json_extract(asked.value, '$[1]')
    )

-- name: update_life
UPDATE tasks
SET seq = ?, rev = ?, updated_at = ?, record = ?, state = ?, owner = ?, holder = ?, started_at = ?, finished_at = ?
WHERE task_id = ? AND rev = ?

-- name: update_alone
-- The same as a transaction of its own, under the next number.
UPDATE tasks
SET
    seq = 1 + max((SELECT seq FROM meta), (SELECT max(seq) FROM tasks)),
    rev = ?, updated_at = ?, record = ?, state = ?, owner = ?, holder = ?, started_at = ?, finished_at = ?
WHERE task_id = ? AND rev = ?
RETURNING seq

-- name: get
SELECT record FROM tasks WHERE task_id = ?

-- name: get_many
SELECT record FROM tasks WHERE task_id IN (SELECT value FROM json_each(?))

-- name: changed_after
SELECT seq, task_id, record FROM tasks WHERE seq > ? ORDER BY seq LIMIT ?

-- name: held
SELECT record FROM tasks WHERE holder IS NOT NULL

-- name: held_by
SELECT record FROM tasks WHERE holder = ?

-- name: log_count
SELECT coalesce(json_extract(record, '$.log_count'), 0) FROM tasks WHERE task_id = ?

-- name: append_log
INSERT OR REPLACE INTO logs (task_id, last_n, first_n, lines) VALUES (?, ?, ?, ?)

-- name: trim_log
DELETE FROM logs WHERE task_id = ? AND last_n < ?

-- name: read_log
SELECT first_n, lines FROM logs WHERE task_id = ? AND last_n >= ? ORDER BY last_n

-- name: put_result
INSERT OR REPLACE INTO results (task_id, result) VALUES (?, ?)

-- name: drop_result
DELETE FROM results WHERE task_id = ?

-- name: result
SELECT result FROM results WHERE task_id = ?

-- name: renew
INSERT OR REPLACE INTO leases (lease_id, host, pid, pid_started, beat, lease_s) VALUES (?, ?, ?, ?, ?, ?)

-- name: leases
SELECT lease_id, host, pid, pid_started, beat, lease_s FROM leases

-- name: drop_lease
DELETE FROM leases WHERE lease_id = ?

-- name: finished_before
SELECT task_id, rev FROM tasks
WHERE finished_at IS NOT NULL AND finished_at < :before AND state IN (SELECT value FROM json_each(:states))
ORDER BY finished_at, task_id LIMIT :limit

-- name: newest_beyond_keep
SELECT finished_at, task_id FROM tasks
WHERE finished_at IS NOT NULL AND state IN (SELECT value FROM json_each(:states))
ORDER BY finished_at DESC, task_id DESC LIMIT 1 OFFSET :keep

-- name: finished_up_to
SELECT task_id, rev FROM tasks
WHERE finished_at IS NOT NULL AND (finished_at, task_id) <= (:before, :task_id)
    AND state IN (SELECT value FROM json_each(:states))
ORDER BY finished_at, task_id LIMIT :limit

-- name: one_final
SELECT task_id, rev FROM tasks WHERE task_id = ? AND state IN ('completed', 'failed', 'cancelled')

-- name: delete_tasks
DELETE FROM tasks WHERE task_id IN (SELECT value FROM json_each(?))

-- name: delete_logs
DELETE FROM logs WHERE task_id IN (SELECT value FROM json_each(?))

-- name: delete_results
DELETE FROM results WHERE task_id IN (SELECT value FROM json_each(?))

-- name: newest_of_state
-- One arm a state, so that each is read off the index in order.
SELECT * FROM (
    SELECT created_at AS key, task_id, record FROM tasks
    WHERE state = {state} AND {filter} AND (created_at, task_id) < (:key, :after)
    ORDER BY created_at DESC, task_id DESC LIMIT :limit
)

-- name: newest
SELECT record, key, task_id FROM ({arms}) ORDER BY key DESC, task_id DESC LIMIT :limit

-- name: oldest_active
-- Sorts the active tasks only, however many have ended.
SELECT record, coalesce({column}, created_at) AS key, task_id FROM tasks
WHERE state IN ({states}) AND {filter} AND (coalesce({column}, created_at), task_id) > (:key, :after)
ORDER BY key, task_id LIMIT :limit

-- name: filter_by_owner
owner = :owner

-- name: filter_by_search
(
    task_id LIKE :needle ESCAPE '\'
    OR json_extract(record, '$.name') LIKE :needle ESCAPE '\'
    OR json_extract(record, '$.message') LIKE :needle ESCAPE '\'
)
