-- A decision is looked for by its event: the key begins with that, so that one event of an order with
-- thousands of sightings is found at once, whatever a planner thinks of the respondents.
ALTER TABLE decision
    DROP CONSTRAINT decision_pkey,
    ADD PRIMARY KEY (order_id, source, event_id, respondent_id, observed_at, content_digest, zone_id);
