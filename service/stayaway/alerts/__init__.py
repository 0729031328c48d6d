"""Alerts: episodes, their life cycle, claims, dispositions, and what an order's change does to them."""
