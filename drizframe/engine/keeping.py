"""How what tasks return becomes planes of a store: whole ones, and those that tiles or bands fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.engine.answers import shape_on
from drizframe.engine.bound import BoundStep
from drizframe.engine.context import RunContext
from drizframe.engine.job import job_for
from drizframe.engine.plan import Plan
from drizframe.engine.store import Store
from drizframe.errors import PluginError
from drizframe.model import ExposureUnit, PlaneKey, Unit, Window

if TYPE_CHECKING:
    from drizframe.engine.worker import Task

__all__ = ["commit", "fill", "keep", "prepare"]


def _staged(step: BoundStep, key: PlaneKey) -> PlaneKey:
    """Return where a result waits while its step works: a filter's other tasks still read what was there before."""
    return PlaneKey(f"{key.name}@{step.name}", key.unit) if key.name in step.filtered else key


def commit(store: Store, step: BoundStep) -> None:
    """Put the results of a filter in place, when all of its tasks are done."""
    for name in step.filtered:
        for key in store.keys(f"{name}@{step.name}"):
            store.rename(key, PlaneKey(name, key.unit))


def prepare(context: RunContext, step: BoundStep) -> None:
    """Make the planes of footprints that hold no pixel; others are made when their first tile comes."""
    if step.over == "tile" and step.grid == "exposure":
        for unit in context.plan.unit_list("exposure"):
            window = context.plan.footprint(unit)
            for name in step.planes if window.empty else ():
                context.store.make(
                    _staged(step, PlaneKey(name, unit)), window.shape, np.float32, origin=window
                )


def keep(store: Store, task: Task, planes: Mapping[PlaneKey, Any], *, staged: bool = True) -> int:
    """Put what a task returned into a store; return the number of pixels.

    Parameters
    ----------
    store : Store
        That of the run, or what a chain hands on within a task.
    task : Task
        What was done.
    planes : mapping of PlaneKey to object
        What it returned.
    staged : bool
        Whether what a filter made waits for `commit`.
    """
    plan, pixels = task.context.plan, 0
    for name, value in planes.items():
        key = _staged(task.step, name) if staged else name
        if plan.planes[name.name].kind == "value":
            store.put(key, value, as_value=True)
            continue
        pixels += value.size
        unit = name.unit
        part = plan.footprint(unit) if isinstance(unit, ExposureUnit) else None
        if task.window is None:
            value.flags.writeable = False
            store.put(key, value, part)
            continue
        shape = (*value.shape[:-2], *_whole(plan, unit))
        if key not in store:
            store.make(key, shape, value.dtype, origin=part)
        elif (store.shape(key), store.dtype(key)) != (shape, value.dtype):
            raise PluginError(_unlike(task, name, value, store.shape(key), store.dtype(key)))
        store.write(key, task.window if part is None else task.window.relative_to(part), value)
    return pixels


def _unlike(task: Task, key: PlaneKey, value: np.ndarray[Any, Any], shape: Any, dtype: Any) -> str:
    """Say that the tiles of a plane do not fit together."""
    step = task.maker_of(key.name)
    return (
        f"Step {step.name!r} of {step.owner} returned {key.name!r} of {task.context.plan.place(key.unit)} as {value.dtype} with "
        f"axes {value.shape[:-2]} before rows and columns, after {dtype} with {shape[:-2]} for another {step.over}. Give the plane "
        "a dtype, and all of its parts one shape."
    )


def _whole(plan: Plan, unit: Unit) -> tuple[int, int]:
    """Return the shape of a plane that is filled by tiles or bands."""
    shape = shape_on(plan, unit)
    assert shape is not None  # noqa: S101  (tiles and bands are of something that has pixels)
    return shape


def fill(
    store: Store, tasks: Sequence[Task], parts: Mapping[PlaneKey, set[Window]], made: Store | None = None
) -> None:
    """Let the parts that a filter left out be what they were; refuse a new plane with gaps.

    Parameters
    ----------
    store : Store
        Where they are.
    tasks : sequence of Task
        All of a step, or of one unit.
    parts : mapping of PlaneKey to set of Window
        The tiles or bands for which each plane was returned.
    made : Store, optional
        What steps of the same chain made of this unit.
    """
    by_unit: dict[Unit, list[Task]] = {}
    for task in tasks:
        by_unit.setdefault(task.unit, []).append(task)
    for key, whole in parts.items():
        for task in by_unit.get(key.unit, ()):
            window, context = task.window, task.context
            if window is None or window in whole:
                continue
            step = task.maker_of(key.name)
            if key.name not in step.filtered:
                msg = (
                    f"Step {step.name!r} of {step.owner} made plane {key.name!r} of {context.plan.place(key.unit)}, but not for "
                    f"its {step.over} [{window.y0}:{window.y1}, {window.x0}:{window.x1}]. Return it for all of them, or for none."
                )
                raise PluginError(msg)
            job = job_for(context, step, task.unit, window)
            job.made = made
            before = job.read(key.name, key.unit, window)
            if before is not None:
                keep(store, task, {key: np.array(before)})
