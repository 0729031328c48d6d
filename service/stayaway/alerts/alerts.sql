-- name: insert_sightings
-- description: Evidence, once per order and event; returns what was not there before, and whether that
-- event id was there already, with other content or another time.
INSERT INTO sighting (order_id, source, event_id, observed_at, content_digest, received_at,
                      topic, partition, record_offset, payload_sealed)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::bytea[], $6::timestamptz[],
                     $7::text[], $8::integer[], $9::bigint[], $10::bytea[])
ON CONFLICT (order_id, source, event_id, observed_at, content_digest) DO NOTHING
RETURNING order_id, source, event_id, observed_at, content_digest,
          EXISTS (SELECT FROM sighting o WHERE (o.order_id, o.source, o.event_id)
                      = (sighting.order_id, sighting.source, sighting.event_id)) AS is_known_id;

-- name: flag_conflicts
-- description: One event id with other content or another time under the same order: both are flagged.
-- $1 orders, $2 sources, $3 event ids of sightings of which one is new.
UPDATE sighting AS s SET content_conflict = true
  FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::text[])) AS k (order_id, source, event_id)
 WHERE (s.order_id, s.source, s.event_id) = (k.order_id, k.source, k.event_id)
   AND NOT s.content_conflict
   AND EXISTS (SELECT FROM sighting o
                WHERE (o.order_id, o.source, o.event_id) = (s.order_id, s.source, s.event_id)
                  AND (o.observed_at, o.content_digest) <> (s.observed_at, s.content_digest))
RETURNING s.order_id, s.source, s.event_id;

-- name: flag_alerts
-- description: The alerts that hold a flagged sighting. $1 orders, $2 sources, $3 event ids.
WITH root AS (
    SELECT DISTINCT coalesce(r.merged_into, r.alert_id) AS root_id
      FROM unnest($1::text[], $2::text[], $3::text[]) AS k (order_id, source, event_id)
      JOIN decision d USING (order_id, source, event_id)
      JOIN alert r USING (alert_id, raised_observed_at)
     WHERE d.outcome = 'ALERT'
)
UPDATE alert AS a SET content_conflict = true, row_version = row_version + 1
  FROM root
 WHERE root.root_id IN (a.alert_id, a.raised_anew_from)
   AND a.order_id = ANY ($1::text[])
   AND NOT a.content_conflict
RETURNING a.alert_id;

-- name: load_decisions
-- description: What was decided before on these events for these respondents, in whatever zone.
SELECT d.order_id, d.respondent_id, d.zone_id, d.source, d.event_id, d.observed_at, d.content_digest, d.outcome
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[])
       AS k (order_id, respondent_id, source, event_id, observed_at, content_digest)
  JOIN decision d USING (order_id, respondent_id, source, event_id, observed_at, content_digest);

-- name: lock_alerts_near
-- description: The alerts of each order and respondent that reach into [low, high], or whose id was given there.
SELECT a.* FROM alert a
  JOIN unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])
       AS p (order_id, respondent_id, low, high) USING (order_id, respondent_id)
 WHERE (a.last_observed_at >= p.low AND a.first_observed_at <= p.high)
    OR a.raised_observed_at BETWEEN p.low AND p.high
 ORDER BY a.alert_number
   FOR UPDATE OF a;

-- name: insert_alerts
-- description: New alerts; their ids and instants are fixed from here on. Lists are texts with commas between.
INSERT INTO alert (alert_id, raised_observed_at, order_id, respondent_id, raised_at, state, order_versions,
                   zone_ids, first_observed_at, last_observed_at, sighting_count, match_kind, zone_relation,
                   cautions, registry_sequence, known_at, policy_sha256, engine, raised_anew_from)
SELECT n.alert_id, n.raised_observed_at, n.order_id, n.respondent_id, n.raised_at, 'OPEN',
       string_to_array(n.order_versions, ',')::integer[], string_to_array(n.zone_ids, ','), n.first_observed_at,
       n.last_observed_at, n.sighting_count, n.match_kind, n.zone_relation, string_to_array(n.cautions, ','),
       n.registry_sequence, n.known_at, n.policy_sha256, n.engine, n.raised_anew_from
  FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[],
              $8::timestamptz[], $9::timestamptz[], $10::integer[], $11::text[], $12::text[], $13::text[],
              $14::bigint[], $15::timestamptz[], $16::text[], $17::text[], $18::text[]) WITH ORDINALITY
       AS n (alert_id, raised_observed_at, order_id, respondent_id, raised_at, order_versions, zone_ids,
             first_observed_at, last_observed_at, sighting_count, match_kind, zone_relation, cautions,
             registry_sequence, known_at, policy_sha256, engine, raised_anew_from, place)
 ORDER BY n.place;

