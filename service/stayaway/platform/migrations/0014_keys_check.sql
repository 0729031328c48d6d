-- Which keys this database is sealed with: what they make of one fixed text (orders/keys_check.py). Whoever brings others is
-- refused before anything is sealed with them, since what is recorded here stays.
CREATE TABLE keys_check (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    reference bytea NOT NULL CHECK (length(reference) = 32)
);
CREATE TRIGGER keys_check_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON keys_check
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE keys_check ENABLE ALWAYS TRIGGER keys_check_stays;
