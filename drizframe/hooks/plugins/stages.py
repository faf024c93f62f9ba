"""The steps that plugins give: asked for one plugin at a time, so that each step and each error has its owner."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from drizframe.errors import DrizframeError, HookError, PluginError, told
from drizframe.hooks.guard import FAULTS
from drizframe.hooks.records.step import Step

__all__ = ["listed", "place_of", "steps_of", "wrapped_step"]

Source = Callable[[str], str]


def _owned(
    hook: str,
    name: str,
    source: Source,
    function: Callable[[], Any],
    passing: type[Exception] = DrizframeError,
) -> Any:
    """Call a plugin's function; its error is named after it, unless it is one of ours or of type `passing`."""
    try:
        return function()
    except HookError as error:  # a record that was refused names the component; say whose it is
        msg = f"Plugin {name!r} of {source(name)}: {error} Disable it with DRIZFRAME_DISABLED_PLUGINS to run without it."
        raise HookError(msg) from error
    except (DrizframeError, passing):
        raise
    except FAULTS as error:
        msg = (
            f"Plugin {name!r} of {source(name)} failed in {hook}: {type(error).__name__}: {told(error)}. "
            f"Disable it with DRIZFRAME_DISABLED_PLUGINS to run without it."
        )
        raise PluginError(msg) from error


def _checked(step: Any, hook: str, stage: str, who: str) -> Step | None:
    """Return a step for a stage, or None; refuse anything else."""
    if step is None:
        return None
    if not isinstance(step, Step):
        msg = f"{who}: {hook} returned {step!r}; it must return a Step, or None."
        raise HookError(msg)
    if stage and step.name != stage:
        msg = f"{who}: {hook} returned a step named {step.name!r}; it must be named {stage!r}."
        raise HookError(msg)
    return step


def wrapped_step(implementations: Sequence[Any], hook: str, stage: str, source: Source) -> Step | None:
    """Return the step of the last plugin that answers, as all wrappers leave it.

    Parameters
    ----------
    implementations : sequence of pluggy.HookImpl
        In the order of pluggy: what is called first stands last, wrappers behind all others.
    hook, stage : str
        Name of the hook and of its step.
    source : callable
        ``source(plugin) -> str``: distribution and version.
    """
    step: Step | None = None
    for one in reversed([i for i in implementations if not i.wrapper]):
        answer = _owned(hook, one.plugin_name, source, one.function)
        step = _checked(answer, hook, stage, f"Plugin {one.plugin_name!r} of {source(one.plugin_name)}")
        if step is not None:
            step = dataclasses.replace(step, provider=source(one.plugin_name))
            break
    for one in (i for i in implementations if i.wrapper):  # the innermost comes first
        changed = _through(one, hook, stage, source, step)
        if changed is not None and changed is not step:
            provider = source(one.plugin_name)
            if step is not None and provider != step.provider:
                provider = f"{provider} around {step.provider}"
            changed = dataclasses.replace(changed, provider=provider)
        step = changed
    return step


def _through(one: Any, hook: str, stage: str, source: Source, step: Step | None) -> Step | None:
    """Send a step through a wrapper: a generator that yields once and returns what it makes of the result."""
    who = f"Plugin {one.plugin_name!r} of {source(one.plugin_name)}"
    generator = one.function()
    try:
        _owned(hook, one.plugin_name, source, lambda: next(generator), StopIteration)
        _owned(hook, one.plugin_name, source, lambda: generator.send(step), StopIteration)
    except StopIteration as end:
        return _checked(end.value, hook, stage, who)
    msg = f"{who}: the wrapper {hook} yields more than once. Write `step = yield` and return a step."
    raise HookError(msg)


def listed(function: Callable[[], Any], hook: str) -> Iterator[Any]:
    """Yield what a hook gives; a record that is returned where several are wanted is refused with what to write."""
    answer = function()
    if answer is not None and (isinstance(answer, str) or not isinstance(answer, Iterable)):
        msg = f"{hook} returned {answer!r}. Write yield in place of return, or return a list."
        raise HookError(msg)
    yield from answer or ()


def place_of(error: BaseException, package: str) -> str:
    """Return where in a package an error arose, for the end of a message; blank if that is elsewhere."""
    found = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] == package.partition(".")[0]:
            found = f" ({frame.f_code.co_filename}, line {line})"
    return found


def _listed(one: Any) -> list[Any]:
    return list(listed(one.function, "drizframe_extra_steps"))


def steps_of(implementations: Sequence[Any], source: Source) -> list[Step]:
    """Return the steps that plugins add.

    Parameters
    ----------
    implementations : sequence of pluggy.HookImpl
        Of ``drizframe_extra_steps``.
    source : callable
        ``source(plugin) -> str``: distribution and version.
    """
    found: list[Step] = []
    hook = "drizframe_extra_steps"
    for one in reversed(implementations):
        who = f"Plugin {one.plugin_name!r} of {source(one.plugin_name)}"
        for answer in _owned(hook, one.plugin_name, source, partial(_listed, one)):
            step = _checked(answer, hook, "", who)
            if step is None:
                msg = f"{who}: {hook} yields None; it must yield Steps."
                raise HookError(msg)
            found.append(dataclasses.replace(step, provider=source(one.plugin_name)))
    return found
