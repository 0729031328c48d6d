"""An upload is read in a process of its own, which leaves nothing behind, however it ends."""

import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import shapely

from stayaway.orders.zonefiles import upload
from stayaway.orders.zonefiles.model import Distance, ReadOptions, TooLargeError, UnreadableZoneFileError
from stayaway.orders.zonefiles.report import report_json
from stayaway.orders.zonefiles.upload import read_upload
from support.zone_files import (
    bowtie,
    geodanet,
    geojson,
    geopackage,
    kml,
    kml_line,
    kml_polygon,
    polygon,
    read,
    square,
)

ENDLESS = (
    "CREATE VIEW gpkg_extensions AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT"
    " 'a' AS table_name, 'b' AS column_name, 'c' AS extension_name, 'd' AS definition, 'e' AS scope FROM c"
    " WHERE x < 0;"
)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders go."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def _processes_in(folder: Path) -> list[str]:
    """Command lines of processes that work in `folder`, even after it was removed."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str((entry / "cwd").readlink()).startswith(str(folder)):
                    found.append((entry / "cmdline").read_text())
            except OSError:
                continue  # it has ended meanwhile
    return found


def test_the_report_is_the_same_as_in_our_own_process(scratch: Path) -> None:
    """For both roads: with GDAL and without."""
    for data, options in (
        (geojson(polygon(square()), polygon(bowtie())), ReadOptions(accepted_repairs=frozenset({2}))),
        (geodanet("schools"), ReadOptions(file_name="schools.zip", distance=Distance(100, "YD"))),
        (
            kml(kml_line(square()) + kml_polygon(square())),
            ReadOptions(distance=Distance(9, "FT"), draws_all=True),
        ),
    ):
        got = json.loads(read_upload(data, options).report)
        own = read(
            data,
            file_name=options.file_name,
            accepted_repairs=options.accepted_repairs,
            distance=options.distance,
            draws_all=options.draws_all,
        )
        assert got == json.loads(json.dumps(report_json(own)))
    assert list(scratch.iterdir()) == []


def test_a_refusal_keeps_its_kind_and_its_words() -> None:
    """Too large is told apart from unreadable."""
    with pytest.raises(UnreadableZoneFileError, match="a PDF") as caught:
        read_upload(b"%PDF", ReadOptions())
    assert not isinstance(caught.value, TooLargeError)
    with pytest.raises(TooLargeError, match="positions"):
        read_upload(geojson(polygon([[0.0, 0.0]] * 1_000_000)), ReadOptions())


def test_a_reader_that_is_killed_leaves_no_file_and_no_process(
    scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own child, busy with an endless view, dies with it."""
    monkeypatch.setattr(upload, "READER_WALL_S", 15)
    data = geopackage(tmp_path / "a.gpkg", [shapely.Polygon(square()).wkb], statements=[ENDLESS])
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_upload, data, ReadOptions())
        while not any("gdal_child" in command for command in _processes_in(scratch)):
            assert not reading.done(), "the child was never seen in the private folder"
            time.sleep(0.01)
        with pytest.raises(UnreadableZoneFileError, match="took more"):
            reading.result()
    assert list(scratch.iterdir()) == []
    for _ in range(500):  # the kernel ends the grandchild a moment later
        if not _processes_in(scratch):
            break
        time.sleep(0.01)
    assert _processes_in(scratch) == []
