"""Audit entries: who did or saw what, chained so that a change shows."""
