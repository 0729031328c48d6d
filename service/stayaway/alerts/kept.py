"""Events that alerts keep, as columns to judge again (pure)."""

from collections.abc import Sequence

from stayaway.access.policy import Policy
from stayaway.sightings.batch import SightingBatch, decode_batch

_NO_LIMIT_S = 1e9


def decode_kept(values: Sequence[bytes], policy: Policy) -> SightingBatch:
    """Kept events under `policy`, but for its limits of age.

    They were accepted by the policy of their day: a stricter one may not make an alert vanish.
    """
    unlimited = policy.model_copy(update={"max_age_s": _NO_LIMIT_S, "max_future_s": _NO_LIMIT_S})
    return decode_batch(values, unlimited)
