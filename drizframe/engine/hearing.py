"""Warnings that components give with `warnings.warn` while a run works: they reach its log, its listeners and its result.

`warnings.catch_warnings` is of no use where tasks run in threads, and hears nothing that a filter ignores.  So while any run is
at work `warnings.warn` goes through here: a warning of a thread that works for a run is handed to that run, which issues it
again from the main thread; all others are Python's business as before.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from drizframe.errors import DrizframeWarning

__all__ = ["deaf", "heard", "hearing", "listening"]

#: ``sink(text, kind)``: told of a warning.
_Sink = Callable[[str, type[DrizframeWarning]], None]

_here = threading.local()
_lock = threading.Lock()
_runs = 0
_python: Any = warnings.warn

#: Libraries that warn of their own affairs, such as keywords that a WCS repaired.
_LIBRARIES = frozenset({"astropy", "numpy", "scipy", "pydantic", "pluggy"})


def _for_the_run(message: Any, category: Any, module: str) -> bool:
    """Whether a warning tells the user of the run something."""
    kind = type(message) if isinstance(message, Warning) else category or UserWarning
    if not isinstance(kind, type) or not issubclass(kind, UserWarning):
        return False
    return issubclass(kind, DrizframeWarning) or module.partition(".")[0] not in _LIBRARIES


def _warn(message: Any, category: Any = None, stacklevel: int = 1, source: Any = None, **more: Any) -> None:
    """Hand a warning to the run that this thread works for, or to Python."""
    sink: _Sink | None = getattr(_here, "sink", None)
    if sink is not None and _for_the_run(message, category, str(sys._getframe(1).f_globals.get("__name__"))):  # noqa: SLF001
        kind: Any = type(message) if isinstance(message, Warning) else category or UserWarning
        sink(str(message), kind if issubclass(kind, DrizframeWarning) else DrizframeWarning)
        return
    _python(message, category, stacklevel + 1, source, **more)


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Hear warnings as long as a run is at work."""
    global _runs, _python  # noqa: PLW0603  (there is one `warnings.warn` in the process)
    with _lock:
        if not _runs:
            _python, warnings.warn = warnings.warn, _warn
        _runs += 1
    try:
        yield
    finally:
        with _lock:
            _runs -= 1
            if not _runs and warnings.warn is _warn:
                warnings.warn = _python


class hearing:  # noqa: N801  (used like a function)
    """Hand warnings of this thread to `sink`; None: to Python.

    A class, because `contextlib.contextmanager` writes to the errors that pass, which those of a plugin may refuse.
    """

    def __init__(self, sink: _Sink | None) -> None:
        self._sink, self._old = sink, None

    def __enter__(self) -> None:
        self._old, _here.sink = getattr(_here, "sink", None), self._sink

    def __exit__(self, *_: object) -> None:
        _here.sink = self._old


def deaf() -> contextlib.AbstractContextManager[None]:
    """Let warnings of this thread go to Python."""
    return hearing(None)


def heard(function: Callable[[Any], Any], note: Callable[..., Any]) -> Callable[[Any], tuple[Any, list[Any]]]:
    """Return the function, in whatever thread it is called, with the warnings that it gave beside its result.

    Parameters
    ----------
    function : callable
        ``function(item)``.
    note : callable
        ``note(text, warn=kind)`` gets the warnings of a call that fails.
    """

    def call(item: Any) -> tuple[Any, list[Any]]:
        told: list[Any] = []
        try:
            with hearing(lambda text, kind: told.append((text, kind))):
                return function(item), told
        except BaseException:
            for text, kind in told:
                note(text, warn=kind)
            raise

    return call
