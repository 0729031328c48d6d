-- The orders that an order must be compared with are found by tokens (deploy/adr/0014-blind-index.md): 24 bits,
-- keyed, of a plate, a respondent, a device, or who is bound against whom (orders/marks.py). Other texts have
-- the same token too: whoever finds an order by it unseals and compares. A token of an order may stand here
-- more than once.
CREATE TABLE order_token (
    token    integer NOT NULL,
    order_id text NOT NULL
);
CREATE INDEX order_token_token ON order_token (token);

-- The tokens of orders recorded before cannot be worked out in SQL, as they are sealed and the key is not here;
-- without them a comparison would pass over those orders in silence. No release has recorded any.
DO $$
BEGIN
    IF EXISTS (SELECT FROM order_record) THEN
        RAISE EXCEPTION 'This database holds orders recorded by an unreleased version, without the tokens by'
            ' which they are compared: import them into a new database.';
    END IF;
END $$;
