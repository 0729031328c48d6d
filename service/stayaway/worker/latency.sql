-- From a change's recording to its use by each matcher.

-- name: record_applied
-- description: Changes that one matcher has put in use. $1 owner, $2 sequences, $3 recorded, $4 in use.
INSERT INTO registry_applied (registry_sequence, owner, recorded_at, applied_at)
SELECT registry_sequence, $1, recorded_at, applied_at
  FROM unnest($2::bigint[], $3::timestamptz[], $4::timestamptz[]) AS a (registry_sequence, recorded_at, applied_at)
ON CONFLICT (registry_sequence, owner) DO NOTHING;

-- name: summary
-- description: For each matcher, how long changes put in use since $1 took, in milliseconds.
SELECT owner, count(*) AS changes,
       percentile_disc(0.50) WITHIN GROUP (ORDER BY ms) AS p50_ms,
       percentile_disc(0.99) WITHIN GROUP (ORDER BY ms) AS p99_ms,
       max(ms) AS longest_ms, max(registry_sequence) AS last_sequence, max(applied_at) AS last_at
  FROM (SELECT *, 1000 * extract(epoch FROM applied_at - recorded_at)::double precision AS ms
          FROM registry_applied WHERE applied_at >= $1) AS measured
 GROUP BY owner
 ORDER BY owner;

-- name: slowest
-- description: The three changes since $1 that took longest.
SELECT registry_sequence, owner, recorded_at, applied_at,
       1000 * extract(epoch FROM applied_at - recorded_at)::double precision AS ms
  FROM registry_applied
 WHERE applied_at >= $1
 ORDER BY applied_at - recorded_at DESC, registry_sequence, owner
 LIMIT 3;
