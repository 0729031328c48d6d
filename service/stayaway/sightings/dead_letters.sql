-- name: insert_dead_letters
-- description: Where refused events lie; the same one again changes nothing.
INSERT INTO dead_letter (topic, partition, record_offset, reason, field, refused_at)
SELECT topic, partition, record_offset, reason, field, $6
  FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::text[])
       AS letter (topic, partition, record_offset, reason, field)
ON CONFLICT (topic, partition, record_offset) DO NOTHING;

-- name: list_dead_letters
-- description: One page, newest first; $1-$4 the last one of the page before, or null; $5 limit.
SELECT topic, partition, record_offset, reason, field, refused_at, redriven_at, redriven_to
  FROM dead_letter
 WHERE $1::timestamptz IS NULL OR (refused_at, topic, partition, record_offset) < ($1, $2::text, $3::integer, $4::bigint)
 ORDER BY refused_at DESC, topic DESC, partition DESC, record_offset DESC
 LIMIT $5;

-- name: count_dead_letters
-- description: How many by reason.
SELECT reason, count(*) AS letters FROM dead_letter GROUP BY reason ORDER BY reason;

-- name: find_dead_letter
-- description: One, by where it lies.
SELECT topic, partition, record_offset, reason, field, refused_at, redriven_at, redriven_to
  FROM dead_letter WHERE topic = $1 AND partition = $2 AND record_offset = $3;

-- name: lock_dead_letter
-- description: The same, so that only one sends it again.
SELECT topic, partition, record_offset, reason, field, refused_at, redriven_at, redriven_to
  FROM dead_letter WHERE topic = $1 AND partition = $2 AND record_offset = $3 FOR UPDATE;

-- name: mark_redriven
-- description: Sent again; $5 is the offset it has now in the same topic, where known.
UPDATE dead_letter SET redriven_at = $4, redriven_to = $5
 WHERE topic = $1 AND partition = $2 AND record_offset = $3;
