"""The JSON interface, and what every page needs: guard, problem details, session, settings."""
