"""Carrying out a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drizframe.engine.blame import culprit_of, provider_of
from drizframe.engine.bus import Bus
from drizframe.engine.hearing import hearing
from drizframe.engine.job import EngineJob, RunContext
from drizframe.engine.plan import Plan
from drizframe.engine.pool import results_of
from drizframe.engine.store import Store
from drizframe.errors import DrizframeError, InputError, PluginError, ShapeError
from drizframe.grids.footprints import exposure_window
from drizframe.hooks import FAULTS, Component, Registry, Step, owner_of
from drizframe.model import PLANES, RUN, PlaneKey, SkyValue, Unit, Window

__all__ = ["Task", "carry_out"]

#: Planes that are no images, and those that may have more axes than two.
_VALUES = frozenset({"sky", "noise.level", "single.threshold", "final.scale"})
_LAYERED = frozenset({"mosaic.ctx", "mosaic.var"})


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One call of a step."""

    context: RunContext
    step: Step
    unit: Unit
    window: Window | None = None


def execute(task: Task) -> Mapping[Any, Any]:
    """Call the step; a stranger's error is named after the component or step and who provides it."""
    job = EngineJob(task.context, task.step, task.unit, task.window)
    try:
        with hearing(lambda text: job.note(text, warn=True)):
            planes = task.step.run(job)
    except PluginError as error:
        if error.component is None:
            raise
        raise PluginError(_complaint(task, error), error.component) from error
    except DrizframeError as error:
        _name_file(task, error)
        raise
    except MemoryError:
        raise
    except FAULTS as error:
        ours = owner_of(error) is None and task.step.provider in ("", "drizframe")
        if ours and not isinstance(error, Exception):
            raise  # of the caller, such as a signal handler's
        raise PluginError(_failure(task, error)) from error
    return _checked(task, planes)


def _name_file(task: Task, error: DrizframeError) -> None:
    """Let an error about an input say which: components know a chip by its number only."""
    if task.unit.exposure is None or not isinstance(error, InputError | ShapeError):
        return
    exposure, text = task.context.plan.exposures[task.unit.exposure], str(error)
    if exposure.name in text:
        return
    where = str(exposure.path or exposure.name)
    where += "" if task.unit.chip is None else f"[SCI,{exposure.chips[task.unit.chip].extver}]"
    error.args = (f"{where}: {text}", *error.args[1:])


def _complaint(task: Task, error: PluginError) -> str:
    """Say where a component misbehaved, and whose it is."""
    context = task.context
    text = f"Step {task.step.name!r} on {_place(task)}: {error}"
    if isinstance(error.component, Component):
        provider = provider_of(error.component, context.registry, context.plan.parameters)
        text += f" ({error.component.label} is provided by {provider}.)" if provider else ""
    return text


def _place(task: Task) -> str:
    """Say which unit and tile a task is about."""
    unit = task.unit
    where = "the run"
    if unit.exposure is not None:
        where = task.context.plan.exposures[unit.exposure].name
        where += (
            ""
            if unit.chip is None
            else f", chip {task.context.plan.exposures[unit.exposure].chips[unit.chip].extver}"
        )
    if task.window is not None:
        w = task.window
        where += f", tile [{w.y0}:{w.y1}, {w.x0}:{w.x1}]"
    return where


def _failure(task: Task, error: BaseException) -> str:
    """Say what failed where, and whose it is."""
    step, where = task.step, _place(task)
    culprit = culprit_of(error, task.context.registry, task.context.plan.parameters)
    who = f"Step {step.name!r} of {step.provider or step.run.__module__} failed on {where}"
    if culprit:
        who = f"{culprit} failed in step {step.name!r} on {where}"
    return f"{who}: {type(error).__name__}: {error}"


def _checked(task: Task, planes: Any) -> Mapping[Any, Any]:
    """Return the results of a step; refuse those that were not declared or do not fit."""
    who = f"Step {task.step.name!r} of {task.step.provider or task.step.run.__module__}"
    if not isinstance(planes, Mapping):
        msg = f"{who} returned {type(planes).__name__}; it must return a mapping of planes."
        raise PluginError(msg)
    found = {}
    for name, value in planes.items():
        plain = name.name if isinstance(name, PlaneKey) else name
        if plain not in task.step.produces:
            msg = f"{who} returned plane {plain!r}, which it does not declare. Add it to `produces`."
            raise PluginError(msg)
        unit = name.unit if isinstance(name, PlaneKey) else task.unit
        found[name] = _plane(task, who, plain, unit, value)
    return found


