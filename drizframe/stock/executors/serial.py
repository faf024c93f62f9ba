"""The executor ``serial``: one task after the other, in this thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from drizframe.hooks import Executor, hookimpl

__all__ = ["SERIAL", "serial"]


def serial(function: Callable[[Any], Any], tasks: Sequence[Any], *, workers: int = 1) -> Iterator[Any]:
    """Yield ``function(task)`` for each task, in order.

    Parameters
    ----------
    function : callable
        What to do.
    tasks : sequence
        What to do it to.
    workers : int
        Not used: there is one.
    """
    del workers
    for task in tasks:
        yield function(task)


SERIAL = Executor(
    name="serial", summary="One task after the other.", reference=serial, traits=frozenset({"picklable"})
)


@hookimpl
def drizframe_executors() -> Iterable[Executor]:
    """Provide the executor."""
    yield SERIAL
