"""Checks of executors."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from drizframe.hooks import Executor
from drizframe.testing.checking import check
from drizframe.testing.failure import CheckFailure, require

__all__: list[str] = []

#: Numbers of tasks and of workers that are tried.
COUNTS, WORKERS = (0, 1, 2, 3, 7, 33), (1, 2, 5)


# tasks are functions of a module and small picklable records, as in the engine


def mark(task: tuple[str, int]) -> int:
    """Leave a mark that this task was done and return its number; later tasks are quicker."""
    folder, number = task
    time.sleep(0.002 if number % 3 == 0 else 0.0)
    with (Path(folder) / str(number)).open("a") as stream:
        stream.write("x")
    return number


def fail_at_four(number: int) -> int:
    """Return the number; 4 fails."""
    if number == 4:
        msg = "task four fails"
        raise ArithmeticError(msg)
    return number


def _run(record: Executor, function: Any, tasks: list[Any], workers: int) -> list[Any]:
    return list(record.map(function, tasks, workers=workers))


@check("executor")
def check_every_task_once(record: Executor) -> None:
    """Every task is done exactly once; none is dropped."""
    for count in COUNTS:
        for workers in WORKERS:
            with tempfile.TemporaryDirectory() as folder:
                _run(record, mark, [(folder, k) for k in range(count)], workers)
                found = {int(p.name): len(p.read_text()) for p in Path(folder).iterdir()}
            wrong = {k: found.get(k, 0) for k in range(count) if found.get(k, 0) != 1}
            require(
                not wrong,
                f"{record!r} does every task exactly once",
                expected="1 call of each task",
                got=", ".join(f"{n} calls of task {k}" for k, n in wrong.items()),
                where=f"{count} tasks, {workers} workers",
            )


@check("executor")
def check_results_in_order(record: Executor) -> None:
    """One result for each task, in the order of the tasks."""
    for count in COUNTS:
        for workers in WORKERS:
            with tempfile.TemporaryDirectory() as folder:
                got = _run(record, mark, [(folder, k) for k in range(count)], workers)
            require(
                got == list(range(count)),
                f"{record!r} gives one result for each task, in order",
                expected=list(range(count)),
                got=got,
                where=f"{count} tasks, {workers} workers",
            )


@check("executor")
def check_errors_propagate(record: Executor) -> None:
    """The error of a task reaches the caller, with type and message, after the results before it."""
    what = f"{record!r} passes on the error of a task"
    for workers in WORKERS:
        got: list[int] = []
        where = f"8 tasks, task 4 fails, {workers} workers"
        try:
            got.extend(record.map(fail_at_four, list(range(8)), workers=workers))
        except ArithmeticError as error:
            require(
                "task four fails" in str(error),
                what,
                expected="the message 'task four fails'",
                got=str(error),
                where=where,
            )
        except Exception as error:
            raise CheckFailure(what, expected="ArithmeticError", got=repr(error), where=where) from error
        else:
            raise CheckFailure(
                what, expected="ArithmeticError: task four fails", got=f"no error, results {got}", where=where
            )
        require(
            got == list(range(len(got))),
            what,
            expected="results in order before the error",
            got=got,
            where=where,
        )
