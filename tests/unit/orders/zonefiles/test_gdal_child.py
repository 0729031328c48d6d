"""Shapefile and GeoPackage: read by GDAL in a child that can reach nothing, and is not trusted."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely

from stayaway.orders.zonefiles import children, gdal, gdal_child
from stayaway.orders.zonefiles.children import ChildFailedError, python_command, run_child
from stayaway.orders.zonefiles.confine import seccomp_program
from stayaway.orders.zonefiles.limits import MAX_FEATURES
from support.waiting import eventually
from support.zone_files import (
    PHOENIX,
    bowtie,
    geopackage,
    read,
    read_or_refusal,
    refusal,
    remedies,
    shapefile_parts,
    square,
    zipped,
)

SQUARE_WKB: bytes = shapely.Polygon(square()).wkb
SERVICE = Path(gdal_child.__file__).resolve().parents[3]


class _Listener:
    """A server that counts who knocks."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.knocks = 0
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.knocks += 1
            connection.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def listener() -> Iterator[_Listener]:
    found = _Listener()
    yield found
    found.close()


def _vrt(port: int) -> bytes:
    return (
        '<OGRVRTDataSource><OGRVRTLayer name="zones">'
        f"<SrcDataSource>/vsicurl/http://127.0.0.1:{port}/zones.geojson</SrcDataSource>"
        "</OGRVRTLayer></OGRVRTDataSource>"
    ).encode()


async def test_the_listener_hears_a_knock(listener: _Listener) -> None:
    """Or the next tests could not fail."""
    socket.create_connection(("127.0.0.1", listener.port)).close()
    await eventually(lambda: listener.knocks == 1)


@pytest.mark.parametrize("name", ["zones.geojson", "zones.kml", "zones.gpkg", "zones.shp", "zones.csv"])
def test_a_virtual_file_under_any_name_reaches_nothing(listener: _Listener, name: str) -> None:
    """It is told for what it is, and nobody is asked for what it points to."""
    assert "virtual file" in refusal(_vrt(listener.port), file_name=name)
    parts = shapefile_parts([square()])
    for part in parts:
        found = read_or_refusal(zipped({**parts, part: _vrt(listener.port)}), file_name=name)
        assert found != "no remedy"
    assert listener.knocks == 0


def test_names_that_are_paths_of_gdal_reach_nothing(listener: _Listener, tmp_path: Path) -> None:
    """`/vsicurl/` as a file's name, a layer's name, a zone's name or a link does nothing."""
    url = f"/vsicurl/http://127.0.0.1:{listener.port}/x"
    parts = shapefile_parts([square()], names=[url[:60]])
    report = read(zipped(parts), file_name=url)
    assert report.candidates[0].name == url[:60]
    renamed = {
        name.replace("zones", f"vsicurl/http:/127.0.0.1:{listener.port}/x"): part
        for name, part in parts.items()
    }
    assert len(read(zipped(renamed)).usable) == 1
    rename = (
        f"ALTER TABLE zones RENAME TO \"{url}\"; UPDATE gpkg_contents SET table_name = '{url}';"
        f"UPDATE gpkg_geometry_columns SET table_name = '{url}';"
    )
    assert len(read(geopackage(tmp_path / "a.gpkg", [SQUARE_WKB], statements=[rename])).usable) == 1
    assert listener.knocks == 0


def _probe(code: str) -> subprocess.CompletedProcess[bytes]:
    """Python code, run after the child's own confinement."""
    script = (
        f"import sys; sys.path.insert(0, {str(SERVICE)!r})\n"
        "from stayaway.orders.zonefiles.confine import cut_off, limit_resources\n"
        "limit_resources(memory_bytes=2**30, cpu_s=5, file_bytes=0, processes=1)\n"
        "assert cut_off()\n" + code
    )
    return subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, check=False, timeout=60)


def test_the_confined_child_has_no_network_no_programs_and_no_files_to_write(tmp_path: Path) -> None:
    """Each way out ends in an error inside the child."""
    done = _probe(
        "import os, socket, subprocess\n"
        "def refused(act):\n"
        "    try:\n"
        "        act()\n"
        "    except OSError:\n"
        "        return True\n"
        "    return False\n"
        "def write():\n"
        f"    with open({str(tmp_path / 'x')!r}, 'wb') as file:\n"
        "        file.write(b'x' * 100)\n"
        "assert refused(lambda: socket.create_connection(('127.0.0.1', 9), 1))\n"
        "assert refused(lambda: os.execv('/bin/true', ['true']))\n"
        "assert refused(lambda: subprocess.run(['/bin/true'], check=True))\n"
        "assert refused(write)\n"
        "print('held')\n"
    )
    assert (done.returncode, done.stdout) == (0, b"held\n"), done.stderr


