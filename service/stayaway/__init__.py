"""stayaway: court-ordered exclusion zones, checked against plate reads and check-ins."""

ENGINE_VERSION = "0.1.0"
