"""The three files of a demo, and the images that go with the packaged day."""

import gzip
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from stayaway.kernel.errors import SettingsError

_REPO_DAY = Path(__file__).resolve().parents[3] / "fixtures" / "day"
_BLANK = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class DayFiles:
    """Where the orders, the policy and the events lie; `images`: a zip of PNGs by SHA-256, or None."""

    orders: Path
    policy: Path
    events: Path
    images: Path | None


def choose_files(orders: Path | None, policy: Path | None, events: Path | None) -> DayFiles:
    """The files named, all three, or the packaged day."""
    named = (orders, policy, events)
    if orders and policy and events:
        return DayFiles(orders, policy, events, None)
    if any(named):
        raise SettingsError(
            "The demo takes its three files together.", "Give --orders, --policy and --events, or none."
        )
    folder = packaged_day()
    return DayFiles(
        folder / "orders.json", folder / "policy.json", folder / "events.jsonl.gz", folder / "images.zip"
    )


def packaged_day() -> Path:
    """The folder of the invented day: inside the installed package, or the repository's fixtures."""
    installed = Path(str(resources.files("stayaway"))) / "demo_day"
    for folder in (installed, _REPO_DAY):
        if (folder / "orders.json").is_file():
            return folder
    raise SettingsError(
        "The packaged day is missing.", "Run `make fixtures`, or give --orders, --policy and --events."
    )


def read_events(path: Path) -> Iterator[bytes]:
    """Every line that is not blank, without its line end; gzip by the name's `.gz`."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for line in file:
                if line.strip(_BLANK):
                    yield line.removesuffix(b"\n")
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise SettingsError(f"The events file {path} cannot be read.", "Check the path.") from error


def image_reader(path: Path | None) -> Callable[[str], bytes | None]:
    """Looks images up by their SHA-256; None for one that is not there."""
    if path is None or not path.is_file():
        return lambda _: None
    with zipfile.ZipFile(path) as archive:
        images = {Path(name).stem: archive.read(name) for name in archive.namelist()}
    return images.get
