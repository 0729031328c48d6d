"""Court orders: what they said at any moment, their zones, schedules and exceptions, and their files."""
