"""The loader of the compiled modules."""

import subprocess
import sys
from pathlib import Path

import pytest

import drizframe
from drizframe import _fast

CYTHON = Path(__file__).parents[2] / "cython_ext"
DECLARED = sorted(path.stem for path in CYTHON.glob("*.pyx"))


@pytest.mark.parametrize("name", DECLARED)
def test_every_declared_module_is_built(name):
    module = _fast.load(name)
    assert module is not None, _fast.explain()
    assert module.__name__ == f"drizframe._fast.{name}"
    assert name in _fast.available()


def test_unknown_module_is_none():
    assert _fast.load("no_such_module") is None


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
