"""The matcher: one batch through sightings, matching and alerts in one transaction."""
