"""Plate reads and check-ins: wire form v1, plate rules, dead letters."""
