"""Whether a component gives the same when several threads use it: one call stopped at every line, then many at once.

A component that keeps something in one place for all threads (a module global, an attribute, a cache) goes wrong if
another call comes between two of its lines.  `stopped_at_every_line` makes that happen at each of them, so that such a
fault is found every time.  Compiled code has no lines to stop at; for that `hammered` makes many calls at once.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from drizframe.testing.failure import CheckFailure
from drizframe.testing.results import describe, foreign, plain, values_of

__all__ = ["same_from_threads"]

Call = Callable[[], Any]
#: Threads, and calls of each, that run at once.
THREADS, ROUNDS = 8, 6
#: Places at which a call is stopped: every one if there are no more, else each line once and others evenly spread.
PLACES = 40
#: No more than so many, even if there are more lines.
MOST = 160
#: Seconds that a stopped call waits for the other, which may need a lock that the stopped call holds; and how many
#: times what the other takes alone, if that is longer.
PATIENCE = (0.1, 10.0)
#: The same when that has happened so often that it is no accident.
SHORT, OFTEN = (0.01, 3.0), 3
#: Seconds after which two calls that wait for each other are given up.
STUCK = 30.0


def same_from_threads(
    what: str, calls: Sequence[Call], inputs: Sequence[Mapping[str, Any]] | None = None
) -> None:
    """Raise `CheckFailure` if calls give something else than alone when other threads make calls too.

    Parameters
    ----------
    what : str
        Name of the component.
    calls : sequence of callable
        With different inputs of one shape.
    inputs : sequence of mapping, optional
        The inputs of each, for messages; by default the default arguments of `calls`.
    """
    shown = [_inputs_of(call) for call in calls] if inputs is None else list(inputs)
    trail = _Trail()
    with _traced(trail):
        first = plain(calls[0]())
    alone = [first, *(plain(call()) for call in calls[1:])]
    if len(calls) > 1:
        kept_for_itself(what, calls[:2], shown[:2])
        stopped_at_every_line(what, calls[:2], alone[:2], trail.places(), shown[:2])
    hammered(what, calls, alone, shown)


def kept_for_itself(what: str, calls: Sequence[Call], inputs: Sequence[Mapping[str, Any]]) -> None:
    """Raise `CheckFailure` if what one call gave is changed by the next: a result is the caller's own."""
    result = calls[0]()
    before = plain(result)
    calls[1]()
    after = plain(result)
    if after != before:
        raise CheckFailure(
            f"{what} gives a new result each time",
            expected=values_of(before),
            got=values_of(after),
            where="result of one call, after another call with other inputs",
            inputs=_both(inputs),
        )


# -- one call stopped at every line ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """A moment of a call: before a line runs, or when a function returns, for the `nth` time."""

    file: str
    function: str
    line: int
    event: str
    nth: int = 0

    @property
    def text(self) -> str:
        """Say where it is."""
        moment = "before" if self.event == "line" else "on the return from"
        again = f", passed for the {self.nth + 1}. time" if self.nth else ""
        return f"{moment} line {self.line} of {self.file} (in {self.function}{again})"


class _Trail:
    """A trace function that writes down where a call comes along, in files of components and in others."""

    def __init__(self) -> None:
        self.own: list[Place] = []
        self.others: list[Place] = []
        self._seen: Counter[Place] = Counter()

    def __call__(self, frame: Any, event: str, _arg: Any) -> Any:
        if event == "call" and self.own and foreign(frame.f_code.co_filename):
            return None  # the component has lines of its own
        if event in {"line", "return"}:
            here = _place(frame, event)
            nth, self._seen[here] = self._seen[here], self._seen[here] + 1
            kept = self.others if foreign(here.file) else self.own
            kept.append(Place(here.file, here.function, here.line, here.event, nth))
        return self

    def places(self) -> list[Place]:
        """Return where to stop: every place, or each line once and others evenly spread."""
        found = self.own or [p for p in self.others if "drizframe/testing" not in p.file]
        if len(found) <= PLACES:
            return found
        chosen = {p: None for p in found if p.nth == 0}
        chosen = dict.fromkeys(_spread(list(chosen), MOST))
        rest = [p for p in found if p not in chosen]
        chosen |= dict.fromkeys(_spread(rest, PLACES - len(chosen)))
        return [p for p in found if p in chosen]


def _place(frame: Any, event: str) -> Place:
    code = frame.f_code
    return Place(code.co_filename, code.co_name, frame.f_lineno or 0, event)


def _spread(items: list[Place], count: int) -> list[Place]:
    """Return so many items, evenly spread, with the first and the last."""
    if count <= 0 or not items:
        return []
    if len(items) <= count:
        return items
    return [items[round(i)] for i in np.linspace(0, len(items) - 1, count)]


class _Stop:
    """A trace function that calls something at one place, once."""

    def __init__(self, place: Place, then: Callable[[], None]) -> None:
        self.place, self.then = place, then
        self.reached = False
        self._left = place.nth

    def __call__(self, frame: Any, event: str, _arg: Any) -> Any:
        if self.reached or frame.f_code.co_filename != self.place.file:
            return None
        if (frame.f_lineno, event) == (self.place.line, self.place.event):
            if frame.f_code.co_name != self.place.function:
                return self
            if self._left == 0:
                self.reached = True
                self.then()
                frame.f_trace = None
                return None
            self._left -= 1
        return self


class _Worker(threading.Thread):
    """A call in a thread, and what it gave."""

    def __init__(self, call: Call, trace: Any = None) -> None:
        super().__init__(daemon=True)
        self.call, self.trace = call, trace
        self.got: Any = None

    def run(self) -> None:
        try:
            with _traced(self.trace) if self.trace is not None else contextlib.nullcontext():
                self.got = self.call()
        except Exception as error:
            self.got = describe(error)
        else:
            self.got = plain(self.got)