-- name: update_alerts
-- description: What the alerts' episodes show now; lists as above.
UPDATE alert AS a
   SET order_versions = string_to_array(n.order_versions, ',')::integer[],
       zone_ids = string_to_array(n.zone_ids, ','), first_observed_at = n.first_observed_at,
       last_observed_at = n.last_observed_at, sighting_count = n.sighting_count, match_kind = n.match_kind,
       zone_relation = n.zone_relation, cautions = string_to_array(n.cautions, ','),
       row_version = a.row_version + 1
  FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
              $7::integer[], $8::text[], $9::text[], $10::text[])
       AS n (alert_id, raised_observed_at, order_versions, zone_ids, first_observed_at, last_observed_at,
             sighting_count, match_kind, zone_relation, cautions)
 WHERE (a.alert_id, a.raised_observed_at) = (n.alert_id, n.raised_observed_at);

-- name: merge_alerts
-- description: $2 alerts of order $3 and respondent $4 went into $1; links stay one step long.
UPDATE alert
   SET state = 'MERGED', merged_into = $1, row_version = row_version + 1
 WHERE order_id = $3 AND respondent_id = $4
   AND (alert_id = ANY ($2::text[]) OR merged_into = ANY ($2::text[]));

-- name: insert_decisions
-- description: Judged matches, each once, their reasons and cautions as texts with commas between; $20 to $24: what all
-- were judged on. One that did not alert before and does now is judged anew.
INSERT INTO decision (order_id, respondent_id, zone_id, source, event_id, observed_at, content_digest, outcome,
                      alert_id, raised_observed_at, order_version, match_kind, region_match, description,
                      zone_relation, inside_probability, reasons, cautions, detail_sealed,
                      registry_sequence, known_at, policy_sha256, engine, decided_at)
SELECT d.order_id, d.respondent_id, d.zone_id, d.source, d.event_id, d.observed_at, d.content_digest, d.outcome,
       d.alert_id, d.raised_observed_at, d.order_version, d.match_kind, d.region_match, d.description,
       d.zone_relation, d.inside_probability, string_to_array(d.reasons, ','), string_to_array(d.cautions, ','),
       d.detail_sealed, $20, $21, $22, $23, $24
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bytea[],
              $8::text[], $9::text[], $10::timestamptz[], $11::integer[], $12::text[], $13::text[], $14::text[],
              $15::text[], $16::numeric[], $17::text[], $18::text[], $19::bytea[])
       AS d (order_id, respondent_id, zone_id, source, event_id, observed_at, content_digest, outcome, alert_id,
             raised_observed_at, order_version, match_kind, region_match, description, zone_relation,
             inside_probability, reasons, cautions, detail_sealed)
ON CONFLICT (order_id, respondent_id, source, event_id, observed_at, content_digest, zone_id) DO UPDATE
   SET outcome = EXCLUDED.outcome, alert_id = EXCLUDED.alert_id,
       raised_observed_at = EXCLUDED.raised_observed_at, order_version = EXCLUDED.order_version,
       match_kind = EXCLUDED.match_kind, region_match = EXCLUDED.region_match,
       description = EXCLUDED.description, zone_relation = EXCLUDED.zone_relation,
       inside_probability = EXCLUDED.inside_probability, reasons = EXCLUDED.reasons,
       cautions = EXCLUDED.cautions, registry_sequence = EXCLUDED.registry_sequence,
       known_at = EXCLUDED.known_at, policy_sha256 = EXCLUDED.policy_sha256, engine = EXCLUDED.engine,
       decided_at = EXCLUDED.decided_at, detail_sealed = EXCLUDED.detail_sealed
 WHERE decision.outcome <> 'ALERT' AND EXCLUDED.outcome = 'ALERT';

-- name: publish_changes
-- description: Appends to the outbox in one step and hints to those who listen. $1 alert ids, $2 changes, $3 instant.
-- The head's row lock makes sequence and commit order the same, so it is taken last.
WITH head AS (
    UPDATE outbox_head SET outbox_sequence = outbox_sequence + cardinality($1::text[])
    RETURNING outbox_sequence, pg_notify('stayaway_outbox', outbox_sequence::text)
)
INSERT INTO outbox (outbox_sequence, alert_id, change, changed_at)
SELECT head.outbox_sequence - cardinality($1::text[]) + item.place, item.alert_id, item.change, $3
  FROM head, unnest($1::text[], $2::text[]) WITH ORDINALITY AS item (alert_id, change, place);

-- name: lock_open_alerts
-- description: The open alerts of orders that changed, with the roots that hold their decisions.
SELECT a.* FROM alert a
 WHERE a.order_id = ANY ($1::text[])
   AND (a.state IN ('OPEN', 'CLAIMED')
        OR EXISTS (SELECT FROM alert f WHERE f.raised_anew_from = a.alert_id AND f.order_id = a.order_id
                                         AND f.state IN ('OPEN', 'CLAIMED')))
 ORDER BY a.alert_number
   FOR UPDATE;

-- name: open_unmarked
-- description: Open alerts that do not say yet that their order has ended, with the versions that decided; and those
-- that say so by a matcher, with the versions of the decisions that do not. $1: of these orders only; NULL: of all.
-- LATERAL: each by its keys. Joined at once, Postgres would read every alert there is.
SELECT order_id, respondent_id, order_versions
  FROM alert
 WHERE state IN ('OPEN', 'CLAIMED') AND NOT 'ORDER_SINCE_ENDED' = ANY (cautions)
   AND ($1::text[] IS NULL OR order_id = ANY ($1))
