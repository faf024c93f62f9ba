"""Carrying out a plan."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np

from drizframe.engine.answers import shape_on
from drizframe.engine.bound import BoundStep
from drizframe.engine.budget import Budget
from drizframe.engine.bus import Bus
from drizframe.engine.context import RunContext
from drizframe.engine.job import job_for
from drizframe.engine.plan import Plan
from drizframe.engine.pool import results_of
from drizframe.engine.remote import Workers
from drizframe.engine.resuming import Resumption, receipts
from drizframe.engine.store import Store
from drizframe.engine.uses import Uses
from drizframe.engine.worker import Receipt, Task, execute
from drizframe.errors import DrizframeError, MaskWarning, PluginError
from drizframe.hooks import FAULTS, Registry
from drizframe.hooks.guard import culprit_of
from drizframe.model import ExposureUnit, FrameUnit, PlaneKey, Unit, Window
from drizframe.system.memory import Watch, give_back

__all__ = ["carry_out"]


def _tasks(context: RunContext, step: BoundStep) -> list[Task]:
    """List the calls of a step."""
    plan = context.plan
    if step.over == "band":
        return [Task(context, step, u, w) for u in plan.chips for w in plan.bands(u)]
    if step.over != "tile":
        return [Task(context, step, unit) for unit in plan.unit_list(step.over)]
    if step.grid == "exposure":
        return [
            Task(context, step, u, w)
            for u in plan.unit_list("exposure")
            for w in plan.tiles(plan.footprint(u))
        ]
    frame = plan.frames[step.grid]
    rows = None
    if step.grid == "separate" and plan.parameters.combine_bufsize is not None:
        pixels = min(frame.shape[1], plan.parameters.tile_size)
        rows = max(1, int(plan.parameters.combine_bufsize * 2**20 / (4 * pixels)))
    return [Task(context, step, FrameUnit(step.grid), w) for w in plan.tiles(frame.shape, rows)]


def _staged(step: BoundStep, key: PlaneKey) -> PlaneKey:
    """Return where a result waits while its step works: a filter's other tasks still read what was there before."""
    return PlaneKey(f"{key.name}@{step.name}", key.unit) if key.name in step.filtered else key


def _commit(context: RunContext, step: BoundStep) -> None:
    """Put the results of a filter in place, when all of its tasks are done."""
    for name in step.filtered:
        for key in context.store.keys(f"{name}@{step.name}"):
            context.store.rename(key, PlaneKey(name, key.unit))


def _prepare(context: RunContext, step: BoundStep) -> None:
    """Make the planes of footprints that hold no pixel; others are made when their first tile comes."""
    if step.over == "tile" and step.grid == "exposure":
        for unit in context.plan.unit_list("exposure"):
            window = context.plan.footprint(unit)
            for name in step.planes if window.empty else ():
                context.store.make(
                    _staged(step, PlaneKey(name, unit)), window.shape, np.float32, origin=window
                )


def _keep(context: RunContext, task: Task, planes: Mapping[PlaneKey, Any]) -> int:
    """Put what a task returned into the store; return the number of pixels."""
    store, pixels = context.store, 0
    for name, value in planes.items():
        key = _staged(task.step, name)
        if task.step.planes[name.name].kind == "value":
            store.put(key, value, as_value=True)
            continue
        pixels += value.size
        unit = name.unit
        part = context.plan.footprint(unit) if isinstance(unit, ExposureUnit) else None
        if task.window is None:
            value.flags.writeable = False
            store.put(key, value, part)
            continue
        shape = (*value.shape[:-2], *_whole(context.plan, unit))
        if key not in store:
            store.make(key, shape, value.dtype, origin=part)
        elif (store.shape(key), store.dtype(key)) != (shape, value.dtype):
            raise PluginError(_unlike(task, name, value, store.shape(key), store.dtype(key)))
        store.write(key, task.window if part is None else task.window.relative_to(part), value)
    return pixels


def _unlike(task: Task, key: PlaneKey, value: np.ndarray[Any, Any], shape: Any, dtype: Any) -> str:
    """Say that the tiles of a plane do not fit together."""
    return (
        f"Step {task.step.name!r} of {task.step.owner} returned {key.name!r} of {task.context.plan.place(key.unit)} as {value.dtype} with "
        f"axes {value.shape[:-2]} before rows and columns, after {dtype} with {shape[:-2]} for another {task.step.over}. Give the plane "
        "a dtype, and all of its parts one shape."
    )


def _whole(plan: Plan, unit: Unit) -> tuple[int, int]:
    """Return the shape of a plane that is filled by tiles or bands."""
    shape = shape_on(plan, unit)
    assert shape is not None  # noqa: S101  (tiles and bands are of something that has pixels)
    return shape


