"""Modules do not import each other in circles; tools/list_circles.py finds those that do."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import drizframe

PACKAGE = Path(drizframe.__file__).parent
TOOL = Path(__file__).parents[2] / "tools" / "list_circles.py"
pytestmark = pytest.mark.skipif(not TOOL.is_file(), reason="tests run apart from the source")


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("list_circles", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def package(tmp_path):
    """Make a package of files with the given text."""

    def make(**files):
        folder = tmp_path / "planted"
        for name, text in {"__init__": "", **files}.items():
            path = folder.joinpath(*name.split(".")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return folder

    return make


def test_the_package_has_at_most_two_circles_of_imports(tool, capsys):
    code = tool.main([str(PACKAGE), "--most", "2"])
    assert code == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    "files",
    [
        {"a": "import planted.b", "b": "from planted.c import x", "c": "from . import a"},
        {"a": "from planted.sub import b", "sub.__init__": "", "sub.b": "from ..a import x"},
        {"sub.__init__": "from planted.sub.b import x", "sub.b": "from planted import sub"},
        {
            "a": "try:\n    from planted import b\nexcept ImportError:\n    b = None",
            "b": "class X:\n    import planted.a",
        },
        {
            "a": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import x\nelse:\n    import planted.b",
            "b": "import planted.a",
        },
    ],
    ids=["three files", "another folder", "the folder itself", "in blocks", "not for types"],
)
def test_a_circle_is_found(files, tool, package, capsys):
    assert tool.main([str(package(**files)), "--most", "0"]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 circles between")


@pytest.mark.parametrize(
    "text",
    [
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import planted.a",
        "import typing\nif typing.TYPE_CHECKING:\n    import planted.a",
    ],
)
def test_imports_for_types_make_no_circle(text, tool, package):
    assert tool.main([str(package(a="import planted.b", b=text)), "--lazy", "--most", "0"]) == 0


def test_imports_that_wait_for_a_call_are_listed_when_asked_for(tool, package, capsys):
    folder = package(a="import planted.b", b="def f():\n    from planted.a import x")
    assert tool.main([str(folder), "--most", "0"]) == 0
    assert tool.main([str(folder), "--most", "0", "--lazy"]) == 1
    assert "planted.a -> planted.b ~> planted.a" in capsys.readouterr().out
