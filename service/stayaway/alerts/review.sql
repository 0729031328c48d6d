-- name: list_open
-- description: One page of the alerts that wait, newest first. $1 standing, $2 below this number, $3 limit.
-- The states are written out, so that Postgres knows how few these are and does not walk through the closed.
SELECT a.*, NULL::bigint AS merged_into_number, NULL::bigint AS raised_anew_from_number
  FROM alert a
 WHERE a.state IN ('OPEN', 'CLAIMED')
   AND $1::text = CASE WHEN 'ORDER_SINCE_ENDED' = ANY (a.cautions) THEN 'ORDER_SINCE_ENDED'
                       WHEN 'HISTORICAL' = ANY (a.cautions) THEN 'HISTORICAL'
                       ELSE 'LIVE' END
   AND ($2::bigint IS NULL OR a.alert_number < $2)
 ORDER BY a.alert_number DESC
 LIMIT $3;

-- name: list_closed
-- description: One page of the others, newest first. $1 below this number, $2 limit.
SELECT a.*, NULL::bigint AS merged_into_number, NULL::bigint AS raised_anew_from_number
  FROM alert a
 WHERE a.state NOT IN ('OPEN', 'CLAIMED')
   AND ($1::bigint IS NULL OR a.alert_number < $1)
 ORDER BY a.alert_number DESC
 LIMIT $2;

-- name: count_open
-- description: How many alerts wait for a person, by standing.
SELECT CASE WHEN 'ORDER_SINCE_ENDED' = ANY (cautions) THEN 'ORDER_SINCE_ENDED'
            WHEN 'HISTORICAL' = ANY (cautions) THEN 'HISTORICAL'
            ELSE 'LIVE' END AS standing, count(*) AS alerts
  FROM alert
 WHERE state IN ('OPEN', 'CLAIMED')
 GROUP BY 1;

-- name: find_by_number
-- description: The order of an alert, by the alert's number.
SELECT alert_number, order_id FROM alert WHERE alert_number = $1;

-- name: find_by_id
-- description: The order of an alert, by the id it was raised with.
SELECT alert_number, order_id FROM alert WHERE alert_id = $1;

-- name: load_alert
-- description: One alert with the numbers of those it is linked to.
-- root_id: the alert that the decisions of its episode point to.
SELECT a.*, m.alert_number AS merged_into_number, r.alert_number AS raised_anew_from_number,
       coalesce(r.merged_into, r.alert_id, a.alert_id) AS root_id
  FROM alert a
  LEFT JOIN alert m ON m.alert_id = a.merged_into
  LEFT JOIN alert r ON r.alert_id = a.raised_anew_from
 WHERE a.alert_number = $1;

-- name: limit_waiting
-- description: An act that waits for somebody's change of the order keeps its connection from all others meanwhile.
SET LOCAL lock_timeout = '3s';

-- name: share_order_head
-- description: No change of the order slips in between reading the alert and acting on it.
SELECT change_number FROM order_head WHERE order_id = $1 FOR SHARE;

-- name: lock_alert
-- description: The alert, for the act that follows in this transaction.
SELECT a.*, NULL::bigint AS merged_into_number, NULL::bigint AS raised_anew_from_number,
       coalesce((SELECT coalesce(r.merged_into, r.alert_id) FROM alert r WHERE r.alert_id = a.raised_anew_from),
                a.alert_id) AS root_id
  FROM alert a
 WHERE a.alert_number = $1
   FOR UPDATE OF a;

