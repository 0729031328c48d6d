-- What guards the tables looks at no other tables than these (deploy/adr/0016-append-only.md): a session's own temporary
-- table comes before all others of its name, unless a function names pg_temp itself, last. Each function of ours does;
-- tests/contract/test_functions.py goes through the catalogue.
ALTER FUNCTION refuse_change() SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION refuse_approval_by_a_writer() SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION refuse_confirmation_by_a_writer() SET search_path = pg_catalog, public, pg_temp;

-- ---------------------------------------------------------------- an entry stands where its stream's head is
-- Nobody takes a number that the stream has not come to: an entry there could never be removed, and whoever has the
-- next act to record would fail on it for ever. So the head moves first, or in the same statement: only who may move it
-- can add to the stream. Once a statement, on the statement's own rows and the heads.
CREATE FUNCTION refuse_entry_beside_its_stream() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    beside record;
BEGIN
    WITH listed AS (
        SELECT stream, stream_sequence, leaf_hash,
               stream_sequence = lag(stream_sequence, 1, stream_sequence - 1) OVER (PARTITION BY stream ORDER BY stream_sequence) + 1
               AND previous_hash = lag(leaf_hash, 1, previous_hash) OVER (PARTITION BY stream ORDER BY stream_sequence) AS follows,
               lead(stream_sequence) OVER (PARTITION BY stream ORDER BY stream_sequence) IS NULL AS is_last
          FROM added
    )
    SELECT l.stream, l.stream_sequence INTO beside
      FROM listed l
      LEFT JOIN LATERAL (  -- by their keys: a batch shall read no table as a whole
               SELECT s.stream_sequence, s.last_entry_hash FROM audit_stream s
                WHERE s.stream = l.stream AND strpos(l.stream, '/') = 0
               UNION ALL
               SELECT p.stream_sequence, p.last_entry_hash FROM partition_position p
                WHERE (p.topic, p.partition) = (split_part(l.stream, '/', 1), nullif(split_part(l.stream, '/', 2), '')::integer)
           ) AS h ON true
     WHERE NOT l.follows
        OR (l.is_last AND (l.stream_sequence, l.leaf_hash) IS DISTINCT FROM (h.stream_sequence, h.last_entry_hash))
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'entry % of audit stream % is not where the stream''s head is', beside.stream_sequence, beside.stream
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_entry_continues_its_stream AFTER INSERT ON audit_entry
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_entry_beside_its_stream();
ALTER TABLE audit_entry ENABLE ALWAYS TRIGGER audit_entry_continues_its_stream;

-- A head of acts comes to stand, when the transaction ends, where the entries go on from where it stood and end.
CREATE FUNCTION refuse_head_without_its_entries() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    stood_at bigint := 0;
    stood_hash bytea := decode(repeat('00', 32), 'hex');
BEGIN
    IF TG_OP = 'UPDATE' THEN
        stood_at := OLD.stream_sequence;
        stood_hash := OLD.last_entry_hash;
    END IF;
    IF NEW.stream_sequence = stood_at AND NEW.last_entry_hash = stood_hash THEN
        RETURN NULL;
    END IF;
    PERFORM FROM audit_entry f, audit_entry l
      WHERE (f.stream, f.stream_sequence, f.previous_hash) = (NEW.stream, stood_at + 1, stood_hash)
        AND (l.stream, l.stream_sequence, l.leaf_hash) = (NEW.stream, NEW.stream_sequence, NEW.last_entry_hash);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the head of audit stream % moved without entries that lead there', NEW.stream
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER audit_stream_has_its_entries AFTER INSERT OR UPDATE OF stream_sequence, last_entry_hash ON audit_stream
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_head_without_its_entries();
ALTER TABLE audit_stream ENABLE ALWAYS TRIGGER audit_stream_has_its_entries;

-- A partition's stream has its head in partition_position, and no second one here.
ALTER TABLE audit_stream ADD CONSTRAINT audit_stream_of_acts CHECK (strpos(stream, '/') = 0) NOT VALID;

-- ---------------------------------------------------------------- a matcher closes nothing
-- It raises alerts, open ones, and merges what turns out to be one visit; to claim, dismiss, confirm or withdraw is for
-- whoever may record that somebody did. Only what names `state` runs this, which a batch that extends an alert does not.
CREATE FUNCTION refuse_state_by_a_matcher() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- Without the roles of deploy/roles.sql nobody is in one. Who is in both is the page too, as a superuser is.
    IF pg_has_role(current_user, to_regrole('stayaway_matcher'), 'MEMBER')
       AND NOT coalesce(pg_has_role(current_user, to_regrole('stayaway_api'), 'MEMBER'), false) THEN
        RAISE EXCEPTION 'a matcher raises and merges alerts, it makes none %', NEW.state
            USING ERRCODE = 'insufficient_privilege', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER alert_state_is_not_the_matchers BEFORE UPDATE OF state ON alert FOR EACH ROW
    WHEN (NEW.state <> OLD.state AND (NEW.state <> 'MERGED' OR NEW.merged_into IS NULL))
    EXECUTE FUNCTION refuse_state_by_a_matcher();
CREATE TRIGGER alert_is_raised_open BEFORE INSERT ON alert FOR EACH ROW WHEN (NEW.state <> 'OPEN')
    EXECUTE FUNCTION refuse_state_by_a_matcher();
ALTER TABLE alert ENABLE ALWAYS TRIGGER alert_state_is_not_the_matchers;
ALTER TABLE alert ENABLE ALWAYS TRIGGER alert_is_raised_open;
