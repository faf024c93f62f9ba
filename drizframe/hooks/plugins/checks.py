"""What a plugin must be like to be registered: asked before the plugin manager sees it, so nothing of it stays behind."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Any

from drizframe.errors import HookError, PluginError, nearest, told
from drizframe.hooks import specs
from drizframe.hooks.guard import FAULTS
from drizframe.hooks.markers import CONTRACT, PROJECT

__all__ = ["check_arguments", "check_known", "check_plugin", "origin_of", "target_of"]

_PLACES = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_REST = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def check_plugin(plugin: Any, name: str) -> None:
    """Refuse a plugin that could not be used.

    Parameters
    ----------
    plugin : module or object
        What was loaded or given.
    name : str
        Its name, for messages.

    Raises
    ------
    HookError
        If it was written for another version of the contract, has a hook that does not exist, lacks the marker, wraps what
        cannot be wrapped, or wants an argument that the hook does not have.
    PluginError
        If looking at it raises.
    """
    try:
        if plugin is None:
            msg = f"Plugin {name!r} is None. Give a module or an object whose functions are marked with @drizframe.hookimpl."
            raise HookError(msg)
        _check_contract(plugin, name)
        for attribute, value in _attributes(plugin):
            _check_attribute(plugin, name, attribute, value)
    except PluginError:
        raise
    except FAULTS as error:
        msg = f"Plugin {name!r} raises when its attributes are looked at: {type(error).__name__}: {told(error)}."
        raise PluginError(msg) from error


#: What an author has to change, from version 1 to this one.
_CHANGED = (
    "Steps now say needs=, makes= and over= in place of consumes=, produces=, scope= and halo=, executors open(workers), "
    "and units are ChipUnit, ExposureUnit, FrameUnit and RUN. "
)


def _check_contract(plugin: Any, name: str) -> None:
    """Refuse a plugin that says it was written for another version of the contract."""
    version = getattr(plugin, f"{PROJECT}_contract", CONTRACT)
    if version != CONTRACT:
        msg = (
            f"Plugin {name!r} was built for version {version!r} of the contract with plugins; this drizframe has version "
            f"{CONTRACT}. {_CHANGED}Install a version of the plugin that fits."
        )
        raise HookError(msg)


def _attributes(plugin: Any) -> Iterator[tuple[str, Any]]:
    """Yield what may be a hook: all that is called so, and all functions."""
    for attribute in dir(plugin):
        value = getattr(plugin, attribute, None)
        if (attribute.startswith(PROJECT + "_") and callable(value)) or inspect.isroutine(value):
            yield attribute, value


def _check_attribute(plugin: Any, name: str, attribute: str, value: Any) -> None:
    """Refuse a hook that does not exist, one without marker, and what it may not be."""
    settings = getattr(value, f"{PROJECT}_impl", None)
    if not isinstance(settings, dict):
        settings = None
    if settings is None and not attribute.startswith(PROJECT + "_"):
        return
    hook = str((settings or {}).get("specname") or attribute)
    check_known(f"Plugin {name!r}", hook)
    if settings is None:
        msg = f"Plugin {name!r}: {attribute!r} lacks the marker. Write @drizframe.hookimpl above it."
        raise HookError(msg)
    if (settings["wrapper"] or settings["hookwrapper"]) and not inspect.isgeneratorfunction(value):
        msg = f"Plugin {name!r}: the wrapper {hook!r} is no generator. Write `result = yield` in it and return what it becomes."
        raise HookError(msg)
    check_arguments(plugin, f"Plugin {name!r}", hook, value)


def check_known(label: str, hook: str) -> None:
    """Refuse a hook that does not exist; `label` is whose it is."""
    known = {n for n in vars(specs) if n.startswith(PROJECT + "_")}
    if hook not in known:
        near = nearest(hook, known)
        hint = f" Did you mean {near!r}?" if near else ""
        msg = f"{label} implements {hook!r}, which is no hook of drizframe.{hint}"
        raise HookError(msg)


def check_arguments(plugin: Any, label: str, hook: str, function: Any) -> None:
    """Refuse arguments that the hook does not have.

    Parameters
    ----------
    plugin : object
        Whose function it is.
    label : str
        What it is called in messages.
    hook : str
        Name of the hook.
    function : callable
        What is called for it.

    Raises
    ------
    HookError
        If it wants more than the hook has.
    """
    has = list(inspect.signature(getattr(specs, hook)).parameters)
    wants = [p for p in inspect.signature(function).parameters.values() if p.kind not in _REST]
    strange = [p.name for p in wants if p.name not in has and p.default is inspect.Parameter.empty]
    named = [p.name for p in wants if p.kind not in _PLACES and p.name in has]
    if not strange and not named:
        return
    if isinstance(plugin, type) and strange == ["self"]:
        msg = (
            f"{label} is a class, so {hook} lacks its object. Register an object of it: {plugin.__name__}()."
        )
        raise HookError(msg)
    offered = f"It has: {', '.join(has)}." if has else "It has none."
    what = ", ".join(strange + named)
    why = "which the hook does not have" if strange else "by keyword only; write it without the star"
    msg = f"{label}: {hook} wants the argument {what}, {why}. {offered} A function names only those it wants."
    raise HookError(msg)


def origin_of(point: Any) -> tuple[str, str]:
    """Return distribution and version of an entry point; blank where its metadata lack them."""
    try:
        return str(point.dist.name or ""), str(point.dist.version or "")
    except (AttributeError, KeyError, TypeError):
        return "", ""


def target_of(point: Any) -> str:
    """Return the module of an entry point.

    Raises
    ------
    HookError
        If it names none.
    """
    try:
        return str(point.module)
    except Exception as error:
        msg = (
            f"Its entry point is {point.value!r}, which is no name of a module. Write {point.name} = 'package.module' in "
            f"[project.entry-points.{PROJECT}]."
        )
        raise HookError(msg) from error


def title_of(plugin: Any) -> str:
    """Return the name under which an object is registered if none is given."""
    if isinstance(plugin, types.ModuleType | type):
        return plugin.__name__
    given = getattr(plugin, "__name__", None)
    return (
        given
        if isinstance(given, str) and given
        else f"{type(plugin).__module__}.{type(plugin).__qualname__}"
    )
