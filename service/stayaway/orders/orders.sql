-- The order registry: append-only records, one head an order, one sequence for all.

-- name: lock_registry
-- description: The registry's row, locked, so that changes are published one after the other.
SELECT registry_sequence, known_at FROM registry FOR UPDATE;

-- name: lock_heads
-- description: Heads of these orders, in id order, against matchers and other changes until the transaction
-- ends. A change that is only being written refers to heads too and is not waited for (NO KEY).
SELECT order_id, change_number
  FROM order_head
 WHERE order_id = ANY ($1::text[])
 ORDER BY order_id
   FOR NO KEY UPDATE;

-- name: find_recorded
-- description: What is recorded of these orders: kind, version and keyed digest of each record.
SELECT order_id, record_kind, version, content_digest
  FROM order_record
 WHERE order_id = ANY ($1::text[]);

-- name: limit_waiting
-- description: A lock that is not had soon is an error; sooner than Postgres looks for deadlocks (1 s).
SET LOCAL lock_timeout = '800ms';

-- name: unlimit_waiting
-- description: As the session has it.
SET LOCAL lock_timeout TO DEFAULT;

-- name: begin_change
-- description: The number of a change, under which everything of it is written.
INSERT INTO registry_change DEFAULT VALUES RETURNING change_number;

-- name: insert_heads
-- description: Heads for those of these orders that have none; waits for whoever is making the same.
INSERT INTO order_head (order_id, change_number)
SELECT order_id, $2 FROM unnest($1::text[]) AS changed (order_id) ORDER BY order_id
ON CONFLICT (order_id) DO NOTHING
RETURNING order_id;

-- name: move_heads
-- description: The last change of these orders; the caller holds their lock.
UPDATE order_head SET change_number = $2 WHERE order_id = ANY ($1::text[]);

-- name: publish_change
-- description: From here on the change counts; the caller holds the registry's lock.
UPDATE registry_change SET registry_sequence = $2, applied_at = $3 WHERE change_number = $1;

-- name: move_registry
-- description: Raise the sequence; known_at never goes back.
UPDATE registry
   SET registry_sequence = $1, known_at = greatest(known_at, $2), changed_at = $3;

-- name: notify_registry
-- description: Hint to every matcher that the sequence has moved; the sequence is the truth.
SELECT pg_notify($1, $2);

-- name: load_sequence
-- description: How far the registry is, and the instant K that goes with it.
SELECT registry_sequence, known_at FROM registry;

-- name: load_records_of
-- description: All records of these orders up to a sequence, in the order they were applied.
SELECT r.order_id, c.registry_sequence, r.change_number, r.record_kind, r.content_digest, r.payload_sealed
  FROM order_record r
  JOIN registry_change c USING (change_number)
 WHERE r.order_id = ANY ($1::text[]) AND c.registry_sequence <= $2
 ORDER BY c.registry_sequence, r.order_id, r.ordinal;

-- name: load_changes
-- description: How far the registry is and the last change up to sequence $1, on each row, with what was published after $1
-- until then, in that order; one row where that is nothing. One statement: all of it is of one state of the database.
SELECT r.registry_sequence AS until, r.known_at, l.change_number AS last_number, l.applied_at AS last_applied_at,
       c.registry_sequence, c.change_number, c.applied_at
  FROM registry r
  LEFT JOIN LATERAL (
       SELECT change_number, applied_at
         FROM registry_change
        WHERE registry_sequence <= $1
        ORDER BY registry_sequence DESC
        LIMIT 1) l ON true
  LEFT JOIN registry_change c ON c.registry_sequence > $1 AND c.registry_sequence <= r.registry_sequence
 ORDER BY c.registry_sequence;

-- name: load_changed_ids
-- description: The orders that have records of these changes, each once. Asked with their numbers: joined, the planner
-- takes each of them for as large as the import of all orders was, and reads through every record.
SELECT DISTINCT order_id FROM order_record WHERE change_number = ANY ($1::bigint[]);

-- name: load_ids
-- description: All orders there are.
SELECT order_id FROM order_head;

-- name: find_marked
-- description: The orders that have each of these tokens, at most $2 of each.
SELECT token, (array_agg(order_id))[1:$2] AS order_ids
  FROM order_token
 WHERE token = ANY ($1::integer[])
 GROUP BY token;

-- name: forget_tokens
-- description: Remove all tokens of these orders. Reads the whole table: orders are seldom removed.
DELETE FROM order_token WHERE order_id = ANY ($1::text[]);
