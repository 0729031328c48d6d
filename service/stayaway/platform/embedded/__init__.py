"""Servers that the demo and the tests bring up themselves and take down again."""
