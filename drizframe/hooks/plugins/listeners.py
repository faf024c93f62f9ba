"""Listeners that are given to one run: objects whose methods are named, or marked, as listener hooks."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Generator, Iterator
from typing import Any

from drizframe.errors import HookError
from drizframe.hooks import specs
from drizframe.hooks.markers import PROJECT, hookimpl
from drizframe.hooks.plugins.checks import check_arguments, check_known

__all__ = ["adapted"]


def adapted(listener: Any) -> types.ModuleType:
    """Return a plugin that hands the events of a run to a listener; pluggy takes marked functions only.

    Parameters
    ----------
    listener : object
        Any object or module; its methods need no mark.

    Raises
    ------
    HookError
        If it has no listener hook, or one with arguments that the hook does not have.
    """
    label = f"Listener {listener!r}"
    plugin = types.ModuleType("listener")
    for number, (hook, function, settings) in enumerate(_methods(listener, label)):
        check_arguments(listener, label, hook, function)
        marked = hookimpl(**{**settings, "specname": hook})(_handing_on(function, settings))
        setattr(plugin, f"method{number}", marked)
    if not any(name.startswith("method") for name in vars(plugin)):
        msg = (
            f"{label} hears nothing. Give it a method with one of these names: {', '.join(specs.LISTENERS)}."
        )
        raise HookError(msg)
    return plugin


def _methods(listener: Any, label: str) -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    """Yield the hook, the method and the settings of the mark, of all that listens."""
    for name in dict.fromkeys([*dir(listener), *specs.LISTENERS]):
        method = getattr(listener, name, None)
        if not callable(method):
            continue
        given = getattr(method, f"{PROJECT}_impl", None)
        settings = given if isinstance(given, dict) else {}
        hook = str(settings.get("specname") or name)
        if hook in specs.LISTENERS:
            yield hook, method, settings
        elif settings or name.startswith((f"{PROJECT}_before", f"{PROJECT}_after")):
            check_known(label, hook)  # a slip of the pen would hear nothing


def _handing_on(method: Callable[..., Any], settings: dict[str, Any]) -> Callable[..., Any]:
    """Return a function of the event that calls a method with what that wants."""
    try:
        wanted = list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):  # compiled, without a signature
        wanted = [inspect.Parameter("event", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    by_name = any(p.name == "event" or p.kind is inspect.Parameter.VAR_KEYWORD for p in wanted)
    by_place = any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in wanted)

    def call(event: Any) -> Any:
        if by_name:
            return method(event=event)
        return method(event) if by_place else method()

    def wrapper(event: Any) -> Generator[Any, Any, Any]:
        return (yield from call(event))

    return wrapper if settings.get("wrapper") or settings.get("hookwrapper") else call