def test_sockets_are_refused_by_the_filter_itself() -> None:
    """Not only by the lack of interfaces: no socket can be made at all."""
    done = _probe("import socket\ntry:\n    socket.socket()\nexcept PermissionError:\n    print('refused')\n")
    assert done.stdout == b"refused\n", done.stderr
    assert seccomp_program("riscv64") is None


def test_memory_and_time_of_the_child_are_bounded() -> None:
    """It dies, not the machine."""
    hungry = _probe("bytearray(2 * 2**30)")
    assert b"MemoryError" in hungry.stderr
    busy = _probe("import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass")
    assert busy.returncode in (-signal.SIGXCPU, -signal.SIGKILL)


def test_gdal_is_never_loaded_into_our_own_process() -> None:
    """After both formats were read there is no GDAL in the process that read them."""
    script = (
        f"import sys; sys.path[:0] = [{str(SERVICE)!r}, {str(Path(__file__).resolve().parents[3])!r}]\n"
        "from support.zone_files import geodanet, read\n"
        "assert len(read(geodanet('schools')).candidates) == 8\n"
        "assert 'pyogrio' not in sys.modules\n"
        "assert 'libgdal' not in open('/proc/self/maps').read()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------- the child's life


def _script(folder: Path, code: str) -> list[str]:
    path = folder / "child.py"
    path.write_text(code, encoding="utf-8")
    return python_command(path)


def _run(folder: Path, code: str, *, wall_s: float = 30.0, output_bytes: int = 1000) -> bytes:
    return run_child(
        _script(folder, code), b"question", folder=folder, wall_s=wall_s, output_bytes=output_bytes
    )


def test_a_child_answers(tmp_path: Path) -> None:
    """In an environment that holds nothing of ours."""
    code = "import os, sys; sys.stdout.write(sys.stdin.read() + ','.join(sorted(os.environ)))"
    answer = _run(tmp_path, code).decode()
    assert answer.startswith("question")
    assert "STAYAWAY" not in answer
    assert "PATH" not in answer.split(",")


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("import sys; sys.exit(1)", "DIED"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "DIED"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "TIME"),
        ("import sys; sys.exit(78)", "NOT_CONFINED"),
        ("import sys\nwhile True: sys.stdout.write('x' * 1000)", "OUTPUT"),
    ],
)
def test_a_child_that_fails_is_told_by_its_cause(tmp_path: Path, code: str, cause: str) -> None:
    """One word for each way to end."""
    with pytest.raises(ChildFailedError) as caught:
        _run(tmp_path, code)
    assert caught.value.cause == cause


async def test_a_child_that_never_ends_is_killed_with_its_own_children(tmp_path: Path) -> None:
    """Nothing of its process group outlives the limit; its own children end when the system gets to it."""
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('pids', 'w').write(f'{os.getpid()} {child.pid}')\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(ChildFailedError) as caught:
        _run(tmp_path, code, wall_s=3.0)
    assert caught.value.cause == "TIME"
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2
    await eventually(lambda: not any(map(_is_running, pids)))


def _is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


@pytest.mark.parametrize(
    ("cause", "words"),
    [("TIME", "computing time"), ("DIED", "stopped its reader"), ("OUTPUT", "more than can be read")],
)
def test_a_failed_child_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, cause: children.Cause, words: str
) -> None:
    """The clerk reads what to do, not how a process ended."""

    def failing(*_: object, **__: object) -> bytes:
        raise ChildFailedError(cause)

    monkeypatch.setattr(gdal, "run_child", failing)
    assert words in refusal(zipped(shapefile_parts([square()])))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\xff\xff\xff\xff",
        struct.pack("<I", 2) + b"{}x",
        struct.pack("<I", 3) + b"[1]",
        struct.pack("<I", 16) + b'{"lengths":[99]}',
        struct.pack("<I", 16) + b'{"lengths":[-5]}',
        struct.pack("<I", 32) + b'{"lengths":[],"fields":{"a":[1]}}',
        struct.pack("<I", 20) + b'{"refused":"UNHEARD"}',
        struct.pack("<I", 11) + b'{"x": true}',
    ],
)
def test_an_answer_that_was_not_agreed_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """A child that was taken over can say anything: the file is refused."""
    monkeypatch.setattr(gdal, "run_child", lambda *_, **__: answer)
    assert "stopped its reader" in refusal(zipped(shapefile_parts([square()])))


# ---------------------------------------------------------------- shapefiles


def test_a_shapefile_gives_zones_with_their_names() -> None:
    """UTF-8 names are kept although no .cpg says that they are."""
    report = read(zipped(shapefile_parts([square(), square(side=0.02)], names=["Alpha School", "Ñandú"])))
    assert report.format == "SHAPEFILE"
    assert [candidate.name for candidate in report.usable] == ["Alpha School", "Ñandú"]


