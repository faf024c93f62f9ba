"""A stock component is its own files: planted into a copy of the package, it is found by everything that lists components."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import drizframe
from drizframe import _fast

TESTS = Path(__file__).parents[1]
CYTHON = TESTS.parent / "cython_ext"
#: Room, module that is copied under another name, its component.
PLANTS = [
    ("kernels", "turbo", "kernel"),
    ("combine", "mean", "combiner"),
    ("interpolators", "linear", "interpolator"),
    ("instruments", "wfc3", "instrument"),
]
#: Tests that walk over components, and what they say of a planted one.
COLLECTED = {
    "parity/test_drizzle_parity.py": "test_sums_agree[planted]",
    "parity/test_resample_parity.py": "planted",
    "parity/test_blot_interpolators.py": "test_fast_equals_reference[planted]",
    "parity/test_combine_parity.py": "test_compiled_combiner_equals_reference[planted]",
    "unit/stock/kernels/test_kernel_flux.py": "test_the_measured_flux_error_stands_in_the_record[planted]",
    "unit/api/test_run_options.py": "test_every_combiner_makes_a_clean_image[planted]",
    "properties/test_flux_properties.py": "planted",
    "conformance/test_stock_conformance.py": "instrument-planted-check_facts",
}

USE = """
import numpy as np
import drizframe
from drizframe.resample import Drizzle, blot_image
print(drizframe.__file__)
registry = drizframe.registry()
print(*[registry.entry(f, "planted").provider for f in ("kernel", "combiner", "interpolator", "instrument")])
grid = np.dstack(np.meshgrid(np.arange(20.0), np.arange(20.0)))
out = Drizzle(out_shape=(20, 20), kernel="planted")
out.add_image(np.ones((20, 20), "f4"), 1.0, grid)
print(float(out.out_img[9, 9]), float(blot_image(out.out_img, grid, interp="planted")[9, 9]))
"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Return a folder with a copy of the package in which there are four more modules, and nothing else is changed."""
    folder = tmp_path_factory.mktemp("planted")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(drizframe.__file__).parent, folder / "drizframe", ignore=ignore)
    for room, model, _ in PLANTS:
        place = folder / "drizframe" / "stock" / room
        text = (place / f"{model}.py").read_text()
        assert f'name="{model}"' in text
        (place / "planted.py").write_text(
            text.replace(f'name="{model}"', 'name="planted"').replace("WFC3", "PLANT")
        )
    return folder


def python(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_planted_components_work_by_name(planted):
    done = python(planted, "-c", USE)
    where, providers, values = done.stdout.splitlines() or pytest.fail(done.stderr)
    if not Path(where).is_relative_to(planted):
        pytest.skip("an editable install takes the place of the copy")
    assert providers.split() == ["drizframe"] * 4
    assert values.split() == ["1.0", "1.0"]


@pytest.mark.skipif(_fast.load("turbo") is None, reason="compiled modules are not there, or switched off")
def test_tests_that_walk_over_components_find_planted_ones(planted):
    where = python(planted, "-c", "import drizframe; print(drizframe.__file__)").stdout.strip()
    if not Path(where).is_relative_to(planted):
        pytest.skip("an editable install takes the place of the copy")
    files = [str(TESTS / name) for name in COLLECTED]
    config = ["-c", str(TESTS.parent / "pyproject.toml"), "-p", "no:cacheprovider"]
    done = python(planted, "-m", "pytest", "--collect-only", "-q", *config, *files)
    for name, said in COLLECTED.items():
        ids = [line for line in done.stdout.splitlines() if name in line]
        assert any(said in line for line in ids), (name, done.stdout[-2000:])


def test_a_planted_pyx_is_listed_and_an_old_build_notices(tmp_path):
    copy = tmp_path / "cython_ext"
    shutil.copytree(CYTHON, copy, ignore=shutil.ignore_patterns("__pycache__"))
    script = str(copy / "list_modules.py")
    before = python(tmp_path, script).stdout.splitlines()
    known = [line.replace(" ", "+") for line in before]
    stamp, depfile = str(tmp_path / "modules.stamp"), tmp_path / "modules.d"
    assert python(tmp_path, script, "--check", stamp, str(depfile), *known).returncode == 0
    assert str(copy) in depfile.read_text().split()  # ninja looks again when a file comes to the folder
    os.utime(copy / "meson.build", (0, 0))
    (copy / "planted.pyx").write_text((copy / "square.pyx").read_text())
    assert python(tmp_path, script).stdout.splitlines() == sorted([*before, "planted avx2"])
    done = python(tmp_path, script, "--check", stamp, str(depfile), *known)
    assert done.returncode == 1
    assert "new ['planted+avx2']" in done.stdout
    assert (copy / "meson.build").stat().st_mtime > 0  # the next build is configured anew


def test_one_process_translates_all_that_is_old(tmp_path):
    pytest.importorskip("Cython", reason="translates with Cython")
    copy, build = tmp_path / "cython_ext", tmp_path / "build"
    copy.mkdir()
    build.mkdir()
    for name in ("list_modules.py", "translate.py", "processor.pyx"):
        shutil.copy(CYTHON / name, copy)
    (copy / "planted.pyx").write_text((copy / "processor.pyx").read_text())
    made = [build / "planted.c", build / "processor.c"]

    def translate(output):
        done = python(tmp_path, str(copy / "translate.py"), str(output), "-3")
        assert done.returncode == 0, done.stderr
        return [path.stat().st_mtime_ns for path in made]

    first = translate(made[0])
    assert "drizframe._fast.processor" in made[1].read_text()
    depfiles = [path.with_name(f"{path.name}.dep") for path in made]
    for path in depfiles:
        path.unlink()  # as ninja does
    second = translate(made[1])  # done already: only its time is set
    assert second[0] == first[0]
    assert [path.is_file() for path in depfiles] == [False, True]
    os.utime(copy / "planted.pyx")
    third = translate(made[0])
    assert third[0] > second[0]
    assert third[1] == second[1]