-- name: load_evidence
-- description: The newest judged matches of an episode and of alerts merged into it, with their events; and of each kind
-- of match the best relation's newest, however old: an alert is not shown without the plate that it stands on.
-- $1 root alert id, $2 order, $3 respondent, $4 how many of the newest, $5 relations, best first.
WITH ranked AS (
    SELECT d.order_id, d.respondent_id, d.zone_id, d.source, d.event_id, d.observed_at, d.content_digest,
           count(*) OVER () AS total,
           row_number() OVER (ORDER BY d.observed_at DESC, d.source, d.event_id, d.zone_id) AS newest,
           row_number() OVER (PARTITION BY d.match_kind
                                  ORDER BY array_position($5::text[], d.zone_relation), d.observed_at DESC,
                                           d.source, d.event_id, d.zone_id) AS best
      FROM alert a
      JOIN decision d USING (alert_id, raised_observed_at)
     WHERE a.order_id = $2 AND a.respondent_id = $3
       AND (a.alert_id = $1 OR a.merged_into = $1)
)
SELECT d.observed_at, d.content_digest, d.zone_id, d.order_version, d.match_kind, d.region_match, d.description,
       d.zone_relation, d.inside_probability, d.reasons, d.cautions, d.outcome, d.registry_sequence, d.known_at,
       d.policy_sha256, d.engine, d.detail_sealed, s.payload_sealed, s.content_conflict, s.topic,
       s.partition, s.record_offset, r.total, r.newest
  FROM ranked r
  JOIN decision d USING (order_id, respondent_id, zone_id, source, event_id, observed_at, content_digest)
  JOIN sighting s USING (order_id, source, event_id, observed_at, content_digest)
 WHERE r.newest <= $4 OR r.best = 1
 ORDER BY r.newest;

-- name: load_decisions
-- description: Every decision of an episode and of alerts merged into it, whether or not its event is still there.
-- $1 root alert id, $2 order, $3 respondent.
SELECT d.*, s.received_at, s.topic, s.partition, s.record_offset, s.payload_sealed
  FROM alert a
  JOIN decision d USING (alert_id, raised_observed_at)
  LEFT JOIN sighting s ON (s.order_id, s.source, s.event_id, s.observed_at, s.content_digest)
                        = (d.order_id, d.source, d.event_id, d.observed_at, d.content_digest)
 WHERE a.order_id = $2 AND a.respondent_id = $3
   AND (a.alert_id = $1 OR a.merged_into = $1)
 ORDER BY d.observed_at, d.source, d.event_id, d.content_digest, d.zone_id;

-- name: load_neighbours
-- description: The decisions stored nearest before and after an alert's, alerting or not, cameras' and devices' apart.
-- $1 order, $2 respondent, $3 root alert id, $4 of devices, $5 first and $6 last seen, $7 how many on each side.
-- is_ours: of this alert too. Which vehicle or device it was only the sealed detail says.
SELECT n.*, s.topic, s.partition, s.record_offset, s.payload_sealed,
       coalesce(a.merged_into, a.alert_id) IS NOT DISTINCT FROM $3 AS is_ours,
       coalesce(r.alert_number, a.alert_number) AS alert_number
  FROM unnest($4::boolean[], $5::timestamptz[], $6::timestamptz[]) AS k (of_device, first_at, last_at)
 CROSS JOIN LATERAL (
           (SELECT true AS is_before, k.of_device, d.*
              FROM decision d
             WHERE d.order_id = $1 AND d.respondent_id = $2
               AND (d.match_kind = 'DEVICE') = k.of_device AND d.observed_at <= k.first_at
             ORDER BY d.observed_at DESC
             LIMIT $7)
           UNION ALL
           (SELECT false, k.of_device, d.*
              FROM decision d
             WHERE d.order_id = $1 AND d.respondent_id = $2
               AND (d.match_kind = 'DEVICE') = k.of_device AND d.observed_at >= k.last_at
             ORDER BY d.observed_at
             LIMIT $7)
       ) AS n
  JOIN sighting s ON (s.order_id, s.source, s.event_id, s.observed_at, s.content_digest)
                   = (n.order_id, n.source, n.event_id, n.observed_at, n.content_digest)
  LEFT JOIN alert a ON (a.alert_id, a.raised_observed_at) = (n.alert_id, n.raised_observed_at)
  LEFT JOIN alert r ON r.alert_id = a.merged_into;