def _parts(**changed: bytes | None) -> bytes:
    parts: dict[str, bytes | None] = {**shapefile_parts([square(), square(side=0.02)])}
    parts.update({f"zones.{suffix}": content for suffix, content in changed.items()})
    return zipped({name: content for name, content in parts.items() if content is not None})


def _patched(suffix: str, at: int, value: bytes) -> bytes:
    content = bytearray(shapefile_parts([square(), square(side=0.02)])[f"zones.{suffix}"])
    content[at : at + len(value)] = value
    return bytes(content)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"prj": None}, "no .prj"),
        ({"prj": b"hello"}, "coordinate system is not known"),
        ({"prj": b"\xff\xfe\x00"}, "no text"),
        ({"prj": b"x" * 20_000}, "too long"),
        ({"prj": b'GEOGCS["x",EXTENSION["PROJ4","+proj=longlat +nadgrids=/etc/passwd"]]'}, "grid file"),
        ({"prj": b'LOCAL_CS["building",UNIT["metre",1]]'}, "no known place"),
        ({"shx": None}, "no .shx"),
        ({"shx": b"short"}, "no part of a shapefile"),
        ({"shp": b"short"}, "no part of a shapefile"),
        ({"shx": _patched("shx", 100, struct.pack(">i", 10_000))}, "index is wrong"),
        ({"shx": _patched("shx", 104, struct.pack(">i", 2**30))}, "index is wrong"),
        ({"shx": _patched("shx", 108, struct.pack(">i", 50))}, "names a record twice"),
        ({"shp": _patched("shp", 24, struct.pack(">i", 2**30))}, "cut off"),
        ({"shp": _patched("shp", 32, struct.pack("<i", 31))}, "MultiPatch"),
        ({"dbf": b"short"}, ".dbf is cut off"),
        ({"dbf": _patched("dbf", 4, struct.pack("<I", 3))}, "3 rows"),
        ({"dbf": _patched("dbf", 10, struct.pack("<H", 60_000))}, ".dbf is cut off"),
    ],
)
def test_a_shapefile_whose_files_disagree_is_refused(changed: dict[str, bytes | None], words: str) -> None:
    """Or one court's zone could go under another's name."""
    assert words in refusal(_parts(**changed))


def test_a_shapefile_whose_record_lies_about_its_points_is_refused_or_explained() -> None:
    """A record that claims two billion points takes neither memory nor time."""
    began_at = time.monotonic()
    data = _parts(shp=_patched("shp", 100 + 8 + 40, struct.pack("<i", 2**31 - 1)))
    found = read_or_refusal(data)
    assert isinstance(found, str) or not found.candidates[0].is_usable
    assert time.monotonic() - began_at < 60


def test_a_shapefile_without_a_table_has_zones_without_names() -> None:
    """That is said."""
    report = read(_parts(dbf=None))
    assert [candidate.name for candidate in report.usable] == [None, None]
    assert any("no .dbf" in text for text in remedies(report, "INFO"))


def test_too_many_records_are_refused_by_the_index_alone() -> None:
    """No child is started for them."""
    parts = shapefile_parts([square()])
    entry = parts["zones.shx"][100:108]
    shx = bytearray(parts["zones.shx"][:100] + entry * (MAX_FEATURES + 1))
    struct.pack_into(">i", shx, 24, len(shx) // 2)
    assert "records" in refusal(zipped({**parts, "zones.shx": bytes(shx)}))


def test_a_repair_is_offered_for_a_crossing_outline_in_a_shapefile() -> None:
    """The same road as for GeoJSON."""
    data = zipped(shapefile_parts([bowtie()]))
    (candidate,) = read(data).candidates
    assert (candidate.is_usable, candidate.repair is not None) == (False, True)
    assert read(data, accepted_repairs=frozenset({1})).usable


# ---------------------------------------------------------------- GeoPackages


def test_a_geopackage_gives_zones_with_their_names(tmp_path: Path) -> None:
    """A record without geometry and a point without distance are explained."""
    wkb = [
        SQUARE_WKB,
        None,
        shapely.Point(*PHOENIX).wkb,
        shapely.force_3d(shapely.Polygon(square()), 5.0).wkb,
    ]
    report = read(geopackage(tmp_path / "a.gpkg", wkb), file_name="zones.gpkg")
    assert report.format == "GEOPACKAGE"
    assert [candidate.name for candidate in report.usable] == ["zone 1", "zone 4"]
    assert any("no geometry" in text for text in remedies(report, "WARNING"))
    assert any("needs the distance" in text for text in remedies(report))
    assert any("Heights" in text for text in remedies(report, "INFO"))


_FOR_EVER = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER TABLE zones RENAME TO z; CREATE VIEW zones AS SELECT * FROM z;", "a view"),
        (
            f"ALTER TABLE zones RENAME TO z; CREATE VIEW zones AS {_FOR_EVER} SELECT z.* FROM z, c;",
            "a view",
        ),
        (
            f"ALTER TABLE gpkg_contents RENAME TO z;\nCREATE VIEW gpkg_contents AS {_FOR_EVER} SELECT 1;",
            "no layer",
        ),
        (
            "INSERT INTO gpkg_contents SELECT 'b', 'features', 'b', '', '', 0, 0, 0, 0, 4326;",
            "several layers",
        ),
        ("DELETE FROM gpkg_contents;", "no layer"),
        ("DROP TABLE gpkg_geometry_columns;", "no layer"),
        ("DROP TABLE zones;", "a view"),
    ],
)
def test_a_geopackage_that_computes_or_lacks_its_tables_is_refused(
    tmp_path: Path, statement: str, words: str
) -> None:
    """Tables of features only: a view could compute for ever, or differ between two looks."""
    assert words in refusal(geopackage(tmp_path / "a.gpkg", [SQUARE_WKB], statements=[statement]))


