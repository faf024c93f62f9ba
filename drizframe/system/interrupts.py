"""Signals: what ends a program lets it clean up first, and waits while files are renamed.

``Ctrl-C`` raises `KeyboardInterrupt` in Python; ``SIGTERM`` (of batch systems, `kill`, `timeout`) and ``SIGHUP`` (of a
terminal that is closed) end a program at once and leave all that it was about to remove.  Inside of `orderly` they
raise as well, and the program ends by the signal when everything is put in order.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

__all__ = ["Stopped", "orderly", "shielded"]

#: Signals that end a program unless it asks for something else; Windows has no SIGHUP.
_ENDING = tuple(getattr(signal, n) for n in ("SIGTERM", "SIGHUP") if hasattr(signal, n))


class Stopped(KeyboardInterrupt):
    """The program was asked to end by a signal.

    Parameters
    ----------
    number : int
        The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class _State:
    """What the handlers know; they run in the main thread only."""

    def __init__(self) -> None:
        self.inside = False
        self.shields = 0
        self.waiting: list[int] = []
        self.ending: int | None = None
        self.interrupted = False


_STATE = _State()


def _handle(number: int, frame: FrameType | None) -> None:
    """Raise for a signal, or remember it while files are renamed."""
    del frame
    if _STATE.shields:
        _STATE.waiting.append(number)
    else:
        _raise(number)


def _raise(number: int) -> None:
    if number == signal.SIGINT:
        _STATE.interrupted = True
        raise KeyboardInterrupt
    _STATE.ending = number
    raise Stopped(number)


def _ours() -> list[int]:
    """Return the signals that nobody else has asked for."""
    numbers = [n for n in _ENDING if signal.getsignal(n) is signal.SIG_DFL]
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        numbers.append(signal.SIGINT)
    return numbers


@contextlib.contextmanager
def orderly(*finish: Callable[[], Any], by_interrupt: bool = False) -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `Stopped`, so that everything is cleaned up; then end the program by that signal.

    Nothing is changed outside of the main thread, for signals that are ignored or that the application handles, and
    within another such block.  The handlers are put back at the end.

    Parameters
    ----------
    *finish : callable
        Called last, before the program ends by a signal.
    by_interrupt : bool
        Whether ``Ctrl-C`` ends the program in the same way (for a command); otherwise it is left a `KeyboardInterrupt`.
    """
    if threading.current_thread() is not threading.main_thread() or _STATE.inside:
        yield
        return
    numbers = _ours()
    _STATE.inside, _STATE.ending, _STATE.interrupted = True, None, False
    before = {n: signal.signal(n, _handle) for n in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is _handle:
                signal.signal(number, handler)
        _STATE.inside = False
        ending = _STATE.ending or (signal.SIGINT if by_interrupt and _STATE.interrupted else None)
        if ending is not None:
            _end(ending, finish)


def _end(number: int, finish: tuple[Callable[[], Any], ...]) -> NoReturn:
    """End this process as the signal would have."""
    for function in finish:
        function()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # it may be closed, or None
            stream.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise SystemExit(128 + number)  # the first process of a container is not ended by its own signals


@contextlib.contextmanager
def shielded() -> Iterator[None]:
    """Let signals that `orderly` handles wait until the end of the block; for what must not stop half-way, and is short."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _STATE.shields += 1
    try:
        yield
    finally:
        _STATE.shields -= 1
        if not _STATE.shields and _STATE.waiting:
            numbers, _STATE.waiting = _STATE.waiting, []
            _raise(next((n for n in numbers if n != signal.SIGINT), signal.SIGINT))
