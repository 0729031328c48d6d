-- When each matcher put a change of the registry in use that it followed live. recorded_at is the
-- change's order_record.applied_at, by the clock of the host that recorded it; applied_at is the
-- matcher's own. Nothing here is about a person.
CREATE TABLE registry_applied (
    registry_sequence bigint NOT NULL,
    owner             text NOT NULL,
    recorded_at       timestamptz NOT NULL,
    applied_at        timestamptz NOT NULL,
    PRIMARY KEY (registry_sequence, owner)
);
CREATE INDEX registry_applied_at ON registry_applied (applied_at);
