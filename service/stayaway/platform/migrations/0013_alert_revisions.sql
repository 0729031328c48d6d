-- How often an alert's evidence was judged again to another end: whoever acts on what it was before is told so. Its other
-- columns may show the same when one of several sightings is withdrawn; they also change where only more is seen.
ALTER TABLE alert ADD COLUMN revisions integer NOT NULL DEFAULT 0;
