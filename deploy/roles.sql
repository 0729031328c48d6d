-- What each part of stayaway may do in its database, for the accounts that it connects with. Run by the tables' owner,
-- who may create roles, after each `stayaway migrate`; again and again: afterwards the three roles may do what stands
-- here and nothing else. tests/integration/test_roles.py runs the product under each.
--
--   psql ... -f deploy/roles.sql
--   CREATE ROLE matcher_1 LOGIN PASSWORD '...' IN ROLE stayaway_matcher;     -- stayaway matcher, partitions
--   CREATE ROLE page      LOGIN PASSWORD '...' IN ROLE stayaway_api;         -- stayaway web, orders, alerts, deadletters
--   CREATE ROLE auditor_1 LOGIN PASSWORD '...' IN ROLE stayaway_auditor;     -- reads the audit log and the export views
--
-- None of them owns a table, so none can take off what refuses changes (adr/0016-append-only.md). Rights to insert and to
-- update are given by column: a right on the table would let a number that Postgres gives be written by hand. To lock a
-- row FOR SHARE or FOR UPDATE needs a right to update some column: where nothing of the row may be changed it is given
-- for one that the triggers refuse to change, and is marked so.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['stayaway_matcher', 'stayaway_api', 'stayaway_auditor'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA public, export FROM stayaway_matcher, stayaway_api, stayaway_auditor, PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM stayaway_matcher, stayaway_api, stayaway_auditor, PUBLIC;
REVOKE CREATE ON SCHEMA public FROM stayaway_matcher, stayaway_api, stayaway_auditor, PUBLIC;
-- Nobody needs temporary tables, and a statement of ours must not find one of them in the place of a table.
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM stayaway_matcher, stayaway_api, stayaway_auditor, PUBLIC',
                   current_database());
END $$;
GRANT USAGE ON SCHEMA public TO stayaway_matcher, stayaway_api, stayaway_auditor;
GRANT USAGE ON SCHEMA export TO stayaway_auditor;

-- ---------------------------------------------------------------- both that write
GRANT SELECT ON schema_migration, registry, registry_change, order_head, order_record, partition_position, dead_letter,
    alert, sighting, decision, outbox_head, audit_stream, policy, registry_applied, keys_check
    TO stayaway_matcher, stayaway_api;
GRANT INSERT (stream, stream_sequence, entry_id, entry_type, recorded_at, order_id, actor_ref, subject_ref, policy_sha256,
    previous_hash, commitment, leaf_hash, payload_sealed) ON audit_entry TO stayaway_matcher, stayaway_api;
GRANT INSERT (reference) ON keys_check TO stayaway_matcher, stayaway_api;
GRANT INSERT (outbox_sequence, alert_id, change, changed_at) ON outbox TO stayaway_matcher, stayaway_api;
GRANT UPDATE (outbox_sequence) ON outbox_head TO stayaway_matcher, stayaway_api;
GRANT INSERT (policy_sha256, content, first_used_at) ON policy TO stayaway_matcher, stayaway_api;
GRANT INSERT (alert_id, raised_observed_at, order_id, respondent_id, raised_at, state, order_versions, zone_ids,
    first_observed_at, last_observed_at, sighting_count, match_kind, zone_relation, cautions, registry_sequence, known_at,
    policy_sha256, engine, raised_anew_from) ON alert TO stayaway_matcher, stayaway_api;
GRANT UPDATE (state, row_version, order_versions, zone_ids, first_observed_at, last_observed_at, sighting_count, match_kind,
    zone_relation, cautions) ON alert TO stayaway_matcher, stayaway_api;
-- Judged anew: by a sighting that comes again, or by a change of the order.
GRANT UPDATE (outcome, alert_id, raised_observed_at, order_version, match_kind, region_match, description, zone_relation,
    inside_probability, reasons, cautions, registry_sequence, known_at, policy_sha256, engine, decided_at, detail_sealed)
    ON decision TO stayaway_matcher, stayaway_api;

-- ---------------------------------------------------------------- the matcher
GRANT UPDATE (order_id) ON order_head TO stayaway_matcher;  -- to lock only: refused by its trigger
GRANT INSERT (topic, partition, next_offset, epoch, owner, first_offset, last_entry_hash, coverage_from, coverage_opened_at,
    coverage_policy, coverage_engine, coverage_salt, coverage_digest, updated_at) ON partition_position TO stayaway_matcher;
