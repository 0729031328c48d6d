-- The life of an order: drafts, their approval by another person, emergency entries and what
-- must be acknowledged. A person is compared with a person by the keyed reference of the audit
-- log (audit_entry.actor_ref); no name of a person who acts on orders stands in the clear here.

-- Records that only the registry itself makes (orders/own_records.py).
ALTER TABLE order_record DROP CONSTRAINT order_record_record_kind_check;
ALTER TABLE order_record ADD CONSTRAINT order_record_record_kind_check
    CHECK (record_kind IN ('VERSION', 'NOTICE', 'RECALL', 'SUSPENSION', 'PROVISIONAL', 'CONFIRMATION', 'VALIDATION'));

-- Who applied a record is read from the order's own entries.
CREATE INDEX audit_entry_order_recorded ON audit_entry (order_id) WHERE entry_type = 'ORDER_RECORDED';

-- ---------------------------------------------------------------- drafts
-- A draft of one version of one order. The row names its last edit: that is what can be approved.
-- No reference to order_head: the first version's order has none yet.
CREATE TABLE order_draft (
    draft_number   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id       text NOT NULL,
    state          text NOT NULL CHECK (state IN ('OPEN', 'APPROVED', 'WITHDRAWN')),
    row_version    integer NOT NULL CHECK (row_version >= 1),
    version        integer NOT NULL CHECK (version >= 1),
    author_ref     bytea NOT NULL,
    content_digest bytea NOT NULL,
    created_at     timestamptz NOT NULL,
    changed_at     timestamptz NOT NULL,
    UNIQUE (draft_number, row_version, order_id, version, content_digest, author_ref)
);
CREATE INDEX order_draft_state ON order_draft (state, draft_number);

-- Every edit, append-only: who wrote it, and the content, sealed with the order's key.
CREATE TABLE order_draft_edit (
    draft_number   bigint NOT NULL REFERENCES order_draft,
    row_version    integer NOT NULL,
    order_id       text NOT NULL,
    version        integer NOT NULL,
    author_ref     bytea NOT NULL,
    content_digest bytea NOT NULL,
    written_at     timestamptz NOT NULL,
    content_sealed bytea NOT NULL,
    PRIMARY KEY (draft_number, row_version),
    UNIQUE (draft_number, row_version, order_id, version, content_digest, author_ref)
);
ALTER TABLE order_draft ADD CONSTRAINT order_draft_names_its_last_edit
    FOREIGN KEY (draft_number, row_version, order_id, version, content_digest, author_ref)
    REFERENCES order_draft_edit (draft_number, row_version, order_id, version, content_digest, author_ref)
    DEFERRABLE INITIALLY DEFERRED;

-- ---------------------------------------------------------------- approval
-- One approval a draft, of exactly the edit that the draft names: after any later edit it does not
-- fit, and an approved draft cannot be edited. answers_sealed: what the approver answered and typed.
CREATE TABLE order_approval (
    draft_number   bigint PRIMARY KEY,
    row_version    integer NOT NULL,
    order_id       text NOT NULL,
    version        integer NOT NULL,
    content_digest bytea NOT NULL,
    author_ref     bytea NOT NULL,
    approval_kind  text NOT NULL CHECK (approval_kind IN ('SECOND_PERSON', 'EMERGENCY')),
    approver_ref   bytea NOT NULL,
    approved_at    timestamptz NOT NULL,
    until_at       timestamptz,
    answers_sealed bytea NOT NULL,
    UNIQUE (order_id, version),
    UNIQUE (draft_number, approval_kind, approver_ref, author_ref, until_at),
    CONSTRAINT order_approval_binds_the_last_edit
        FOREIGN KEY (draft_number, row_version, order_id, version, content_digest, author_ref)
        REFERENCES order_draft (draft_number, row_version, order_id, version, content_digest, author_ref),
    CONSTRAINT order_approval_by_another CHECK (approval_kind = 'EMERGENCY' OR approver_ref <> author_ref),
    CONSTRAINT order_approval_until
        CHECK ((approval_kind = 'EMERGENCY') = (until_at IS NOT NULL) AND until_at > approved_at)
);

-- A second person behind an emergency entry, in time.
CREATE TABLE order_confirmation (
    draft_number  bigint PRIMARY KEY,
    approval_kind text NOT NULL CHECK (approval_kind = 'EMERGENCY'),
    approver_ref  bytea NOT NULL,
    author_ref    bytea NOT NULL,
    until_at      timestamptz NOT NULL,
    confirmer_ref bytea NOT NULL,
    confirmed_at  timestamptz NOT NULL,
    CONSTRAINT order_confirmation_of_an_emergency
        FOREIGN KEY (draft_number, approval_kind, approver_ref, author_ref, until_at)
        REFERENCES order_approval (draft_number, approval_kind, approver_ref, author_ref, until_at),
    CONSTRAINT order_confirmation_by_another
        CHECK (confirmer_ref <> approver_ref AND confirmer_ref <> author_ref),
    CONSTRAINT order_confirmation_in_time CHECK (confirmed_at < until_at)
);

-- The same two rules for whoever wrote an earlier edit, which no CHECK can see.
CREATE FUNCTION refuse_approval_by_a_writer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM order_draft WHERE draft_number = NEW.draft_number AND state = 'OPEN' FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the draft is not open'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_approval_of_an_open_draft';
    END IF;
    IF NEW.approval_kind = 'SECOND_PERSON' AND EXISTS (
        SELECT FROM order_draft_edit WHERE draft_number = NEW.draft_number AND author_ref = NEW.approver_ref) THEN
        RAISE EXCEPTION 'who wrote a part of the draft cannot approve it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_approval_by_another';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER order_approval_by_another BEFORE INSERT OR UPDATE ON order_approval
    FOR EACH ROW EXECUTE FUNCTION refuse_approval_by_a_writer();

CREATE FUNCTION refuse_confirmation_by_a_writer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM order_draft_edit WHERE draft_number = NEW.draft_number AND author_ref = NEW.confirmer_ref) THEN
        RAISE EXCEPTION 'who wrote a part of the draft cannot confirm it'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'order_confirmation_by_another';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER order_confirmation_by_another BEFORE INSERT OR UPDATE ON order_confirmation
    FOR EACH ROW EXECUTE FUNCTION refuse_confirmation_by_a_writer();

-- ---------------------------------------------------------------- sent twice, done once
-- A request that creates something, by its idempotency key (keyed with the sender's name) and the
-- keyed digest of its body; answer_sealed is what was answered the first time.
CREATE TABLE order_request (
    key_ref        bytea PRIMARY KEY,
    order_id       text NOT NULL,
    request_digest bytea NOT NULL,
    requested_at   timestamptz NOT NULL,
    answer_sealed  bytea
);

-- ---------------------------------------------------------------- alerts
-- Whoever held an alert that was withdrawn, or whose order has ended, must acknowledge that.
ALTER TABLE alert ADD COLUMN to_acknowledge_by text;
ALTER TABLE alert ADD COLUMN acknowledged_at timestamptz;
