-- The order registry: append-only records, one head an order, one sequence for all.

-- name: lock_registry
-- description: The registry's row, locked, so that imports follow one another.
SELECT registry_sequence, known_at FROM registry FOR UPDATE;

-- name: lock_heads
-- description: Heads of these orders, locked in id order until the transaction ends.
SELECT order_id, registry_sequence
  FROM order_head
 WHERE order_id = ANY ($1::text[])
 ORDER BY order_id
   FOR UPDATE;

-- name: find_recorded
-- description: What is recorded of these orders: kind, version and keyed digest of each record.
SELECT order_id, record_kind, version, content_digest
  FROM order_record
 WHERE order_id = ANY ($1::text[]);

-- name: move_heads
-- description: Set the sequence of these orders' last change; new orders get their head.
INSERT INTO order_head (order_id, registry_sequence)
SELECT order_id, $2 FROM unnest($1::text[]) AS changed (order_id) ORDER BY order_id
ON CONFLICT (order_id) DO UPDATE SET registry_sequence = excluded.registry_sequence;

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
-- description: All records of these orders, in the order they were applied.
SELECT order_id, registry_sequence, applied_at, record_kind, content_digest, payload_sealed
  FROM order_record
 WHERE order_id = ANY ($1::text[])
 ORDER BY registry_sequence, order_id, ordinal;

-- name: load_records
-- description: Records applied after one sequence up to another, in the order they were applied.
SELECT order_id, registry_sequence, applied_at, record_kind, content_digest, payload_sealed
  FROM order_record
 WHERE registry_sequence > $1 AND registry_sequence <= $2
 ORDER BY registry_sequence, order_id, ordinal;
