-- A change of the registry is written first and published last (deploy/adr/0011-publishing-orders.md).
-- Its records, heads and audit entries name it by its change_number, which is taken before anything is
-- locked; in the end, under the registry's lock, one row of this table gets the registry_sequence that
-- makes all of them count. Both happen in one transaction, so that no change without a sequence is
-- ever seen. Change numbers have gaps and say nothing about order: registry_sequence does.
CREATE TABLE registry_change (
    change_number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    registry_sequence bigint UNIQUE,
    applied_at        timestamptz,
    CHECK ((registry_sequence IS NULL) = (applied_at IS NULL))
);

-- Records are kept in another form from here on (orders/codec.py), and no statement can rewrite what is
-- sealed. No release has recorded orders in the earlier one.
DO $$
BEGIN
    IF EXISTS (SELECT FROM order_record) THEN
        RAISE EXCEPTION 'This database holds orders recorded by an unreleased version, in a form that is not'
            ' read any more: import them into a new database.';
    END IF;
END $$;

-- payload_sealed is what decides: the record's values with the shapes drawn from it. source_sealed is the
-- record as it came; only whoever looks at an order reads it.
DROP INDEX order_record_sequence;
ALTER TABLE order_record
    DROP CONSTRAINT order_record_pkey,
    DROP COLUMN registry_sequence,
    DROP COLUMN applied_at,
    ADD COLUMN change_number bigint NOT NULL REFERENCES registry_change,
    ADD COLUMN source_sealed bytea NOT NULL,
    ADD PRIMARY KEY (order_id, change_number, ordinal),
    -- What is sealed cannot be compressed; not to try saves time.
    ALTER COLUMN payload_sealed SET STORAGE EXTERNAL,
    ALTER COLUMN source_sealed SET STORAGE EXTERNAL;
CREATE INDEX order_record_change ON order_record (change_number);

-- The change that was the order's last one: another number than a matcher knows means that it moved.
ALTER TABLE order_head DROP COLUMN registry_sequence;
ALTER TABLE order_head ADD COLUMN change_number bigint NOT NULL REFERENCES registry_change;
