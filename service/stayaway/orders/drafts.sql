-- Drafts of order versions, their edits, approvals and confirmations.

-- name: next_version
-- description: One above the highest version recorded of an order.
SELECT coalesce(max(version), 0) + 1 FROM order_record WHERE order_id = $1 AND version IS NOT NULL;

-- name: lock_registry
-- description: The registry's row, before any head: changes of orders follow one another.
SELECT registry_sequence FROM registry FOR UPDATE;

-- name: lock_head
-- description: The order's head, where it has one yet, until the transaction ends (see orders.sql, lock_heads).
SELECT change_number FROM order_head WHERE order_id = $1 FOR NO KEY UPDATE;

-- name: take_number
-- description: A number for a new draft; its digest contains it, so it is needed before the row.
SELECT nextval(pg_get_serial_sequence('order_draft', 'draft_number'));

-- name: insert_draft
-- description: A new draft, with the number taken before; its first edit follows in the transaction.
INSERT INTO order_draft (draft_number, order_id, state, row_version, version, author_ref, content_digest,
                         created_at, changed_at)
OVERRIDING SYSTEM VALUE
VALUES ($1, $2, 'OPEN', 1, $3, $4, $5, $6, $6);

-- name: insert_edit
-- description: One edit of a draft, append-only.
INSERT INTO order_draft_edit (draft_number, row_version, order_id, version, author_ref, content_digest,
                              written_at, content_sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: move_draft
-- description: The draft names its new last edit; the caller holds the row's lock.
UPDATE order_draft
   SET row_version = $2, version = $3, author_ref = $4, content_digest = $5, changed_at = $6
 WHERE draft_number = $1;

-- name: set_state
-- description: Approved or withdrawn; the caller holds the row's lock.
UPDATE order_draft SET state = $2, changed_at = $3 WHERE draft_number = $1;

-- name: lock_draft
-- description: The draft's row, locked until the transaction ends.
SELECT draft_number FROM order_draft WHERE draft_number = $1 FOR UPDATE;

-- name: load_drafts
-- description: These drafts with the content of their last edit.
SELECT d.draft_number, d.order_id, d.state, d.row_version, d.version, d.content_digest, d.created_at,
       d.changed_at, e.content_sealed
  FROM order_draft d
  JOIN order_draft_edit e USING (draft_number, row_version)
 WHERE d.draft_number = ANY ($1::bigint[])
 ORDER BY d.draft_number DESC;

-- name: load_edits
-- description: All edits of these drafts, oldest first.
SELECT draft_number, row_version, order_id, version, content_digest, written_at, content_sealed
  FROM order_draft_edit
 WHERE draft_number = ANY ($1::bigint[])
 ORDER BY draft_number, row_version;

-- name: list_drafts
-- description: A page of drafts in one state ($1, null: any), newest first, those below $2, at most $3.
SELECT draft_number
  FROM order_draft
 WHERE ($1::text IS NULL OR state = $1) AND ($2::bigint IS NULL OR draft_number < $2)
 ORDER BY draft_number DESC
 LIMIT $3;

-- name: insert_approval
-- description: The approval of exactly this edit. The database refuses the writer's own, and a second one.
INSERT INTO order_approval (draft_number, row_version, order_id, version, content_digest, author_ref,
                            approval_kind, approver_ref, approved_at, until_at, answers_sealed)
SELECT draft_number, row_version, order_id, version, $3, author_ref, $4, $5, $6, $7, $8
  FROM order_draft_edit
 WHERE draft_number = $1 AND row_version = $2;

-- name: lock_approval
-- description: The approval that put a version in force, with who confirmed it, locked.
SELECT a.draft_number, a.approval_kind, a.until_at, a.answers_sealed, c.confirmed_at
  FROM order_approval a
  LEFT JOIN order_confirmation c USING (draft_number)
 WHERE a.order_id = $1 AND a.version = $2
   FOR UPDATE OF a;

-- name: load_approvals
-- description: The approvals of an order's versions, with when each was confirmed.
SELECT a.draft_number, a.version, a.approval_kind, a.approver_ref, a.approved_at, a.until_at, a.answers_sealed,
       c.confirmed_at
  FROM order_approval a
  LEFT JOIN order_confirmation c USING (draft_number)
 WHERE a.order_id = $1
 ORDER BY a.version;

-- name: find_approved
-- description: Which versions of these orders were approved here, ascending.
SELECT order_id, version, approval_kind, approver_ref, answers_sealed
  FROM order_approval
 WHERE order_id = ANY ($1::text[])
 ORDER BY order_id, version;

-- name: insert_confirmation
-- description: A second person behind an emergency entry; the database refuses the first one again.
INSERT INTO order_confirmation (draft_number, approval_kind, approver_ref, author_ref, until_at,
                                confirmer_ref, confirmed_at)
SELECT draft_number, approval_kind, approver_ref, author_ref, until_at, $2, $3
  FROM order_approval
 WHERE draft_number = $1;

-- name: claim_request
-- description: The first use of an idempotency key; nothing where it was used before.
INSERT INTO order_request (key_ref, order_id, request_digest, requested_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (key_ref) DO NOTHING
RETURNING key_ref;

-- name: load_request
-- description: What was answered to an idempotency key.
SELECT order_id, request_digest, answer_sealed FROM order_request WHERE key_ref = $1;

-- name: keep_answer
-- description: The answer that the same request gets again.
UPDATE order_request SET answer_sealed = $2 WHERE key_ref = $1;
