-- The first schema. Rules that every table keeps (../../../../deploy/adr/0002-tables.md):
--   every row about a person carries the order it belongs to;
--   names, plates, places and audit payloads are sealed with that order's key (bytea ..._sealed);
--   unique keys of what grows with the stream contain its time, so that it can be partitioned;
--   lock order: partition_position, order_head, advisory locks per respondent and order, alerts.

-- ---------------------------------------------------------------- orders
-- One row: the registry's sequence, raised by each import under its row lock, and the instant
-- known_at (the latest recorded_at of any record applied), which decisions name as K.
CREATE TABLE registry (
    only_row          boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    registry_sequence bigint NOT NULL DEFAULT 0,
    known_at          timestamptz,
    changed_at        timestamptz
);
INSERT INTO registry DEFAULT VALUES;

-- The row that a matcher locks FOR SHARE and an import FOR UPDATE; registry_sequence is that of
-- the order's last change.
CREATE TABLE order_head (
    order_id          text PRIMARY KEY,
    registry_sequence bigint NOT NULL
);

-- Every record of an orders file that was applied, append-only: versions, notices, recalls,
-- suspensions. payload_sealed is the canonical record (a version's with its materialised shapes).
CREATE TABLE order_record (
    order_id          text NOT NULL REFERENCES order_head,
    registry_sequence bigint NOT NULL,
    ordinal           integer NOT NULL,
    record_kind       text NOT NULL CHECK (record_kind IN ('VERSION', 'NOTICE', 'RECALL', 'SUSPENSION')),
    version           integer,
    recorded_at       timestamptz NOT NULL,
    applied_at        timestamptz NOT NULL,
    applied_by_ref    bytea NOT NULL,
    content_digest    bytea NOT NULL,
    payload_sealed    bytea NOT NULL,
    PRIMARY KEY (order_id, registry_sequence, ordinal),
    UNIQUE (order_id, record_kind, content_digest),
    CHECK ((record_kind = 'VERSION') = (version IS NOT NULL))
);
CREATE UNIQUE INDEX order_record_version ON order_record (order_id, version) WHERE version IS NOT NULL;
CREATE INDEX order_record_sequence ON order_record (registry_sequence);

-- ---------------------------------------------------------------- the stream
-- The fenced row of one partition. next_offset moves only by
--   UPDATE ... WHERE next_offset = expected AND epoch = mine   (exactly one row).
CREATE TABLE partition_position (
    topic                 text NOT NULL,
    partition             integer NOT NULL,
    next_offset           bigint NOT NULL,
    epoch                 bigint NOT NULL,
    owner                 text NOT NULL,
    first_offset          bigint NOT NULL,
    last_record_offset    bigint,
    last_record_digest    bytea,
    stream_sequence       bigint NOT NULL DEFAULT 0,
    last_entry_hash       bytea NOT NULL,
    hold_reason           text,
    coverage_from         bigint NOT NULL,
    coverage_opened_at    timestamptz NOT NULL,
    coverage_records      bigint NOT NULL DEFAULT 0,
    coverage_refused      bigint NOT NULL DEFAULT 0,
    coverage_candidates   bigint NOT NULL DEFAULT 0,
    coverage_matches      bigint NOT NULL DEFAULT 0,
    coverage_registry     jsonb NOT NULL DEFAULT '[]',
    coverage_policy       text NOT NULL,
    coverage_engine       text NOT NULL,
    coverage_salt         bytea NOT NULL,
    coverage_digest       bytea NOT NULL,
    updated_at            timestamptz NOT NULL,
    PRIMARY KEY (topic, partition)
);

CREATE TABLE dead_letter (
    topic          text NOT NULL,
    partition      integer NOT NULL,
    record_offset  bigint NOT NULL,
    reason         text NOT NULL,
    field          text,
    refused_at     timestamptz NOT NULL,
    redriven_at    timestamptz,
    redriven_to    bigint,
    PRIMARY KEY (topic, partition, record_offset)
);

-- ---------------------------------------------------------------- alerts
-- One row per alert. alert_id and raised_observed_at are fixed when it is raised.
CREATE TABLE alert (
    alert_id            text NOT NULL,
    raised_observed_at  timestamptz NOT NULL,
    order_id            text NOT NULL REFERENCES order_head,
    respondent_id       text NOT NULL,
    alert_number        bigint GENERATED ALWAYS AS IDENTITY,
    raised_at           timestamptz NOT NULL,
    state               text NOT NULL CHECK (state IN ('OPEN', 'CLAIMED', 'CONFIRMED', 'DISMISSED', 'MERGED', 'WITHDRAWN')),
    row_version         integer NOT NULL DEFAULT 1,
    order_versions      integer[] NOT NULL,
    zone_ids            text[] NOT NULL,
    first_observed_at   timestamptz NOT NULL,
    last_observed_at    timestamptz NOT NULL,
    sighting_count      integer NOT NULL,
    match_kind          text NOT NULL,
    zone_relation       text NOT NULL,
    -- ORDER_SINCE_ENDED and EXCEPTION_POSSIBLE of any member; HISTORICAL only while all have it.
    cautions            text[] NOT NULL,
    content_conflict    boolean NOT NULL DEFAULT false,
    registry_sequence   bigint NOT NULL,
    known_at            timestamptz NOT NULL,
    policy_sha256       text NOT NULL,
    engine              text NOT NULL,
    merged_into         text,
    raised_anew_from    text,
    claimed_by          text,
    claimed_until       timestamptz,
    disposition         text,
    disposed_at         timestamptz,
    disposed_by         text,
    PRIMARY KEY (alert_id, raised_observed_at)
);
CREATE INDEX alert_respondent ON alert (order_id, respondent_id, last_observed_at);
CREATE INDEX alert_state ON alert (state, raised_at);
CREATE INDEX alert_number ON alert (alert_number);

-- One event as evidence under one order (copied where two orders match). The sealed payload is
-- the event as it was read and its plain SHA-256; content_digest is that hash under the order's key.
CREATE TABLE sighting (
    order_id          text NOT NULL REFERENCES order_head,
    source            text NOT NULL,
    event_id          text NOT NULL,
    observed_at       timestamptz NOT NULL,
    content_digest    bytea NOT NULL,
    received_at       timestamptz NOT NULL,
    topic             text NOT NULL,
    partition         integer NOT NULL,
    record_offset     bigint NOT NULL,
    content_conflict  boolean NOT NULL DEFAULT false,
    payload_sealed    bytea NOT NULL,
    PRIMARY KEY (order_id, source, event_id, observed_at, content_digest)
);

-- One judged match: an alerting one belongs to an alert; a suppressed one is kept only where
-- DOMAIN.md ("Other people") allows it. detail_sealed: vehicle, description, steps, exception ids.
CREATE TABLE decision (
    order_id           text NOT NULL REFERENCES order_head,
    respondent_id      text NOT NULL,
    zone_id            text NOT NULL,
    source             text NOT NULL,
    event_id           text NOT NULL,
    observed_at        timestamptz NOT NULL,
    content_digest     bytea NOT NULL,
    outcome            text NOT NULL CHECK (outcome IN ('ALERT', 'SUPPRESSED', 'WITHDRAWN')),
    alert_id           text,
    raised_observed_at timestamptz,
    order_version      integer NOT NULL,
    match_kind         text NOT NULL,
    region_match       text NOT NULL,
    description        text NOT NULL,
    zone_relation      text NOT NULL,
    inside_probability numeric(4, 3),
    reasons            text[] NOT NULL,
    cautions           text[] NOT NULL,
    registry_sequence  bigint NOT NULL,
    known_at           timestamptz NOT NULL,
    policy_sha256      text NOT NULL,
    engine             text NOT NULL,
    decided_at         timestamptz NOT NULL,
    detail_sealed      bytea NOT NULL,
    -- The zone last: an event seen again is looked up in whatever zone it was.
    PRIMARY KEY (order_id, respondent_id, source, event_id, observed_at, content_digest, zone_id),
    CHECK ((outcome = 'SUPPRESSED') = (alert_id IS NULL)),
    FOREIGN KEY (alert_id, raised_observed_at) REFERENCES alert
);
CREATE INDEX decision_alert ON decision (alert_id, observed_at);

-- A person's act on an alert, append-only; corrections are new rows.
CREATE TABLE alert_act (
    alert_id       text NOT NULL,
    act_number     integer NOT NULL,
    order_id       text NOT NULL REFERENCES order_head,
    act            text NOT NULL,
    acted_at       timestamptz NOT NULL,
    actor          text NOT NULL,
    actor_verified boolean NOT NULL,
    reason_code    text,
    detail_sealed  bytea,
    PRIMARY KEY (alert_id, act_number)
);

-- What the console and the outbound topic follow; the sequence is the truth, NOTIFY only a hint.
CREATE TABLE outbox (
    outbox_sequence bigint PRIMARY KEY,
    alert_id        text NOT NULL,
    change          text NOT NULL,
    changed_at      timestamptz NOT NULL
);
CREATE TABLE outbox_head (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    outbox_sequence bigint NOT NULL DEFAULT 0
);
INSERT INTO outbox_head DEFAULT VALUES;

-- ---------------------------------------------------------------- audit
-- Heads of the streams that are no partition (a partition's head is its fenced row).
CREATE TABLE audit_stream (
    stream          text PRIMARY KEY,
    stream_sequence bigint NOT NULL,
    last_entry_hash bytea NOT NULL
);

CREATE TABLE audit_entry (
    stream          text NOT NULL,
    stream_sequence bigint NOT NULL,
    entry_id        uuid NOT NULL,
    entry_type      text NOT NULL,
    recorded_at     timestamptz NOT NULL,
    order_id        text,
    actor_ref       bytea NOT NULL,
    subject_ref     bytea NOT NULL,
    policy_sha256   text,
    previous_hash   bytea NOT NULL,
    commitment      bytea NOT NULL,
    leaf_hash       bytea NOT NULL,
    payload_sealed  bytea NOT NULL,
    PRIMARY KEY (stream, stream_sequence)
);

-- ---------------------------------------------------------------- for outside readers
CREATE SCHEMA export;

CREATE VIEW export.alerts_v1 AS
SELECT 'alert.v1'::text AS schema, alert_id, order_id, respondent_id, order_versions, zone_ids,
       first_observed_at, last_observed_at, sighting_count, match_kind, zone_relation, cautions,
       state, merged_into, raised_anew_from
  FROM alert;

-- A merged alert's members show under the alert that it went into.
CREATE VIEW export.sightings_v1 AS
SELECT coalesce(a.merged_into, a.alert_id) AS alert_id, d.source, d.event_id, d.observed_at, d.zone_id,
       d.match_kind, d.region_match, d.zone_relation
  FROM decision d JOIN alert a USING (alert_id, raised_observed_at)
 WHERE d.outcome = 'ALERT';

CREATE VIEW export.dead_letters_v1 AS
SELECT topic, partition, record_offset, reason, field FROM dead_letter;
