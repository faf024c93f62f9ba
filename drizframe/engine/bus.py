"""Telling listeners what happens, through pluggy; a listener that fails is dropped, and the run says so."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Sequence
from typing import Any, Literal

from drizframe.engine.hearing import deaf
from drizframe.errors import DrizframeWarning, printable, told
from drizframe.hooks import Event, PluginManager

__all__ = ["Bus"]

log = logging.getLogger("drizframe")
#: Where nobody has set up logging, Python would print warnings of the log; they are printed by `warnings` already.
log.addHandler(logging.NullHandler())

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

    Raises
    ------
    HookError
        If one of these has no such method, or one with other arguments.
    """

    def __init__(self, manager: PluginManager, listeners: Sequence[Any] = ()) -> None:
        self._calls = manager.listening(listeners, self._dropped)
        self._started = time.perf_counter()
        self._step_started = self._started
        self.warnings: list[str] = []
        self.timings: list[Event] = []

    def emit(self, event: Event) -> None:
        """Hand an event to every listener."""
        getattr(self._calls.hook, _HOOKS.get(event.kind, "drizframe_progress"))(event=event)

    def _dropped(self, who: str, hook: str, error: BaseException) -> None:
        """Tell that a listener failed; it must never stop a run."""
        log.error("%s failed in %s and is dropped.", who, hook, exc_info=error)
        text = f"{who} failed in {hook} and is not called any more: {type(error).__name__}: {told(error)}."
        self.warnings.append(printable(text, keep=""))

    def start(self, step: str, total: int) -> None:
        """A step starts."""
        self._step_started = time.perf_counter()
        self.emit(Event(kind="start", step=step, total=total))

    def took(self, seconds: float) -> None:
        """Set how long the step has taken so far, where others were done in the same time."""
        self._step_started = time.perf_counter() - seconds

    def progress(self, step: str, done: int, total: int, pixels: int) -> None:
        """A task has ended."""
        seconds = time.perf_counter() - self._step_started
        self.emit(Event(kind="progress", step=step, done=done, total=total, seconds=seconds, pixels=pixels))

    def finish(
        self,
        step: str,
        state: Literal["ok", "skipped", "off", "aborted"],
        total: int = 0,
        done: int | None = None,
    ) -> None:
        """A step has ended: with all its tasks done, or so many."""
        seconds = time.perf_counter() - self._step_started if state in ("ok", "aborted") else 0.0
        event = Event(
            kind="finish",
            step=step,
            state=state,
            seconds=seconds,
            done=total if done is None else done,
            total=total,
        )
        self.timings.append(event)
        self.emit(event)

    def run(self, kind: Literal["begin_run", "end_run"], text: str = "") -> None:
        """The run begins or ends."""
        self.emit(
            Event(kind=kind, text=printable(text, keep=""), seconds=time.perf_counter() - self._started)
        )

    def note(self, text: str, *, warn: bool | type[DrizframeWarning] = False, step: str = "") -> None:
        """Log a line; as a Python warning too if `warn`, which can be the kind of warning."""
        text = printable(text, keep="")  # names of files, and what is in them, reach a terminal and the log
        if warn:
            log.warning(text)
            with deaf():
                warnings.warn(text, DrizframeWarning if warn is True else warn, stacklevel=3)
            self.tell(text, step=step)
        else:
            log.info(text)
            self.emit(Event(kind="message", text=text, step=step))

    def tell(self, text: str, *, step: str = "") -> None:
        """Put a warning into the result of the run, and hand it to the listeners; Python was told already."""
        text = printable(text, keep="")
        self.warnings.append(text)
        self.emit(Event(kind="warning", text=text, step=step))
