"""What others wrote lies beside its licence, unchanged, and is all listed."""

import hashlib
import json
from pathlib import Path
from typing import Any

from stayaway.console.app import static_folder

VENDOR = static_folder() / "vendor"
LISTED: dict[str, Any] = json.loads((VENDOR / "VENDORED.json").read_text())


def test_every_vendored_file_is_the_one_that_was_listed() -> None:
    for package in LISTED["packages"]:
        for file in package["files"]:
            found = hashlib.sha256((VENDOR / file["file"]).read_bytes()).hexdigest()
            assert found == file["sha256"], file["file"]


def test_nothing_lies_there_that_is_not_listed() -> None:
    listed = {file["file"] for package in LISTED["packages"] for file in package["files"]}
    assert {path.name for path in VENDOR.iterdir()} == listed | {"VENDORED.json"}


def test_every_package_names_its_version_and_brings_its_licence() -> None:
    for package in LISTED["packages"]:
        assert package["version"]
        assert package["licence"]
        assert (VENDOR / package["licence_file"]).read_text().strip()


def test_pages_hold_no_inline_code_and_fetch_nothing_from_elsewhere() -> None:
    """The policy would block it; this says so before a browser does."""
    templates = Path(str(VENDOR)).parent.parent / "templates"
    for path in templates.glob("*.html"):
        text = path.read_text()
        assert " style=" not in text, path.name
        assert "<style" not in text, path.name
        assert " on" + "click" not in text, path.name
        assert "javascript:" not in text, path.name
        assert "http://" not in text, path.name
        assert "https://" not in text, path.name
        assert all("src=" in part.split(">")[0] for part in text.split("<script")[1:]), path.name
