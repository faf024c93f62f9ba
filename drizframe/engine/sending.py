"""What goes to workers in other processes: a plan, and the planes that a step finds there.

Nothing of a run is sent twice: a task is a small record (`drizframe.engine.remote.Parcel`), and all that tasks have in common lies
in files of the scratch folder.  Components and steps are sent by name; the worker takes them from its own plugins.
"""

from __future__ import annotations

import contextlib
import io
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import FunctionType
from typing import TYPE_CHECKING, Any

from drizframe._version import __version__
from drizframe.config import Parameters
from drizframe.engine.bound import BoundStep
from drizframe.engine.plan import COMPONENT_PARAMETERS, Plan
from drizframe.engine.spooled import ScratchSource
from drizframe.errors import ParameterError, WCSError, told
from drizframe.grids.maps import Maps
from drizframe.grids.wcs_copies import WcsCopy
from drizframe.hooks import FAULTS, Component, Executor, Need, Registry, Step
from drizframe.hooks.markers import PROJECT
from drizframe.model import Chip, ChipUnit, Plane

if TYPE_CHECKING:
    from drizframe.engine.context import RunContext

__all__ = [
    "Entries",
    "SentStep",
    "check_executor",
    "loads",
    "packed",
    "travelling",
    "why_at_home",
]

#: Names of components with who provides them.
Entries = list[tuple[str, str, str]]

#: Bytes of what loads the pixels of a chip up to which it is sent itself; images in memory go through scratch files.
SMALL = 1 << 20
#: Parameters whose components work in the process of the run only.
_AT_HOME = frozenset({"executor", "writer"})
_ADVICE = (
    "Worker processes have what installed packages provide: publish it by an entry point of the group 'drizframe', or choose "
    "executor='threads' or 'serial'."
)


class _NotSent(Exception):  # noqa: N818  (says why, within this room)
    """Something that another process would not have."""


def published(registry: Registry) -> frozenset[str]:
    """Return the providers whose components another process has: drizframe and installed packages."""
    return frozenset({PROJECT, *(p.source for p in registry.manager.distributed())})


def travelling(plan: Plan) -> list[BoundStep]:
    """Return the steps whose tasks go to workers: a step over the run is done where the run is."""
    return [step for step in plan.steps if step.over != "run"]


def why_at_home(record: Component | Step, registry: Registry) -> str:
    """Say why a component or step cannot be used by worker processes; blank if it can.

    Parameters
    ----------
    record : Component or Step
        What is asked about.
    registry : Registry
        Components of this process.
    """
    known = published(registry)
    if isinstance(record, Step):
        if record.over == "run":
            return ""  # it is done where the run is
        if record.provider and known.issuperset(record.provider.split(" around ")):
            return ""
    elif any(e.record is record and e.provider in known for e in registry):
        return ""
    return _ADVICE


@dataclass(frozen=True, slots=True, eq=False)
class _AsAsked:
    """Whether a plane is made, as the run found it."""

    answer: bool

    def __call__(self, parameters: Any) -> bool:
        """Return it."""
        del parameters
        return self.answer


@dataclass(frozen=True, slots=True, eq=False)
class SentStep:
    """A step by name.

    Parameters
    ----------
    name, provider : str
        The worker must have the same,
    version : int
        and this version.
    needs : mapping of str to Need
        With borders as numbers.
    planes : mapping of str to Plane
        What it makes.
    """

    name: str
    provider: str
    version: int
    needs: Mapping[str, Need]
    planes: Mapping[str, Plane]


class _Pickler(pickle.Pickler):
    """Pickles with components by name and WCS by their numbers; refuses code that another process cannot import."""

    def __init__(self, file: Any, known: frozenset[int], what: str, headers: Mapping[int, Any]) -> None:
        from astropy.wcs import WCS

        super().__init__(file, protocol=5)
        self._wcs, self._known, self._what, self._headers = WCS, known, what, headers

    def persistent_id(self, value: Any) -> Any:
        if isinstance(value, self._wcs):
            return "wcs", WcsCopy.of(value, self._what, self._headers.get(id(value)))
        if isinstance(value, Component):
            if id(value) not in self._known:
                raise _NotSent(f"the {value.label}, which is of this session")
            return "component", value.family, value.name
        return None

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, Step | Registry):
            raise _NotSent(f"{value!r:.60}")
        if isinstance(value, FunctionType | type):
            module, name = value.__module__, value.__qualname__
            if module in ("__main__", None) or "<" in name:
                raise _NotSent(f"{name} of {module}, which no other process can import")
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    """Reads what `_Pickler` wrote, with the components of this process."""

    def __init__(self, data: bytes, registry: Registry) -> None:
        super().__init__(io.BytesIO(data))
        self._registry = registry

    def persistent_load(self, pid: Any) -> Any:
        kind, *what = pid
        return what[0].build() if kind == "wcs" else self._registry.get(*what)


def loads(data: bytes, registry: Registry) -> Any:
    """Return what was sent."""
    return _Unpickler(data, registry).load()


