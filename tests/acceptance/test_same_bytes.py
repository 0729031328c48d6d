"""The same files give the same bytes whatever the processor offers (promise 3)."""

import sys
from pathlib import Path

import numpy as np
import pytest

from support import geometry_bits
from support.commands import plain_environment, run_stayaway
from support.worlds import draw_world

SEEDS = range(40, 46)
# What the C library may use besides the baseline; names unknown to this processor are ignored.
PLAIN_LIBRARY = "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX2_Usable,-FMA,-FMA_Usable,-FMA4_Usable,-AVX_Usable"


def numpy_features() -> str:
    """The dispatched features of this processor that NumPy can be told not to use."""
    from numpy._core._multiarray_umath import (  # type: ignore[import-not-found] # no public name for it
        __cpu_dispatch__,
        __cpu_features__,
    )

    return " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    found = []
    for seed in SEEDS:
        world, folder = draw_world(seed), tmp_path_factory.mktemp(f"world{seed}")
        (folder / "orders.json").write_bytes(world.orders_bytes())
        (folder / "policy.json").write_bytes(world.policy_bytes())
        (folder / "events.jsonl").write_bytes(b"".join(world.lines))
        found.append(folder)
    return found


def printed(folder: Path, **environment: str) -> bytes:
    files = [f"--{name}={folder / file}" for name, file in (
        ("orders", "orders.json"), ("policy", "policy.json"), ("events", "events.jsonl"),
    )]  # fmt: skip
    return run_stayaway("decide", *files, env=plain_environment(**environment)).stdout


PLAIN_MACHINES = pytest.mark.parametrize(
    "environment",
    [
        {"NPY_DISABLE_CPU_FEATURES": numpy_features()},
        {"GLIBC_TUNABLES": PLAIN_LIBRARY},
        {
            "NPY_DISABLE_CPU_FEATURES": numpy_features(),
            "GLIBC_TUNABLES": PLAIN_LIBRARY,
            "PYTHONHASHSEED": "7",
        },
    ],
    ids=["numpy", "libm", "both"],
)


@PLAIN_MACHINES
def test_without_the_processors_features(folders: list[Path], environment: dict[str, str]) -> None:
    for folder in folders:
        with_all = printed(folder)
        assert b'"summary.v1"' in with_all
        assert printed(folder, **environment) == with_all


@PLAIN_MACHINES
def test_every_bit_of_the_geometry(environment: dict[str, str]) -> None:
    """Distances and probabilities before they are rounded or compared with anything."""

    def digest(**more: str) -> bytes:
        done = run_stayaway(command=(sys.executable, geometry_bits.__file__), env=plain_environment(**more))
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert digest(**environment) == digest()


def test_there_is_something_to_switch_off() -> None:
    assert numpy_features(), "this NumPy dispatches nothing here; the test above shows little"
    assert np.__version__
