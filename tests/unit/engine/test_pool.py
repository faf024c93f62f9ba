"""Tasks in an executor: those of a task, and what happens to those that nobody waits for any more."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import drizframe
from drizframe.engine.pool import results_of
from drizframe.hooks import Executor, Step, hookimpl
from drizframe.stock.executors.serial import SERIAL
from drizframe.stock.executors.threads import THREADS
from drizframe.testing.samples import sample_exposures

SETTINGS = {"skysub": False, "static": False, "driz_cr": False, "median": False, "blot": False}
MANY = list(range(12))


def running():
    return {t for t in threading.enumerate() if t is not threading.current_thread()}


def test_tasks_of_a_task_are_done_in_its_thread():
    opened, most = [], []

    def pool(workers):
        opened.append(workers)
        return ThreadPoolExecutor(workers)

    executor = Executor(name="counts", summary="C.", open=pool)
    before = running()

    def inner(k):
        most.append(len(running() - before))
        time.sleep(0.002)
        return threading.get_ident()

    def outer(_):
        return threading.get_ident(), set(results_of(executor, inner, MANY, 4))

    found = list(results_of(executor, outer, MANY, 4))
    assert opened == [4]
    assert max(most) <= 4
    assert all(inside == {own} for own, inside in found)


def test_tasks_of_a_single_task_go_to_the_pool():
    barrier = threading.Barrier(2, timeout=20)

    def outer(_):
        return list(results_of(THREADS, lambda k: barrier.wait() >= 0 and k, [1, 2], 2))

    assert list(results_of(THREADS, outer, [0], 2)) == [[1, 2]]


@pytest.mark.parametrize("executor", [SERIAL, THREADS], ids=lambda e: e.name)
def test_a_step_that_maps_has_as_many_threads_as_workers(executor):
    before, most = running(), []

    def one(k):
        most.append(len(running() - before))
        return k * k

    def run(job):
        assert job.map(one, MANY) == [k * k for k in MANY]
        return {}

    step = Step(name="mine.maps", summary="M.", needs=("sci",), makes=("sci",), over="chip", run=run)

    class Plugin:
        @hookimpl
        def drizframe_extra_steps(self):
            yield step

    name = drizframe.register(Plugin())
    try:
        drizframe.run(sample_exposures(), num_cores=2, executor=executor.name, **SETTINGS)
    finally:
        drizframe.unregister(name)
    assert max(most) <= (2 if executor is THREADS else 0)


def test_an_error_of_a_task_of_a_task_is_that_error():
    def inner(k):
        raise LookupError(k)

    with pytest.raises(LookupError, match="0"):
        list(results_of(THREADS, lambda _: list(results_of(THREADS, inner, MANY, 2)), MANY, 2))


def test_when_nobody_waits_any_more_no_task_begins():
    begun = []

    def work(k):
        begun.append(k)
        time.sleep(0.01)
        return k

    with contextlib.closing(results_of(THREADS, work, range(100), 2)) as results:
        assert next(results) == 0
    count = len(begun)
    time.sleep(0.1)
    assert len(begun) == count <= 8


def test_tasks_of_a_task_stop_when_nobody_waits_any_more():
    inside = []

    def inner(k):
        inside.append(k)
        time.sleep(0.005)

    def outer(k):
        return k if k == 0 else list(results_of(THREADS, inner, range(1000), 2))

    started = time.perf_counter()
    with contextlib.closing(results_of(THREADS, outer, MANY, 2)) as results:
        assert next(results) == 0
    assert time.perf_counter() - started < 2.0
    count = len(inside)
    time.sleep(0.05)
    assert len(inside) == count < 1000


def test_an_interruption_while_a_result_is_kept_ends_the_tasks():
    begun = []

    def run(job):
        begun.append(job.unit)
        time.sleep(0.02)
        return {}

    step = Step(name="mine.slow", summary="S.", needs=("sci",), makes=("sci",), over="chip", run=run)

    class Plugin:
        @hookimpl
        def drizframe_extra_steps(self):
            yield step

    class Interrupts:
        def drizframe_progress(self, event):
            if event.step == "mine.slow":
                raise KeyboardInterrupt

    name = drizframe.register(Plugin())
    many = [e for _ in range(10) for e in sample_exposures()]
    try:
        with pytest.raises(KeyboardInterrupt) as caught, pytest.warns(drizframe.errors.DrizframeWarning):
            drizframe.run(many, listeners=[Interrupts()], num_cores=2, **SETTINGS)
    finally:
        drizframe.unregister(name)
    count = len(begun)
    time.sleep(0.1)
    assert caught.value is not None  # its traceback, which holds the frames of the run, is still there
    assert len(begun) == count < 15
