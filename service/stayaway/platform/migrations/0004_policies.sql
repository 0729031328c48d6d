-- The policies that decisions were made by, so that each can be run again. Nothing here is about a
-- person. content is the canonical policy.v1, of which policy_sha256 is the digest.
CREATE TABLE policy (
    policy_sha256 text PRIMARY KEY,
    content       text NOT NULL,
    first_used_at timestamptz NOT NULL
);
