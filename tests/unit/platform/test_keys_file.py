"""The keys file itself: whose it is, what it may hold, and several writers of it at once."""

import base64
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import stayaway
from stayaway.platform.seal import SYSTEM_SCOPE, FileSeal, NoKeyError, SealError
from support.keys import made_keys

TEXT = b"8AK471, Ann Example, 1 Elm Street"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.jsonl"


def test_keys_stay_after_a_restart(path: Path) -> None:
    sealed = made_keys(path).seal(SYSTEM_SCOPE, "p", TEXT)
    assert made_keys(path).unseal(SYSTEM_SCOPE, "p", sealed) == TEXT


def test_the_file_is_for_its_owner_alone(path: Path) -> None:
    os.umask(os.umask(0o022))
    made_keys(path)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700 | 0o001])
def test_a_file_that_others_may_open_is_refused(path: Path, mode: int) -> None:
    made_keys(path)
    path.chmod(mode)
    with pytest.raises(SealError, match="for this account alone"):
        made_keys(path)


def test_a_link_is_refused(path: Path, tmp_path: Path) -> None:
    made_keys(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SealError, match="cannot be opened"):
        made_keys(path)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(SealError, match="cannot be opened"):
        made_keys(tmp_path / "nowhere" / "keys")


def test_another_process_sees_new_keys(path: Path) -> None:
    """Two seals over one file stand for two processes: each rereads when the file has grown."""
    one, other = made_keys(path), made_keys(path)
    one.ensure(["O1"])
    sealed = one.seal("O1", "p", TEXT)
    assert other.unseal("O1", "p", sealed) == TEXT
    other.ensure(["O1", "O2"])
    assert one.unseal("O2", "p", other.seal("O2", "p", TEXT)) == TEXT
    assert scopes(path) == [SYSTEM_SCOPE, "O1", "O2"]


def scopes(path: Path) -> list[str]:
    return [json.loads(line)["scope"] for line in path.read_text().splitlines()]


_ENSURE_MANY = """
import sys, pathlib
from stayaway.platform.seal import FileSeal
seal = FileSeal(pathlib.Path(sys.argv[1]))
for n in range(int(sys.argv[2]), int(sys.argv[2]) + 40):
    seal.ensure([f"O{n}", f"O{n + 1}"])
"""


def test_many_processes_at_once_make_each_key_once(path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(stayaway.__file__).parent.parent)}
    members = [
        subprocess.Popen([sys.executable, "-c", _ENSURE_MANY, str(path), str(10 * n)], env=environment)
        for n in range(3)
    ]
    assert [member.wait(60) for member in members] == [0, 0, 0]
    found = scopes(path)
    assert len(found) == len(set(found)) == 62


def test_many_threads_at_once_make_each_key_once(path: Path) -> None:
    seal = made_keys(path)
    threads = [threading.Thread(target=seal.ensure, args=([f"O{n % 7}"],)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(scopes(path)) == 8


def test_a_torn_line_of_a_killed_writer_is_cut_off(path: Path) -> None:
    seal = made_keys(path)
    with path.open("ab") as file:
        file.write(b'{"scope": "O1", "key": "AAAA')
    fresh = made_keys(path)
    fresh.ensure(["O2"])
    assert scopes(path) == [SYSTEM_SCOPE, "O2"]
    assert seal.unseal("O2", "p", fresh.seal("O2", "p", TEXT)) == TEXT


@pytest.mark.parametrize("end", [b"", b" ", b"\r"])
def test_a_last_key_without_its_lines_end_is_a_key(path: Path, end: bytes) -> None:
    """As `$(cat keys)`, an editor or a store of secrets leaves it."""
    seal = made_keys(path)
    seal.ensure(["O1", "O2"])
    sealed = seal.seal("O2", "p", TEXT)
    path.write_bytes(path.read_bytes().rstrip(b"\n") + end)
    assert FileSeal(path, must_exist=True).unseal("O2", "p", sealed) == TEXT
    running = FileSeal(path)
    running.ensure(["O2", "O3"])
    running.ensure(["O4"])
    assert scopes(path) == [SYSTEM_SCOPE, "O1", "O2", "O3", "O4"]
    for one in (seal, running, FileSeal(path)):
        assert one.unseal("O2", "p", sealed) == TEXT


def test_a_file_is_made_by_the_first_key_alone(path: Path) -> None:
    seal = FileSeal(path)
    with pytest.raises(SealError, match="there is no keys file"):
        seal.reference(SYSTEM_SCOPE, "ann")
    assert not path.exists()
    seal.ensure(())
    assert scopes(path) == [SYSTEM_SCOPE]


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        '{"scope": "O1"}',
        '{"scope": "O1", "key": "AAAA"}',
        '{"scope": "O1", "key": "!"}',
        '{"scope": 1, "key": "' + base64.b64encode(bytes(32)).decode() + '"}',
    ],
)
def test_a_line_that_is_no_key_is_refused(path: Path, line: str) -> None:
    made_keys(path)
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(SealError, match="keys file"):
        made_keys(path).ensure(["O9"])


