"""The executor ``threads``.

Several tasks at a time in threads of this process; compiled loops release the lock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from drizframe.hooks import Executor, hookimpl

__all__ = ["THREADS", "threads"]


def threads(function: Callable[[Any], Any], tasks: Sequence[Any], *, workers: int = 1) -> Iterator[Any]:
    """Yield ``function(task)`` for each task, in order.

    Parameters
    ----------
    function : callable
        What to do; called in any thread.
    tasks : sequence
        What to do it to.
    workers : int
        Threads.

    Notes
    -----
    At most ``2 * workers`` results wait to be taken, so that memory stays bounded.  The first error stops the
    rest.
    """
    if workers <= 1 or len(tasks) <= 1:
        for task in tasks:
            yield function(task)
        return
    waiting: deque[Future[Any]] = deque()
    rest = iter(tasks)
    with ThreadPoolExecutor(max_workers=min(workers, len(tasks)), thread_name_prefix="drizframe") as pool:
        try:
            for task in rest:
                waiting.append(pool.submit(function, task))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


THREADS = Executor(
    name="threads",
    summary="Several tasks at a time in threads.",
    reference=threads,
    traits=frozenset({"picklable"}),
)


@hookimpl
def drizframe_executors() -> Iterable[Executor]:
    """Provide the executor."""
    yield THREADS
