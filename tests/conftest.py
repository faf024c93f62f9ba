"""Hypothesis profiles, and the real exposures."""

from __future__ import annotations

import lzma
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def unpack(directory: Path, name: str, into: Path) -> Path:
    """Path of ``directory/name``; if only ``name.xz`` is there, of its unpacked copy in `into`, read-only."""
    plain, packed, target = directory / name, directory / f"{name}.xz", into / name
    if plain.is_file():
        return plain
    if not target.is_file():
        part = target.with_suffix(".part")
        with lzma.open(packed) as source, part.open("wb") as copy:
            shutil.copyfileobj(source, copy)
        part.chmod(0o444)
        part.rename(target)
    return target


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The directory of real exposures (environment variable DRIZFRAME_REAL_DATA); skips without it."""
    value = os.environ.get("DRIZFRAME_REAL_DATA")
    if not value:
        pytest.skip("needs real exposures: set DRIZFRAME_REAL_DATA to their directory")
    directory = Path(value)
    if not directory.is_dir():
        pytest.fail(f"DRIZFRAME_REAL_DATA is {value!r}, which is no directory")
    return directory


@pytest.fixture(scope="session")
def real_fits(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """From ``name.fits`` to its path, unpacking ``name.fits.xz`` on demand. Do not write to it: copy."""
    into = tmp_path_factory.mktemp("real_data")
    return lambda name: unpack(real_data, name, into)
