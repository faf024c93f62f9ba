"""Telling listeners what happens; a listener that fails is logged and dropped."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Sequence
from typing import Any, Literal

from drizframe.engine.hearing import deaf
from drizframe.errors import DrizframeWarning, printable
from drizframe.hooks import FAULTS, Event, PluginManager

__all__ = ["Bus"]

log = logging.getLogger("drizframe")

#: Which hook gets which kind of event.
_HOOKS = {"start": "drizframe_before_step", "finish": "drizframe_after_step"}


class Bus:
    """Carries events to listeners, in the main process.

    Parameters
    ----------
    manager : PluginManager
        Its plugins' listener hooks are called.
    listeners : sequence of objects
        Further objects with methods named as the listener hooks.
    """

    def __init__(self, manager: PluginManager, listeners: Sequence[Any] = ()) -> None:
        self._listeners = list(listeners)
        for name, plugin in manager.listeners():
            del name
            self._listeners.append(plugin)
        self._started = time.perf_counter()
        self._step_started = self._started
        self.warnings: list[str] = []
        self.timings: list[Event] = []

    def emit(self, event: Event) -> None:
        """Hand an event to every listener."""
        hook = _HOOKS.get(event.kind, "drizframe_progress")
        for listener in list(self._listeners):
            method = getattr(listener, hook, None)
            if method is None:
                continue
            try:
                method(event=event)
            except FAULTS:  # a listener must never stop a run
                log.exception("Listener %r failed in %s and is dropped.", listener, hook)
                self._listeners.remove(listener)

    def start(self, step: str, total: int) -> None:
        """A step starts."""
        self._step_started = time.perf_counter()
        self.emit(Event(kind="start", step=step, total=total))

    def progress(self, step: str, done: int, total: int, pixels: int) -> None:
        """A task has ended."""
        seconds = time.perf_counter() - self._step_started
        self.emit(Event(kind="progress", step=step, done=done, total=total, seconds=seconds, pixels=pixels))

    def finish(self, step: str, state: Literal["ok", "skipped", "off", "aborted"], total: int = 0) -> None:
        """A step has ended."""
        seconds = time.perf_counter() - self._step_started if state in ("ok", "aborted") else 0.0
        event = Event(kind="finish", step=step, state=state, seconds=seconds, done=total, total=total)
        self.timings.append(event)
        self.emit(event)

    def run(self, kind: Literal["begin_run", "end_run"], text: str = "") -> None:
        """The run begins or ends."""
        self.emit(
            Event(kind=kind, text=printable(text, keep=""), seconds=time.perf_counter() - self._started)
        )

    def note(self, text: str, *, warn: bool = False, step: str = "") -> None:
        """Log a line; as a Python warning too if `warn`."""
        text = printable(text, keep="")  # names of files, and what is in them, reach a terminal and the log
        if warn:
            self.warnings.append(text)
            log.warning(text)
            with deaf():
                warnings.warn(text, DrizframeWarning, stacklevel=3)
        else:
            log.info(text)
        self.emit(Event(kind="warning" if warn else "message", text=text, step=step))
