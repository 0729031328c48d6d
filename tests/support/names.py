"""Names that no other test has used, for things on a shared server."""

import itertools
import os

_NUMBERS = itertools.count(1)


def unique_name(prefix: str) -> str:
    """`prefix` with a number; good as the name of a topic, a group or a transaction."""
    return f"{prefix}-{os.getpid()}-{next(_NUMBERS)}"
