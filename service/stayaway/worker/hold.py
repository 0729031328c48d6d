"""Whether reads wait because the registry is out of touch; said when it begins and when it ends."""

from stayaway.platform.logging import get_logger
from stayaway.platform.metrics import Metrics
from stayaway.worker.follow import RegistryFollower


class RegistryHold:
    """Asked before each turn of the loop."""

    def __init__(self, follower: RegistryFollower, metrics: Metrics) -> None:
        self._follower = follower
        self._metrics = metrics
        self._holds = False

    def holds(self) -> bool:
        """True while orders may have changed without our knowledge: fetch nothing, judge nothing."""
        holds = self._follower.is_out_of_touch
        if holds != self._holds:
            self._holds = holds
            self._metrics.registry_hold.set(holds)
            age_ms = round(self._follower.age_s() * 1000)
            if holds:
                get_logger().error("registry out of touch", elapsed_ms=age_ms)
            else:
                get_logger().warning("registry in touch again", elapsed_ms=age_ms)
        return holds
