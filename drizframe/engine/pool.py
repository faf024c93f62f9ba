"""Handing tasks to an executor, whose answers are counted; what a task hands out again is done in its own thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from concurrent.futures import Executor as Pool
from dataclasses import dataclass
from typing import Any

from drizframe.errors import PluginError
from drizframe.hooks import FAULTS, Executor, blame

__all__ = ["WITHIN", "results_of", "stop_if_given_up"]

#: Where a step spreads its work within the process of the run, when tasks go to others: what it spreads are functions of its own.
WITHIN = Executor(name="threads-of-a-step", summary="Threads of this process.", open=ThreadPoolExecutor)

#: Stands for no result.
_NONE = object()
_OF_TASK = "drizframe_of_task"

#: Of this thread: what tells whether the tasks that it is one of were given up; nothing where it works for no pool.
_here = threading.local()


class _GivenUp:
    """Whether nobody waits for the tasks of a pool any more; in another process it stays as it was when it was sent."""

    def __init__(self) -> None:
        self.yes = False


@dataclass(frozen=True, slots=True)
class _Task:
    """The function of the tasks; its errors are marked, so that the executor is not blamed for them."""

    function: Callable[[Any], Any]
    given_up: _GivenUp | None

    def __call__(self, task: Any) -> Any:
        if self.given_up is not None and self.given_up.yes:
            raise CancelledError
        before, _here.given_up = _given_up(), self.given_up
        try:
            return self.function(task)
        except BaseException as error:
            object.__setattr__(error, _OF_TASK, True)
            raise
        finally:
            _here.given_up = before


def _given_up() -> _GivenUp | None:
    """Return what tells whether the tasks that this thread works on were given up; None: it works for no pool."""
    found: _GivenUp | None = getattr(_here, "given_up", None)
    return found


def stop_if_given_up() -> None:
    """End a task that this thread works on, if nobody waits for it any more.

    Raises
    ------
    concurrent.futures.CancelledError
        In that case.
    """
    given_up = _given_up()
    if given_up is not None and given_up.yes:
        raise CancelledError


def _asked(executor: Executor, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function of the executor; an error of its own carries it."""
    try:
        return function(*args, **kwargs)
    except FAULTS as error:
        if not getattr(error, _OF_TASK, False):
            blame(executor, error)
        raise


def results_of(
    executor: Executor,
    function: Callable[[Any], Any],
    tasks: Sequence[Any],
    workers: int,
    ahead: int | None = None,
    pool: Pool | None = None,
) -> Generator[Any, None, None]:
    """Yield the result of every task, in order; close it when no more are wanted.

    Within a task they are done one after the other, in its thread: the pool has all its workers at work already.  When the
    results are not waited for any more, as after an interruption or an error, tasks that did not begin are not begun.

    Parameters
    ----------
    executor : Executor
        Runs them.
    function : callable
        ``function(task)``.
    tasks : sequence
        What to do.
    workers : int
        How many at a time.
    ahead : int, optional
        How many are handed out at a time, with those whose results wait.
    pool : concurrent.futures.Executor, optional
        One of this executor that is open, and stays so.

    Raises
    ------
    PluginError
        If the executor opens no pool, or its pool gives no futures.
    """
    outer = _given_up()
    if outer is not None:
        yield from _in_this_thread(function, tasks, outer)
        return
    given_up = _GivenUp() if len(tasks) > 1 else None
    results: Any = executor.map(_Task(function, given_up), tasks, workers=workers, ahead=ahead, pool=pool)
    try:
        for _ in tasks:
            result = _asked(executor, next, results, _NONE)
            if result is _NONE:
                msg = f"{executor.label} gave fewer results than the {len(tasks)} tasks that it was given."
                raise PluginError(msg, executor)
            yield result
            del result  # as whoever took it; there is no room for it beside the next
    finally:
        if given_up is not None:
            given_up.yes = True
        results.close()  # now, and not when the traceback of an error that is on its way is forgotten


def _in_this_thread(
    function: Callable[[Any], Any], tasks: Sequence[Any], given_up: _GivenUp
) -> Iterator[Any]:
    """Yield the result of every task of a task, one after the other, as long as somebody waits for them."""
    for task in tasks:
        if given_up.yes:
            raise CancelledError
        yield function(task)
