"""One task: a step called for a unit and a window, and errors named after who is to blame."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drizframe.engine.answers import checked
from drizframe.engine.bound import BoundStep
from drizframe.engine.context import RunContext
from drizframe.engine.hearing import hearing
from drizframe.engine.job import RunJob, job_for
from drizframe.errors import DrizframeError, DrizframeWarning, InputError, PluginError, ShapeError
from drizframe.hooks import FAULTS, Component, owner_of
from drizframe.hooks.guard import culprit_of, provider_of
from drizframe.hooks.markers import is_ours
from drizframe.model import ChipUnit, ExposureUnit, PlaneKey, Unit, Window

__all__ = ["Receipt", "Task", "call", "execute"]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One call of a step."""

    context: RunContext
    step: BoundStep
    unit: Unit
    window: Window | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """What a task left.

    Parameters
    ----------
    planes : mapping of PlaneKey to object
        What it made.
    notes : sequence of (str, kind)
        What it told the user, as `Job.note` takes it.
    called : sequence of (Component, str)
        The components that it called, each with the implementation that ran.
    seconds : float
        How long it took.
    """

    planes: Mapping[PlaneKey, Any]
    notes: Sequence[tuple[str, bool | type[DrizframeWarning]]] = ()
    called: Sequence[tuple[Component, str]] = ()
    seconds: float = 0.0

    @property
    def nbytes(self) -> int:
        """Bytes of the images that it made."""
        return sum(v.nbytes for v in self.planes.values() if isinstance(v, np.ndarray))


def execute(task: Task) -> Receipt:
    """Carry out a task: a job of its own, see `call`."""
    start = time.perf_counter()
    job = job_for(task.context, task.step, task.unit, task.window)
    planes = call(task, job)
    return Receipt(planes, tuple(job.told), tuple(job.called.values()), time.perf_counter() - start)


def call(task: Task, job: RunJob) -> Mapping[PlaneKey, Any]:
    """Call the step; a stranger's error is named after the component or step and who provides it."""
    try:
        with hearing(lambda text, kind: job.note(text, warn=kind)):
            planes = task.step.step.run(job)
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
        ours = owner_of(error) is None and is_ours(task.step.step.provider)
        if ours and not isinstance(error, Exception):
            raise  # of the caller, such as a signal handler's
        raise PluginError(_failure(task, error)) from error
    return checked(task.context.plan, task.step, task.unit, task.window, planes)


def _name_file(task: Task, error: DrizframeError) -> None:
    """Let an error about an input say which: components know a chip by its number only."""
    unit = task.unit
    if not isinstance(unit, ChipUnit | ExposureUnit) or not isinstance(error, InputError | ShapeError):
        return
    exposure, text = task.context.plan.exposures[unit.exposure], str(error)
    if exposure.name in text:
        return
    where = str(exposure.path or exposure.name)
    where += f"[SCI,{exposure.chips[unit.chip].extver}]" if isinstance(unit, ChipUnit) else ""
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
    where = task.context.plan.place(task.unit)
    if task.window is not None:
        w = task.window
        where += f", {'rows' if task.step.over == 'band' else 'tile'} [{w.y0}:{w.y1}, {w.x0}:{w.x1}]"
    return where


def _failure(task: Task, error: BaseException) -> str:
    """Say what failed where, and whose it is."""
    step, where = task.step, _place(task)
    culprit = culprit_of(error, task.context.registry, task.context.plan.parameters)
    who = f"Step {step.name!r} of {step.owner} failed on {where}"
    if culprit:
        who = f"{culprit} failed in step {step.name!r} on {where}"
    return f"{who}: {type(error).__name__}: {error}"
