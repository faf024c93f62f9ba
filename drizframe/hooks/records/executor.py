"""Executors: where tasks run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from drizframe.hooks.records.base import Component
from drizframe.hooks.records.signatures import Calls

__all__ = ["Executor"]


class MapFunction(Protocol):
    """``Executor.map``: results in the order of the tasks."""

    def __call__(
        self, function: Callable[[Any], Any], tasks: Sequence[Any], *, workers: int
    ) -> Iterator[Any]:  # pragma: no cover
        """Yield ``function(task)`` for each task, in order; the first error stops the run."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Executor(Component):
    """Where tasks run.

    ``reference(function, tasks, *, workers) -> iterator``: results in the order of the tasks.

    Parameters
    ----------
    shares_memory : bool
        Whether tasks see this process's memory, so that components of the session and plain functions can be
        used.
    """

    family: ClassVar[str] = "executor"
    takes_options: ClassVar[bool] = False
    CALLS: ClassVar[Calls] = {"reference": "function, tasks, *, workers"}

    shares_memory: bool = True

    def map(self, function: Callable[[Any], Any], tasks: Sequence[Any], *, workers: int = 1) -> Iterable[Any]:
        """Run ``function(task)`` for every task; see the class."""
        assert self.reference is not None  # noqa: S101  (checked when the record was made)
        result: Iterable[Any] = self.reference(function, tasks, workers=workers)
        return result
