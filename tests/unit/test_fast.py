"""The loader of the compiled modules."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shipped import COMPILED

import drizframe
from drizframe import _fast

CYTHON = Path(__file__).parents[2] / "cython_ext"
DECLARED = sorted(path.stem for path in CYTHON.glob("*.pyx"))


@COMPILED
@pytest.mark.parametrize("name", DECLARED)
def test_every_declared_module_is_built(name):
    module = _fast.load(name)
    assert module is not None, _fast.explain()
    assert module.__name__ == f"drizframe._fast.{name}"
    assert name in _fast.available()


def test_unknown_module_is_none():
    assert _fast.load("no_such_module") is None


@COMPILED
def test_fault_inside_a_module_is_not_hidden(monkeypatch, tmp_path):
    (tmp_path / "needy.py").write_text("import no_such_package_anywhere\n")
    monkeypatch.setattr(_fast, "__path__", [str(tmp_path)])
    with pytest.raises(ModuleNotFoundError, match="no_such_package_anywhere"):
        _fast.load("needy")


def test_explains_a_checkout(tmp_path):
    package = tmp_path / "drizframe" / "_fast"
    package.mkdir(parents=True)
    (package / "__init__.py").write_bytes(Path(_fast.__file__).read_bytes())
    (package.parent / "__init__.py").touch()
    code = "from drizframe import _fast; print(_fast.available(), _fast.load('moments'), _fast.explain())"

    def said():
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert said().startswith("() None the drizframe installed in")
    (tmp_path / "meson.build").touch()
    assert "source checkout" in said()
    assert repr(str(tmp_path)) in said()


def test_nothing_to_explain():
    assert _fast.explain() == ""
    assert Path(drizframe.__file__).parent == Path(_fast.__file__).parents[1]


SUMS = """
import hashlib
import pickle
from pathlib import Path
import numpy as np
from drizframe import _fast, api
from drizframe.pixels.blot import blot_chip
from drizframe.pixels.drizzle import drizzle
from drizframe.hooks import Interpolator, Kernel
from drizframe.model import ChipInput, PixelMap, Window
from drizframe.resample import Drizzle

def bell(dx, dy, *, pixfrac=1.0):
    return np.exp(-2.0 * (dx * dx + dy * dy + 0.3 * dx * dy) / pixfrac**2)

rng = np.random.default_rng(4)
data, weight = rng.normal(size=(40, 50)), rng.uniform(0, 2, (40, 50)) * (rng.random((40, 50)) < 0.9)
pixmap = PixelMap.from_function(lambda x, y: (0.9 * x - 0.4 * y + 20, 0.4 * x + 0.9 * y + 1e-3 * x * y), (40, 50))
registry = api.registry()
kernels = [registry.get("kernel", n) for n in registry.names("kernel")]
kernels.append(Kernel(name="mine", summary="Mine.", profile=bell, support=lambda pixfrac: 1.7))
for kernel in kernels:
    chip = ChipInput(data=[data], weight=weight, number=1, pixmap=pixmap, scale=0.9)
    out = drizzle(Window(0, 60, 0, 70), [chip], kernel, pixfrac=0.8, planes=1, dtype=np.float64)
    print(kernel.name, hashlib.sha256(b"".join(a.tobytes() for a in (out.sci, out.wht, out.ctx))).hexdigest())
mine = Interpolator(name="mine", summary="Mine.", profile=bell, support=1.7)
print(hashlib.sha256(blot_chip(data, pixmap, mine, factor=1.0).tobytes()).hexdigest())
out = Drizzle(out_shape=(60, 70), kernel="square")
out.add_image(data, exptime=3.0, pixmap=np.dstack(np.meshgrid(np.arange(50) * 1.1, np.arange(40) * 1.2)), weight_map=weight)
print(hashlib.sha256(out.out_img.tobytes() + out.out_wht.tobytes()).hexdigest())
print(pickle.loads(pickle.dumps(_fast.load("square").square)) is _fast.load("square").square)
print("avx2" in Path(_fast.load("square").__file__).parts)
"""


@COMPILED
def test_modules_for_other_processors_give_the_same_bits():
    said = []
    for wanted in ("1", "0"):
        environment = {**os.environ, "DRIZFRAME_AVX2": wanted}
        command = [sys.executable, "-c", SUMS]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        said.append(result.stdout.splitlines())
    assert said[1][-2:] == ["True", "False"]
    if said[0][-1] == "False":
        pytest.skip("the processor has no AVX2, or the modules for it were not built")
    assert said[0][:-1] == said[1][:-1]
    assert len(said[0]) > 7
