-- Looks at single orders: everything recorded about them, and who recorded it.

-- name: load_records_of
-- description: Every record of these orders, in the order it was applied. $1: order ids.
SELECT r.order_id, r.change_number, c.registry_sequence, r.ordinal, r.record_kind, r.content_digest, c.applied_at,
       r.applied_by_ref, r.payload_sealed
  FROM order_record r
  JOIN registry_change c USING (change_number)
 WHERE r.order_id = ANY ($1::text[])
 ORDER BY c.registry_sequence, r.order_id, r.ordinal;

-- name: load_version
-- description: One version of an order, with its record as it came.
SELECT order_id, record_kind, content_digest, payload_sealed, source_sealed
  FROM order_record
 WHERE order_id = $1 AND version = $2;

-- name: load_appliers
-- description: The audit entries of the acts that recorded something of an order.
SELECT stream, stream_sequence, entry_id, entry_type, recorded_at, order_id, actor_ref, subject_ref,
       policy_sha256, previous_hash, commitment, leaf_hash, payload_sealed
  FROM audit_entry
 WHERE order_id = $1 AND entry_type = 'ORDER_RECORDED';

-- name: load_known
-- description: The registry's sequence and the latest recorded_at of any record.
SELECT registry_sequence, known_at FROM registry;

-- name: list_heads
-- description: A page of orders by id: those after $1, at most $2.
SELECT order_id FROM order_head WHERE order_id > $1 ORDER BY order_id LIMIT $2;