UNION ALL
SELECT a.order_id, a.respondent_id, u.order_versions
  FROM alert a
 CROSS JOIN LATERAL (
       SELECT array_agg(DISTINCT d.order_version) AS order_versions
         FROM alert m
         JOIN decision d USING (alert_id, raised_observed_at)
        WHERE (m.order_id, m.respondent_id) = (a.order_id, a.respondent_id)
          AND m.last_observed_at >= a.first_observed_at
          AND coalesce(a.raised_anew_from, a.alert_id) IN (m.alert_id, m.merged_into)
          AND d.outcome = 'ALERT' AND NOT 'ORDER_SINCE_ENDED' = ANY (d.cautions)) AS u
 WHERE a.state IN ('OPEN', 'CLAIMED') AND 'ORDER_SINCE_ENDED' = ANY (a.cautions)
   AND u.order_versions IS NOT NULL
   AND ($1::text[] IS NULL OR a.order_id = ANY ($1));

-- name: open_parties
-- description: The respondents with open alerts under the orders of $1.
SELECT DISTINCT order_id, respondent_id FROM alert
 WHERE order_id = ANY ($1::text[]) AND state IN ('OPEN', 'CLAIMED')
 ORDER BY order_id, respondent_id;

-- name: load_members
-- description: The alerting decisions of the roots in $1, those of alerts merged into them too, with their evidence.
SELECT coalesce(a.merged_into, a.alert_id) AS root_id, d.*, s.payload_sealed
  FROM alert a
  JOIN decision d USING (alert_id, raised_observed_at)
  JOIN sighting s ON (s.order_id, s.source, s.event_id, s.observed_at, s.content_digest)
                   = (d.order_id, d.source, d.event_id, d.observed_at, d.content_digest)
 WHERE a.order_id = ANY ($2::text[])
   AND (a.alert_id = ANY ($1::text[]) OR a.merged_into = ANY ($1::text[]))
   AND d.outcome = 'ALERT'
 ORDER BY d.observed_at, d.source, d.event_id, d.content_digest, d.zone_id;

-- name: withdraw_decision
-- description: The order no longer names this vehicle or place: no match any more, so there is no reason either.
UPDATE decision
   SET outcome = 'WITHDRAWN', reasons = '{}', registry_sequence = $8, known_at = $9, policy_sha256 = $10,
       engine = $11, decided_at = $12, detail_sealed = $13
 WHERE (order_id, respondent_id, source, event_id, observed_at, content_digest, zone_id)
     = ($1, $2, $3, $4, $5, $6, $7);

-- name: revise_decision
-- description: Judged again on what is known now. Still alerting: another version, or a caution more.
-- WITHDRAWN: the order turned out not to be in force then, for the reasons in $9.
UPDATE decision
   SET outcome = $8, reasons = $9, order_version = $10, match_kind = $11, region_match = $12, description = $13,
       zone_relation = $14, inside_probability = $15, cautions = $16, registry_sequence = $17, known_at = $18,
       policy_sha256 = $19, engine = $20, decided_at = $21, detail_sealed = $22
 WHERE (order_id, respondent_id, source, event_id, observed_at, content_digest, zone_id)
     = ($1, $2, $3, $4, $5, $6, $7);

-- name: move_decision
-- description: The member's episode was cut in two: it belongs to another alert now.
UPDATE decision SET alert_id = $8, raised_observed_at = $9
 WHERE (order_id, respondent_id, source, event_id, observed_at, content_digest, zone_id)
     = ($1, $2, $3, $4, $5, $6, $7);

-- name: withdraw_alerts
-- description: None of their members stands any more. What a person said of one stays beside the state.
-- Whoever holds one, held it last or confirmed it must acknowledge that: they may be acting on it.
UPDATE alert
   SET state = 'WITHDRAWN', row_version = row_version + 1,
       to_acknowledge_by = CASE state WHEN 'CLAIMED' THEN claimed_by
                                      WHEN 'CONFIRMED' THEN disposed_by
                                      ELSE to_acknowledge_by END,
       acknowledged_at = CASE WHEN state IN ('CLAIMED', 'CONFIRMED') THEN NULL ELSE acknowledged_at END
 WHERE alert_id = ANY ($1::text[]) AND state NOT IN ('MERGED', 'WITHDRAWN');

-- name: count_revision
-- description: The evidence of these alerts was judged again to another end.
UPDATE alert SET revisions = revisions + 1 WHERE alert_id = ANY ($1::text[]);

-- name: ask_claimant
-- description: The order of these alerts has ended: whoever holds one must acknowledge it.
UPDATE alert SET to_acknowledge_by = claimed_by, acknowledged_at = NULL
 WHERE alert_id = ANY ($1::text[]) AND state = 'CLAIMED';

-- name: taken_ids
-- description: Every id given to alerts of this order and respondent.
SELECT alert_id FROM alert WHERE order_id = $1 AND respondent_id = $2;
