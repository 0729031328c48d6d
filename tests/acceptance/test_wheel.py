"""The built wheel carries everything that `decide`, the page and `demo` need."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.commands import plain_environment, run_stayaway
from support.days import REPO, write_example


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(REPO)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return next(out.glob("*.whl"))


def test_what_the_wheel_holds(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in (
        "py.typed",
        "platform/migrations/0001_first.sql",
        "alerts/alerts.sql",
        "console/templates/alert.html",
    ):
        assert f"stayaway/{name}" in names
    assert "stayaway/demo_day/events.jsonl.gz" in names
    assert any(name.startswith("stayaway/console/static/vendor/maplibre-gl") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_installed_wheel_runs(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    env = plain_environment(PYTHONPATH=str(target), XDG_STATE_HOME=str(tmp_path / "state"))
    where = run_from(env, tmp_path, "-c", "import stayaway; print(stayaway.__file__)")
    assert where.startswith(str(target))
    files = write_example(tmp_path / "files")
    assert run_stayaway("decide", *files.options(), env=env, cwd=tmp_path).returncode == 0
    done = run_stayaway("demo", *files.options(), "--exit-when-done", "--json", env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["alerts"] == 1
    day = run_from(env, tmp_path, "-c", "from stayaway.demo.day import packaged_day; print(packaged_day())")
    assert Path(day) == target / "stayaway" / "demo_day"


def run_from(env: dict[str, str], folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        env=env,
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.strip()