-- name: has_plate
-- description: Whether a camera's read is among the evidence of an episode. $1 root alert id, $2 order, $3 respondent.
SELECT EXISTS (
    SELECT FROM alert a JOIN decision d USING (alert_id, raised_observed_at)
     WHERE a.order_id = $2 AND a.respondent_id = $3
       AND (a.alert_id = $1 OR a.merged_into = $1)
       AND d.match_kind <> 'DEVICE');

-- name: approved_versions
-- description: The versions of an order that people approved here; the others came with a file.
SELECT version FROM order_approval WHERE order_id = $1;

-- name: load_acts
-- description: What people did with an alert, in order.
SELECT act_number, act, acted_at, actor, actor_verified, reason_code
  FROM alert_act WHERE alert_id = $1 ORDER BY act_number;

-- name: load_last_act
-- description: What somebody stated with the last act on an alert.
SELECT detail_sealed FROM alert_act WHERE alert_id = $1 ORDER BY act_number DESC LIMIT 1;

-- name: take_claim
-- description: The lease: $2 who, $3 until. The caller holds the row's lock and has checked that it is free.
UPDATE alert
   SET state = 'CLAIMED', claimed_by = $2, claimed_until = $3, row_version = row_version + 1
 WHERE alert_number = $1;

-- name: renew_claim
-- description: A longer lease for the one who holds it; no new picture for others.
UPDATE alert SET claimed_until = $3 WHERE alert_number = $1 AND claimed_by = $2;

-- name: dispose
-- description: $2 state, $3 disposition, $4 instant, $5 who. The caller holds the row's lock.
UPDATE alert
   SET state = $2, disposition = $3, disposed_at = $4, disposed_by = $5,
       claimed_by = NULL, claimed_until = NULL, row_version = row_version + 1
 WHERE alert_number = $1;

-- name: acknowledge
-- description: $2: when. The caller holds the row's lock and has checked who must.
UPDATE alert SET acknowledged_at = $2, row_version = row_version + 1 WHERE alert_number = $1;

-- name: insert_act
-- description: Append an act; the alert's row is locked, so the next number is free.
INSERT INTO alert_act (alert_id, act_number, order_id, act, acted_at, actor, actor_verified, reason_code,
                       detail_sealed)
SELECT $1, coalesce(max(act_number), 0) + 1, $2, $3, $4, $5, $6, $7, $8
  FROM alert_act WHERE alert_id = $1;

-- name: next_outbox
-- description: The next place in the outbox; the row's lock makes commit order and sequence the same.
UPDATE outbox_head SET outbox_sequence = outbox_sequence + 1 RETURNING outbox_sequence;

-- name: insert_outbox
-- description: What changed, for whoever follows.
INSERT INTO outbox (outbox_sequence, alert_id, change, changed_at) VALUES ($1, $2, $3, $4);

-- name: notify_outbox
-- description: A hint only: whoever missed it reads the sequence.
SELECT pg_notify($1, $2);

-- name: outbox_sequence
-- description: How far the outbox goes.
SELECT outbox_sequence FROM outbox_head;

-- name: load_changed
-- description: The alerts that changed after $1, up to $2.
SELECT a.*, NULL::bigint AS merged_into_number, NULL::bigint AS raised_anew_from_number
  FROM alert a
 WHERE a.alert_id IN (SELECT alert_id FROM outbox WHERE outbox_sequence > $1 AND outbox_sequence <= $2)
 ORDER BY a.alert_number;

-- name: open_claims
-- description: Who holds which alert at $1, and until when: a renewal is no change that the outbox tells.
SELECT alert_number, claimed_by, claimed_until
  FROM alert
 WHERE state = 'CLAIMED' AND claimed_until > $1
 ORDER BY alert_number;

-- name: stream_progress
-- description: Proof of life: when a partition last moved, which not held one has stood longest, what is held.
SELECT max(updated_at) AS last_at, min(updated_at) FILTER (WHERE hold_reason IS NULL) AS quietest_at,
       array_agg(topic || '/' || partition || ': ' || hold_reason ORDER BY topic, partition)
         FILTER (WHERE hold_reason IS NOT NULL) AS holds
  FROM partition_position;
