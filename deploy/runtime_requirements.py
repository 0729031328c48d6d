"""The part of requirements.txt that running needs, hashes included, for an image without test tools.

    python deploy/runtime_requirements.py < requirements.txt > runtime.txt

One pinned file is kept; its `# via` lines say who needs what. What only the group `dev` asks for,
and what only that needs, is left out.
"""

import re
import sys

_PROJECT = "stayaway (pyproject.toml)"
_PIN = re.compile(r"([A-Za-z0-9._-]+)==", re.ASCII)


def runtime_requirements(text: str) -> str:
    """The entries that the project itself needs, directly or not, as they stand in `text`."""
    entries = _entries(text)
    wanted: set[str] = set()
    found = {_PROJECT}
    while found:
        wanted |= found
        found = {name for name, _, needed_by in entries if needed_by & wanted} - wanted
    return "".join(entry for name, entry, _ in entries if name in wanted)


def _entries(text: str) -> list[tuple[str, str, set[str]]]:
    """(name, its lines, who needs it) of each entry; one package may have several, by marker."""
    entries = []
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", text):
        pin = _PIN.match(block)
        if pin is None:
            if block.strip():
                raise ValueError(f"not a pinned requirement: {block.splitlines()[0]}")
            continue
        _, _, tail = block.partition("# via")
        needed_by = {line.strip().removeprefix("#").strip() for line in tail.splitlines()} - {""}
        entries.append((pin[1], block, needed_by))
    return entries


if __name__ == "__main__":
    sys.stdout.write(runtime_requirements(sys.stdin.read()))
