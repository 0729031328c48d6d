"""The process that reads one upload: a script, isolated (`python -I`), in a private folder, with limits."""

import sys
import tempfile
from pathlib import Path

if __name__ == "__main__":  # a script has no package: this is the folder that `stayaway` lies in
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from stayaway.orders.zonefiles.confine import limit_resources
from stayaway.orders.zonefiles.limits import MAX_UNPACKED_BYTES, READER_CPU_S, READER_MEMORY_BYTES


def main() -> None:
    """Answer on standard output what standard input asks."""
    limit_resources(
        memory_bytes=READER_MEMORY_BYTES,
        cpu_s=READER_CPU_S,
        file_bytes=MAX_UNPACKED_BYTES,
        processes=None,  # it starts the child that runs GDAL
    )
    # What is unpacked for GDAL lies in the folder that the parent removes, even if this process is killed.
    tempfile.tempdir = str(Path.cwd())
    # After the limits, so that they hold for all of it.
    from stayaway.orders.zonefiles.upload import answer_request  # noqa: PLC0415

    sys.stdout.buffer.write(answer_request(sys.stdin.buffer.read()))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
