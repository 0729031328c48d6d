"""Shapefile and GeoPackage: read by GDAL in a child that can reach nothing, and is not trusted."""

import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import shapely

from stayaway.orders.zonefiles import children, gdal, gdal_child
from stayaway.orders.zonefiles.children import ChildFailedError
from stayaway.orders.zonefiles.confine import seccomp_program
from support.waiting import eventually
from support.zone_files import (
    geopackage,
    read,
    read_or_refusal,
    refusal,
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


# ---------------------------------------------------------------- what it answers


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