def test_a_shortened_file_is_found(path: Path) -> None:
    seal = made_keys(path)
    seal.ensure(["O1"])
    path.write_bytes(b"")
    with pytest.raises(SealError, match="become shorter"):
        seal.ensure(["O2"])


def test_a_replaced_file_is_read_anew(path: Path, tmp_path: Path) -> None:
    """A key is destroyed by replacing the file: it is then gone from a running seal, too."""
    seal = made_keys(path)
    seal.ensure(["O1"])
    kept = [line for line in path.read_text().splitlines() if '"O1"' not in line]
    replacement = tmp_path / "new"
    replacement.touch(mode=0o600)
    replacement.write_text("\n".join(kept) + "\n")
    replacement.replace(path)
    seal.ensure(["O2"])
    with pytest.raises(SealError, match="no key"):
        seal.seal("O1", "p", TEXT)


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_full_disk_leaves_the_file_as_it_was(path: Path, end: bytes) -> None:
    made_keys(path)
    before = path.read_bytes().rstrip(b"\n") + end
    path.write_bytes(before)
    seal = FileSeal(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, limits[1]))
        with pytest.raises(SealError, match="could not be written"):
            seal.ensure(["O1", "O2"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == before
    seal.ensure(["O1"])
    assert scopes(path) == [SYSTEM_SCOPE, "O1"]


def test_keys_that_must_be_there_are_never_made(path: Path) -> None:
    with pytest.raises(SealError, match="there is no keys file"):
        FileSeal(path, must_exist=True)
    assert not path.exists()


def test_a_file_without_any_key_is_not_what_must_be_there(path: Path) -> None:
    path.touch(mode=0o600)
    with pytest.raises(NoKeyError):
        FileSeal(path, must_exist=True)
    assert path.read_bytes() == b""


def test_keys_that_must_be_there_seal_and_grow_as_others(path: Path) -> None:
    first = made_keys(path)
    first.ensure(["O1"])
    second = FileSeal(path, must_exist=True)
    assert second.unseal("O1", "p", first.seal("O1", "p", TEXT)) == TEXT
    second.ensure(["O2"])
    assert scopes(path) == [SYSTEM_SCOPE, "O1", "O2"]


def test_many_keys_read_at_once_are_the_same_keys(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a table or one by one: ids of any length, lines written by hand, keys added later."""
    scopes_ = [*(f"O{10**n}" for n in range(100)), "a.b:c_d-e", "naïve", 'quo"te', "back\\slash", "x" * 300]
    made_keys(path).ensure(scopes_)
    spaced = json.dumps({"key": base64.b64encode(bytes(32)).decode(), "scope": "HAND"}, indent=None)
    with path.open("a") as file:
        file.write(spaced + "\n")
    plain = made_keys(path)
    monkeypatch.setattr("stayaway.platform.seal._TABLE_BYTES", 1)
    table = made_keys(path)
    assert not plain._tables
    assert table._tables
    plain.ensure(["LATER"])
    for scope in (*scopes_, SYSTEM_SCOPE, "HAND", "LATER"):
        assert table.unseal(scope, "p", plain.seal(scope, "p", TEXT)) == TEXT
    with pytest.raises(SealError, match="no key"):
        table.seal("O", "p", TEXT)


def test_the_first_of_two_keys_of_a_scope_counts_in_a_table_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = made_keys(path)
    seal.ensure(["O1"])
    sealed = seal.seal("O1", "p", TEXT)
    with path.open("a") as file:
        file.write(json.dumps({"scope": "O1", "key": base64.b64encode(bytes(32)).decode()}) + "\n")
    monkeypatch.setattr("stayaway.platform.seal._TABLE_BYTES", 1)
    assert made_keys(path).unseal("O1", "p", sealed) == TEXT


@pytest.mark.parametrize("key", ["A" * 43 + "?", "A" * 44, "A" * 42 + "==", "é" * 22])
def test_a_bad_key_among_many_is_refused(path: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made_keys(path).ensure(f"O{n}" for n in range(20))
    with path.open("a") as file:
        file.write('{"scope": "O99", "key": "' + key + '"}\n')
    monkeypatch.setattr("stayaway.platform.seal._TABLE_BYTES", 1)
    with pytest.raises(SealError, match="keys file"):
        made_keys(path)