def _plane(task: Task, who: str, name: str, unit: Unit, value: Any) -> Any:
    """Return a plane that a step made, as the store keeps it; refuse what cannot be one."""
    wanted = _shape_of(task, who, name, unit)
    if not isinstance(value, np.ndarray) or name == "sky":
        if wanted is None and (name != "sky" or isinstance(value, SkyValue)):
            return value
        need = "a SkyValue" if name == "sky" else f"an array of shape {wanted}"
        msg = f"{who} returned {name!r} as {type(value).__name__} {value!r:.60}; it must be {need}."
        raise PluginError(msg)
    if name in PLANES and value.dtype.kind not in "biuf":
        msg = f"{who} returned {name!r} with type {value.dtype}; it must hold real numbers."
        raise PluginError(msg)
    layers = value.ndim > 2 and name not in _LAYERED and name in PLANES
    if wanted is not None and (value.shape[-2:] != wanted or layers):
        msg = f"{who} returned {name!r} with shape {value.shape}; it must have {wanted}" + (
            " as its last two axes." if name in _LAYERED or name not in PLANES else "."
        )
        raise PluginError(msg)
    if name in {"sci", "err"}:
        value = np.ascontiguousarray(value, dtype=np.float32)
    # a view belongs to an array that the step may fill again
    return (
        value
        if value.base is None or not task.step.provider or task.step.provider == "drizframe"
        else value.copy()
    )


def _shape_of(task: Task, who: str, name: str, unit: Unit) -> tuple[int, int] | None:
    """Return the shape that a plane must have; None if it is no image, or of a size that only the step knows."""
    if unit.scope != "run" and not task.context.plan.has(unit):
        msg = f"{who} returned {name!r} for {unit}, which is no {unit.scope} of this run."
        raise PluginError(msg)
    if name in _VALUES:
        return None
    if task.window is not None:
        return task.window.shape
    meaning = PLANES.get(name, "")
    if meaning.startswith("chip") and unit.exposure is not None and unit.chip is not None:
        return task.context.plan.exposures[unit.exposure].chips[unit.chip].shape
    frame = {"median": "separate", "depth": "separate"}.get(
        name, "final" if name.startswith("mosaic.") else ""
    )
    return task.context.plan.frames[frame].shape if frame in task.context.plan.frames else None


def _tasks(context: RunContext, step: Step) -> list[Task]:
    """List the calls of a step."""
    plan = context.plan
    if step.scope != "tile":
        return [Task(context, step, unit) for unit in plan.unit_list(step.scope)]
    if step.grid == "exposure":
        return [
            Task(context, step, u, w)
            for u in plan.unit_list("exposure")
            for w in plan.tiles(_footprint(context, u))
        ]
    frame = plan.frames[step.grid]
    rows = None
    if step.grid == "separate" and plan.parameters.combine_bufsize is not None:
        rows = max(
            1,
            int(
                plan.parameters.combine_bufsize * 2**20 / (4 * min(frame.shape[1], plan.parameters.tile_size))
            ),
        )
    return [Task(context, step, RUN, w) for w in plan.tiles(frame.shape, rows)]


def _footprint(context: RunContext, unit: Unit) -> Window:
    """Return the part of the separate frame that an exposure covers, with the support of the kernel."""
    plan = context.plan
    assert unit.exposure is not None  # noqa: S101
    exposure = plan.exposures[unit.exposure]
    units = [Unit(unit.exposure, k) for k in range(len(exposure.chips))]
    kernel = context.registry.get("kernel", plan.parameters.driz_sep_kernel)
    pixfrac = plan.parameters.driz_sep_pixfrac
    margin = 2.0
    for u in units:
        # half a pixel of the chip is in the window of the exposure already
        margin = max(margin, 1.0 + kernel.reach(max(pixfrac, 1e-3), plan.ratios["separate", u])[1])
    return exposure_window(
        [plan.maps["separate", u] for u in units], plan.frames["separate"].shape, margin=margin
    )


def _staged(step: Step, key: PlaneKey) -> PlaneKey:
    """Return where a result waits while its step works: a filter's other tasks still read what was there before."""
    return PlaneKey(f"{key.name}@{step.name}", key.unit) if key.name in step.consumes else key


def _commit(context: RunContext, step: Step) -> None:
    """Put the results of a filter in place, when all of its tasks are done."""
    for name in set(step.produces) & set(step.consumes):
        for key in context.store.keys(f"{name}@{step.name}"):
            context.store.rename(key, PlaneKey(name, key.unit))


def _prepare(context: RunContext, step: Step) -> None:
    """Make room for the planes that tiles will fill; each is made when its first tile comes."""
    if step.grid == "exposure":
        for unit in context.plan.unit_list("exposure"):
            window = _footprint(context, unit)
            for name in step.produces:
                context.store.make(
                    _staged(step, PlaneKey(name, unit)), window.shape, np.float32, origin=window
                )


