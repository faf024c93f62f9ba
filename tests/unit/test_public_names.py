"""Stock components and plugins are written as a stranger would write them: from other rooms they import public names only.

For `drizframe.stock` public is what stands in the ``__all__`` of the module that is imported from; for plugins, what the pages
for authors show: `drizframe` itself and the modules in `FOR_AUTHORS`.  The tests of plugins count, too.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import drizframe

PACKAGE = Path(drizframe.__file__).parent
ROOT = Path(__file__).parents[2]
COMPILED = ROOT / "cython_ext"
PLUGINS = ROOT / "plugins"

#: Modules that authors of plugins import from; docs/how-to and docs/reference show each.
FOR_AUTHORS = {
    "drizframe",
    "drizframe.errors",
    "drizframe.headers",
    "drizframe.hooks",
    "drizframe.model",
    "drizframe.testing",
}
#: Private by name, since no plugin needs them: the loader of compiled twins, and the version, for which nobody imports the root.
INSIDE = {"drizframe._fast", "drizframe._version"}

#: Rooms that compiled code knows: errors to raise, and the form of arrays.
COMPILED_KNOW = {"drizframe.errors", "drizframe.model"}
#: An import in a .pyx, which Python's own parser does not read.
CYTHON = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+)?(c?import)[ \t]+([^#\n]+)", re.MULTILINE)


def module_of(path):
    """Return the name of a module of the package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def file_of(name):
    """Return the file of a module of the package; None if it is none."""
    place = PACKAGE.parent.joinpath(*name.split("."))
    return next((p for p in (place / "__init__.py", place.with_suffix(".py")) if p.is_file()), None)


def public_names(name):
    """Return what a module's ``__all__`` says, as it stands in the source."""
    for node in ast.parse(file_of(name).read_text(encoding="utf-8")).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "__all__":
            return {c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant)}
    return set()


def imports(path):
    """Yield line, module and name of each import from the package; name "" where a module is imported whole."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, a.name, "") for a in node.names if a.name.split(".")[0] == "drizframe")
        elif (
            isinstance(node, ast.ImportFrom) and node.level == 0 and node.module.split(".")[0] == "drizframe"
        ):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                module = file_of(whole) is not None and alias.name not in public_names(node.module)
                yield (node.lineno, whole, "") if module else (node.lineno, node.module, alias.name)


def room_of(name):
    """Return the room of a module: of `drizframe.stock`, the room inside."""
    parts = name.split(".")
    return tuple(parts[: 3 if parts[:2] == ["drizframe", "stock"] else 2])


def hidden(name):
    """Whether a module's name says that it is private."""
    return any(part.startswith("_") for part in name.split(".")) and name not in INSIDE


def not_public(path):
    """Return what a stock module takes from other rooms although it is not public."""
    own = room_of(module_of(path))
    return [
        f"line {line}: {module}{':' if name else ''}{name}"
        for line, module, name in imports(path)
        if room_of(module) != own and (hidden(module) or (name and name not in public_names(module)))
    ]


def not_for_authors(path):
    """Return what a module of a plugin takes although no page shows it."""
    return [
        f"line {line}: {module}{':' if name else ''}{name}"
        for line, module, name in imports(path)
        if module not in FOR_AUTHORS or (name and name not in public_names(module))
    ]


def stock_modules():
    return sorted((PACKAGE / "stock").rglob("*.py"))


def plugin_modules():
    return sorted(PLUGINS.rglob("*.py"))


@pytest.mark.parametrize("path", stock_modules(), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_stock_imports_public_names_of_other_rooms(path):
    assert not_public(path) == []


@pytest.mark.skipif(not PLUGINS.is_dir(), reason="tests run apart from the source")
@pytest.mark.parametrize("path", plugin_modules(), ids=lambda p: p.relative_to(PLUGINS).as_posix())
def test_plugins_import_what_is_for_authors(path):
    assert not_for_authors(path) == []


@pytest.mark.parametrize("name", sorted(FOR_AUTHORS))
def test_modules_for_authors_say_what_is_public(name):
    names = public_names(name)
    assert names
    assert not [n for n in names if n.startswith("_") and n != "__version__"]


def wrong_in_cython(text, files):
    """Return what a .pyx or .pxd imports beside C, public names of the rooms that compiled code knows, and these .pxd."""
    wrong = []
    for module, verb, names in CYTHON.findall(text):
        name = module or names.split()[0]
        if verb == "cimport":
            fine = name.split(".")[0] in {"libc", "cpython", "cython"} or name in files
        elif name.split(".")[0] == "drizframe":
            wanted = {n.split(" as ")[0].strip(" ()") for n in names.split(",")}
            fine = name in COMPILED_KNOW and bool(module) and wanted <= public_names(name)
        else:
            fine = name == "numpy"
        wrong += [] if fine else [f"{module} {verb} {names}".strip()]
    return wrong


@pytest.mark.skipif(not COMPILED.is_dir(), reason="tests run apart from the source")
def test_compiled_modules_import_public_names_and_nothing_of_stock():
    sources = sorted([*COMPILED.glob("*.p[yx][xd]"), *(PACKAGE / "include").glob("*.pxd")])
    files = {p.stem for p in sources if p.suffix == ".pxd"}
    assert len(sources) > len(files)
    found = {p.name: wrong_in_cython(p.read_text(encoding="utf-8"), files) for p in sources}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize(
    ("code", "fine"),
    [
        ("from drizframe.errors import ShapeError  # for callers", True),
        ("from accumulate cimport Sums, add_pixel", True),
        ("from drizframe.stock.kernels.square import SQUARE", False),
        ("    from drizframe.stock import kernels", False),
        ("import drizframe.stock.kernels", False),
        ("from drizframe.model import _arrays", False),
        ("from elsewhere cimport Sums", False),
        ("import scipy", False),
    ],
)
def test_an_import_that_compiled_code_must_not_have_is_found(code, fine):
    assert (wrong_in_cython(code, {"accumulate"}) == []) is fine


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("from drizframe.hooks import Kernel", 0),
        ("from drizframe.hooks.plugins import manager", 0),
        ("from drizframe.hooks import _Kernel", 1),
        ("from drizframe.model._arrays import frozen", 1),
        ("def f():\n    from drizframe.pixels._statistics import clip", 1),
        ("from drizframe.pixels.statistics import np", 1),
        ("from drizframe._fast import load", 0),
        ("import drizframe.hooks._plugins", 1),
        ("from drizframe.stock.io._cards import card", 1),
        ("from drizframe.stock.kernels._shared import weight", 0),
        ("from drizframe._fast.square import square", 1),
    ],
)
def test_an_import_that_is_not_public_is_found(code, found, monkeypatch, tmp_path):
    monkeypatch.setitem(globals(), "module_of", lambda path: "drizframe.stock.kernels.mine")
    module = tmp_path / "mine.py"
    module.write_text(code, encoding="utf-8")
    assert len(not_public(module)) == found
