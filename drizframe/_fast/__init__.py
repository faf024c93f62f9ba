"""Loader of the compiled modules.

The sources are in ``cython_ext/``; the build installs them here as ``drizframe._fast.<name>``. All are
optional: each mirrors a NumPy reference, which runs in its place where the module is not there. Some are built
a second time, in the folder ``avx2``, and take the place of the others where the processor has AVX2, under the same
name, so that what one machine pickles another can read; the results are the same bits. ``DRIZFRAME_AVX2=0`` switches
those off.

``DRIZFRAME_BACKEND`` says what ``backend="auto"`` means, here and wherever else compiled code has a NumPy reference: see
`default_backend`.
"""

from __future__ import annotations

import functools
import importlib
import os
import pkgutil
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

__all__ = [
    "Backend",
    "available",
    "default_backend",
    "explain",
    "get_include",
    "load",
    "remedy",
    "resolved",
    "twin",
]

#: Which implementation runs: compiled where there is one, NumPy only, or compiled only.
Backend = Literal["auto", "reference", "cython"]


@functools.cache
def default_backend() -> Backend:
    """Return what ``DRIZFRAME_BACKEND`` says, once for the process; "auto" if it is not set or empty.

    Returns
    -------
    backend : {"auto", "reference", "cython"}
        "reference" keeps compiled modules out of the process; with "cython" whatever has none raises a `BackendError`.

    Raises
    ------
    ParameterError
        If it says anything else.
    """
    name = os.environ.get("DRIZFRAME_BACKEND", "").strip() or "auto"
    for known in get_args(Backend):
        if name == known:
            return known  # type: ignore[no-any-return]
    from drizframe.errors import ParameterError

    raise ParameterError(
        f"The environment variable DRIZFRAME_BACKEND is {name!r}; it must be 'auto' (compiled where there is a compiled "
        f"half), 'reference' (NumPy only) or 'cython' (compiled only). Correct it, or unset it, which means 'auto'."
    )


def get_include() -> str:
    """Return the folder of ``kernel_loop.pxd``, for ``cython -I``: what the compiled body of a kernel is (`Kernel.block`).

    Returns
    -------
    str
        Its path.
    """
    return str(Path(__file__).resolve().parents[1] / "include")


def resolved(backend: str) -> str:
    """Return the backend that a name stands for: "auto" is what the environment says, others are what they are."""
    return default_backend() if backend == "auto" else backend


def remedy() -> str:
    """Return what to do where compiled code is asked for and is not there, as a sentence."""
    if default_backend() == "reference":
        return "DRIZFRAME_BACKEND=reference keeps compiled code out of this process: unset it, or use backend='auto'."
    if default_backend() == "cython":
        return "Install drizframe with a C compiler present, or unset DRIZFRAME_BACKEND=cython and use backend='auto'."
    return "Install drizframe with a C compiler present, or use backend='auto'."


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
        None if there is no such module, because it was not built, or if ``DRIZFRAME_BACKEND=reference`` keeps all of
        them out.

    Raises
    ------
    ImportError
        If the module is there but cannot be imported; its own reason stands.
    ParameterError
        If ``DRIZFRAME_BACKEND`` is set to something unknown.
    """
    if default_backend() == "reference":
        return None
    full = f"{__name__}.{name}"
    try:
        return importlib.import_module(full)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{full}.".startswith(f"{error.name}."):
            raise
        return None


def twin(name: str) -> Any:
    """Return the compiled twin of a reference, for the record that holds both.

    Parameters
    ----------
    name : str
        Module and function: ``"square.square"`` is the function ``square`` of ``drizframe._fast.square``.

    Returns
    -------
    function : callable or None
        None where `load` gives no module, so that the reference runs.

    Raises
    ------
    AttributeError
        If the module is there and has no such function: it was built from another source.

    Examples
    --------
    >>> from drizframe._fast import twin
    >>> twin("no_such_module.function") is None
    True
    """
    module_name, _, function = name.partition(".")
    module = load(module_name)
    return None if module is None else getattr(module, function)


@functools.cache
def _wants_avx2() -> bool:
    """Whether the modules for AVX2 are to run."""
    processor = load("processor")
    return processor is not None and os.environ.get("DRIZFRAME_AVX2", "1") != "0" and processor.has_avx2()


class _ForAvx2:
    """Asked for a module before the other finders: knows those of this package that are there for AVX2."""

    @staticmethod
    def find_spec(fullname: str, *_path: Any) -> ModuleSpec | None:
        """Return the build for AVX2 under the name of the plain one; None for all other modules."""
        package, _, name = fullname.rpartition(".")
        once = name in {"processor", "avx2"} or name.startswith("_")
        if package != __name__ or once or not _wants_avx2():
            return None
        there = find_spec(f"{package}.avx2.{name}")
        if there is None or there.origin is None:
            return None
        loader = ExtensionFileLoader(fullname, there.origin)
        return spec_from_file_location(fullname, there.origin, loader=loader)


if not any(getattr(finder, "__name__", "") == _ForAvx2.__name__ for finder in sys.meta_path):
    sys.meta_path.insert(0, _ForAvx2)


def available() -> tuple[str, ...]:
    """Names of the compiled modules that were built, sorted; none of them is imported."""
    found = (m.name for m in pkgutil.iter_modules(__path__) if not m.ispkg)
    return tuple(sorted(name for name in found if not name.startswith("_")))


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