def stopped_at_every_line(
    what: str,
    calls: Sequence[Call],
    alone: Sequence[Any],
    places: Sequence[Place],
    inputs: Sequence[Mapping[str, Any]],
) -> None:
    """Stop one call at each place, make another in a second thread meanwhile, and compare both.

    Parameters
    ----------
    what : str
        Name of the component.
    calls : sequence of two callables
        The one that is stopped, and the one that comes between.
    alone : sequence
        What they give alone, as `plain` packs it.
    places : sequence of Place
        Where to stop.
    inputs : sequence of two mappings
        For messages.

    Notes
    -----
    Each place is tried twice: afterwards the second call, or the first, is made once more, alone, because what is kept
    between calls may be left wrong for one of them only.
    """
    waits = 0
    start = time.perf_counter()
    calls[1]()
    seconds = time.perf_counter() - start
    for place in places:
        for again in (1, 0):
            least, times = PATIENCE if waits < OFTEN else SHORT
            first, second, waited = _stopped(what, calls, place, max(least, times * seconds))
            waits += waited
            if first is None:
                break  # a call that is not the first of its kind does not come along here
            repeated = _safely(calls[again])
            for k, got, which in (
                (0, first, "the stopped call"),
                (1, second, "the call that came between"),
                (again, repeated, f"the {('stopped call', 'call that came between')[again]}, made once more"),
            ):
                if got != alone[k]:
                    raise CheckFailure(
                        f"{what} gives the same if another thread calls it meanwhile",
                        expected=values_of(alone[k]),
                        got=values_of(got),
                        where=f"{which}; the component was interrupted {place.text}",
                        inputs=_both(inputs),
                    )


def _stopped(what: str, calls: Sequence[Call], place: Place, patience: float) -> tuple[Any, Any, bool]:
    """Return what both calls give, and whether the second had to wait for the first; None, None if never stopped."""
    between = _Worker(calls[1])
    waited = False

    def then() -> None:
        nonlocal waited
        between.start()
        between.join(patience)
        waited = between.is_alive()

    stop = _Stop(place, then)
    worker = _Worker(calls[0], stop)
    worker.start()
    for thread in (worker, between):
        if thread is between and not stop.reached:
            return None, None, False
        thread.join(STUCK)
        if thread.is_alive():
            raise CheckFailure(
                f"{what} comes back when two threads use it",
                expected="two results",
                got=f"no result after {STUCK:g} s: the calls wait for each other",
                where=f"the first call was interrupted {place.text}",
            )
    return worker.got, between.got, waited


def _safely(call: Call) -> Any:
    """Return what a call gives, or its error."""
    try:
        return plain(call())
    except Exception as error:
        return describe(error)


@contextlib.contextmanager
def _traced(trace: Any) -> Iterator[None]:
    """Let a function trace this thread; whoever traced it before (coverage, a debugger) does so again afterwards."""
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


# -- many calls at once ------------------------------------------------------------------------------------------------


def hammered(
    what: str, calls: Sequence[Call], alone: Sequence[Any], inputs: Sequence[Mapping[str, Any]]
) -> None:
    """Make the same calls from eight threads at once, and compare with what they give alone.

    Parameters
    ----------
    what : str
        Name of the component.
    calls : sequence of callable
        Each thread repeats one.
    alone : sequence
        What they give alone, as `plain` packs it.
    inputs : sequence of mapping
        For messages.
    """
    wrong: list[tuple[int, int, Any]] = []
    barrier = threading.Barrier(THREADS)

    def work(k: int) -> None:
        mine = k % len(calls)
        barrier.wait()
        with _traced(_yielding(2 + k % 4)):
            for round_ in range(ROUNDS):
                got = _safely(calls[mine])
                if got != alone[mine]:
                    wrong.append((k, round_, got))
                    return

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        workers = [threading.Thread(target=work, args=(k,)) for k in range(THREADS)]
        for w in workers:
            w.start()
        for w in workers:
            w.join()
    finally:
        sys.setswitchinterval(interval)
    if wrong:
        k, round_, got = wrong[0]
        raise CheckFailure(
            f"{what} gives the same from eight threads",
            expected=values_of(alone[k % len(calls)]),
            got=values_of(got),
            where=f"thread {k}, call {round_}; {len(wrong)} of {THREADS} threads differ",
            inputs=inputs[k % len(calls)],
        )


def _yielding(stride: int) -> Callable[..., Any]:
    """Return a trace function that lets other threads run after every few lines, so that narrow races show."""
    lines = 0

    def trace(frame: Any, event: str, _arg: Any) -> Any:
        nonlocal lines
        lines += 1
        if lines % stride == 0:
            time.sleep(0)
        return trace

    return trace


# -- inputs, for messages ----------------------------------------------------------------------------------------------


def _inputs_of(call: Call) -> dict[str, Any]:
    """Return the default arguments of a call that are data."""
    found: dict[str, Any] = {}
    names = getattr(getattr(call, "__code__", None), "co_varnames", ())
    for name, value in zip(names, getattr(call, "__defaults__", None) or (), strict=False):
        if is_dataclass(value) and not isinstance(value, type):
            found |= {f.name: getattr(value, f.name) for f in fields(value)}
        elif isinstance(value, tuple):
            found |= {f"{name}[{k}]": item for k, item in enumerate(value)}
        elif not callable(value):
            found[name] = value
    return found


def _both(inputs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the inputs of two calls under names that tell them apart."""
    whose = ("of the first call", "of the other")
    return {f"{n} {whose[k]}": v for k, of_call in enumerate(inputs) for n, v in of_call.items()}
