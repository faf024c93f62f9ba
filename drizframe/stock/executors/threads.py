"""The executor ``threads``.

Several tasks at a time in threads of this process; compiled loops release the lock.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor as Pool
from concurrent.futures import ThreadPoolExecutor

from drizframe.hooks import Executor, hookimpl
from drizframe.stock.executors._inline import InlinePool

__all__ = ["THREADS", "threads"]


def threads(workers: int) -> Pool:
    """Return a pool of threads; for one worker, one that does each task at once in this thread.

    Parameters
    ----------
    workers : int
        Threads.
    """
    return InlinePool() if workers <= 1 else ThreadPoolExecutor(workers, thread_name_prefix="drizframe")


THREADS = Executor(
    name="threads",
    summary="Several tasks at a time in threads.",
    open=threads,
    traits=frozenset({"picklable"}),
)


@hookimpl
def drizframe_executors() -> Iterable[Executor]:
    """Provide the executor."""
    yield THREADS
