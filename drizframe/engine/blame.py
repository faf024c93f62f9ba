"""Who is to blame: the plugin in whose code an error arose."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, TracebackType
from typing import Any

from drizframe.config import Parameters
from drizframe.hooks import Component, Registry

__all__ = ["culprit_of", "provider_of"]

#: Fields of records that hold functions.
_FUNCTIONS = (
    "reference", "fast", "footprint", "profile", "supports", "support", "halo", "minimum", "matches", "headers", "planes",
    "pixel",
)  # fmt: skip


def culprit_of(error: BaseException, registry: Registry, parameters: Parameters) -> str:
    """Return which component's function an error came from, and who provides it; blank if none of a plugin's.

    Parameters
    ----------
    error : BaseException
        With its traceback.
    registry : Registry
        Components of plugins.
    parameters : Parameters
        May hold records that were given directly.

    Returns
    -------
    str
        Such as ``"Combiner 'mine.highest' of mine 1.2"``; the innermost one counts.
    """
    owners = _owners(registry, parameters)
    found = ""
    for code in _codes(error.__traceback__):
        found = owners.get(code, found)
    return found


def provider_of(component: Component, registry: Registry, parameters: Parameters) -> str:
    """Return who provides a component: a distribution and its version, or the parameter that it was given as."""
    for entry in registry:
        if entry.record is component:
            return entry.provider
    for name in type(parameters).model_fields:
        if getattr(parameters, name) is component:
            return f"the parameter {name}"
    return ""


def _codes(traceback: TracebackType | None) -> Iterator[CodeType]:
    """Yield the code of every frame, the innermost last."""
    while traceback is not None:
        yield traceback.tb_frame.f_code
        traceback = traceback.tb_next


def _owners(registry: Registry, parameters: Parameters) -> dict[CodeType, str]:
    """Return the owner of every function of a component that drizframe does not ship."""
    owners: dict[CodeType, str] = {}
    for entry in registry:
        if entry.provider != "drizframe":
            _claim(owners, entry.record, entry.provider)
    for name in type(parameters).model_fields:
        value = getattr(parameters, name)
        if isinstance(value, Component) and all(e.record is not value for e in registry):
            _claim(owners, value, f"the parameter {name}")
    return owners


def _claim(owners: dict[CodeType, str], record: Component, provider: str) -> None:
    for field in _FUNCTIONS:
        code = _code_of(getattr(record, field, None))
        if code is not None:
            owners[code] = f"{record.family.capitalize()} {record.name!r} of {provider}"


def _code_of(function: Any) -> CodeType | None:
    """Return the code of a function, method, partial or callable object."""
    while hasattr(function, "func"):
        function = function.func
    if not hasattr(function, "__code__") and callable(function) and not isinstance(function, type):
        function = getattr(type(function), "__call__", None)  # noqa: B004  (the function behind a callable object)
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None
