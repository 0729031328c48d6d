-- What the gates need of every order at one registry sequence, so that a matcher starts without opening every
-- record (deploy/adr/0013-packs.md). Nothing here is the truth: it is made of the records, checked against
-- them, and may be deleted at any time. content_sealed is under the packs' own key; block 0 is the head.
CREATE TABLE registry_pack (
    pack_id           bytea NOT NULL,
    block_number      integer NOT NULL,
    registry_sequence bigint NOT NULL,
    content_sealed    bytea NOT NULL,
    PRIMARY KEY (pack_id, block_number)
);
-- What is sealed cannot be compressed; not to try saves time.
ALTER TABLE registry_pack ALTER COLUMN content_sealed SET STORAGE EXTERNAL;