def _fill(context: RunContext, tasks: Sequence[Task], parts: Mapping[PlaneKey, set[Window]]) -> None:
    """Let the parts that a filter left out be what they were; refuse a new plane with gaps."""
    by_unit: dict[Unit, list[Task]] = {}
    for task in tasks:
        by_unit.setdefault(task.unit, []).append(task)
    for key, made in parts.items():
        for task in by_unit.get(key.unit, ()):
            window = task.window
            if window is None or window in made:
                continue
            if key.name not in task.step.filtered:
                msg = (
                    f"Step {task.step.name!r} of {task.step.owner} made plane {key.name!r} of {context.plan.place(key.unit)}, but not for "
                    f"its {task.step.over} [{window.y0}:{window.y1}, {window.x0}:{window.x1}]. Return it for all of them, or for none."
                )
                raise PluginError(msg)
            before = job_for(context, task.step, task.unit, window).read(key.name, key.unit, window)
            if before is not None:
                _keep(context, task, {key: np.array(before)})


def _say(context: RunContext, step: str) -> None:
    """Emit the notes that tasks left, in the main thread; the same text once."""
    with context.lock:
        notes, context.notes = list(dict.fromkeys(context.notes)), []
    for text, warn in notes:
        context.bus.note(text, warn=warn, step=step)


def _run_step(
    context: RunContext, index: int, uses: Uses, budget: Budget, apart: Workers | None = None
) -> None:
    plan, step = context.plan, context.plan.steps[index]
    tasks = _tasks(context, step)
    uses.begin(index, (task.unit for task in tasks))
    away = apart if apart is not None and len(tasks) > 1 and apart.take(step) else None
    share = budget.of(index) if away is None else budget.apart(index)
    context.workers = share.workers
    held = 0 if apart is None else apart.held
    context.store.expect(max(0, share.kept - held) if away is None else 0, uses.when)
    _prepare(context, step)
    context.bus.start(step.name, len(tasks))
    executor = context.registry.get("executor", plan.parameters.executor)
    parts: dict[PlaneKey, set[Window]] = {}

    def work(some: Sequence[Task]) -> Generator[Any, None, None]:
        if away is not None and some:
            return away.receipts(step, some, share)
        return results_of(executor, execute, some, share.workers, share.ahead)

    with contextlib.closing(receipts(context, step, tasks, work)) as results:
        for done, (task, receipt) in enumerate(zip(tasks, results, strict=True), start=1):
            if not isinstance(receipt, Receipt):
                msg = f"{executor.label} gave {type(receipt).__name__} as a result; it must hand on what the task returns."
                raise PluginError(msg, executor)
            planes = receipt.planes
            pixels = _keep(context, task, planes)
            if task.window is not None:
                for key in planes:
                    parts.setdefault(key, set()).add(task.window)
            if uses.done(task.unit):
                for key in uses.over(task.unit):
                    context.store.drop(key)
            if context.watch is not None:
                context.watch.look()
            context.bus.progress(step.name, done, len(tasks), pixels)
    _fill(context, tasks, parts)
    _commit(context, step)
    for key in uses.left(context.store.images()):
        context.store.drop(key)
    if context.watch is not None:
        give_back()
    _say(context, step.name)
    context.bus.finish(step.name, "ok", len(tasks))


def carry_out(
    plan: Plan,
    registry: Registry,
    store: Store,
    bus: Bus,
    *,
    keep: frozenset[str] = frozenset(),
    resumption: Resumption | None = None,
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
        Names of planes that stay in the store after the last step that needs them, besides those that are parts of the
        product or declared to stay.
    resumption : Resumption, optional
        What an earlier run did, and where this one is recorded.

    Returns
    -------
    RunContext
        The store holds the planes; `backends` says which implementation of each component ran.
    """
    context = RunContext(
        plan=plan, registry=registry, store=store, bus=bus, keep=keep, resumption=resumption,
        apart=not registry.get("executor", plan.parameters.executor).shares_memory,
    )  # fmt: skip
    wanted = keep | {p.name for p in plan.planes.values() if p.stays or p.product}
    for stage in plan.off:
        bus.finish(stage, "off")
    if plan.lonely:
        names = ", ".join(plan.lonely)
        bus.note(
            f"No other exposure overlaps {names}: cosmic rays cannot be told from stars there.",
            warn=MaskWarning,
        )
    if context.large:
        context.watch = Watch(store.limit)
    uses, budget = Uses(plan, frozenset(wanted)), Budget(plan, store.limit)
    with contextlib.ExitStack() as stack:
        executor = registry.get("executor", plan.parameters.executor)
        apart = None if executor.shares_memory else stack.enter_context(Workers(context, executor))
        _run_steps(context, uses, budget, apart)
    return context


def _run_steps(context: RunContext, uses: Uses, budget: Budget, apart: Workers | None) -> None:
    """Run the steps one after the other; an error names who is to blame."""
    plan, registry, bus = context.plan, context.registry, context.bus
    for index, step in enumerate(plan.steps):
        try:
            _run_step(context, index, uses, budget, apart)
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
