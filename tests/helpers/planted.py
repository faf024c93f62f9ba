"""For tests of planted faults: what the kit finds, with the same inputs every time, and a pool that does its tasks wrong."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor as Pool
from concurrent.futures import Future
from typing import Any

from hypothesis import Phase, settings

from drizframe.hooks import Executor
from drizframe.testing import examples, run_checks

#: Hypothesis' profile of these tests.  Whether a fault shows must not depend on luck; and to look for the simplest input
#: that shows it takes many times as long as to find the first.
PROFILE = "planted"
settings.register_profile(
    PROFILE,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)

#: Checks of many inputs, in which faults of all kinds show besides.
WIDER = {
    "check_all_bad",
    "check_constant_sky",
    "check_few_and_negative",
    "check_same_again",
    "check_nested",
    "check_results_are_its_own",
}


def faults(record: Any, *, sample: Any = None, count: int) -> dict[str, str]:
    """Return the texts of the checks that fail, of so many examples."""
    with examples(count):
        return {o.check: o.text for o in run_checks(record, sample=sample) if not o.ok}


class Planted(Pool):
    """A pool that does each task at once, through a function that may do it wrong: ``do(number, task)``."""

    def __init__(self, do: Callable[[int, Callable[[], Any]], Any]) -> None:
        self.do, self.count = do, 0

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(self.do(self.count, lambda: fn(*args)))
        except BaseException as error:  # as pools do
            future.set_exception(error)
        self.count += 1
        return future


def executor(do: Callable[[int, Callable[[], Any]], Any]) -> Executor:
    """Return an executor whose pools do each task through `do`."""
    return Executor(name="mine", summary="For a test.", open=lambda workers: Planted(do))
