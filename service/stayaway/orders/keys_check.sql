-- Which keys the database is sealed with.

-- name: load
-- description: What its keys make of the fixed text; nothing before anything was sealed.
SELECT reference FROM keys_check;

-- name: bind
-- description: These are its keys, unless others are.
INSERT INTO keys_check (reference) VALUES ($1) ON CONFLICT DO NOTHING;

-- name: sealed_of
-- description: Which of these orders have something sealed.
SELECT order_id FROM order_head WHERE order_id = ANY ($1::text[])
UNION
SELECT order_id FROM order_draft WHERE order_id = ANY ($1::text[]);

-- name: any_record
-- description: Something sealed before the database knew its keys.
SELECT order_id, payload_sealed FROM order_record LIMIT 1;
