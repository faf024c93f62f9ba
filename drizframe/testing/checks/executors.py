"""Checks of executors."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from drizframe.hooks import Executor
from drizframe.testing.checking import check
from drizframe.testing.failure import CheckFailure, require

__all__: list[str] = []

#: Numbers of tasks and of workers that are tried.
COUNTS, WORKERS = (0, 1, 2, 3, 7, 33), (1, 2, 5)
CASES = [(c, w) for c in COUNTS for w in WORKERS] + [(60, 2), (60, 8), (3, 16)]
#: The same for executors whose workers are processes, which take a second to start.
FEW = [(0, 2), (1, 2), (7, 2), (33, 3)]
#: Tasks of which one fails, and those that do.
TASKS, FAILING = 20, (0, 4, 19)
#: Seconds after which an executor is given up.
STUCK = 30.0


# tasks are functions of a module and small picklable records, as in the engine


def mark(task: tuple[str, int]) -> int:
    """Leave a mark that this task was done and return its number; later tasks are quicker."""
    folder, number = task
    time.sleep(0.002 if number % 3 == 0 else 0.0)
    with (Path(folder) / str(number)).open("a") as stream:
        stream.write("x")
    return number


class Failing:
    """A task function that fails for one number; it pickles."""

    def __init__(self, number: int, error: type[BaseException] = ArithmeticError) -> None:
        self.number, self.error = number, error

    def __call__(self, number: int) -> int:
        """Return the number, or fail."""
        if number == self.number:
            raise self.error(message(number))
        return number


def message(number: int) -> str:
    """Return the text of the error of a task."""
    return f"task {number} fails"


def in_time(what: str, call: Callable[[], Any], where: str) -> Any:
    """Return what a call gives, or the error that it raises; refuse one that does not come back."""
    found: list[Any] = []

    def work() -> None:
        try:
            found.append(call())
        except BaseException as error:  # what comes out is looked at
            found.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    worker.join(STUCK)
    require(bool(found), what, expected="a result or an error", got=f"nothing after {STUCK:g} s", where=where)
    return found[0]


def _cases(record: Executor) -> list[tuple[int, int]]:
    return CASES if record.shares_memory else FEW


def _results(record: Executor, function: Any, tasks: list[Any], workers: int) -> Iterator[Any]:
    """Yield results as the engine takes them: from one pool for a run where workers have memory of their own."""
    if record.shares_memory:
        yield from record.map(function, tasks, workers=workers)
        return
    with record.opened(workers) as pool:
        yield from record.map(function, tasks, workers=workers, pool=pool)


def _run(record: Executor, function: Any, tasks: list[Any], workers: int) -> list[Any]:
    return list(_results(record, function, tasks, workers))


@check("executor")
def check_every_task_once(record: Executor) -> None:
    """Every task is done exactly once; none is dropped."""
    for count, workers in _cases(record):
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
    for count, workers in _cases(record):
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
    near = record.shares_memory
    for workers in WORKERS if near else WORKERS[1:2]:
        for number in FAILING if near else FAILING[1:2]:
            for error in (ArithmeticError, KeyError, StopAsyncIteration):
                _require_error(record, number, error, workers)


def _require_error(record: Executor, number: int, wanted: type[Exception], workers: int) -> None:
    what = f"{record!r} passes on the error of a task"
    got: list[int] = []
    where = f"{TASKS} tasks, task {number} fails, {workers} workers"
    try:
        got.extend(_results(record, Failing(number, wanted), list(range(TASKS)), workers))
    except wanted as error:
        require(
            message(number) in str(error),
            what,
            expected=f"the message {message(number)!r}",
            got=str(error),
            where=where,
        )
    except Exception as error:
        raise CheckFailure(what, expected=wanted.__name__, got=repr(error), where=where) from error
    else:
        expected = f"{wanted.__name__}: {message(number)}"
        raise CheckFailure(what, expected=expected, got=f"no error, results {got}", where=where)
    require(
        got == list(range(len(got))) and len(got) <= number,
        what,
        expected="results in order before the error",
        got=got,
        where=where,
    )


def _shares_memory(record: Executor) -> bool:
    return record.shares_memory


@check("executor", applies=_shares_memory)
def check_interrupt_gets_through(record: Executor) -> None:
    """KeyboardInterrupt in a task ends the run; it is not taken for an error of the task, nor swallowed."""
    what = f"{record!r} lets KeyboardInterrupt through"
    for workers in WORKERS:
        for number in FAILING:
            where = f"{TASKS} tasks, task {number} is interrupted, {workers} workers"
            task = Failing(number, KeyboardInterrupt)
            got = in_time(what, lambda t=task, w=workers: _run(record, t, list(range(TASKS)), w), where)  # type: ignore[misc]
            require(
                isinstance(got, KeyboardInterrupt),
                what,
                expected="KeyboardInterrupt",
                got=repr(got),
                where=where,
            )


@check("executor", applies=_shares_memory)
def check_nested(record: Executor) -> None:
    """A task may map tasks of its own, as steps do with `job.map`."""
    what = f"{record!r} can be used by a task that it runs"

    for workers in WORKERS:

        def outer(number: int, w: int = workers) -> list[int]:
            return _run(record, Failing(-1), list(range(number, number + 4)), w)

        where = f"6 tasks of 4 tasks each, {workers} workers"
        got = in_time(what, lambda f=outer, w=workers: _run(record, f, list(range(6)), w), where)  # type: ignore[misc]
        want = [list(range(k, k + 4)) for k in range(6)]
        require(got == want, what, expected=want, got=repr(got), where=where)
