"""Executors: where tasks run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor as Pool
from dataclasses import dataclass
from typing import Any, ClassVar

from drizframe.errors import PluginError, RecordError
from drizframe.hooks.records.base import Component
from drizframe.hooks.records.signatures import Calls

__all__ = ["Executor"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Executor(Component):
    """Where tasks run.

    Parameters
    ----------
    open : callable
        ``open(workers) -> concurrent.futures.Executor``: a pool for so many tasks at a time; drizframe shuts it down.  Threads,
        processes, loky, mpi4py and Dask (``Client.get_executor``) have such pools.
    shares_memory : bool
        Whether tasks see this process's memory, so that components of the session and plain functions can be
        used.  Without it there is one pool for a whole run; planes go through files in `workdir`, which its workers must see.
    """

    family: ClassVar[str] = "executor"
    takes_options: ClassVar[bool] = False
    CALLS: ClassVar[Calls] = {"open": "workers"}

    open: Callable[[int], Pool] | None = None
    shares_memory: bool = True

    def _check(self) -> None:
        if self.open is None:
            old = (
                " A function that maps, as `reference`, is of contract 1."
                if self.reference is not None
                else ""
            )
            msg = f"{self.label} has no open(workers). Give a function that returns a concurrent.futures.Executor.{old}"
            raise RecordError(msg)
        if self.reference is None:
            object.__setattr__(self, "reference", self.open)

    def map(
        self,
        function: Callable[[Any], Any],
        tasks: Sequence[Any],
        *,
        workers: int = 1,
        ahead: int | None = None,
        pool: Pool | None = None,
    ) -> Iterator[Any]:
        """Yield ``function(task)`` for every task, in order.

        At most `ahead` tasks, by default twice as many as workers, are at work or wait to be taken, so that memory stays
        bounded; the first error stops the rest.  A single task is done in this thread, unless there is a `pool` already, which
        stays open.
        """
        most = max(workers, 2 * workers if ahead is None else ahead)
        if len(tasks) <= 1 and pool is None:
            yield from (function(task) for task in tasks)
            return
        own = pool is None
        pool = self.opened(min(workers, len(tasks))) if pool is None else pool
        waiting: deque[Any] = deque()
        try:
            for task in tasks:
                if len(waiting) >= most:
                    yield waiting.popleft().result()
                waiting.append(self._submitted(pool, function, task))
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            if own:
                pool.shutdown(wait=True)

    def opened(self, workers: int) -> Pool:
        """Open a pool for so many tasks at a time; refuse what is none."""
        assert self.open is not None  # noqa: S101  (checked when the record was made)
        pool = self.open(workers)
        if not callable(getattr(pool, "submit", None)) or not callable(getattr(pool, "shutdown", None)):
            msg = (
                f"{self.label} opened {pool!r:.80}; open(workers) must return a concurrent.futures.Executor."
            )
            raise PluginError(msg, self)
        return pool

    def _submitted(self, pool: Pool, function: Callable[[Any], Any], task: Any) -> Any:
        """Return the future of a task; refuse what is none."""
        future: Any = pool.submit(function, task)
        if not callable(getattr(future, "result", None)) or not callable(getattr(future, "cancel", None)):
            msg = f"{self.label}: its pool gave {future!r:.80} for a task; submit() must return a concurrent.futures.Future."
            raise PluginError(msg, self)
        return future
