"""Planes that outlive a run because somebody wants them: in files, or in its result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drizframe.engine.context import RunContext
from drizframe.engine.loading import LOADED, input_plane
from drizframe.engine.plan import Plan
from drizframe.errors import ParameterWarning, UnknownComponentError
from drizframe.hooks import INTERMEDIATE
from drizframe.hooks.markers import is_ours
from drizframe.model import ChipUnit, ExposureUnit, Plane, PlaneKey

__all__ = ["filed", "kept_planes", "note_unmade", "planes_of_result"]

#: What writers make files of.
_FILED = frozenset({*INTERMEDIATE, "crclean.dq"})


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


def planes_of_result(context: RunContext, output: str | None) -> dict[str, Any]:
    """Return planes that are in no file: those that plugins declare to stay, and those that the user names.

    Parameters
    ----------
    context : RunContext
        When all steps are done.
    output : str or None
        Root of the files; None: there are none.

    Returns
    -------
    dict
        By name: of chips, tuples by the names of exposures; of exposures, by their names; else as they are.
    """
    plan = context.plan
    wanted = {plane.name for plane in _of_plugins(plan) if plane.stays}
    named = kept_planes(plan)
    wanted |= named if output is None else named - _FILED
    found = {name: _gathered(context, plane) for name, plane in plan.planes.items() if name in wanted}
    return {name: value for name, value in found.items() if value is not None}


def _gathered(context: RunContext, plane: Plane) -> Any:
    """Return what a run made of a plane; None for nothing."""
    store, plan = context.store, context.plan
    made = {} if plane.on == "chip" else {key.unit: store.get(key) for key in store.keys(plane.name)}
    if plane.on == "exposure":
        return {
            plan.exposures[u.exposure].name: v for u, v in made.items() if isinstance(u, ExposureUnit)
        } or None
    if plane.on != "chip":
        return next(iter(made.values()), None)
    found = {}
    for i, exposure in enumerate(plan.exposures):
        values = tuple(_of_chip(context, plane, ChipUnit(i, k)) for k in range(len(exposure.chips)))
        if any(v is not None for v in values):
            found[exposure.name] = values
    return found or None


def _of_chip(context: RunContext, plane: Plane, unit: ChipUnit) -> Any:
    """Return a plane of a chip; those of the inputs are loaded where they are not kept, or no step has asked for them."""
    key = PlaneKey(plane.name, unit)
    found = context.store.get(key)
    return input_plane(context, key) if found is None and plane.name in LOADED else found
