"""Planted races: each is found every time, with the line at which it happens; what is safe passes every time."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter

import numpy as np
import pytest

from drizframe.hooks import Combiner
from drizframe.testing import CheckFailure
from drizframe.testing.checking import same_from_threads
from drizframe.testing.checks.combiners import check_combiner_threads
from drizframe.testing.checks.threads import STUCK, Place, _stopped, _Trail

TIMES = 20


def combiner(name, function):
    return Combiner(name=f"mine.{name}", summary="For a test.", reference=function)


def clean(stack, bad):
    return np.where(bad, np.float32(0), stack)


SCRATCH = np.zeros((24, 24), dtype=np.float32)


def module_scratch(stack, bad, **facts):
    np.sum(clean(stack, bad), axis=0, out=SCRATCH)
    return SCRATCH / len(stack)


def scratch_of_one_line(stack, bad, **facts):
    return into_scratch(stack, bad) / len(stack)


def into_scratch(stack, bad):
    return np.sum(clean(stack, bad), axis=0, out=SCRATCH)


class Keeps:
    """Keeps its intermediate result on itself."""

    def __call__(self, stack, bad, **facts):
        self.filled = clean(stack, bad)
        return self.filled.mean(axis=0)


TABLE = {"key": None, "table": None}


def key_before_table(stack, bad, **facts):
    key = stack.tobytes()
    if TABLE["key"] != key:
        TABLE["key"] = key
        TABLE["table"] = clean(stack, bad).mean(axis=0)
    table = TABLE["table"]
    return np.array(table)


BY_SHAPE = {}


def keyed_by_shape_and_cleared(stack, bad, **facts):
    if stack.shape not in BY_SHAPE:
        BY_SHAPE[stack.shape] = clean(stack, bad).mean(axis=0)
    image = BY_SHAPE[stack.shape]
    BY_SHAPE.clear()
    return image


class Counts:
    """Writes to an attribute far from where it is read, in a long loop between."""

    def __call__(self, stack, bad, **facts):
        self.total = clean(stack, bad)[0]
        for k in range(1, len(stack)):
            for _ in range(200):
                pass
            self.total = self.total + clean(stack, bad)[k]
        return self.total


RACES = {
    "module scratch": module_scratch,
    "scratch of one line": scratch_of_one_line,
    "attribute": Keeps(),
    "table with its key first": key_before_table,
    "cache keyed by shape": keyed_by_shape_and_cleared,
    "attribute around a loop": Counts(),
}


@pytest.mark.parametrize("name", RACES)
def test_race_is_found_every_time_with_its_line(name):
    record = combiner("race", RACES[name])
    for _ in range(TIMES):
        with pytest.raises(CheckFailure) as caught:
            check_combiner_threads(record)
        text = str(caught.value)
        assert "Combiner('mine.race') (reference) gives the same if another thread calls it" in text
        for part in (
            "expected:",
            "got:",
            "where:",
            "input stack of the first call",
            "input bad of the other",
        ):
            assert part in text
        assert "the component was interrupted" in caught.value.where
        assert __file__ in caught.value.where


def test_the_line_that_is_named_is_the_one_between_write_and_read():
    with pytest.raises(CheckFailure) as caught:
        check_combiner_threads(combiner("race", module_scratch))
    line = module_scratch.__code__.co_firstlineno + 2
    assert f"before line {line} of {__file__} (in module_scratch)" in caught.value.where


LOCK = threading.Lock()
LOCAL = threading.local()


def locked(stack, bad, **facts):
    with LOCK:
        np.sum(clean(stack, bad), axis=0, out=SCRATCH)
        return SCRATCH / len(stack)


def local(stack, bad, **facts):
    if not hasattr(LOCAL, "scratch"):
        LOCAL.scratch = np.zeros_like(stack[0])
    np.sum(clean(stack, bad), axis=0, out=LOCAL.scratch)
    return LOCAL.scratch / len(stack)


KEPT = {}


def well_kept(stack, bad, **facts):
    key = (stack.tobytes(), bad.tobytes())
    if key not in KEPT:
        KEPT[key] = clean(stack, bad).mean(axis=0)
    return KEPT[key].copy()


@pytest.mark.parametrize("function", [locked, local, well_kept], ids=lambda f: f.__name__)
def test_what_is_safe_passes_every_time(function):
    for _ in range(TIMES):
        check_combiner_threads(combiner("safe", function))


FIRST, SECOND = threading.Lock(), threading.Lock()


def test_calls_that_wait_for_each_other_are_given_up(monkeypatch):
    monkeypatch.setattr("drizframe.testing.checks.threads.STUCK", 0.2)
    assert STUCK > 0.2
    gate = threading.Event()

    def one():
        with FIRST:
            gate.wait(0.1)
            with SECOND:
                return 1

    def other():
        with SECOND:
            gate.wait(2)
            with FIRST:
                return 2

    place = Place(__file__, "one", one.__code__.co_firstlineno + 2, "line")
    with pytest.raises(CheckFailure, match="wait for each other"):
        _stopped("mine", [one, other], place, 0.05)
    gate.set()  # both go on, so that no thread is left behind


def test_who_traced_before_traces_again():
    seen = []

    def tracer(frame, event, arg):
        seen.append(event)

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        same_from_threads("mine", [lambda k=k: k + 1 for k in range(2)])
        after = sys.gettrace()
    finally:
        sys.settrace(before)
    assert after is tracer


def test_each_line_is_a_place_even_in_a_long_loop():
    def long():
        total = 0
        for k in range(1000):
            total += k
        total += 1
        return total

    trail = _Trail()
    before = sys.gettrace()
    sys.settrace(trail)
    long()
    sys.settrace(before)
    first = long.__code__.co_firstlineno
    lines = Counter(p.line - first for p in trail.places() if p.event == "line" and p.function == "long")
    assert set(lines) == {1, 2, 3, 4, 5}
    assert sum(lines.values()) <= 40
    assert all(p.file == __file__ for p in trail.places())


def test_an_error_in_between_is_a_difference():
    busy = []

    def shy(value):
        if busy:
            raise RuntimeError("busy")
        busy.append(value)
        time.sleep(0)
        busy.clear()
        return value

    with pytest.raises(CheckFailure, match="RuntimeError: busy"):
        same_from_threads("mine", [lambda k=k: shy(k) for k in range(2)])
