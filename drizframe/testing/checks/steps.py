"""Checks of steps, in a small run of the engine."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from drizframe.config import Parameters
from drizframe.engine.answers import checked
from drizframe.engine.bus import Bus
from drizframe.engine.plan import make_plan
from drizframe.engine.schedule import carry_out
from drizframe.engine.store import Store
from drizframe.engine.switches import resolve_switches
from drizframe.errors import DrizframeError, PluginError
from drizframe.hooks import STAGES, PluginManager, Registry, Step, hookimpl
from drizframe.hooks.plugins.sections import section_of
from drizframe.model import PlaneKey, Window, holds
from drizframe.testing.checking import check, plain
from drizframe.testing.checks.own_options import given
from drizframe.testing.failure import CheckFailure, compare, require
from drizframe.testing.samples import StepSample

__all__: list[str] = []

#: What a run may do otherwise without changing a bit.
CHANGES: tuple[dict[str, Any], ...] = (
    {"tile_size": 17, "band": 7},
    {"tile_size": 23, "band": 13, "executor": "serial", "num_cores": 1},
    {"combine_bufsize": 0.002, "band": 1, "num_cores": 5},
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
    for k, other in enumerate(sample.steps):
        manager.register(_plugin("drizframe_extra_steps", partial(list, [other])), f"step beside it {k}")
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
def small_run(
    step: Step, sample: StepSample, run: Run | None = None, band: int = 256, **changes: Any
) -> Iterator[Store]:
    """Run a small mosaic with a step in it; `run` replaces the step's function, `band` is the height of bands of chips."""
    manager, registry, plan = _plan(step, sample, **changes)
    require(
        any(s.name == step.name for s in plan.steps),
        f"{name_of(step)} runs in the sample",
        expected=f"step {step.name!r} in the plan",
        got=[s.name for s in plan.steps],
        where="planning; switch it on in the sample's parameters",
    )
    under_test = dataclasses.replace(step, run=run or step.run)
    steps = (dataclasses.replace(s, step=under_test) if s.name == step.name else s for s in plan.steps)
    plan = dataclasses.replace(plan, steps=tuple(steps), band=band)
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
    """The step returns planes that it declares, of the shape and type that it declares, and no others."""
    seen: dict[str, np.dtype[Any] | None] = {}
    lock = threading.Lock()
    what = f"{name_of(step)} returns a mapping of the planes that it declares"

    def run(job: Any) -> Mapping[Any, Any]:
        result = step.run(job)
        where = f"unit {job.unit}"
        require(
            isinstance(result, Mapping), what, expected="a mapping", got=type(result).__name__, where=where
        )
        names = {k.name if isinstance(k, PlaneKey) else k for k in result}
        require(
            names <= set(step.produces), what,
            expected=f"some of {sorted(step.produces)}", got=sorted(map(str, names)), where=where,
        )  # fmt: skip
        with lock:
            for key, value in _fitting(step, job, result).items():
                _same_type(step, seen, key, value)
        return result

    with small_run(step, sample, run):
        require(
            bool(seen) or not step.produces,
            f"{name_of(step)} makes planes that it declares",
            expected=f"some of {sorted(step.produces)}",
            got="none",
            where="the whole run",
        )


def _fitting(step: Step, job: Any, answer: Any) -> Mapping[PlaneKey, Any]:
    """Return the planes of an answer, as the step made them; refuse one that the engine would refuse."""
    plan, bound, window = job._context.plan, job._step, job._window  # noqa: SLF001  (the kit sits in the engine's place)
    try:
        kept = checked(plan, bound, job.unit, window, answer)
    except PluginError as error:
        raise CheckFailure(
            f"{name_of(step)} makes what it declares",
            expected="; ".join(f"{p.name}: {p.describe()}" for p in bound.planes.values()),
            got=str(error),
            where=f"unit {job.unit}",
        ) from error
    return dict(zip(kept, answer.values(), strict=True))


def _same_type(step: Step, seen: dict[str, np.dtype[Any] | None], key: PlaneKey, value: Any) -> None:
    """Refuse a plane whose numbers are of another type than for another unit."""
    dtype = value.dtype if isinstance(value, np.ndarray) else None
    require(
        seen.setdefault(key.name, dtype) == dtype,
        f"{name_of(step)} makes numbers of one type",
        expected=seen[key.name],
        got=dtype,
        where=f"plane {key.name!r} of {key.unit}",
    )


class Watched:
    """A job that remembers what was read, and what it gave away, to see whether it was changed."""

    def __init__(self, job: Any) -> None:
        self._job = job
        self.given: list[tuple[str, Array, Array]] = []
        self.reads: list[tuple[str, Any, Window | None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)

    def read(self, name: str, unit: Any = None, window: Any = None) -> Any:
        """Give a plane that could be written to, unlike the engine's."""
        self.reads.append((name, unit, window))
        return self._handed(name, self._job.read(name, unit, window))

    def each(self, name: str) -> Iterator[tuple[Any, Any]]:
        """Give planes of several units."""
        self.reads.append((name, None, None))
        for unit, value in self._job.each(name):
            yield unit, self._handed(name, value)

    def _handed(self, name: str, value: Any) -> Any:
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
    """The planes have the same bits whatever the size of tiles and bands and the number of workers."""
    with small_run(step, sample) as store:
        want = planes(store, step)
    for changes in CHANGES:
        with small_run(step, sample, **changes) as store:
            got = planes(store, step)
        what = f"{name_of(step)} gives the same bits whatever the tiles, bands and the number of workers"
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
    """The step reads only planes that it declares, of the units and as far around as it declares."""

    def run(job: Any) -> Mapping[Any, Any]:
        watched = Watched(job)
        try:
            return step.run(watched)
        finally:  # an error of the engine that the step provoked is told as what it is; one that it hid is told too
            _check_reads(step, watched)

    with small_run(step, sample, run):
        pass


def _check_reads(step: Step, job: Watched) -> None:
    """Refuse a read that was not declared."""
    needs = job._job._step.needs  # noqa: SLF001  (borders are numbers there)
    where = f"unit {job.unit}"
    extra = sorted({name for name, _, _ in job.reads} - set(needs))
    require(
        not extra, f"{name_of(step)} reads planes that it declares",
        expected=f"some of {sorted(needs)}", got=extra, where=where,
    )  # fmt: skip
    for name, unit, window in job.reads:
        of, border = needs[name].of, needs[name].border
        key = PlaneKey(name, job._job._unit_of(name) if unit is None else unit)  # noqa: SLF001
        if unit is not None:
            require(
                _declared(job, of, key), f"{name_of(step)} reads planes of the units that it declares",
                expected=f"units of Need({name!r}, of={of!r})", got=unit, where=where,
            )  # fmt: skip
        own = job._job._window  # noqa: SLF001
        if own is not None and window is not None and job._job._on_own_grid(key):  # noqa: SLF001
            require(
                own.grown(border).intersection(window) == window,
                f"{name_of(step)} reads no farther around its {step.over} than it declares",
                expected=f"{own} and Need({name!r}, border={border})", got=window, where=where,
            )  # fmt: skip


def _declared(job: Watched, of: str, key: PlaneKey) -> bool:
    """Whether a plane of a unit may be read."""
    if of == "own":
        return holds(job.unit, key.unit) or holds(key.unit, job.unit)
    return of != "touching" or job._on_own_grid(key) or job._touches(key)  # noqa: SLF001  (as the engine asks)
