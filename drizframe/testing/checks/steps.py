"""Checks of steps, in a small run of the engine."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from drizframe.config import Parameters
from drizframe.engine.bus import Bus
from drizframe.engine.plan import make_plan
from drizframe.engine.run import carry_out
from drizframe.engine.store import Store
from drizframe.engine.switches import resolve_switches
from drizframe.errors import DrizframeError
from drizframe.hooks import STAGES, PluginManager, Registry, Step, hookimpl
from drizframe.hooks.plugins.sections import section_of
from drizframe.model import PlaneKey
from drizframe.testing.checking import check, plain
from drizframe.testing.checks.own_options import given
from drizframe.testing.failure import CheckFailure, compare, require
from drizframe.testing.samples import StepSample

__all__: list[str] = []

#: What a run may do otherwise without changing a bit.
CHANGES: tuple[dict[str, Any], ...] = (
    {"tile_size": 17},
    {"tile_size": 23, "executor": "serial", "num_cores": 1},
    {"combine_bufsize": 0.002, "num_cores": 5},
)

Run = Callable[[Any], Mapping[Any, Any]]
Array = np.ndarray[Any, Any]


def manager_with(step: Step) -> PluginManager:
    """Return a manager that offers a step as a plugin does, unless it is one of ours."""
    manager = PluginManager(installed=False)
    shipped = [s for answer in manager.hook.drizframe_extra_steps() for s in (answer or ())]
    if step.name in STAGES.values():
        hook = next(h for h, stage in STAGES.items() if stage == step.name)
        manager.register(_plugin(hook, lambda: step), "step under test")
    elif step.name not in {s.name for s in shipped}:
        manager.register(_plugin("drizframe_extra_steps", lambda: [step]), "step under test")
    return manager


def _plugin(hook: str, answer: Callable[[], Any]) -> Any:
    """Return an object with one hook."""

    def implementation() -> Any:
        return answer()

    implementation.__name__ = hook
    holder = type("Plugin", (), {})()
    setattr(holder, hook, hookimpl(implementation))
    return holder


def _plan(step: Step, sample: StepSample, **changes: Any) -> tuple[PluginManager, Registry, Any]:
    """Plan a small mosaic with a step in it."""
    manager = manager_with(step)
    registry, exposures = Registry(manager), list(sample.exposures())
    given_parameters = {**sample.parameters, "num_cores": 2, "skyuser": "", **changes}
    if own := given(step):
        sections = dict(given_parameters.get("plugins", {}))
        name = section_of(step)
        given_parameters["plugins"] = {**sections, name: {**sections.get(name, {}), **own}}
    parameters, _ = resolve_switches(Parameters(**given_parameters), exposures, registry)
    return manager, registry, make_plan(exposures, parameters, registry)


def planned(step: Step, sample: StepSample) -> bool:
    """Whether a step runs in a sample: it is switched on, and something makes what it reads."""
    try:
        _, _, plan = _plan(step, sample)
    except DrizframeError:
        return False
    return any(s.name == step.name for s in plan.steps)


@contextlib.contextmanager
def small_run(step: Step, sample: StepSample, run: Run | None = None, **changes: Any) -> Iterator[Store]:
    """Run a small mosaic with a step in it; `run` replaces the step's function."""
    manager, registry, plan = _plan(step, sample, **changes)
    require(
        any(s.name == step.name for s in plan.steps),
        f"{name_of(step)} runs in the sample",
        expected=f"step {step.name!r} in the plan",
        got=[s.name for s in plan.steps],
        where="planning; switch it on in the sample's parameters",
    )
    under_test = dataclasses.replace(step, run=run or step.run)
    plan = dataclasses.replace(
        plan, steps=tuple(under_test if s.name == step.name else s for s in plan.steps)
    )
    with Store(1 << 26) as store:
        carry_out(plan, registry, store, Bus(manager), keep=frozenset(step.produces))
        yield store


def name_of(step: Step) -> str:
    """Return a name for messages."""
    return f"Step({step.name!r})"


def planes(store: Store, step: Step) -> dict[PlaneKey, Any]:
    """Return what a step made."""
    return {key: store.get(key) for name in step.produces for key in store.keys(name)}


