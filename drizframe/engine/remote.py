"""Tasks in other processes: a task is a small record, all else lies in files; what it leaves comes back as it is.

The process of the run lists where its planes are (`Store.listed`), workers read them there; they write nothing that
the run keeps.  `execute` is what is called in a worker.
"""

from __future__ import annotations

import contextlib
import pickle
import threading
import traceback
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from concurrent.futures import Executor as Pool
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from drizframe._version import __version__
from drizframe.engine.bound import BoundStep
from drizframe.engine.budget import Share
from drizframe.engine.bus import Bus
from drizframe.engine.chains import Chain
from drizframe.engine.context import RunContext, told_at
from drizframe.engine.hearing import listening
from drizframe.engine.plan import Plan, steps_of
from drizframe.engine.pool import results_of
from drizframe.engine.sending import Entries, SentStep, loads, packed, travelling
from drizframe.engine.store import Store
from drizframe.engine.stored_plane import full_disk
from drizframe.engine.worker import Link, Receipt, Task, Told, failed_step, mark_failed
from drizframe.engine.worker import execute as carried_out
from drizframe.errors import DrizframeError, PluginError, RunError, told
from drizframe.grids.maps import Maps
from drizframe.hooks import FAULTS, Executor, PluginManager, Registry
from drizframe.hooks.plugins.sections import options_of
from drizframe.model import PlaneKey, Unit, Window
from drizframe.system.memory import Watch

__all__ = ["Parcel", "Workers", "execute"]

#: Files of the scratch folder; no plane has such a name.
_PLAN, _STATE = "@plan_0.raw", "@state_{}.raw"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A task, as it is sent.

    Parameters
    ----------
    folder : str
        Scratch folder of the run.
    state : int
        Number of the list of its planes.
    steps : tuple of int
        Numbers of the step, or of those of a chain, among those that are sent.
    unit : Unit
        What it works on.
    window : Window or None
        The tile or band.
    later : frozenset of str
        Names of planes that are wanted after a chain.
    """

    folder: str
    state: int
    steps: tuple[int, ...]
    unit: Unit
    window: Window | None = None
    later: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Returned:
    """What comes back of a task.

    Parameters
    ----------
    planes : mapping of PlaneKey to object
        What it made.
    notes : sequence of (str, kind, str)
        What it told the user, with the step.
    called : sequence of (family, name, implementation)
        The components that it called.
    seconds : float
        How long it took.
    links : sequence of Link
        What each step of a chain left.
    error : BaseException, optional
        With which it ended.
    failed : str
        The step of a chain in which it ended.
    """

    planes: Mapping[PlaneKey, Any]
    notes: Sequence[Told] = ()
    called: Sequence[tuple[str, str, str]] = ()
    seconds: float = 0.0
    links: Sequence[Link] = ()
    error: BaseException | None = None
    failed: str = ""


class Workers:
    """The workers of a run, in the process of the run; use it as a context.

    Parameters
    ----------
    context : RunContext
        The run.
    executor : Executor
        Opens their pool, once.
    """

    def __init__(self, context: RunContext, executor: Executor) -> None:
        self._context, self._executor = context, executor
        self._folder = context.store.shared_folder()
        self._numbers = {id(step): k for k, step in enumerate(travelling(context.plan))}
        self._state = 0
        self._pool: Pool | None = None
        #: Bytes that the workers may keep until they get other tasks.
        self.held = 0
        self._write(_PLAN, packed(context))

    def __enter__(self) -> Self:
        """Return them."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Shut the pool down, and forget what it was told, also where its tasks worked in this very process."""
        try:
            if self._pool is not None:
                self._pool.shutdown(wait=True)
        finally:
            with _lock:
                _forget(str(self._folder))
            for file in self._folder.glob("@*.raw"):
                file.unlink(missing_ok=True)

    def take(self, step: BoundStep) -> bool:
        """Whether tasks of a step go to workers."""
        return id(step) in self._numbers

    def receipts(self, chain: Chain, tasks: Sequence[Task], share: Share) -> Generator[Receipt, None, None]:
        """Yield the receipt of every task, in order.

        Parameters
        ----------
        chain : Chain
            Whose tasks they are, often a single step.
        tasks : sequence of Task
            To do.
        share : Share
            How many at a time, and how much each of them may keep in memory.
        """
        context = self._context
        self._write_state(share.kept)
        self.held = share.kept * share.workers
        numbers = tuple(self._numbers[id(step)] for step in chain.steps)
        parcels = [
            Parcel(str(self._folder), self._state, numbers, t.unit, t.window, chain.later) for t in tasks
        ]
        if self._pool is None:
            self._pool = self._executor.opened(context.plan.workers)
        with self._named(chain.steps[0]):
            results = results_of(self._executor, execute, parcels, share.workers, share.ahead, self._pool)
            with contextlib.closing(results):
                for task in tasks:
                    yield self._receipt(task, next(results))

    def _write_state(self, room: int) -> None:
        """Write where the planes are, for the tasks that come."""
        old = self._folder / _STATE.format(self._state)
        self._state += 1
        listed = self._context.store.listed()
        self._write(_STATE.format(self._state), pickle.dumps((listed, room), protocol=5))
        old.unlink(missing_ok=True)

    def _write(self, name: str, data: bytes) -> None:
        """Write a file that workers read."""
        with full_disk(self._folder / name, len(data)):
            (self._folder / name).write_bytes(data)

    @contextlib.contextmanager
    def _named(self, step: BoundStep) -> Iterator[None]:
        """Say that a worker is lost."""
        try:
            yield
        except BrokenExecutor as error:
            msg = (
                f"A worker process of {self._executor.label} ended while it worked on step {step.name!r}: {told(error)} "
                "If the system was short of memory, give a smaller num_cores or max_memory. A program that starts worker processes "
                "calls drizframe under `if __name__ == '__main__':`, because each worker reads the program again (so it must be a file, or "
                "given with -c: text from standard input cannot be read again)."
            )
            raise RunError(msg) from error

    def _receipt(self, task: Task, result: Any) -> Receipt:
        """Return what a task left; its error is raised here."""
        if not isinstance(result, Returned):
            msg = f"{self._executor.label} gave {type(result).__name__} as a result; it must hand on what the task returns."
            raise PluginError(msg, self._executor)
        context = task.context
        with context.lock:
            context.notes.extend((*note, told_at(task.unit, task.window)) for note in result.notes)
        if result.error is not None:
            if result.failed:
                mark_failed(result.error, result.failed)
            raise result.error
        called = [context.note_named(*one) for one in result.called]
        notes = [(text, kind) for text, kind, _ in result.notes]
        return Receipt(
            result.planes, notes, [one for one in called if one is not None], result.seconds, result.links
        )


