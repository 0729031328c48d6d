"""What the consumer group tells of partitions given and taken back."""

from collections.abc import Awaitable, Callable, Iterable

from aiokafka import ConsumerRebalanceListener, TopicPartition

from stayaway.worker.coverage import PartitionKey
from stayaway.worker.watchdog import Watchdog


class GroupListener(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Passes it on. `give_up` ends the batch at hand first; `assigned` only notes."""

    def __init__(
        self,
        watchdog: Watchdog,
        give_up: Callable[[list[PartitionKey]], Awaitable[None]],
        assigned: Callable[[Iterable[TopicPartition]], None],
    ) -> None:
        self._watchdog = watchdog
        self._give_up = give_up
        self._assigned = assigned

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Before a rebalance: all of ours are given up."""
        self._watchdog.without_assignment()
        try:
            await self._give_up([(where.topic, where.partition) for where in revoked])
        except BaseException as error:
            # aiokafka would log it and go on, or wait for the group for ever.
            self._watchdog.failed(error)
            raise

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """After it: these are ours."""
        self._watchdog.assigned()
        self._assigned(assigned)
