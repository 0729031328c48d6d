-- Nothing recorded is ever overwritten, whoever is connected (deploy/adr/0016-append-only.md). One trigger a table
-- refuses, once a statement and before anything is touched: UPDATE of what never changes there, DELETE and TRUNCATE.
-- An INSERT, and an UPDATE of other columns, run none of it. A table not named here is named in
-- tests/contract/test_append_only.py, with the reason.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME,
        coalesce(TG_ARGV[0], 'what is recorded there is neither changed nor removed')
        USING ERRCODE = 'restrict_violation', SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME,
              CONSTRAINT = TG_NAME, HINT = 'Record beside it what is so now.';
END $$;

-- ---------------------------------------------------------------- only ever inserted into
CREATE TRIGGER order_record_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON order_record
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_draft_edit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON order_draft_edit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_approval_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON order_approval
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_confirmation_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON order_confirmation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER alert_act_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON alert_act
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER outbox_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON outbox
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER policy_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON policy
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER registry_applied_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON registry_applied
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER schema_migration_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON schema_migration
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- ---------------------------------------------------------------- rows that stay, with columns that move
-- Not named in UPDATE OF is what moves.
CREATE TRIGGER sighting_stays BEFORE UPDATE OF
    order_id, source, event_id, observed_at, content_digest, received_at, topic, partition, record_offset, payload_sealed
    OR DELETE OR TRUNCATE ON sighting FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Judged again when its order changes, under the same key.
CREATE TRIGGER decision_stays BEFORE UPDATE OF
    order_id, respondent_id, zone_id, source, event_id, observed_at, content_digest
    OR DELETE OR TRUNCATE ON decision FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER alert_stays BEFORE UPDATE OF
    alert_id, raised_observed_at, order_id, respondent_id, alert_number, raised_at, registry_sequence, known_at,
    policy_sha256, engine, raised_anew_from
    OR DELETE OR TRUNCATE ON alert FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER dead_letter_stays BEFORE UPDATE OF topic, partition, record_offset, reason, field, refused_at
    OR DELETE OR TRUNCATE ON dead_letter FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER partition_position_stays BEFORE UPDATE OF topic, partition, first_offset
    OR DELETE OR TRUNCATE ON partition_position FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_head_stays BEFORE UPDATE OF order_id
    OR DELETE OR TRUNCATE ON order_head FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_draft_stays BEFORE UPDATE OF draft_number, order_id, created_at
    OR DELETE OR TRUNCATE ON order_draft FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_request_stays BEFORE UPDATE OF key_ref, order_id, request_digest, requested_at
    OR DELETE OR TRUNCATE ON order_request FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER registry_change_stays BEFORE UPDATE OF change_number
    OR DELETE OR TRUNCATE ON registry_change FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER registry_stays BEFORE UPDATE OF only_row
    OR DELETE OR TRUNCATE ON registry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER outbox_head_stays BEFORE UPDATE OF only_row
    OR DELETE OR TRUNCATE ON outbox_head FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_stream_stays BEFORE DELETE OR TRUNCATE ON audit_stream
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Tokens are removed with their order (orders/tokens.py); none becomes another.
CREATE TRIGGER order_token_stays BEFORE UPDATE OR TRUNCATE ON order_token
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- ---------------------------------------------------------------- moves that go one way only
-- Once a row, on rows that people's acts move; none on what a batch of sightings moves.
CREATE TRIGGER registry_never_goes_back BEFORE UPDATE ON registry FOR EACH ROW
    WHEN (NEW.registry_sequence < OLD.registry_sequence
          OR NEW.known_at IS DISTINCT FROM greatest(NEW.known_at, OLD.known_at))
    EXECUTE FUNCTION refuse_change('the registry''s sequence and the instant known never go back');
CREATE TRIGGER registry_change_is_published_once BEFORE UPDATE ON registry_change FOR EACH ROW
    WHEN (OLD.registry_sequence IS NOT NULL)
    EXECUTE FUNCTION refuse_change('a published change keeps its sequence and instant');
CREATE TRIGGER order_draft_closes_once BEFORE UPDATE ON order_draft FOR EACH ROW
    WHEN (OLD.state <> 'OPEN' OR NEW.row_version < OLD.row_version)
    EXECUTE FUNCTION refuse_change('a closed draft stays closed, and edits only follow one another');
CREATE TRIGGER order_request_is_answered_once BEFORE UPDATE ON order_request FOR EACH ROW
    WHEN (OLD.answer_sealed IS NOT NULL)
    EXECUTE FUNCTION refuse_change('the same request gets the same answer');
CREATE TRIGGER audit_stream_never_goes_back BEFORE UPDATE ON audit_stream FOR EACH ROW
    WHEN (NEW.stream <> OLD.stream OR NEW.stream_sequence < OLD.stream_sequence)
    EXECUTE FUNCTION refuse_change('a stream of audit entries never goes back');

-- Also where session_replication_role says that triggers do not fire.
DO $$
DECLARE
    guard record;
BEGIN
    FOR guard IN SELECT tgrelid::regclass AS of_table, tgname FROM pg_trigger
                  WHERE tgfoid IN ('refuse_change'::regproc, 'refuse_approval_by_a_writer'::regproc,
                                   'refuse_confirmation_by_a_writer'::regproc)
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', guard.of_table, guard.tgname);
    END LOOP;
END $$;
