"""Loader of the compiled modules.

The sources are in ``cython_ext/``; the build installs them here as ``drizframe._fast.<name>``. All are
optional: each mirrors a NumPy reference, which runs in its place where the module is not there. Some are built
a second time, as ``drizframe._fast.avx2.<name>``, and run where the processor has AVX2; the results are the same
bits. ``DRIZFRAME_AVX2=0`` switches those off.
"""

from __future__ import annotations

import functools
import importlib
import os
import pkgutil
from pathlib import Path
from types import ModuleType

__all__ = ["available", "explain", "load"]


@functools.cache
def load(name: str) -> ModuleType | None:
    """Import one compiled module.

    Parameters
    ----------
    name : str
        Name of the module inside ``drizframe._fast``.

    Returns
    -------
    module : module or None
        None if there is no such module, because it was not built.

    Raises
    ------
    ImportError
        If the module is there but cannot be imported; its own reason stands.
    """
    found = _import(f"{__name__}.avx2.{name}") if name != "processor" and _wants_avx2() else None
    return _import(f"{__name__}.{name}") if found is None else found


@functools.cache
def _wants_avx2() -> bool:
    """Whether the modules for AVX2 are to run."""
    processor = _import(f"{__name__}.processor")
    return processor is not None and os.environ.get("DRIZFRAME_AVX2", "1") != "0" and processor.has_avx2()


def _import(full: str) -> ModuleType | None:
    """Import a module; None if there is none of that name."""
    try:
        return importlib.import_module(full)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{full}.".startswith(f"{error.name}."):
            raise
        return None


def available() -> tuple[str, ...]:
    """Names of the compiled modules that were built, sorted; none of them is imported."""
    return tuple(sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.ispkg))


def explain() -> str:
    """Say why compiled modules are missing and what to do, in one sentence or two.

    Returns
    -------
    text : str
        Empty if at least one compiled module is there.
    """
    if available():
        return ""
    package = Path(__file__).parents[1]
    if (package.parent / "meson.build").is_file():
        return (
            f"drizframe was imported from its source checkout, {str(package.parent)!r}, which holds no "
            "compiled modules. Start Python in another directory to use the installed drizframe, or install "
            "the checkout with 'pip install --no-build-isolation -e .' (needs meson-python, ninja, cython)."
        )
    return (
        f"the drizframe installed in {str(package)!r} holds no compiled modules. "
        "Install it again with 'pip install --force-reinstall --no-deps drizframe'."
    )
