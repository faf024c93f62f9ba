"""One task: a step, or a chain of them, called for a unit and a window, and errors named after who is to blame."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from drizframe.engine.answers import checked
from drizframe.engine.bound import BoundStep
from drizframe.engine.chains import Chain, windows_of
from drizframe.engine.context import RunContext
from drizframe.engine.hearing import hearing
from drizframe.engine.job import RunJob, job_for
from drizframe.engine.keeping import commit, fill, keep
from drizframe.engine.pool import stop_if_given_up
from drizframe.engine.store import Store
from drizframe.errors import DrizframeError, DrizframeWarning, InputError, PluginError, ShapeError
from drizframe.hooks import FAULTS, Component, owner_of
from drizframe.hooks.guard import culprit_of, provider_of
from drizframe.hooks.markers import is_ours
from drizframe.model import ChipUnit, ExposureUnit, PlaneKey, Unit, Window

__all__ = ["Link", "Receipt", "Task", "Told", "call", "execute", "failed_step", "linked", "mark_failed"]

#: What a step told the user: the text, whether it is a warning, and the name of the step.
Told = tuple[str, bool | type[DrizframeWarning], str]

#: Limit of what the steps of a chain hand on to each other: it is counted by the budget, and stays in memory.
_ALL = 1 << 62
_FAILED = "drizframe_failed_step"


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One call of a step, or of each step of a chain.

    Parameters
    ----------
    context : RunContext
        The run.
    step : BoundStep
        The step; the first one of a chain.
    unit : Unit
        What it works on.
    window : Window, optional
        The tile or band.
    chain : Chain, optional
        Several steps, which are called one after the other.
    """

    context: RunContext
    step: BoundStep
    unit: Unit
    window: Window | None = None
    chain: Chain | None = None

    def maker_of(self, name: str) -> BoundStep:
        """Return the step that makes a plane."""
        return self.step if self.chain is None else self.chain.maker_of(name)


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """What one step of a chain left.

    Parameters
    ----------
    step : str
        Its name.
    pixels : sequence of int
        For each time that it was called, how many pixels it returned.
    made : frozenset of PlaneKey
        What it made, also what only others of the chain were to read.
    seconds : float
        How long it took.
    """

    step: str
    pixels: Sequence[int]
    made: frozenset[PlaneKey]
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """What a task left.

    Parameters
    ----------
    planes : mapping of PlaneKey to object
        What it made.
    notes : sequence of (str, kind)
        What it told the user, as `Job.note` takes it; nothing for a chain, whose notes the context has.
    called : sequence of (Component, str)
        The components that it called, each with the implementation that ran.
    seconds : float
        How long it took.
    links : sequence of Link
        What each step of a chain left.
    """

    planes: Mapping[PlaneKey, Any]
    notes: Sequence[tuple[str, bool | type[DrizframeWarning]]] = ()
    called: Sequence[tuple[Component, str]] = ()
    seconds: float = 0.0
    links: Sequence[Link] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of the images that it made."""
        return sum(v.nbytes for v in self.planes.values() if isinstance(v, np.ndarray))


def execute(task: Task, told: list[Told] | None = None) -> Receipt:
    """Carry out a task: a job of its own, see `call`; of a chain one for each step.

    Parameters
    ----------
    task : Task
        What to do.
    told : list, optional
        Gets what it tells the user, also where it fails.
    """
    told = [] if told is None else told
    if task.chain is not None:
        return linked(task, task.chain, told)
    start = time.perf_counter()
    job = job_for(task.context, task.step, task.unit, task.window)
    try:
        planes = call(task, job)
    finally:
        told += [(text, kind, task.step.name) for text, kind in job.told]
    return Receipt(planes, tuple(job.told), tuple(job.called.values()), time.perf_counter() - start)


def linked(task: Task, chain: Chain, told: list[Told]) -> Receipt:
    """Call the steps of a chain one after the other; each sees what those before it made of this unit.

    Parameters
    ----------
    task : Task
        With its unit.
    chain : Chain
        The steps.
    told : list
        Gets what they tell the user, also where one fails.
    """
    links: list[Link] = []
    called: dict[int, tuple[Component, str]] = {}
    with Store(_ALL) as made:
        for number, step in enumerate(chain.steps, start=1):
            stop_if_given_up()
            try:
                links.append(_link(replace(task, step=step, chain=None), made, called, told))
            except BaseException as error:
                mark_failed(error, step.name)
                raise
            needed = chain.needed(number)
            for key in made.images():
                if key.name not in needed:
                    made.drop(key)
        planes = {key: made.whole(key) for name in sorted(chain.made) for key in made.keys(name)}
    return Receipt(planes, (), tuple(called.values()), sum(link.seconds for link in links), links)


def _link(task: Task, made: Store, called: dict[int, tuple[Component, str]], told: list[Told]) -> Link:
    """Call one step of a chain, for each band if it works on these, and keep what it made for those that follow."""
    start, step, plan = time.perf_counter(), task.step, task.context.plan
    tasks = [replace(task, window=w) for w in windows_of(plan, step, task.unit, task.window)]
    pixels: list[int] = []
    parts: dict[PlaneKey, set[Window]] = {}
    for each in tasks:
        job = job_for(task.context, step, each.unit, each.window)
        job.made = made
        try:
            planes = call(each, job)
        finally:
            told += [(text, kind, step.name) for text, kind in job.told]
            called.update(job.called)
        if task.window is not None:  # a chain of bands: a band is all that there is
            pixels.append(sum(image.size for image in planes.values()))
            for key, image in planes.items():
                made.put(key, image, task.window)
        else:
            pixels.append(keep(made, each, planes))
        for key in planes:
            whole = parts.setdefault(key, set())
            if each.window is not None:
                whole.add(each.window)
    if task.window is None:
        fill(made, tasks, parts, made)
        commit(made, step)
    return Link(step.name, pixels, frozenset(parts), time.perf_counter() - start)


def mark_failed(error: BaseException, step: str) -> None:
    """Let an error say which step of a chain raised it."""
    object.__setattr__(error, _FAILED, step)


def failed_step(error: BaseException) -> str:
    """Return the name of the step of a chain that raised an error; blank if it comes from elsewhere."""
    return str(getattr(error, _FAILED, ""))


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
