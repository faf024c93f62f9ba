"""Handing tasks to an executor, whose answers are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from drizframe.errors import PluginError
from drizframe.hooks import Executor, ask

__all__ = ["results_of"]

#: Stands for no result.
_NONE = object()


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
        If the executor drops a result, adds one, or gives none at all.
    """
    results = ask(executor, executor.map, function, tasks, workers=workers)
    try:
        results = iter(results)
    except TypeError:
        msg = f"{executor.label} returned {results!r:.80}; it must return the results one by one."
        raise PluginError(msg, executor) from None
    for _ in tasks:
        result = ask(executor, next, results, _NONE)
        if result is _NONE:
            msg = f"{executor.label} gave fewer results than the {len(tasks)} tasks that it was given."
            raise PluginError(msg, executor)
        yield result
    if ask(executor, next, results, _NONE) is not _NONE:
        msg = f"{executor.label} gave more results than the {len(tasks)} tasks that it was given."
        raise PluginError(msg, executor)
