-- The policies that decisions were made by.

-- name: record_policy
-- description: Once per policy; a rival who records the same one changes nothing.
INSERT INTO policy (policy_sha256, content, first_used_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: load_policies
-- description: Those of $1 that are recorded.
SELECT policy_sha256, content FROM policy WHERE policy_sha256 = ANY ($1::text[]);
