"""Calls of hooks: pluggy decides who is called and in which order; here an error gets its owner, and an answer too."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

from drizframe.errors import DrizframeError, HookError, PluginError, RecordError, told
from drizframe.hooks import specs
from drizframe.hooks.guard import FAULTS, attributed, blame, plugin_of
from drizframe.hooks.markers import PROJECT, is_ours
from drizframe.hooks.plugins.answers import Answers, answers_of
from drizframe.hooks.plugins.tracing import write_trace

if TYPE_CHECKING:
    from pluggy import HookImpl

__all__ = ["HookCalls"]

#: ``fault(implementation, hook, error)``: told of an error of a plugin without which the rest goes on; it may raise.
Fault = Callable[["HookImpl", str, BaseException], None]

#: What switches tracing off; everything else that is set switches it on.
_OFF = frozenset({"", "0", "false", "no", "off"})


class HookCalls(pluggy.PluginManager):
    """A plugin manager of pluggy whose calls name the plugin that is at fault.

    Parameters
    ----------
    source : callable
        ``source(plugin) -> str``: distribution and version.
    fault : callable
        ``fault(implementation, hook, error)``: called for an error in a hook that a run can do without (components,
        commands, listeners); what it does not raise is skipped.

    Notes
    -----
    A wrapper that fails before its ``yield`` in such a hook is as if it were not there; one that fails after it leaves
    the result as it was.  Hooks of steps raise: without the step the result would be another.
    """

    def __init__(self, source: Callable[[str], str], fault: Fault) -> None:
        super().__init__(PROJECT)
        self.add_hookspecs(specs)
        self.source, self.fault = source, fault
        self._here = threading.local()
        self._untrace: Callable[[], None] | None = None
        self.trace.root.setwriter(write_trace)

    def _hookexec(
        self, hook_name: str, methods: Sequence[HookImpl], kwargs: Mapping[str, object], firstresult: bool
    ) -> Any:
        """Call a hook as pluggy does, each function with its owner."""
        self._follow()
        asked = self._here.__dict__.pop("asked", None)  # not for a hook that a hook calls
        if not methods and self._untrace is None:
            return None if firstresult else []
        answers, without = asked or (Answers(hook_name, self.source), ())
        call = _Call(self, hook_name, answers)
        owned = [call.owned(m) for m in methods if m.plugin_name not in without]
        try:
            return super()._hookexec(hook_name, owned, kwargs, firstresult)
        except FAULTS as error:
            plugin = plugin_of(error)
            if not plugin or (
                isinstance(error, DrizframeError) and type(error) not in (HookError, RecordError)
            ):
                raise
            raise _named(plugin, self.source(plugin), hook_name, error) from error

    def asked(self, hook: str, without: Collection[str] = ()) -> Any:
        """Call a hook of components or steps; return its checked answers with their owners.

        Parameters
        ----------
        hook : str
            Name of the hook.
        without : collection of str
            Names of plugins that are left out; `pluggy.PluginManager.subset_hook_caller` wants objects that can be hashed.

        Returns
        -------
        Step, None, or list of (str, object)
            The step of a stage; for other hooks each record with the name of its plugin, in the order of the calls.
        """
        answers = answers_of(hook, self.source)
        self._here.asked = answers, without
        return answers.finished(getattr(self.hook, hook)())

    def _follow(self) -> None:
        """Trace, or stop tracing, as the environment says."""
        wanted = os.environ.get("DRIZFRAME_TRACE_HOOKS", "").strip().lower() not in _OFF
        if wanted and self._untrace is None:
            self._untrace = self.enable_tracing()
        elif not wanted and self._untrace is not None:
            self._untrace()
            self._untrace = None

    def called(self, plugin: str) -> str:
        """Return a plugin with its distribution, for the trace; of drizframe's own the module."""
        source = self.source(plugin)
        return (
            plugin
            if is_ours(source)
            else source
            if source.startswith(f"{plugin} ")
            else f"{plugin} of {source}"
        )

    def told(self, *words: str) -> None:
        """Trace a line between call and end of a hook."""
        if self._untrace is not None:
            self.trace.root.get("hook")(*words)


