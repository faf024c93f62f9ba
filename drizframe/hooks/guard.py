"""Calls of what is not ours, after which an error says whose it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drizframe.hooks.records.base import Component

__all__ = ["FAULTS", "ask", "attributed", "blame", "guarded", "owner_of", "plugin_of"]

#: What a stranger's code may raise that must not end the program without a word; SystemExit would.
FAULTS = (Exception, SystemExit, GeneratorExit)

_TAG = "drizframe_owner"


class attributed:  # noqa: N801  (used like a function)
    """Let errors that leave the block carry whose they are; the innermost owner is to blame.

    A class, because `contextlib.contextmanager` writes to the errors that pass, which those of a plugin may refuse.

    Parameters
    ----------
    owner : Component or str
        A component, or the name of a plugin one of whose hooks is called.
    """

    def __init__(self, owner: Component | str) -> None:
        self._owner = owner

    def __enter__(self) -> None:
        """Nothing happens."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Mark an error."""
        if isinstance(error, FAULTS):
            blame(self._owner, error)


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
        with attributed(component):
            return function(*args, **kwargs)

    call.__wrapped__ = function  # type: ignore[attr-defined]
    return call


def ask(component: Component, function: Callable[..., Any] | None, /, *args: Any, **kwargs: Any) -> Any:
    """Call a function of a component; an error that leaves it carries the component."""
    assert function is not None  # noqa: S101  (checked when the record was made)
    with attributed(component):
        return function(*args, **kwargs)


def blame(owner: Component | str, error: BaseException) -> None:
    """Let an error carry the component (or the plugin, by name) that it left, if it does not carry one already."""
    if getattr(error, _TAG, None) is None:
        object.__setattr__(error, _TAG, owner)  # an exception may refuse to be changed


def owner_of(error: BaseException) -> Component | None:
    """Return the component that an error comes from; None if it is of none."""
    found = getattr(error, _TAG, None)
    return None if isinstance(found, str) else found


def plugin_of(error: BaseException) -> str:
    """Return the name of the plugin whose hook an error comes from; blank if it is of none."""
    found = getattr(error, _TAG, None)
    return found if isinstance(found, str) else ""
