"""Effects everyone shares: clock, settings, logging, metrics, Postgres, Kafka, sealing, embedded servers."""