# -- in a worker -----------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Run:
    """A run that this process works for."""

    folder: str
    context: RunContext
    state: int = 0


_lock = threading.Lock()
_runs: dict[str, _Run] = {}


def execute(parcel: Parcel) -> Returned:
    """Carry out a task in a worker; errors of the step come back in what is returned."""
    with listening():
        context = _context_of(parcel)
        steps = tuple(context.plan.steps[k] for k in parcel.steps)
        chain = Chain(parcel.steps[0], steps, parcel.later) if len(steps) > 1 else None
        returned = _done(Task(context, steps[0], parcel.unit, parcel.window, chain))
        if context.watch is not None:
            context.watch.look()
        return returned


def _done(task: Task) -> Returned:
    """Return what a task left, or with what error it ended."""
    told: list[Told] = []
    try:
        receipt = carried_out(task, told)
        _check_values(task, receipt.planes)
    except FAULTS as error:
        return Returned({}, tuple(told), error=_portable(error), failed=failed_step(error))
    called = tuple((c.family, c.name, kind) for c, kind in receipt.called)
    return Returned(receipt.planes, tuple(told), called, receipt.seconds, receipt.links)


def _check_values(task: Task, planes: Mapping[PlaneKey, Any]) -> None:
    """Refuse a value that cannot go back."""
    for key, value in planes.items():
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            continue
        try:
            pickle.loads(pickle.dumps(value))  # noqa: S301  (our own bytes)
        except FAULTS as error:
            step = task.maker_of(key.name)
            msg = (
                f"Step {step.name!r} of {step.owner} returned {key.name!r} as {type(value).__name__}, which cannot go from a worker "
                f"process to the run: {told(error)}. Make it of numbers, texts and records of a module."
            )
            raise PluginError(msg) from error


def _portable(error: BaseException) -> BaseException:
    """Return an error that can go to another process, with what was known of it here."""
    if isinstance(error, PluginError):
        return PluginError(str(error))  # it names the component, which cannot go
    if isinstance(error, MemoryError):
        return MemoryError(str(error))
    trace = "".join(traceback.format_exception(error))
    if not isinstance(error, DrizframeError):
        return RunError(f"{type(error).__name__} in a worker process: {error}\n{trace}")
    try:
        same: Any = pickle.loads(pickle.dumps(error))  # noqa: S301  (our own bytes)
    except FAULTS:
        same = None
    if isinstance(same, DrizframeError) and type(same) is type(error) and str(same) == str(error):
        return same
    return RunError(str(error))


@cache
def _manager() -> PluginManager:
    """Return the plugins of this process."""
    return PluginManager()


