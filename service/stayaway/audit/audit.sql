-- Audit entries and the heads of their streams.

-- name: lock_stream
-- description: The head of an act's stream, made if missing and locked until the transaction ends.
INSERT INTO audit_stream AS head (stream, stream_sequence, last_entry_hash)
VALUES ($1, 0, $2)
ON CONFLICT (stream) DO UPDATE SET stream = head.stream
RETURNING stream_sequence, last_entry_hash;

-- name: move_stream
-- description: Move a locked head; the expected sequence guards against a caller without the lock.
UPDATE audit_stream
   SET stream_sequence = $2, last_entry_hash = $3
 WHERE stream = $1 AND stream_sequence = $4;

-- name: insert_entries
-- description: Append rows, given as one array for each column.
INSERT INTO audit_entry (stream, stream_sequence, entry_id, entry_type, recorded_at, order_id, actor_ref,
                         subject_ref, policy_sha256, previous_hash, commitment, leaf_hash, payload_sealed)
SELECT *
  FROM unnest($1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::bytea[],
              $8::bytea[], $9::text[], $10::bytea[], $11::bytea[], $12::bytea[], $13::bytea[]);

-- name: load_stream
-- description: All entries of a stream, in order.
SELECT stream, stream_sequence, entry_id, entry_type, recorded_at, order_id, actor_ref,
       subject_ref, policy_sha256, previous_hash, commitment, leaf_hash, payload_sealed
  FROM audit_entry
 WHERE stream = $1
 ORDER BY stream_sequence;

-- name: load_head
-- description: The recorded head of an act's stream or of a partition's.
SELECT stream_sequence, last_entry_hash FROM audit_stream WHERE stream = $1
UNION ALL
SELECT stream_sequence, last_entry_hash FROM partition_position WHERE topic || '/' || partition = $1;

-- name: is_last
-- description: Whether the last entry of stream $1 has the number $2 and the leaf hash $3.
SELECT coalesce(
    (SELECT stream_sequence = $2 AND leaf_hash = $3
       FROM audit_entry WHERE stream = $1 ORDER BY stream_sequence DESC LIMIT 1), false);

-- name: list_streams
-- description: Every stream that has a head or an entry.
SELECT stream FROM audit_stream
UNION
SELECT topic || '/' || partition FROM partition_position
UNION
SELECT DISTINCT stream FROM audit_entry
 ORDER BY 1;