def _named(plugin: str, source: str, hook: str, error: BaseException) -> DrizframeError:
    """Return an error of a hook with the plugin that it comes from."""
    advice = "Disable it with DRIZFRAME_DISABLED_PLUGINS to run without it."
    if isinstance(error, HookError):  # a record that was refused names the component; say whose it is
        return type(error)(f"Plugin {plugin!r} of {source}: {error} {advice}")
    return PluginError(
        f"Plugin {plugin!r} of {source} failed in {hook}: {type(error).__name__}: {told(error)}. {advice}"
    )


class _Call:
    """One call of a hook."""

    def __init__(self, calls: HookCalls, hook: str, answers: Answers) -> None:
        self.calls, self.hook, self.answers = calls, hook, answers

    def owned(self, one: HookImpl) -> HookImpl:
        """Return an implementation whose errors carry its plugin."""
        mine = copy.copy(one)
        around = {True: self._around, False: self._plain}[bool(one.wrapper or one.hookwrapper)]
        object.__setattr__(mine, "function", around(one))
        return mine

    def _skipped(self, one: HookImpl, error: BaseException) -> bool:
        """Whether the call goes on after an error of a plugin."""
        if self.hook in specs.STEP_HOOKS or isinstance(error, MemoryError):
            return False
        self.calls.fault(one, self.hook, error)
        return True

    def _plain(self, one: HookImpl) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.told("asks", self.calls.called(one.plugin_name))
            try:
                with attributed(one.plugin_name):
                    answer = self.answers.taken(one.function(*args, **kwargs))
                return self.answers.given(one.plugin_name, answer)
            except FAULTS as error:
                if not self._skipped(one, error):
                    raise
            return None

        return call

    def _around(self, one: HookImpl) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Generator[None, Any, Any]:
            self.calls.told("enters", self.calls.called(one.plugin_name))
            generator: Any = one.function(*args, **kwargs)
            try:
                with attributed(one.plugin_name):
                    self._begin(generator)
            except FAULTS as error:
                if not self._skipped(one, error):
                    raise
                return (yield)
            try:
                result = yield
            except BaseException as error:
                return self._end(one, generator.throw, error, None)
            before = _value(result) if one.hookwrapper else result
            return self._end(one, generator.send, result, before)

        return call

    def _begin(self, generator: Any) -> None:
        """Let a wrapper work until its ``yield``."""
        try:
            next(generator)
        except StopIteration:
            msg = f"The wrapper {self.hook} does not yield. Write `result = yield` in it."
            raise HookError(msg) from None

    def _end(self, one: HookImpl, resume: Callable[[Any], Any], sent: Any, before: Any) -> Any:
        """Let a wrapper work after its ``yield``; return what it makes of the result."""
        try:
            with attributed(one.plugin_name):
                value = self._resumed(resume, sent)
            return self._changed(one, sent, before, value)
        except FAULTS as error:
            if error is sent or not self._skipped(one, error):
                raise
            return before

    def _resumed(self, resume: Callable[[Any], Any], sent: Any) -> Any:
        """Return what a wrapper returns."""
        try:
            resume(sent)
        except StopIteration as end:
            return end.value
        except RuntimeError as error:
            if (
                isinstance(sent, StopIteration) and error.__cause__ is sent
            ):  # Python's doing, not the wrapper's
                blame(plugin_of(sent), error)
            raise
        msg = f"The wrapper {self.hook} yields more than once. Write `result = yield` and return what it becomes."
        raise HookError(msg)

    def _changed(self, one: HookImpl, sent: Any, before: Any, value: Any) -> Any:
        """Return the checked result of a wrapper; one of the old style has left it in what it was sent."""
        if not one.hookwrapper:
            return self.answers.changed(one.plugin_name, before, value)
        if sent.exception is None:
            sent.force_result(self.answers.changed(one.plugin_name, before, sent.get_result()))
        return None


def _value(result: Any) -> Any:
    """Return what a wrapper of the old style is sent, as it is; None for an error."""
    return result.get_result() if result.exception is None else None
