-- The registry's packs (packs.py): block 0 is the head, the others hold the orders, ascending by id.

-- name: find_pack
-- description: The head of the newest pack that is not beyond the registry, and the last change up to it. (A look that
-- found ended orders raises the sequence alone.)
SELECT p.pack_id, p.registry_sequence, p.content_sealed, c.change_number, c.applied_at
  FROM registry_pack p
  JOIN registry r ON p.registry_sequence <= r.registry_sequence
  LEFT JOIN LATERAL (
       SELECT change_number, applied_at
         FROM registry_change
        WHERE registry_sequence <= p.registry_sequence
        ORDER BY registry_sequence DESC
        LIMIT 1) c ON true
 WHERE p.block_number = 0
 ORDER BY p.registry_sequence DESC
 LIMIT 1;

-- name: load_block
-- description: One block of a pack.
SELECT content_sealed FROM registry_pack WHERE pack_id = $1 AND block_number = $2;

-- name: insert_block
-- description: One block of a pack that is being written.
INSERT INTO registry_pack (pack_id, block_number, registry_sequence, content_sealed) VALUES ($1, $2, $3, $4);

-- name: delete_others
-- description: All packs but this one.
DELETE FROM registry_pack WHERE pack_id <> $1;

-- name: delete_all
-- description: All packs.
DELETE FROM registry_pack;

-- name: try_lock
-- description: The right to write a pack until the transaction ends; false where another process has it.
SELECT pg_try_advisory_xact_lock($1);

-- name: wait_for_lock
-- description: The same, waited for.
SELECT pg_advisory_xact_lock($1);

-- name: load_ids_after
-- description: The next orders in the database's own order of ids.
SELECT order_id FROM order_head WHERE order_id > $1 ORDER BY order_id LIMIT $2;
