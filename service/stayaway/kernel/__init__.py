"""Pure words everyone shares: instants, time zones, strict JSON, shapes, local geodesy, errors."""
