"""What the package imports: the root stays a name for users, and heavy libraries wait until they are used."""

from __future__ import annotations

import ast
import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import drizframe

PACKAGE = Path(drizframe.__file__).parent
MESON = Path(__file__).parents[2] / "meson.build"


def imported_roots(path):
    """Names that a module imports from the root of the package."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name == "drizframe")
        elif isinstance(node, ast.ImportFrom) and node.module == "drizframe" and node.level == 0:
            yield from (
                a.name
                for a in node.names
                if not (PACKAGE / a.name).is_dir() and not (PACKAGE / f"{a.name}.py").is_file()
            )


def test_no_module_of_the_package_imports_names_from_the_root():
    found = {
        str(p.relative_to(PACKAGE)): names
        for p in PACKAGE.rglob("*.py")
        if (names := list(imported_roots(p)))
    }
    assert found == {}


@pytest.mark.skipif(not MESON.is_file(), reason="tests run apart from the source")
def test_the_version_is_that_of_the_distribution():
    assert (
        re.search(r"version: '([^']+)'", MESON.read_text(encoding="utf-8")).group(1) == drizframe.__version__
    )


MODULES = (
    "drizframe.api", "drizframe.astrodrizzle", "drizframe.cli.app", "drizframe.compat", "drizframe.config", "drizframe.engine.schedule",
    "drizframe.errors", "drizframe.fits", "drizframe.grids", "drizframe.headers", "drizframe.hooks", "drizframe.model",
    "drizframe.pixels", "drizframe.report", "drizframe.resample", "drizframe.resample._arguments", "drizframe.simulate",
    "drizframe.stock.io.fits_reader", "drizframe.testing", "drizframe.utils",
)  # fmt: skip


@pytest.mark.parametrize("module", MODULES)
def test_each_module_can_be_the_first_that_is_imported(module):
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)


@pytest.mark.parametrize("first", ["drizframe.utils", "drizframe.resample"])
def test_functions_of_utils_are_those_of_resample(first):
    program = (
        f"import {first}; from drizframe import resample, utils; from drizframe.resample import calc_pixmap"
    )
    program += "; assert calc_pixmap is utils.calc_pixmap and resample.decode_context is utils.decode_context"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import drizframe", ("numpy", "astropy", "scipy", "pluggy", "pydantic", "hypothesis", "typer")),
        ("import drizframe; drizframe.registry()", ("scipy", "hypothesis", "astropy.wcs", "typer", "rich")),
    ],
)
def test_what_is_not_used_is_not_imported(code, absent):
    program = f"import sys; {code}; print(*[n for n in {absent!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", ["frames", "custom_frames"])
def test_modules_that_programs_import_are_found_by_their_former_names(name):
    old, new = (importlib.import_module(f"drizframe.{room}.{name}") for room in ("engine", "grids"))
    assert old is new


@pytest.mark.parametrize("absent", ["compat/elsewhere.py", "errors.py"])
def test_an_unknown_module_of_a_package_with_holes_is_an_ordinary_error(absent, tmp_path):
    source = Path(drizframe.__file__).parent
    shutil.copytree(
        source, tmp_path / "drizframe", ignore=shutil.ignore_patterns("*.so", "__pycache__", "data")
    )
    (tmp_path / "drizframe" / absent).unlink()
    code = "import drizframe\ntry: import drizframe.no_such_thing\nexcept ModuleNotFoundError as e: print('told', e.name)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "told drizframe.no_such_thing", done.stderr
