"""Nothing in the core knows a component or an instrument by name: what it must know stands in their records."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import drizframe
from drizframe.hooks import PluginManager, Registry

ROOT = Path(drizframe.__file__).parent
ROOMS = ("engine", "grids", "pixels", "hooks", "model", "config", "resample", "_session.py", "api.py")
#: Cameras of the telescopes whose files drizframe reads, as headers name them.
INSTRUMENTS = re.compile(
    r"(?<![A-Za-z])(ACS|WFC3|STIS|NICMOS|WFPC2|WFPC|FOC|COS|UVIS)(?![A-Za-z])", re.IGNORECASE
)
#: Names that are words of the core besides: planes, stages, kinds of values, values of parameters.
WORDS = {
    "median": "the plane and the stage",
    "mean": "of keywords",
    "sum": "of blocks",
    "fits": "the ending of files",
}
#: File -> names that it may say, and why.
ALLOWED: dict[str, tuple[set[str], str]] = {
    "pixels/kernel_forms.py": ({"nearest"}, "the name of a function"),
    "pixels/statistics.py": ({"mode"}, "what statistics an image can be asked for"),
    "hooks/records/base.py": ({"linear"}, "a trait"),
    "hooks/records/interpolator.py": ({"point"}, "the field of a record"),
    "hooks/records/kernel.py": ({"point"}, "the field of a record"),
    "model/exposure.py": ({"generic"}, "the family of exposures that come as arrays"),
    "config/inputs.py": ({"EXP"}, "the kind of a member in an association"),
    "config/run.py": ({"threads", "deriv"}, "defaults of parameters"),
    "config/steps.py": ({"localmin", "turbo", "minmed", "poly5", "EXP", "square"}, "defaults of parameters"),
    "resample/__init__.py": ({"poly5", "square", "point"}, "defaults of the `drizzle` package, and what it takes for tiny drops"),
    "resample/_blotting.py": ({"lanczos3", "lanczos5"}, "names that the `drizzle` package gave up"),
    "resample/_checks.py": (
        {"square", "gaussian", "point", "turbo", "lanczos2", "lanczos3"}, "SUPPORTED_DRIZZLE_KERNELS of the `drizzle` package"
    ),
}  # fmt: skip


def stock_names():
    registry = Registry(PluginManager(installed=False))
    return {e.record.name for e in registry} - set(WORDS)


def said(path):
    """Yield the texts of a module that are no documentation, with their lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def modules():
    for room in ROOMS:
        place = ROOT / room
        yield from [place] if place.suffix else sorted(place.rglob("*.py"))


@pytest.mark.parametrize("path", list(modules()), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_name_of_a_component_or_an_instrument(path):
    names = stock_names()
    allowed, _ = ALLOWED.get(path.relative_to(ROOT).as_posix(), (set(), ""))
    found = [
        f"line {line}: {text!r}"
        for line, text in said(path)
        if (text in names or INSTRUMENTS.search(text)) and text not in allowed
    ]
    assert found == []


def test_every_exception_is_needed():
    for name, (texts, reason) in ALLOWED.items():
        assert reason
        assert texts <= {text for _, text in said(ROOT / name)}, name
