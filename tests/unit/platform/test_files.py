"""Files that a person names: they appear whole or not at all, and what is no file stays what it is."""

import os
import stat
import threading
from pathlib import Path

import pytest

from stayaway.kernel.errors import SettingsError
from stayaway.platform.files import new_private_file, whole_file


def write(path: Path, data: bytes = b"whole\n") -> None:
    with whole_file(path) as file:
        file.write(data)


def fail_midway(path: Path) -> None:
    with whole_file(path) as file:
        file.write(b"half")
        raise RuntimeError


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_a_new_file_is_private_until_it_is_whole(tmp_path: Path, mask: int) -> None:
    """Nobody else may open what is not whole yet, or foretell its name; whole, it is like any new file."""
    before = os.umask(mask)
    try:
        with whole_file(tmp_path / "out") as file:
            file.write(b"whole\n")
            (part,) = tmp_path.iterdir()
            assert part.name != "out"
            assert "out" not in part.name
            assert stat.S_IMODE(part.stat().st_mode) == 0o600
    finally:
        os.umask(before)
    (out,) = tmp_path.iterdir()
    assert (out.name, out.read_bytes()) == ("out", b"whole\n")
    assert stat.S_IMODE(out.stat().st_mode) == 0o666 & ~mask


def test_what_was_there_keeps_its_mode(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_bytes(b"before")
    out.chmod(0o640)
    write(out)
    assert (out.read_bytes(), stat.S_IMODE(out.stat().st_mode)) == (b"whole\n", 0o640)


@pytest.mark.parametrize("there", [True, False])
def test_a_failure_leaves_what_was_there(tmp_path: Path, there: bool) -> None:
    out = tmp_path / "out"
    if there:
        out.write_bytes(b"before")
    with pytest.raises(RuntimeError):
        fail_midway(out)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == ([b"before"] if there else [])


def test_a_link_stays_and_the_file_that_it_names_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "real").write_bytes(b"before")
    link = tmp_path / "link"
    link.symlink_to("folder/real")
    write(link)
    assert link.is_symlink()
    assert (folder / "real").read_bytes() == b"whole\n"
    assert sorted(path.name for path in folder.iterdir()) == ["real"]


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "missing")
    with pytest.raises(SettingsError, match="link cannot be written: No such file or directory"):
        write(link)
    assert list(tmp_path.iterdir()) == [link]


@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_fifo_takes_what_is_written_and_stays_one(tmp_path: Path, through_a_link: bool) -> None:
    fifo = named = tmp_path / "fifo"
    os.mkfifo(fifo)
    if through_a_link:
        named = tmp_path / "link"
        named.symlink_to(fifo)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_bytes()))
    reader.start()
    write(named)
    reader.join(10)
    assert read == [b"whole\n"]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is no file"):
        write(tmp_path)


def test_a_private_file_that_could_not_be_filled_is_gone_again(tmp_path: Path) -> None:
    """Else a second try would be refused, because it is there."""

    def fail() -> None:
        with new_private_file(tmp_path / "advice", "advice file"):
            raise SettingsError("Something else is wrong.")

    with pytest.raises(SettingsError, match="Something else"):
        fail()
    with new_private_file(tmp_path / "advice", "advice file") as file:
        file.write("all of it")
    assert (tmp_path / "advice").read_text() == "all of it"
    with pytest.raises(SettingsError, match="cannot be made"):
        fail()
    assert (tmp_path / "advice").read_text() == "all of it"
