"""What `DRIZFRAME_BACKEND` says holds wherever compiled code has a NumPy reference."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from drizframe import _fast
from drizframe.errors import BackendError, ParameterError
from drizframe.hooks import Kernel, choose

RUN = """
import sys
import numpy as np
import drizframe
from drizframe.resample import Drizzle, blot_image
from drizframe.simulate import acs_wfc, dither, random_scene, simulate

scene = random_scene(3, stars=20)
exposures = simulate(acs_wfc(), scene, dither(3, seed=3), seed=3, shape=(40, 50)).exposures()
result = drizframe.run(exposures)
print(",".join(sorted(set(result.backends.values()))))
out = Drizzle(out_shape=(30, 30))
out.add_image(np.ones((20, 20)), 1.0, np.dstack(np.meshgrid(np.arange(20.0), np.arange(20.0))))
print(float(out.out_img[5, 5]))
print(",".join(sorted(n for n in sys.modules if n.startswith("drizframe._fast."))))
"""


def said(code, backend):
    environment = {k: v for k, v in os.environ.items() if k != "DRIZFRAME_BACKEND"}
    if backend is not None:
        environment["DRIZFRAME_BACKEND"] = backend
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def backend(monkeypatch):
    """Set what the environment says, for this process."""

    def backend(name):
        monkeypatch.setenv("DRIZFRAME_BACKEND", name)
        _fast.default_backend.cache_clear()

    yield backend
    monkeypatch.undo()
    _fast.default_backend.cache_clear()


def twice(*_args, **_kwargs):
    return 2


def once(*_args, **_kwargs):
    return 1


BOTH = Kernel(
    name="mine.both", summary="Mine.", footprint=once, fast=twice, support=lambda pixfrac, scale: 1.0
)
SLOW = Kernel(name="mine.slow", summary="Mine.", footprint=once, support=lambda pixfrac, scale: 1.0)


def test_reference_keeps_compiled_code_out_of_runs_and_of_the_array_interface():
    done = said(RUN, "reference")
    assert done.stdout.splitlines()[:2] == ["reference", "1.0"], done.stderr
    assert done.stdout.splitlines()[2] in {"", "drizframe._fast.avx2"}


@pytest.mark.parametrize("name", [None, "", "auto", "cython"])
def test_compiled_code_runs_by_default_and_for_cython(name):
    if _fast.load("square") is None:
        pytest.skip("compiled modules are not there, or switched off")
    done = said(RUN, name)
    assert "cython" in done.stdout.splitlines()[0].split(","), done.stderr
    assert "drizframe._fast.square" in done.stdout


def test_it_is_what_auto_means_for_plugins_too(backend):
    backend("reference")
    assert choose(BOTH, "auto") == (once, "reference")
    backend("auto")
    assert choose(BOTH, "auto") == (twice, "cython")
    assert choose(SLOW, "auto") == (once, "reference")
    backend("cython")
    assert choose(BOTH, "auto") == (twice, "cython")
    assert choose(BOTH, "reference") == (once, "reference")
    with pytest.raises(
        BackendError, match=r"'mine\.slow' has no compiled half.*unset DRIZFRAME_BACKEND=cython"
    ):
        choose(SLOW, "auto")


def test_an_explicit_cython_says_what_keeps_it_from_running(backend):
    backend("reference")
    with pytest.raises(BackendError, match="DRIZFRAME_BACKEND=reference keeps compiled code out"):
        choose(SLOW, "cython")
    done = said("import drizframe as d; d.run(['none_flt.fits'], backend='cython')", "reference")
    assert "BackendError: Compiled modules are asked for" in done.stderr
    assert "DRIZFRAME_BACKEND=reference" in done.stderr


@pytest.mark.parametrize("name", ["numpy", "Reference", "1"])
def test_an_unknown_name_is_refused_with_what_is_allowed(backend, name):
    backend(name)
    with pytest.raises(ParameterError, match=f"DRIZFRAME_BACKEND is {name!r}.*'auto'.*'reference'.*'cython'"):
        _fast.default_backend()
    code = "import drizframe as d; d.run('*_flt.fits')"
    assert (
        f"ParameterError: The environment variable DRIZFRAME_BACKEND is {name!r}" in said(code, name).stderr
    )
    done = said(
        "import sys; from drizframe.cli import main; sys.argv = ['drizframe', 'plugins']; main()", name
    )
    assert done.returncode != 0
    assert f"DRIZFRAME_BACKEND is {name!r}" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