def _keep(context: RunContext, task: Task, planes: Mapping[Any, Any]) -> int:
    """Put what a task returned into the store; return the number of pixels."""
    store, pixels = context.store, 0
    for name, value in planes.items():
        key = _staged(task.step, name if isinstance(name, PlaneKey) else PlaneKey(name, task.unit))
        if isinstance(value, np.ndarray):
            pixels += value.size
        if task.window is None or not isinstance(value, np.ndarray):
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            store.put(key, value)
            continue
        if key not in store:
            frame = context.plan.frames[task.step.grid]
            store.make(key, (*value.shape[:-2], *frame.shape), value.dtype)
        origin = store.origin(key)
        window = task.window if origin is None else task.window.relative_to(origin)
        store.write(key, window, value)
    return pixels


def _say(context: RunContext, step: str) -> None:
    """Emit the notes that tasks left, in the main thread; the same text once."""
    with context.lock:
        notes, context.notes = list(dict.fromkeys(context.notes)), []
    for text, warn in notes:
        context.bus.note(text, warn=warn, step=step)


def _run_step(context: RunContext, step: Step) -> None:
    plan = context.plan
    if step.scope == "tile":
        _prepare(context, step)
    tasks = _tasks(context, step)
    context.bus.start(step.name, len(tasks))
    executor = context.registry.get("executor", plan.parameters.executor)
    results = results_of(executor, execute, tasks, plan.workers)
    for done, (task, planes) in enumerate(zip(tasks, results, strict=True), start=1):
        if not isinstance(planes, Mapping):
            msg = f"{executor.label} gave {type(planes).__name__} as a result; it must hand on what the task returns."
            raise PluginError(msg, executor)
        pixels = _keep(context, task, planes)
        context.bus.progress(step.name, done, len(tasks), pixels)
    _commit(context, step)
    _say(context, step.name)
    context.bus.finish(step.name, "ok", len(tasks))


def _release(context: RunContext, remaining: Sequence[Step], keep: frozenset[str]) -> None:
    """Forget planes that no later step and no product needs."""
    needed = {p for s in remaining for p in s.consumes} | keep
    for key in context.store.images():
        if key.name not in needed:
            context.store.drop(key)


def lonely(plan: Plan) -> list[str]:
    """Return the names of exposures whose part of the separate frame no other exposure touches."""
    windows = [
        exposure_window(
            [plan.maps["separate", Unit(i, k)] for k in range(len(e.chips))], plan.frames["separate"].shape
        )
        for i, e in enumerate(plan.exposures)
    ]
    return [
        e.name
        for i, e in enumerate(plan.exposures)
        if all(windows[i].intersection(w).empty for j, w in enumerate(windows) if j != i)
    ]


def carry_out(
    plan: Plan, registry: Registry, store: Store, bus: Bus, *, keep: frozenset[str] = frozenset()
) -> RunContext:
    """Run every step of a plan.

    Parameters
    ----------
    plan : Plan
        What to do.
    registry : Registry
        Where components come from.
    store : Store
        Gets the planes.
    bus : Bus
        Carries events to listeners.
    keep : frozenset of str
        Names of planes that stay in the store after the last step that needs them; ``"mosaic.*"`` always
        stay.

    Returns
    -------
    RunContext
        The store holds the planes; `backends` says which implementation of each component ran.
    """
    context = RunContext(plan=plan, registry=registry, store=store, bus=bus)
    wanted = keep | {"mosaic.sci", "mosaic.wht", "mosaic.ctx", "mosaic.var"}
    wanted |= {"sky", "mask.static", "mask.cr", "mask.cr.given"}
    for stage in plan.off:
        bus.finish(stage, "off")
    alone = lonely(plan) if len(plan.exposures) > 1 else []
    if alone:
        names = ", ".join(alone)
        bus.note(
            f"No other exposure overlaps {names}: cosmic rays cannot be told from stars there.", warn=True
        )
    for index, step in enumerate(plan.steps):
        try:
            _run_step(context, step)
        except FAULTS as error:
            _say(context, step.name)
            bus.finish(step.name, "aborted")
            culprit = culprit_of(error, registry, plan.parameters)
            if culprit and not isinstance(error, DrizframeError):
                msg = f"{culprit} failed in step {step.name!r}: {type(error).__name__}: {error}"
                raise PluginError(msg) from error
            raise
        except BaseException:
            _say(context, step.name)
            bus.finish(step.name, "aborted")
            raise
        _release(context, plan.steps[index + 1 :], frozenset(wanted))
    return context
