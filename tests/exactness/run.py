"""`make oracle POINTS=...`: the engine against an oracle written apart from it, on random points.

Chunks of a million points, each a world of its own drawn from the seed and the chunk's number, so that
a run can be taken up (`--first`) and a difference replayed. Exits with 1 on any difference, and where
some sort of point was never met.
"""

import argparse
import multiprocessing
import secrets
import signal
import sys
import time
from functools import partial

from exactness.chunk import Tally, compare_chunk

CHUNK_POINTS = 1_000_000


def _numbered(chunk: int, *, seed: int, count: int) -> tuple[int, Tally]:
    return chunk, compare_chunk(seed, chunk, count)


def _report(tally: Tally) -> None:
    for name, count in tally.counts.items():
        print(f"  {count:15,}  {name}")
    for sentence in tally.differences[:20]:
        print(f"  DIFFERENCE {sentence}")
    print(f"  {len(tally.differences):15,}  differences")


def main() -> int:
    """Run, report, judge."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--points", type=int, default=CHUNK_POINTS)
    parser.add_argument("--seed", type=int, default=None, help="printed; the same seed draws the same worlds")
    parser.add_argument("--first", type=int, default=0, help="number of the first chunk")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    seed = secrets.randbits(32) if arguments.seed is None else arguments.seed
    count = min(CHUNK_POINTS, arguments.points)
    chunks = range(arguments.first, arguments.first + -(-arguments.points // count))
    print(f"seed {seed}, chunks {chunks.start} to {chunks.stop - 1} of {count:,} points", flush=True)
    total, start = Tally(), time.monotonic()
    # Whoever stops it early sees what was met until then.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped before the end"))
    try:
        with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
            for chunk, tally in pool.imap_unordered(partial(_numbered, seed=seed, count=count), chunks):
                total.add(tally)
                done = f"{total.counts['points']:,} points, {len(total.differences)} differences"
                print(f"  chunk {chunk} done after {time.monotonic() - start:.0f} s: {done}", flush=True)
    finally:
        _report(total)
    if total.missing:
        print(f"  never met, so nothing is shown of it: {', '.join(total.missing)}")
    return int(bool(total.differences or total.missing))


if __name__ == "__main__":
    sys.exit(main())
