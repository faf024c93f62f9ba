"""Planes that outlive a run because somebody wants them: in files, or in its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from drizframe.engine.context import RunContext
from drizframe.engine.loading import LOADED, input_plane
from drizframe.engine.plan import Plan
from drizframe.engine.stored_plane import StoredPlane
from drizframe.errors import ParameterWarning, UnknownComponentError
from drizframe.hooks import INTERMEDIATE
from drizframe.hooks.markers import is_ours
from drizframe.model import ChipUnit, Exposure, ExposureUnit, LazyMapping, Plane, PlaneKey, Unit

__all__ = ["by_exposure", "filed", "kept_planes", "left_by", "note_unmade", "planes_of_result"]

#: What writers make files of.
_FILED = frozenset({*INTERMEDIATE, "crclean.dq"})
#: What a result offers of every run, besides the mosaic.
_READ = frozenset({"median", "mask.cr", "mask.cr.given", "crclean"})


def kept_planes(plan: Plan) -> frozenset[str]:
    """Return the planes that the user names: those that have files, and any other that a step makes or the inputs have.

    Raises
    ------
    UnknownComponentError
        If nobody declares one.
    """
    keep = plan.parameters.keep
    names = frozenset(keep) - {"all"}
    for name in names:
        if name not in _FILED and name not in plan.planes:
            raise UnknownComponentError("intermediate product", name, {*INTERMEDIATE, "all", *plan.planes})
    if "all" in keep:
        return names | _FILED
    return names | ({"crclean.dq"} if "crclean" in keep else frozenset())


def filed(names: frozenset[str]) -> frozenset[str]:
    """Return those planes of which writers make files."""
    return names & _FILED


def _of_plugins(plan: Plan) -> Iterator[Plane]:
    """Yield the planes that steps of plugins declare."""
    for bound in plan.steps:
        if not is_ours(bound.step.provider):
            yield from (p for p in bound.step.makes if isinstance(p, Plane))


def note_unmade(context: RunContext, output: str | None) -> None:
    """Say which files the user asked for and does not get."""
    parameters, bus = context.plan.parameters, context.bus
    if output is None and parameters.keep:
        bus.note(
            f"keep={parameters.keep!r} writes nothing, for there is no output. Give a root of names; Result.planes holds the images."
        )
    if output is None and parameters.writer:
        bus.note(
            f"writer={parameters.writer!r} writes nothing, for there is no output. Give a root of names; Result.write(root) takes it too.",
            warn=ParameterWarning,
        )
    for name in parameters.keep:
        if name != "all" and name not in LOADED and not context.store.keys(name):
            bus.note(
                f"keep names {name!r}, which this run did not make: its step is off.", warn=ParameterWarning
            )
        elif output is not None and name not in {"all", *_FILED}:
            bus.note(
                f"keep names {name!r}, of which no file is made: Result.planes holds it.",
                warn=ParameterWarning,
            )
    unfiled = [e.name for e in context.plan.exposures if e.path is None]
    if output is not None and parameters.driz_cr_corr and unfiled:
        bus.note(
            f"driz_cr_corr: {', '.join(unfiled)} came in memory, so no cleaned file is written; Result.cleaned holds the images.",
            warn=ParameterWarning,
        )


def left_by(plan: Plan) -> frozenset[str]:
    """Return the planes that the result of a run may read when the run is over."""
    own = {p.name for p in plan.planes.values() if p.stays or p.product}
    return frozenset({*own, *kept_planes(plan), *_READ})


def by_exposure(
    readers: Mapping[ChipUnit, Callable[[], Any]], exposures: Sequence[Exposure]
) -> Mapping[str, tuple[Any, ...]]:
    """Return planes of chips by the names of their exposures; those of an exposure are read when it is asked for.

    Parameters
    ----------
    readers : mapping of ChipUnit to callable
        What reads the plane of a chip.
    exposures : sequence of Exposure
        What was combined.
    """
    own: dict[str, list[Callable[[], Any]]] = {}
    for unit, reader in readers.items():
        own.setdefault(exposures[unit.exposure].name, []).append(reader)
    return LazyMapping({name: partial(_all, tuple(found)) for name, found in own.items()})


def _all(readers: Sequence[Callable[[], Any]]) -> tuple[Any, ...]:
    return tuple(read() for read in readers)


def planes_of_result(context: RunContext, output: str | None) -> Mapping[str, Any]:
    """Return planes that are in no file: those that plugins declare to stay, and those that the user names.

    Parameters
    ----------
    context : RunContext
        When all steps are done.
    output : str or None
        Root of the files; None: there are none.

    Returns
    -------
    mapping
        By name: of chips, tuples by the names of exposures; of exposures, by their names; else as they are.  They are read when
        they are asked for, but for those of the inputs.
    """
    plan, store = context.plan, context.store
    wanted = {plane.name for plane in _of_plugins(plan) if plane.stays}
    named = kept_planes(plan)
    wanted |= named if output is None else named - _FILED
    found: dict[str, Callable[[], Any]] = {}
    for name, plane in plan.planes.items():
        if name not in wanted:
            continue
        made = {key.unit: store.plane(key) or store.get(key) for key in store.keys(name)}
        if name in LOADED:
            made |= {u: input_plane(context, PlaneKey(name, u)) for u in plan.chips if u not in made}
        if any(value is not None for value in made.values()):
            found[name] = partial(_gathered, plan.exposures, plane.on, made)
    return LazyMapping(found)


def _gathered(exposures: Sequence[Exposure], on: str, made: Mapping[Unit, Any]) -> Any:
    """Return what a run made of a plane, read as far as it is an image of the store."""
    values = {u: v.read() if isinstance(v, StoredPlane) else v for u, v in made.items()}
    if on == "exposure":
        return {exposures[u.exposure].name: v for u, v in values.items() if isinstance(u, ExposureUnit)}
    if on != "chip":
        return next(iter(values.values()))
    found = {}
    for i, exposure in enumerate(exposures):
        own = tuple(values.get(ChipUnit(i, k)) for k in range(len(exposure.chips)))
        if any(v is not None for v in own):
            found[exposure.name] = own
    return found