def test_a_trigger_does_nothing(tmp_path: Path) -> None:
    """Nothing is ever written, so nothing fires."""
    trigger = "CREATE TRIGGER t AFTER INSERT ON zones BEGIN DELETE FROM zones; END;"
    assert len(read(geopackage(tmp_path / "a.gpkg", [SQUARE_WKB], statements=[trigger])).usable) == 1


@pytest.mark.parametrize("srs", [-1, 0, 99_999])
def test_a_geopackage_without_a_known_system_is_refused(tmp_path: Path, srs: int) -> None:
    """Its numbers could be anywhere."""
    words = refusal(geopackage(tmp_path / "a.gpkg", [SQUARE_WKB], srs=srs))
    assert "coordinate system" in words


@pytest.mark.parametrize("size", [100, 4_000, 12_000, 30_000])
def test_a_geopackage_that_breaks_off_is_refused(tmp_path: Path, size: int) -> None:
    """As damaged, wherever it ends."""
    data = geopackage(tmp_path / "a.gpkg", [SQUARE_WKB] * 500)
    assert size < len(data)
    assert "GeoPackage" in refusal(data[:size])


@pytest.mark.parametrize(
    ("wkb", "words"),
    [
        (struct.pack("<BIII", 1, 3, 1, 0xFFFFFFF0), None),
        (struct.pack("<BII", 1, 6, 0x7FFFFFFF) + SQUARE_WKB, None),
        (struct.pack("<BIII", 1, 3, 1, 4) + struct.pack("<8d", 0, 0, 1, 0, 1, 1, 0, 1), "closed"),
        (struct.pack("<BII", 1, 16, 0), None),
        (
            struct.pack("<BIII", 1, 3, 1, 4) + struct.pack("<8d", 0, 0, 1, 0, float("nan"), 1, 0, 0),
            "not finite",
        ),
        (
            struct.pack("<BIII", 1, 3, 1, 4) + struct.pack("<8d", 0, 0, 1, 0, float("inf"), 1, 0, 0),
            "infinite",
        ),
        (struct.pack("<BI", 1, 3), None),
        (b"\x01", None),
        (b"", None),
    ],
)
def test_a_broken_geometry_is_refused_or_explained(tmp_path: Path, wkb: bytes, words: str | None) -> None:
    """Huge counts, open rings, numbers that are none: never a zone, never a crash of ours."""
    data = geopackage(tmp_path / "a.gpkg", [wkb])
    found = read_or_refusal(data)
    if isinstance(found, str):
        assert words is None, found
        return
    assert not found.usable
    assert words is None or any(words in finding.value for finding in found.findings)


def test_a_database_that_is_no_geopackage_is_told(tmp_path: Path) -> None:
    """By its application id."""
    data = geopackage(tmp_path / "a.gpkg", [SQUARE_WKB], statements=["PRAGMA application_id = 1;"])
    assert "no GeoPackage" in refusal(data)


def test_a_geopackage_that_computes_for_ever_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GDAL asks a table of the format that is an endless view: the child is killed, in words."""
    monkeypatch.setattr(gdal, "CHILD_WALL_S", 6)
    view = (
        f"CREATE VIEW gpkg_extensions AS {_FOR_EVER} SELECT 'a' AS table_name, 'b' AS column_name, 'c' AS"
        " extension_name, 'd' AS definition, 'e' AS scope FROM c WHERE x < 0;"
    )
    assert "computing time" in refusal(geopackage(tmp_path / "a.gpkg", [SQUARE_WKB], statements=[view]))
    left = subprocess.run(["pgrep", "-f", "gdal_child.py GEOPACKAGE"], capture_output=True, check=False)
    mine = [pid for pid in left.stdout.split() if _parent_of(int(pid)) == os.getpid()]
    assert mine == []


def _parent_of(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return -1
    return int(stat.rpartition(")")[2].split()[1])
