"""Calls of components, after which an error says whose it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drizframe.hooks.records.base import Component

__all__ = ["FAULTS", "ask", "blame", "guarded", "owner_of"]

#: What a stranger's code may raise that must not end the program without a word; SystemExit would.
FAULTS = (Exception, SystemExit, GeneratorExit)

_TAG = "drizframe_component"


def guarded(component: Component, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function; errors that leave it carry the component.

    Parameters
    ----------
    component : Component
        Whose function it is.
    function : callable
        Any function of its record; the result has it as ``__wrapped__``.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        return ask(component, function, *args, **kwargs)

    call.__wrapped__ = function  # type: ignore[attr-defined]
    return call


def ask(component: Component, function: Callable[..., Any] | None, /, *args: Any, **kwargs: Any) -> Any:
    """Call a function of a component; an error that leaves it carries the component."""
    assert function is not None  # noqa: S101  (checked when the record was made)
    try:
        return function(*args, **kwargs)
    except FAULTS as error:
        blame(component, error)
        raise


def blame(component: Component, error: BaseException) -> None:
    """Let an error carry the component that it left; the innermost one is to blame."""
    if owner_of(error) is None:
        object.__setattr__(error, _TAG, component)  # an exception may refuse to be changed


def owner_of(error: BaseException) -> Component | None:
    """Return the component that an error comes from; None if it is of none."""
    found: Component | None = getattr(error, _TAG, None)
    return found
