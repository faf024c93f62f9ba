"""The compiled kernel of a stranger, built as the how-to page says: with nothing but what is installed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import drizframe

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "kernel.md").read_text(encoding="utf-8")


def part_of_page(pattern: str) -> str:
    """Return the first group of a pattern in the page."""
    found = re.search(pattern, PAGE, re.DOTALL)
    assert found
    return found[1]


def c_compiler() -> list[str]:
    """Return the command of the C compiler that Python was built with; skip where there is none, or no Cython."""
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    if shutil.which(compiler[0]) is None:
        pytest.skip(f"compiles with {compiler[0]}")
    pytest.importorskip("Cython", reason="translates with Cython")
    return compiler


def compiled_example(folder: Path) -> Path:
    """Compile the body of the page into a folder; skip where that cannot be."""
    compiler = c_compiler()
    (folder / "box_loop.pyx").write_text(part_of_page(r"```cython file=box_loop\.pyx\n(.*?)```"))
    target = folder / f"box_loop{sysconfig.get_config_var('EXT_SUFFIX')}"
    for command in (
        [sys.executable, "-m", "cython", "-3", "-I", drizframe.get_include(), "box_loop.pyx"],
        [*compiler, "-O3", "-ffp-contract=off", "-shared", "-fPIC", f"-I{sysconfig.get_path('include')}", "box_loop.c", "-o",
         str(target), "-lm"],
    ):  # fmt: skip
        subprocess.run(command, cwd=folder, check=True)
    return target
