"""The kit over kernels and interpolators in every way that a stranger can write them, C code among them."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy import LowLevelCallable

import drizframe
from drizframe.errors import PluginError
from drizframe.testing import CheckFailure, checks_for, examples, run_checks
from drizframe.testing.checking import expecting_failure

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "kernel.md"


def bell(dx, dy, *, pixfrac):
    return 3.0 / (np.pi * pixfrac**2) * np.exp(-3.0 * (dx * dx + dy * dy) / pixfrac**2)


def cone(dx, dy, *, pixfrac):
    r = 1.2 * pixfrac
    return 3.0 / (np.pi * r**2) * np.clip(1.0 - np.hypot(dx, dy) / r, 0.0, None)


def skew(dx, dy, *, pixfrac):
    norm = 3.0 * np.sqrt(0.96) / (np.pi * pixfrac**2)
    return norm * np.exp(-3.0 * (dx * dx + dy * dy + 0.4 * dx * dy) / pixfrac**2)


def width(pixfrac):
    return 1.2 * pixfrac


def kernel(**way):
    return drizframe.Kernel(name="mine.way", summary="Mine.", **way)


def interpolator(**way):
    return drizframe.Interpolator(name="mine.way", summary="Mine.", traits={"linear"}, **way)


def library(folder, code):
    """Compile C code."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    (folder / "code.c").write_text(code)
    command = [compiler, "-O2", "-shared", "-fPIC", "code.c", "-o", "code.so", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "code.so"))


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    """The point function of the how-to page."""
    code = re.search(r"```c file=pyramid.c\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    return drizframe.PointFunction(("pyramid", library(tmp_path_factory.mktemp("c"), code)))


@pytest.fixture
def edited(tmp_path):
    """Makes a point kernel from the documented code with one change."""

    def edit(old, new):
        code = re.search(r"```c file=pyramid.c\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
        assert old in code
        function = drizframe.PointFunction(("pyramid", library(tmp_path, code.replace(old, new))))
        return kernel(
            point=LowLevelCallable(function),
            support=lambda pixfrac, scale: 1.5,
            traits={"conserves_flux", "non_negative"},
        )

    return edit


def failures(record):
    with examples(12):
        return {o.check: o.text for o in run_checks(record) if not o.ok}


@pytest.mark.parametrize("profile", [bell, cone, skew])
def test_profiles_of_kernels_pass(profile):
    record = kernel(profile=profile, support=width, traits={"non_negative", "rotation_invariant"})
    found = failures(record)
    assert set(found) == ({"check_rotation_invariant"} if profile is skew else set()), found


@pytest.mark.parametrize("profile", [bell, cone, skew])
def test_profiles_of_interpolators_pass(profile):
    record = interpolator(profile=lambda dx, dy: profile(dx, dy, pixfrac=1.0), support=1.2)
    assert failures(record) == {}


def test_a_point_function_in_c_passes_as_kernel_and_as_interpolator(documented):
    point = LowLevelCallable(documented)
    traits = {"conserves_flux", "non_negative"}
    assert failures(kernel(point=point, support=lambda pixfrac, scale: 1.0, traits=traits)) == {}
    assert failures(interpolator(point=point, support=1)) == {}


@pytest.mark.parametrize(
    ("old", "new", "check", "words"),
    [
        ("w[3] = p * q;", "w[3] = 0.96 * p * q;", "check_conserves_flux", "expected: 1.0"),
        (
            "double p = x - floor(x)",
            "x += 0.25; double p = x - floor(x)",
            "check_centred",
            "mean of centroid",
        ),
        ("w[0] = (1", "w[0] = -(1", "check_non_negative", "no negative weight"),
        (
            "*nx = *ny = 2;",
            "*nx = *ny = 9; for (int k = 0; k < 81; k++) w[k] = 0;",
            "check_shape_and_type",
            "outside of its support",
        ),
        (
            "w[1] = p",
            "static double n; n += 1.0; w[1] = n * p",
            "check_window_independence",
            "whatever the window",
        ),
    ],
)
def test_faults_in_c_are_caught(edited, old, new, check, words):
    record = edited(old, new)
    (found,) = [c for c in checks_for(record) if c.name == check]
    with examples(200), expecting_failure(True), pytest.raises((CheckFailure, PluginError)) as caught:
        found.run(record, None)
    assert words in str(caught.value)


def test_the_check_of_a_compiled_body_catches_another_body():
    square, turbo = (drizframe.registry().get("kernel", n) for n in ("square", "turbo"))
    mixed = drizframe.Kernel(
        name="mine.mixed", summary="Mixed up.", footprint=turbo.footprint, fast=turbo.fast, support=turbo.support,
        block=lambda pixfrac, scale: turbo.block(0.9 * pixfrac, scale),
    )  # fmt: skip
    assert set(failures(mixed)) == {"check_body_equals_fast"}
    (check,) = [c for c in checks_for(square) if c.name == "check_body_equals_fast"]
    with pytest.raises(CheckFailure, match="block gives what fast gives"), examples(5):
        check.run(mixed, None)


def exposures():
    from astropy.wcs import WCS

    made = []
    for k in range(3):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
        wcs.wcs.crpix, wcs.wcs.cdelt = [20.0 + 0.41 * k, 16.0 - 0.37 * k], [-1e-5, 1e-5]
        image = np.random.default_rng(k).normal(2.0, 0.1, (32, 40)).astype(np.float32)
        made.append(drizframe.Exposure.from_arrays(image, wcs, name=f"d{k}", exptime=100.0, readnoise=3.0))
    return made


def test_runs_use_them_and_say_what_ran(documented):
    point = LowLevelCallable(documented)
    components = {
        "final_kernel": kernel(point=point, support=lambda pixfrac, scale: 1.0),
        "driz_sep_kernel": kernel(profile=bell, support=width),
        "blot_interp": interpolator(point=point, support=1),
    }
    fast, slow = (drizframe.run(exposures(), backend=b, **components) for b in ("cython", "reference"))
    for name in ("kernel mine.way", "interpolator mine.way"):
        assert fast.backends[name] == "cython"
        assert slow.backends[name] == "reference"
    np.testing.assert_allclose(fast.sci, slow.sci, rtol=1e-4, equal_nan=True)
    stock = drizframe.run(exposures(), driz_sep_kernel=components["driz_sep_kernel"], blot_interp="linear")
    mine = drizframe.run(
        exposures(), driz_sep_kernel=components["driz_sep_kernel"], blot_interp=components["blot_interp"]
    )
    np.testing.assert_allclose(mine.sci, stock.sci, rtol=1e-5, equal_nan=True)