class _Components(Registry):
    """The components of this process, which says so of those that only the process of the run has."""

    def __init__(self, session: Entries) -> None:
        super().__init__(_manager())
        self._session = {(family, name): provider for family, name, provider in session}

    def entry(self, family: str, name: str) -> Any:
        """Return a component with its provider."""
        provider = self._session.get((family, name))
        if provider is not None:
            msg = (
                f"{family.capitalize()} {name!r} is of {provider}, and worker processes have what installed packages provide. Publish "
                "it by an entry point of the group 'drizframe', or choose executor='threads'."
            )
            raise PluginError(msg)
        return super().entry(family, name)


def _context_of(parcel: Parcel) -> RunContext:
    """Return the run of a task, as it is when the task begins."""
    with _lock:
        run = _runs.get(parcel.folder)
        if run is None:
            for old in [
                folder for folder in _runs if not Path(folder).is_dir()
            ]:  # of a pool that outlives its runs
                _forget(old)
            run = _runs[parcel.folder] = _Run(parcel.folder, _taken_over(parcel.folder))
        if run.state != parcel.state:
            data = (Path(parcel.folder) / _STATE.format(parcel.state)).read_bytes()
            listed, room = pickle.loads(data)  # noqa: S301  (of this user's own scratch folder)
            run.context.store.attach(listed, Path(parcel.folder))
            run.context.store.expect(room, None)
            run.state = parcel.state
        return run.context


def _taken_over(folder: str) -> RunContext:
    """Read what the tasks of a run have in common; say so if this process cannot have it."""
    try:
        return _opened(folder)
    except DrizframeError:
        raise
    except FAULTS as error:
        msg = (
            f"A worker could not take over the run: {type(error).__name__}: {told(error)}. Whatever a run is given must be importable "
            "in its workers, and they must see the files of the inputs and workdir. Or choose executor='threads'."
        )
        raise RunError(msg) from error


def _forget(folder: str) -> None:
    """Let a run go."""
    run = _runs.pop(folder, None)
    if run is not None:
        run.context.store.detach()


def _opened(folder: str) -> RunContext:
    """Read what the tasks of a run have in common.

    Raises
    ------
    RunError
        If this process has other versions than that of the run.
    """
    data = (Path(folder) / _PLAN).read_bytes()
    first, exposures, rest = pickle.loads(data)  # noqa: S301  (of this user's own scratch folder)
    registry = _Components(first["session"])
    _check_versions(first, registry)
    content = loads(rest, registry)
    frames, parameters = content["frames"], content["parameters"]
    every = tuple(loads(one, registry) for one in exposures)
    plan = Plan(
        exposures=every, parameters=parameters, frames=frames, planes=content["planes"], makers=content["makers"],
        steps=_bound(content["steps"], parameters, registry), workers=1, band=content["band"],
        maps=Maps(every, frames, **content["recipe"]), ratios=content["ratios"], footprints=content["footprints"],
    )  # fmt: skip
    context = RunContext(
        plan=plan, registry=registry, store=Store(0, folder), bus=Bus(registry.manager),
        keep=frozenset(content["keep"]), apart=True,
    )  # fmt: skip
    if context.large:
        context.watch = Watch(int(parameters.max_memory * 2**20) // content["workers"])
    return context


def _check_versions(first: Mapping[str, Any], registry: Registry) -> None:
    """Refuse components of another version than the run has."""
    advice = "Give workers the same environment as the run."
    if first["version"] != __version__:
        msg = f"A worker has drizframe {__version__}, and the run {first['version']}. {advice}"
        raise RunError(msg)
    have = {(e.record.family, e.record.name): e.provider for e in registry}
    for family, name, provider in first["entries"]:
        if have.get((family, name)) != provider:
            other = have.get((family, name))
            msg = f"The run has {family} {name!r} of {provider}, and a worker {f'that of {other}' if other else 'none'}. {advice}"
            raise RunError(msg)


def _bound(steps: Sequence[SentStep], parameters: Any, registry: Registry) -> tuple[BoundStep, ...]:
    """Return steps of this process in the place of those that the run has."""
    every, bound = {s.name: s for s in steps_of(registry)}, []
    for sent in steps:
        found = every.get(sent.name)
        if found is None or (found.provider, found.version) != (sent.provider, sent.version):
            have = "none" if found is None else f"that of {found.provider}, version {found.version!r}"
            msg = (
                f"The run has step {sent.name!r} of {sent.provider}, version {sent.version!r}, and a worker {have}. Give workers the "
                "same environment as the run."
            )
            raise RunError(msg)
        bound.append(BoundStep(found, options_of(found, parameters), sent.needs, sent.planes))
    return tuple(bound)