@check("step", sampled=True)
def check_declares_what_it_makes(step: Step, sample: StepSample) -> None:
    """The step returns planes that it declares, and no others."""
    seen: set[str] = set()
    lock = threading.Lock()

    def run(job: Any) -> Mapping[Any, Any]:
        result = step.run(job)
        what = f"{name_of(step)} returns a mapping of the planes that it declares"
        require(
            isinstance(result, Mapping),
            what,
            expected="a mapping",
            got=type(result).__name__,
            where=f"unit {job.unit}",
        )
        names = {k.name if isinstance(k, PlaneKey) else k for k in result}
        require(
            names <= set(step.produces),
            what,
            expected=f"some of {sorted(step.produces)}",
            got=sorted(names),
            where=f"unit {job.unit}",
        )
        with lock:
            seen.update(names)
        return result

    with small_run(step, sample, run):
        require(
            bool(seen) or not step.produces,
            f"{name_of(step)} makes planes that it declares",
            expected=f"some of {sorted(step.produces)}",
            got="none",
            where="the whole run",
        )


class Watched:
    """A job that remembers what it gave away, to see whether it was changed."""

    def __init__(self, job: Any) -> None:
        self._job = job
        self.given: list[tuple[str, np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)

    def read(self, name: str, unit: Any = None, window: Any = None) -> Any:
        """Give a plane that could be written to, unlike the engine's."""
        value = self._job.read(name, unit, window)
        if not isinstance(value, np.ndarray):
            return value
        copy = np.array(value)
        self.given.append((name, copy, np.array(value)))
        return copy


@check("step", sampled=True, name="check_inputs_untouched")
def check_step_inputs_untouched(step: Step, sample: StepSample) -> None:
    """The planes that the step reads are not changed."""

    def run(job: Any) -> Mapping[Any, Any]:
        watched = Watched(job)
        result = step.run(watched)
        for name, handed, before in watched.given:
            compare(
                f"{name_of(step)} must not change what it reads",
                handed,
                before,
                where=f"plane {name!r}, unit {job.unit}",
            )
        return result

    with small_run(step, sample, run):
        pass


@check("step", sampled=True)
def check_tile_independence(step: Step, sample: StepSample) -> None:
    """The planes have the same bits whatever the size of tiles and the number of workers."""
    with small_run(step, sample) as store:
        want = planes(store, step)
    for changes in CHANGES:
        with small_run(step, sample, **changes) as store:
            got = planes(store, step)
        what = f"{name_of(step)} gives the same bits whatever the tiles and the number of workers"
        require(
            set(got) == set(want),
            what,
            expected=sorted(map(str, want)),
            got=sorted(map(str, got)),
            where=f"planes with {changes}",
        )
        for key, value in want.items():
            where = f"plane {key.name!r} of {key.unit} with {changes}"
            if isinstance(value, np.ndarray):
                compare(what, got[key], value, where=where)
            else:
                require(plain(got[key]) == plain(value), what, expected=value, got=got[key], where=where)


@check("step", sampled=True)
def check_results_are_its_own(step: Step, sample: StepSample) -> None:
    """What the step returns for one unit is not changed while it works on others: no buffer is used again."""
    kept: list[tuple[str, Any, Array, Array]] = []
    lock = threading.Lock()

    def run(job: Any) -> Mapping[Any, Any]:
        with lock:  # one unit at a time: what two threads do to each other is another fault
            result = step.run(job)
            for key, value in result.items() if isinstance(result, Mapping) else ():
                name = key.name if isinstance(key, PlaneKey) else key
                if isinstance(value, np.ndarray):
                    kept.append((name, job.unit, value, np.array(value)))
        return result

    with small_run(step, sample, run):
        for name, unit, value, before in kept:
            compare(
                f"{name_of(step)} gives a new array each time",
                value,
                before,
                where=f"plane {name!r} of unit {unit}, after the step has worked on other units",
            )


@check("step", sampled=True)
def check_reads_what_it_declares(step: Step, sample: StepSample) -> None:
    """The step reads only planes that it declares, and all units that it makes planes for exist."""
    read: set[str] = set()
    lock = threading.Lock()

    class Listening(Watched):
        def read(self, name: str, unit: Any = None, window: Any = None) -> Any:
            with lock:
                read.add(name)
            return self._job.read(name, unit, window)

    def run(job: Any) -> Mapping[Any, Any]:
        try:
            return step.run(Listening(job))
        except Exception as error:
            extra = sorted(read - set(step.consumes))
            if not extra:
                raise
            raise CheckFailure(
                f"{name_of(step)} reads planes that it declares",
                expected=f"some of {sorted(step.consumes)}",
                got=extra,
                where=f"unit {job.unit}",
            ) from error

    with small_run(step, sample, run):
        extra = sorted(read - set(step.consumes))
        require(
            not extra,
            f"{name_of(step)} reads planes that it declares",
            expected=f"some of {sorted(step.consumes)}",
            got=extra,
            where="the run",
        )
