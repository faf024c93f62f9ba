"""The executor ``serial``: one task after the other, in this thread."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor as Pool

from drizframe.hooks import Executor, hookimpl
from drizframe.stock.executors._inline import InlinePool

__all__ = ["SERIAL", "serial"]


def serial(workers: int) -> Pool:
    """Return a pool that does each task at once.

    Parameters
    ----------
    workers : int
        Not used: there is one.
    """
    del workers
    return InlinePool()


SERIAL = Executor(
    name="serial", summary="One task after the other.", open=serial, traits=frozenset({"picklable"})
)


@hookimpl
def drizframe_executors() -> Iterable[Executor]:
    """Provide the executor."""
    yield SERIAL
