"""Commands on one database, as a person types them."""

import json
from pathlib import Path
from typing import Any

from support.commands import plain_environment, run_stayaway, says_no_traceback
from support.keys import made_keys
from support.lives import REGISTRY_POLICY
from support.wire_examples import POLICY

TYPED = ("--case-number", "F-2026-00117", "--expiry", "2028-01-05")
ANSWERS = ("mutual=NO", "through-road/Z1=NO", "own-place/Z1=YES:the order lists it")


class Shell:
    """Commands on one database, with its keys and both policies."""

    def __init__(self, database: str, folder: Path) -> None:
        for name, body in (("policy", POLICY), ("registry", REGISTRY_POLICY)):
            (folder / f"{name}.json").write_text(json.dumps(body))
        made_keys(folder / "keys.jsonl")
        self.folder = folder
        self.env = plain_environment(
            STAYAWAY_DATABASE=database,
            STAYAWAY_KEYS_FILE=str(folder / "keys.jsonl"),
            STAYAWAY_POLICY_FILE=str(folder / "policy.json"),
            STAYAWAY_REGISTRY_POLICY_FILE=str(folder / "registry.json"),
        )

    def write(self, content: Any) -> str:
        file = self.folder / "draft.json"
        file.write_text(json.dumps(content))
        return str(file)

    def orders(self, *arguments: str, code: int = 0) -> str:
        done = run_stayaway("orders", *arguments, env=self.env)
        assert says_no_traceback(done)
        assert done.returncode == code, done.stderr.decode()
        return done.stdout.decode() + done.stderr.decode()
