-- name: first_row
-- description: The first owner's row; nothing where there is one. $3 first offset, $4 owner, $5 at, $6 no hash, then coverage.
INSERT INTO partition_position (topic, partition, next_offset, epoch, owner, first_offset, last_entry_hash,
                                coverage_from, coverage_opened_at, coverage_policy, coverage_engine,
                                coverage_salt, coverage_digest, updated_at)
VALUES ($1, $2, $3, 0, $4, $3, $6, $3, $5, $7, $8, $9, $9, $5)
ON CONFLICT (topic, partition) DO NOTHING
RETURNING topic;

-- name: claim
-- description: The next epoch is ours; whoever had the one before is fenced.
UPDATE partition_position SET epoch = epoch + 1, owner = $3, updated_at = $4
 WHERE topic = $1 AND partition = $2
RETURNING *;

-- name: exists
-- description: Which of these partitions have a row.
SELECT topic, partition FROM partition_position
  JOIN unnest($1::text[], $2::integer[]) AS k (topic, partition) USING (topic, partition);

-- name: lock_batch
-- description: First the fence ($1 topics, $2 partitions, $3 expected offsets, $4 epochs, $5 last entries of their
-- streams): those of these partitions that are where we think, in our epoch. Then the heads of the orders $6: no
-- change of one slips in before this commits, and no other batch with its sightings. That waits for the fence: its
-- condition needs the fence's count.
-- Who is waited for may have committed meanwhile: locked rows are read again as they are then.
WITH fence AS MATERIALIZED (
    SELECT p.topic, p.partition FROM partition_position p
      JOIN unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[])
           AS k (topic, partition, expected, epoch, sequence)
        ON (p.topic, p.partition) = (k.topic, k.partition)
       AND p.next_offset = k.expected AND p.epoch = k.epoch AND p.stream_sequence = k.sequence
     ORDER BY p.topic, p.partition
       FOR UPDATE OF p
), head AS MATERIALIZED (
    SELECT order_id, change_number FROM order_head
     WHERE order_id = ANY ($6::text[]) AND (SELECT count(*) FROM fence) >= 0
     ORDER BY order_id
       FOR NO KEY UPDATE
)
SELECT topic, partition, NULL AS order_id, NULL AS change_number FROM fence
UNION ALL
SELECT NULL, NULL, order_id, change_number FROM head;

-- name: move_partitions
-- description: The fence: moves only what stands at the expected offset in our epoch, its stream at the
-- expected entry: closing a range and holding move no offset.
-- $24: whether the reply may come before the disk has it (deploy/adr/0015): for this transaction only.
WITH reply AS MATERIALIZED (
    SELECT CASE WHEN $24::boolean THEN set_config('synchronous_commit', 'off', true) END
)
UPDATE partition_position AS p
   SET next_offset = n.next_offset, last_record_offset = n.last_record_offset,
       last_record_digest = n.last_record_digest, stream_sequence = n.stream_sequence,
       last_entry_hash = n.last_entry_hash, hold_reason = n.hold_reason, coverage_from = n.coverage_from,
       coverage_opened_at = n.coverage_opened_at, coverage_records = n.coverage_records,
       coverage_refused = n.coverage_refused, coverage_candidates = n.coverage_candidates,
       coverage_matches = n.coverage_matches, coverage_registry = n.coverage_registry::jsonb,
       coverage_policy = n.coverage_policy, coverage_engine = n.coverage_engine,
       coverage_salt = n.coverage_salt, coverage_digest = n.coverage_digest, updated_at = $23
  FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
              $8::bytea[], $9::bigint[], $10::bytea[], $11::text[], $12::bigint[], $13::timestamptz[],
              $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::text[], $19::text[], $20::text[],
              $21::bytea[], $22::bytea[])
       AS n (topic, partition, expected, epoch, expected_sequence, next_offset, last_record_offset,
             last_record_digest, stream_sequence, last_entry_hash, hold_reason, coverage_from, coverage_opened_at,
             coverage_records, coverage_refused, coverage_candidates, coverage_matches, coverage_registry,
             coverage_policy, coverage_engine, coverage_salt, coverage_digest), reply
 WHERE (p.topic, p.partition) = (n.topic, n.partition) AND p.next_offset = n.expected AND p.epoch = n.epoch
   AND p.stream_sequence = n.expected_sequence
RETURNING p.topic, p.partition, (SELECT registry_sequence FROM registry) AS registry_sequence;

-- name: reconcile
-- description: Where these partitions stand for certain: waits for a commit whose reply was lost.
SELECT p.* FROM partition_position p
  JOIN unnest($1::text[], $2::integer[]) AS k (topic, partition) USING (topic, partition)
 ORDER BY p.topic, p.partition
   FOR UPDATE OF p;

-- name: held
-- description: Which of these partitions are held still.
SELECT p.topic, p.partition FROM partition_position p
  JOIN unnest($1::text[], $2::integer[]) AS k (topic, partition) USING (topic, partition)
 WHERE p.hold_reason IS NOT NULL;

-- name: list_positions
-- description: Every partition's position, for people.
SELECT * FROM partition_position ORDER BY topic, partition;

-- name: lock_position
-- description: One partition's row, to jump a gap.
SELECT * FROM partition_position WHERE topic = $1 AND partition = $2 FOR UPDATE;

-- name: jump
-- description: After a GAP entry: the hold is over, the epoch rises, so that no running owner goes on as before.
UPDATE partition_position
   SET epoch = epoch + 1, hold_reason = NULL WHERE topic = $1 AND partition = $2;
