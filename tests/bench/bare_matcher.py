"""The matcher without audit rows and coverage digest: to see what the proof costs, never to run.

`python -m bench.bare_matcher` takes the environment that `stayaway matcher` takes.
"""

from collections.abc import Iterable, Sequence

from stayaway.cli import main
from stayaway.worker import batch
from stayaway.worker.range_digest import RangeDigest


def _no_rows(_rows: Sequence[object]) -> list[object]:
    return []


def _no_digest(digest: RangeDigest, _: Iterable[bytes | None]) -> RangeDigest:
    return digest


if __name__ == "__main__":
    batch.insertion = _no_rows  # type: ignore[assignment,attr-defined]
    RangeDigest.after = _no_digest  # type: ignore[assignment,method-assign]
    main()
