"""Handing tasks to an executor, whose answers are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from drizframe.errors import PluginError
from drizframe.hooks import FAULTS, Executor, blame

__all__ = ["results_of"]

#: Stands for no result.
_NONE = object()
_OF_TASK = "drizframe_of_task"


@dataclass(frozen=True, slots=True)
class _Task:
    """The function of the tasks; its errors are marked, so that the executor is not blamed for them."""

    function: Callable[[Any], Any]

    def __call__(self, task: Any) -> Any:
        try:
            return self.function(task)
        except BaseException as error:
            object.__setattr__(error, _OF_TASK, True)
            raise


def _asked(executor: Executor, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function of the executor; an error of its own carries it."""
    try:
        return function(*args, **kwargs)
    except FAULTS as error:
        if not getattr(error, _OF_TASK, False):
            blame(executor, error)
        raise


def results_of(
    executor: Executor, function: Callable[[Any], Any], tasks: Sequence[Any], workers: int
) -> Iterator[Any]:
    """Yield the result of every task, in order.

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

    Raises
    ------
    PluginError
        If the executor opens no pool, or its pool gives no futures.
    """
    results = executor.map(_Task(function), tasks, workers=workers)
    for _ in tasks:
        result = _asked(executor, next, results, _NONE)
        if result is _NONE:
            msg = f"{executor.label} gave fewer results than the {len(tasks)} tasks that it was given."
            raise PluginError(msg, executor)
        yield result