class Sender:
    """Turns what workers need into bytes.

    Parameters
    ----------
    registry : Registry
        Components of the run; asked once, because exposures may be many.
    """

    def __init__(self, registry: Registry) -> None:
        self.providers = published(registry)
        self._known = frozenset(id(e.record) for e in registry if e.provider in self.providers)

    def dumps(self, value: Any, what: str, headers: Mapping[int, Any] | None = None) -> bytes:
        """Return a value as bytes.

        Raises
        ------
        ParameterError
            If another process could not have it; it says what, and what to do.
        """
        out = io.BytesIO()
        with _sendable(what):
            _Pickler(out, self._known, what, headers or {}).dump(value)
        return out.getvalue()

    def is_small(self, value: Any) -> bool:
        """Whether a value can be sent, in at most `SMALL` bytes; no more of it than these is held."""
        try:
            with _sendable(""):
                _Pickler(_Short(), self._known, "", {}).dump(value)
        except ParameterError:
            return False
        return True


class _Short(io.RawIOBase):
    """A file that refuses to become long."""

    def __init__(self) -> None:
        self._room = SMALL

    def write(self, data: Any) -> int:
        """Count what is written."""
        size = memoryview(data).nbytes
        self._room -= size
        if self._room < 0:
            raise _NotSent(f"more than {SMALL} bytes")
        return size


@contextlib.contextmanager
def _sendable(what: str) -> Iterator[None]:
    """Say what cannot be sent, and what to do."""
    try:
        yield
    except WCSError as error:
        raise ParameterError(f"Parameter executor: {error}") from error
    except (_NotSent, *FAULTS) as error:
        why = str(error) if isinstance(error, _NotSent) else told(error)
        raise ParameterError(_refusal(what, why)) from error


def _refusal(what: str, why: str) -> str:
    return f"Parameter executor: {what} cannot go to worker processes: {why}. {_ADVICE}"


def check_executor(plan: Plan, registry: Registry) -> None:
    """Refuse, while planning, what workers in other processes would not have.

    Raises
    ------
    ParameterError
        For components and steps of the session, and functions outside of modules.
    """
    executor: Executor = registry.get("executor", plan.parameters.executor)
    if executor.shares_memory:
        return
    sender = Sender(registry)
    for name, family in COMPONENT_PARAMETERS.items():
        value = getattr(plan.parameters, name)
        if name in _AT_HOME or value == "":
            continue
        if isinstance(value, Component):
            sender.dumps(value, f"what parameter {name} names")
        elif (entry := registry.entry(family, value)).provider not in sender.providers:
            raise ParameterError(_refusal(f"{family} {value!r}", f"it is of {entry.provider}"))
    for step in travelling(plan):
        if not sender.providers.issuperset(step.step.provider.split(" around ")):
            raise ParameterError(_refusal(f"step {step.name!r}", f"it is of {step.owner}"))
    if isinstance(plan.maps, Maps):
        sender.dumps(plan.maps.recipe, "wcsmap")
    sender.dumps(_at_home(plan.parameters), "a parameter")


def _at_home(parameters: Parameters) -> Parameters:
    """Return parameters without the components that no worker needs."""
    return parameters.model_copy(update=dict.fromkeys(_AT_HOME, ""))


def _shown(chip: Chip, sender: Sender, context: RunContext, unit: ChipUnit) -> Chip:
    """Return a chip whose pixels a worker can load: from its file, or from the scratch folder, where they are put now."""
    if sender.is_small(chip.load):
        return chip
    folder = context.store.shared_folder()
    return replace(chip, load=ScratchSource.of(chip, folder, f"@input_{unit.exposure}_{unit.chip}"))


def packed(context: RunContext) -> bytes:
    """Return all that the tasks of a run have in common, besides planes.

    Raises
    ------
    ParameterError
        If something of it cannot be sent.
    """
    plan, registry, sender = context.plan, context.registry, Sender(context.registry)
    exposures = []
    for i, exposure in enumerate(plan.exposures):
        chips = [_shown(c, sender, context, ChipUnit(i, k)) for k, c in enumerate(exposure.chips)]
        headers = {id(c.wcs): c.header for c in chips}
        sent = replace(exposure, chips=tuple(chips))
        exposures.append(sender.dumps(sent, f"exposure {exposure.name!r}", headers))
    recipe = dict(plan.maps.recipe) if isinstance(plan.maps, Maps) else {}
    if recipe:
        recipe["limit"] //= plan.workers + 1
    asked = {n: replace(p, made=_AsAsked(p.is_made(plan.parameters))) for n, p in plan.planes.items()}
    content = {
        "workers": plan.workers, "parameters": _at_home(plan.parameters), "frames": plan.frames,
        "planes": asked, "makers": dict(plan.makers),
        "recipe": recipe, "ratios": dict(plan.ratios), "footprints": dict(plan.footprints), "band": plan.band,
        "keep": context.keep | {n for s in plan.steps for n in s.needs},
        "steps": [
            SentStep(s.name, s.step.provider, s.step.version, dict(s.needs), {n: asked[n] for n in s.planes})
            for s in travelling(plan)
        ],
    }  # fmt: skip
    every = [((e.record.family, e.record.name, e.provider), e.provider in sender.providers) for e in registry]
    first = {
        "version": __version__,
        "entries": [one for one, known in every if known],
        "session": [one for one, known in every if not known],
    }
    return pickle.dumps((first, exposures, sender.dumps(content, "the plan")), protocol=5)