GRANT UPDATE (next_offset, epoch, owner, last_record_offset, last_record_digest, stream_sequence, last_entry_hash,
    hold_reason, coverage_from, coverage_opened_at, coverage_records, coverage_refused, coverage_candidates,
    coverage_matches, coverage_registry, coverage_policy, coverage_engine, coverage_salt, coverage_digest, updated_at)
    ON partition_position TO stayaway_matcher;
GRANT INSERT (topic, partition, record_offset, reason, field, refused_at) ON dead_letter TO stayaway_matcher;
GRANT INSERT (order_id, source, event_id, observed_at, content_digest, received_at, topic, partition, record_offset,
    payload_sealed) ON sighting TO stayaway_matcher;
GRANT UPDATE (content_conflict) ON sighting TO stayaway_matcher;
GRANT INSERT (order_id, respondent_id, zone_id, source, event_id, observed_at, content_digest, outcome, alert_id,
    raised_observed_at, order_version, match_kind, region_match, description, zone_relation, inside_probability, reasons,
    cautions, registry_sequence, known_at, policy_sha256, engine, decided_at, detail_sealed) ON decision TO stayaway_matcher;
GRANT UPDATE (content_conflict, merged_into) ON alert TO stayaway_matcher;
GRANT INSERT (registry_sequence, owner, recorded_at, applied_at) ON registry_applied TO stayaway_matcher;
GRANT SELECT, DELETE ON registry_pack TO stayaway_matcher;
GRANT INSERT (pack_id, block_number, registry_sequence, content_sealed) ON registry_pack TO stayaway_matcher;

-- ---------------------------------------------------------------- the page, the API, the clerks' commands
GRANT SELECT ON order_draft, order_draft_edit, order_approval, order_confirmation, order_request, order_token, alert_act,
    outbox, audit_entry TO stayaway_api;
GRANT INSERT (stream, stream_sequence, last_entry_hash) ON audit_stream TO stayaway_api;
GRANT UPDATE (stream, stream_sequence, last_entry_hash) ON audit_stream TO stayaway_api;
GRANT UPDATE (registry_sequence, known_at, changed_at) ON registry TO stayaway_api;
GRANT INSERT (registry_sequence, applied_at) ON registry_change TO stayaway_api;
GRANT UPDATE (registry_sequence, applied_at) ON registry_change TO stayaway_api;
GRANT INSERT (order_id, change_number) ON order_head TO stayaway_api;
GRANT UPDATE (change_number) ON order_head TO stayaway_api;
GRANT INSERT (order_id, change_number, ordinal, record_kind, version, recorded_at, applied_by_ref, content_digest,
    payload_sealed, source_sealed) ON order_record TO stayaway_api;
GRANT INSERT (token, order_id) ON order_token TO stayaway_api;
GRANT USAGE ON SEQUENCE order_draft_draft_number_seq TO stayaway_api;
GRANT INSERT (draft_number, order_id, state, row_version, version, author_ref, content_digest, created_at, changed_at)
    ON order_draft TO stayaway_api;
GRANT UPDATE (state, row_version, version, author_ref, content_digest, changed_at) ON order_draft TO stayaway_api;
GRANT INSERT (draft_number, row_version, order_id, version, author_ref, content_digest, written_at, content_sealed)
    ON order_draft_edit TO stayaway_api;
GRANT INSERT (draft_number, row_version, order_id, version, content_digest, author_ref, approval_kind, approver_ref,
    approved_at, until_at, answers_sealed) ON order_approval TO stayaway_api;
GRANT UPDATE (draft_number) ON order_approval TO stayaway_api;  -- to lock only: refused by its trigger
GRANT INSERT (draft_number, approval_kind, approver_ref, author_ref, until_at, confirmer_ref, confirmed_at)
    ON order_confirmation TO stayaway_api;
GRANT INSERT (key_ref, order_id, request_digest, requested_at) ON order_request TO stayaway_api;
GRANT UPDATE (answer_sealed) ON order_request TO stayaway_api;
GRANT UPDATE (claimed_by, claimed_until, disposition, disposed_at, disposed_by, to_acknowledge_by, acknowledged_at, revisions)
    ON alert TO stayaway_api;
GRANT INSERT (alert_id, act_number, order_id, act, acted_at, actor, actor_verified, reason_code, detail_sealed)
    ON alert_act TO stayaway_api;
GRANT UPDATE (redriven_at, redriven_to) ON dead_letter TO stayaway_api;

-- ---------------------------------------------------------------- an auditor
-- Streams and their heads; what is sealed in them opens with the keys file only. No plates, events or orders.
GRANT SELECT ON audit_entry, audit_stream, partition_position, schema_migration TO stayaway_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA export TO stayaway_auditor;
