"""Going on where a run was: results of tasks that an earlier run recorded are taken, and those of others are recorded."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import drizframe.errors
from drizframe.config import Parameters
from drizframe.engine.bound import BoundStep
from drizframe.engine.bus import Bus
from drizframe.engine.context import RunContext, told_at
from drizframe.engine.encoding import NotPlain, decoded, encoded
from drizframe.engine.fingerprint import SIZE, Unknown
from drizframe.engine.manifest import BadBlock, Entry, Manifest, described
from drizframe.engine.scratch_folders import scratch_parent
from drizframe.engine.task_keys import TaskKeys, place_of
from drizframe.engine.worker import Receipt, Task
from drizframe.errors import DrizframeWarning, OutputError, OutputWarning, told
from drizframe.model import ChipUnit, Exposure, ExposureUnit, FrameUnit, PlaneKey, Unit
from drizframe.model.units import RUN
from drizframe.system.resumable import AGE, open_folder, remove_old

__all__ = ["Resumption", "Work", "finishing", "receipts"]

Array = np.ndarray[Any, Any]
#: ``work(tasks)`` yields the receipt of every task, in order.
Work = Callable[[Sequence[Task]], Generator[Any, None, None]]

_UNITS: dict[str, Callable[..., Unit]] = {
    "chip": ChipUnit,
    "exposure": ExposureUnit,
    "frame": FrameUnit,
    "run": lambda: RUN,
}
_FIELDS: dict[str, tuple[str, ...]] = {
    "chip": ("exposure", "chip"),
    "exposure": ("exposure",),
    "frame": ("name",),
    "run": (),
}
#: What a damaged entry may raise when it is read.
_DAMAGED = (BadBlock, KeyError, LookupError, TypeError, ValueError, AttributeError)


@dataclass(slots=True, eq=False)
class Resumption:
    """What was done before, and what is done now.

    Parameters
    ----------
    manifest : Manifest
        Where it is recorded.
    bus : Bus
        Tells the user.
    lock : contextlib.ExitStack
        Its end lets the folder go.

    Attributes
    ----------
    keys : TaskKeys or None
        None: nothing can be recorded.
    reused, tasks : int
        Tasks that were not done again, and all.
    """

    manifest: Manifest
    bus: Bus
    lock: contextlib.ExitStack
    keys: TaskKeys | None = None
    reused: int = 0
    tasks: int = 0
    _told: set[str] = field(default_factory=set)
    _records: bool = True

    @classmethod
    def open(
        cls, exposures: Sequence[Exposure], output: str | None, parameters: Parameters, bus: Bus
    ) -> Resumption | None:
        """Open what an earlier run of the same inputs and output left; None if `resume` is off.

        Raises
        ------
        RunError
            If such a run is at work.
        OutputError
            If nothing can be recorded in `workdir`.
        """
        if not parameters.resume:
            return None
        parent = scratch_parent(parameters.workdir)
        lock = contextlib.ExitStack()
        with contextlib.ExitStack() as failed:
            failed.push(lock)
            folder = open_folder(lock, parent, _name(exposures, output))
            try:
                manifest = Manifest(folder)
            except OSError as error:
                msg = f"What an earlier run left in {str(folder)!r} cannot be read: {told(error)}. Remove that folder."
                raise OutputError(msg) from error
            failed.pop_all()
        for old in remove_old(parent, folder):
            bus.note(f"Removed {str(old)!r}: no run went on with it for {AGE // 86400} days.")
        return cls(manifest, bus, lock)

    def begin(self, keys: Callable[[], TaskKeys]) -> None:
        """Make the keys; where that cannot be, say why nothing is recorded."""
        try:
            self.keys = keys()
        except Unknown as why:
            self._cannot(f"Nothing is recorded for resume, because it works with {why}")

    def say(self) -> None:
        """Tell what was taken from the earlier run."""
        if self.reused:
            self.bus.note(f"Resumed: {self.reused} of {self.tasks} tasks were done by an earlier run.")

    def end(self) -> None:
        """The run has ended well: nothing is kept."""
        with self.lock:
            self.manifest.remove()

    def stop(self) -> None:
        """The run was stopped: a later one can go on."""
        with self.lock:
            self.manifest.close()

    def _cannot(self, text: str) -> None:
        """Tell once what is not recorded."""
        if text not in self._told:
            self._told.add(text)
            advice = "Components and steps of installed packages are known by their versions; publish an entry point."
            self.bus.note(f"{text}. {advice}", warn=OutputWarning)

    def common(self, step: BoundStep) -> str:
        """Return what the keys of the tasks of a step have in common; blank if they are not recorded."""
        if self.keys is None:
            return ""
        try:
            return self.keys.of_step(step)
        except Unknown as why:
            self._cannot(f"Step {step.name!r} is done again by a resumed run, because it works with {why}")
            return ""

    def taken(self, task: Task, entry: Entry) -> Receipt | None:
        """Return what an entry says that a task left; None if it is damaged."""
        try:
            receipt = _read(task, entry, self.manifest.arrays(entry))
        except _DAMAGED as why:
            place = task.context.plan.place(task.unit)
            text = f"What was recorded of step {task.step.name!r} on {place} {why if isinstance(why, BadBlock) else 'is damaged'}"
            self.bus.note(f"{text}; it is done again.", step=task.step.name)
            return None
        self.reused += 1
        with task.context.lock:
            at = told_at(task.unit, task.window)
            task.context.notes.extend((text, warn, task.step.name, at) for text, warn in receipt.notes)
        return receipt

    def record(self, key: str, place: str, task: Task, receipt: Receipt) -> Mapping[str, str | None]:
        """Record what a task left; return digests of its planes by name, None where one cannot be told."""
        try:
            entry, arrays = _written(key, place, task, receipt)
        except NotPlain as why:
            if key:
                names = ", ".join(task.step.planes)
                self._cannot(
                    f"Step {task.step.name!r} is done again by a resumed run, because {names} holds {why}"
                )
            return dict.fromkeys((k.name for k in receipt.planes), None)
        if key and self._records:
            try:
                self.manifest.add(entry, arrays)
            except OSError as error:
                self._records = False
                text = f"What is done is not recorded any more in {str(self.manifest.folder)!r}: {told(error)}. The run goes on."
                self.bus.note(text, warn=OutputWarning)
        return _contents(entry)


@contextlib.contextmanager
def finishing(resumption: Resumption | None) -> Iterator[None]:
    """Remove what was recorded when the block ends well; leave it to a later run when it does not."""
    try:
        yield
    except BaseException:
        if resumption is not None:
            resumption.stop()
        raise
    if resumption is not None:
        resumption.end()


def receipts(
    context: RunContext, step: BoundStep, tasks: Sequence[Task], work: Work
) -> Generator[Any, None, None]:
    """Yield the receipt of every task of a step, in order: of those that were done before as it was recorded.

    Parameters
    ----------
    context : RunContext
        The run.
    step : BoundStep
        One of its steps.
    tasks : sequence of Task
        All of its tasks.
    work : callable
        Carries out tasks.
    """
    resumption = context.resumption
    if resumption is None or resumption.keys is None:
        yield from work(tasks)
        return
    resumption.tasks += len(tasks)
    common = resumption.common(step)
    places = [place_of(t.step.name, t.unit, t.window) for t in tasks]
    keys = [resumption.keys.of_task(common, place) if common else "" for place in places]
    resumption.manifest.forget(step.name, frozenset(places))
    entries = [resumption.manifest.find(key) for key in keys]
    missing = [t for t, entry in zip(tasks, entries, strict=True) if entry is None]
    sums: dict[str, Any] = {name: hashlib.blake2b(digest_size=SIZE) for name in step.planes}
    with contextlib.closing(work(missing)) as results:
        for task, key, place, entry in zip(tasks, keys, places, entries, strict=True):
            receipt = None if entry is None else resumption.taken(task, entry)
            if receipt is not None and entry is not None:
                contents: Mapping[str, str | None] = _contents(entry)
            else:
                receipt = next(results) if entry is None else _one(work, task)
                if not isinstance(receipt, Receipt):
                    yield receipt  # the caller refuses it
                    return
                contents = resumption.record(key, place, task, receipt)
            yield receipt
            del receipt  # before the next one comes
            for name, content in contents.items():
                if content is None or sums[name] is None:
                    sums[name] = None
                else:
                    sums[name].update(f"{place} {content};".encode())
    resumption.keys.made({n: None if s is None else s.hexdigest() for n, s in sums.items()})


def _one(work: Work, task: Task) -> Any:
    """Carry out one task."""
    with contextlib.closing(work([task])) as results:
        return next(results)


def _name(exposures: Sequence[Exposure], output: str | None) -> str:
    """Return what tells runs of other inputs or another output from this one."""
    inputs = sorted(f"{e.name} {'' if e.path is None else e.path.absolute()}" for e in exposures)
    target = "" if output is None else str(Path(output).absolute())
    return hashlib.blake2b(
        "\0".join([target, *inputs]).encode(errors="surrogateescape"), digest_size=12
    ).hexdigest()


# -- entries ---------------------------------------------------------------------------------------------------------


def _written(key: str, place: str, task: Task, receipt: Receipt) -> tuple[Entry, list[Array]]:
    """Return what is recorded of a task, and its arrays."""
    arrays: list[Array] = []
    planes = []
    for plane, value in receipt.planes.items():
        declared = task.step.planes[plane.name]
        unit = [getattr(plane.unit, name) for name in _FIELDS[plane.unit.scope]]
        kinds = declared.value if declared.kind == "value" else None
        planes.append([plane.name, plane.unit.scope, unit, encoded(value, kinds, arrays)])
    notes = [[text, warn.__name__ if isinstance(warn, type) else warn] for text, warn in receipt.notes]
    called = [[c.family, c.name, kind] for c, kind in receipt.called]
    return Entry(key, task.step.name, place, described(arrays), [planes, notes, called]), arrays


def _contents(entry: Entry) -> dict[str, str | None]:
    """Return a digest of the planes of an entry, by name."""
    sums = [told for _, _, told in entry.arrays]
    found: dict[str, str | None] = {}
    for name, scope, unit, value in entry.rest[0]:
        text = f"{found.get(name, '')} {scope} {unit} {_resolved(value, sums)}"
        found[name] = hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=SIZE).hexdigest()
    return found


def _resolved(value: Any, sums: Sequence[str]) -> Any:
    """Return an encoded value with the digests of its arrays in their places."""
    if isinstance(value, dict):
        return {k: sums[v] if k == "array" else _resolved(v, sums) for k, v in value.items()}
    if isinstance(value, list):
        return [_resolved(v, sums) for v in value]
    return value


def _read(task: Task, entry: Entry, arrays: Sequence[Array]) -> Receipt:
    """Return what a task left."""
    told_planes, told_notes, told_called = entry.rest
    planes = {}
    for name, scope, unit, value in told_planes:
        declared = task.step.planes[name]
        kinds = declared.value if declared.kind == "value" else None
        planes[PlaneKey(name, _UNITS[scope](*unit))] = decoded(value, kinds, arrays)
    notes = tuple((str(text), _kind(warn)) for text, warn in told_notes)
    called = [task.context.note_named(*one) for one in told_called]
    return Receipt(planes, notes, tuple(one for one in called if one is not None))


def _kind(name: Any) -> bool | type[DrizframeWarning]:
    """Return a kind of warning by its name; those of plugins are the general one."""
    if not isinstance(name, str):
        return bool(name)
    kind = getattr(drizframe.errors, name, None)
    return kind if isinstance(kind, type) and issubclass(kind, DrizframeWarning) else DrizframeWarning
