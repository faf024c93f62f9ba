"""Plugins that cannot be loaded: whether they would have given steps, as far as their source tells."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drizframe.hooks.guard import FAULTS
from drizframe.hooks.markers import PROJECT

__all__ = ["gives_steps", "names_steps"]

#: A hook of steps, also one that is misspelt.
_STEPS = re.compile(r"\bdrizframe_(?:step|extra)\w*")
#: What is no code: texts in three quotes, and comments.
_REMARKS = re.compile(r"(\"{3}|'{3}).*?\1|#[^\n]*", re.DOTALL)
_IMPORTS = re.compile(r"^[ \t]*from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]*\(?([\w., \t*\n]*)", re.MULTILINE)
#: Files of a package that are looked at.
_MOST = 200


def gives_steps(plugin: Any) -> bool:
    """Whether an object that was refused has a hook for steps, or something that was meant to be one."""
    try:
        return any(_STEPS.fullmatch(_hook_of(plugin, name)) for name in dir(plugin))
    except FAULTS:  # it raises when it is looked at, which its failure says
        return False


def _hook_of(plugin: Any, name: str) -> str:
    """Return the hook that an attribute would be."""
    settings = getattr(getattr(plugin, name, None), f"{PROJECT}_impl", None)
    return str((settings.get("specname") if isinstance(settings, dict) else None) or name)


def names_steps(module: str) -> bool:
    """Whether the source of a module, or of those of its package that it imports from, names a hook for steps.

    Nothing is imported.

    Parameters
    ----------
    module : str
        Dotted name; False if its source cannot be found.
    """
    seen: set[Path] = set()
    waiting = [module]
    while waiting and len(seen) < _MOST:
        name = waiting.pop()
        path = _source(name)
        if path is None or path in seen:
            continue
        seen.add(path)
        try:
            text = _REMARKS.sub("", path.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
        if _STEPS.search(text):
            return True
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        waiting += _imported(text, package)
    return False


def _imported(text: str, package: str) -> Iterator[str]:
    """Yield the modules of the same distribution that a module imports from."""
    for dots, name, what in _IMPORTS.findall(text):
        base = name
        if dots:
            parts = package.split(".")
            above = parts[: len(parts) - len(dots) + 1]
            base = ".".join([*above, *([name] if name else [])])
        if base.partition(".")[0] == package.partition(".")[0]:
            yield base
            yield from (f"{base}.{word.split()[0]}" for word in what.split(",") if word.strip(" \n\t*()"))


def _source(module: str) -> Path | None:
    """Return the file of a module, found without importing its package."""
    top, _, rest = module.partition(".")
    try:
        spec = importlib.util.find_spec(top)
    except FAULTS:  # finders of others may raise anything
        return None
    if spec is None:
        return None
    if not rest:
        return Path(spec.origin) if spec.origin and spec.origin.endswith(".py") else None
    for folder in spec.submodule_search_locations or ():
        stem = Path(folder).joinpath(*rest.split("."))
        for path in (stem.with_name(f"{stem.name}.py"), stem / "__init__.py"):
            if path.is_file():
                return path
    return None
