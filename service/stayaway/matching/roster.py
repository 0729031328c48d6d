"""The orders' numbers: columns speak of orders by number, a number is never given twice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stayaway.kernel.bucketmap import BucketMap
from stayaway.kernel.packed import Names, PackedMap

_PAGE = 1_024


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """Immutable. The first orders have the numbers of their rows in `first`; of those that came later, the
    one with number len(first) + n is `pages[n // 1024][n % 1024]`.
    """

    first: Names
    numbers: BucketMap[int]
    pages: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, order_ids: Names) -> "Roster":
        """Of these orders, ascending, in their order."""
        return cls(order_ids, BucketMap(beneath=PackedMap(order_ids, int)), ())

    def with_orders(self, order_ids: Sequence[str]) -> "Roster":
        """The next numbers go to those of these orders that have none yet, in their order."""
        new = [order_id for order_id in dict.fromkeys(order_ids) if order_id not in self.numbers]
        if not new:
            return self
        first = len(self.numbers)
        numbers: Mapping[str, int] = {order_id: first + place for place, order_id in enumerate(new)}
        kept = (first - len(self.first)) // _PAGE
        rest = [*(self.pages[kept] if kept < len(self.pages) else ()), *new]
        pages = tuple(tuple(rest[start : start + _PAGE]) for start in range(0, len(rest), _PAGE))
        return Roster(self.first, self.numbers.updated(numbers), (*self.pages[:kept], *pages))

    def order_id(self, number: int) -> str:
        """The order with that number."""
        later = number - len(self.first)
        if later < 0:
            return bytes(self.first[number]).decode()
        return self.pages[later // _PAGE][later % _PAGE]

    def __len__(self) -> int:
        """How many orders there are."""
        return len(self.numbers)
