"""The statements of `alerts.sql`, by name."""

from stayaway.platform.postgres import load_queries

SQL = load_queries("stayaway.alerts", "alerts.sql")
