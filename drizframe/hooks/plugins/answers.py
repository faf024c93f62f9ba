"""What the hooks of each kind answer: whose it is, and what a good answer is."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from drizframe.errors import HookError
from drizframe.hooks import specs
from drizframe.hooks.records.step import Step

__all__ = ["Answers", "answers_of", "listed", "place_of"]

Source = Callable[[str], str]


class Answers:
    """The answers to one call, as they are.

    Parameters
    ----------
    hook : str
        Name of the hook.
    source : callable
        ``source(plugin) -> str``: distribution and version.
    """

    def __init__(self, hook: str, source: Source) -> None:
        self.hook, self.source = hook, source

    def who(self, plugin: str) -> str:
        """Return a plugin with its distribution, for messages."""
        return f"Plugin {plugin!r} of {self.source(plugin)}"

    def taken(self, answer: Any) -> Any:
        """Return an answer whose making is at an end; this runs code of the plugin, if its function is a generator."""
        return answer

    def given(self, plugin: str, answer: Any) -> Any:
        """Return the checked answer of a plugin."""
        del plugin
        return answer

    def changed(self, plugin: str, before: Any, after: Any) -> Any:
        """Return the checked result that the wrapper of a plugin makes of another."""
        del plugin, before
        return after

    def finished(self, result: Any) -> Any:
        """Return the result of the call."""
        return result


class _Lists(Answers):
    """Answers of hooks that yield records: the result is the list of (plugin, record), in the order of the calls."""

    def __init__(self, hook: str, source: Source) -> None:
        super().__init__(hook, source)
        self._owners: dict[int, list[tuple[str, Any]]] = {}

    def taken(self, answer: Any) -> Any:
        """Return the records as a list."""
        return list(listed(answer, self.hook))

    def given(self, plugin: str, answer: Any) -> Any:
        """Return the checked records of a plugin."""
        records = [self._checked(plugin, r) for r in answer]
        for record in records:
            self._owners.setdefault(id(record), []).append((plugin, record))
        return records

    def changed(self, plugin: str, before: Any, after: Any) -> Any:
        """Return the lists that a wrapper leaves; records that nobody else gave are its own."""
        del before
        if not isinstance(after, list | tuple):
            msg = (
                f"{self.who(plugin)}: the wrapper {self.hook} returned {after!r}. Write `answers = yield` and return the list of "
                f"answers, each a list of records."
            )
            raise HookError(msg)
        lists = [list(listed(answer, self.hook)) for answer in after]
        return [[self._of_wrapper(plugin, r) for r in records] for records in lists]

    def finished(self, result: Any) -> Any:
        """Return each record with its plugin."""
        pairs = []
        for record in chain.from_iterable(result):
            owners = self._owners[id(record)]
            pairs.append(owners.pop(0) if len(owners) > 1 else owners[0])
        return pairs

    def _checked(self, plugin: str, record: Any) -> Any:
        del plugin
        return record

    def _of_wrapper(self, plugin: str, record: Any) -> Any:
        if id(record) not in self._owners:
            self._owners[id(record)] = [(plugin, record)]
        return record


class _Steps(_Lists):
    """Answers of ``drizframe_extra_steps``: each step has its provider."""

    def _checked(self, plugin: str, record: Any) -> Any:
        step = _step(record, self.hook, "", self.who(plugin))
        if step is None:
            msg = f"{self.who(plugin)}: {self.hook} yields None; it must yield Steps."
            raise HookError(msg)
        return dataclasses.replace(step, provider=self.source(plugin))

    def _of_wrapper(self, plugin: str, record: Any) -> Any:
        if id(record) in self._owners:
            return record
        inner = getattr(record, "provider", "")
        step = self._checked(plugin, record)
        mine = _around(step, self.source(plugin), inner)
        return super()._of_wrapper(plugin, mine)


class _Stage(Answers):
    """The answer of the hook of a stage: its step with its provider, or None."""

    def given(self, plugin: str, answer: Any) -> Step | None:
        """Return the step of a plugin."""
        step = _step(answer, self.hook, specs.STAGES[self.hook], self.who(plugin))
        return None if step is None else dataclasses.replace(step, provider=self.source(plugin))

    def changed(self, plugin: str, before: Any, after: Any) -> Step | None:
        """Return the step that a wrapper leaves; None: the stage is off."""
        step = _step(after, self.hook, specs.STAGES[self.hook], self.who(plugin))
        if step is None or step is before:
            return step
        return _around(step, self.source(plugin), "" if before is None else before.provider)


def answers_of(hook: str, source: Source) -> Answers:
    """Return what gathers the answers to a call of a hook."""
    if hook in specs.STAGES:
        return _Stage(hook, source)
    return (_Steps if hook == "drizframe_extra_steps" else _Lists)(hook, source)


def _around(step: Step, outer: str, inner: str) -> Step:
    """Return the step of a wrapper, which names both."""
    provider = outer if inner in ("", outer) else f"{outer} around {inner}"
    return dataclasses.replace(step, provider=provider)


def _step(step: Any, hook: str, stage: str, who: str) -> Step | None:
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


def listed(answer: Any, hook: str) -> Iterable[Any]:
    """Yield what a hook gives; a record that is returned where several are wanted is refused with what to write."""
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
