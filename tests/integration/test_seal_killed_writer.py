"""The keys file after its writer was killed at any moment: whole, and every key once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import stayaway
from stayaway.platform.seal import FileSeal

# Makes keys without end, and says how many are durable.
_WRITER = """
import itertools, pathlib, sys
from stayaway.platform.seal import FileSeal
seal = FileSeal(pathlib.Path(sys.argv[1]))
for n in itertools.count():
    seal.ensure(f"{sys.argv[2]}.{n}.{m}" for m in range(50))
    print(n, flush=True)
"""


def test_a_killed_writer_loses_no_key_that_it_promised(tmp_path: Path) -> None:
    path = tmp_path / "keys.jsonl"
    environment = {**os.environ, "PYTHONPATH": str(Path(stayaway.__file__).parent.parent)}
    for writer in range(6):
        command = [sys.executable, "-c", _WRITER, str(path), f"W{writer}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
            assert running.stdout is not None
            durable = [int(running.stdout.readline()) for _ in range(writer + 1)][-1]
            running.kill()
        seal = FileSeal(path)
        for m in range(50):
            seal.reference(f"W{writer}.{durable}.{m}", "x")
        seal.ensure([f"after {writer}"])
    scopes = [json.loads(line)["scope"] for line in path.read_text().splitlines()]
    assert len(scopes) == len(set(scopes))
