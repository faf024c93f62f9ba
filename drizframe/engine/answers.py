"""What steps answer, held against what they declare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from drizframe.engine.bound import BoundStep
from drizframe.engine.plan import Plan
from drizframe.errors import PluginError
from drizframe.hooks.guard import more_than_numbers
from drizframe.model import ChipUnit, ExposureUnit, FrameUnit, Plane, PlaneKey, Unit, Window, holds

__all__ = ["checked", "shape_on"]


def checked(
    plan: Plan, step: BoundStep, unit: Unit, window: Window | None, answer: Any
) -> dict[PlaneKey, Any]:
    """Return the planes that a step made, as the store keeps them.

    Parameters
    ----------
    plan : Plan
        Knows shapes.
    step : BoundStep
        What it declares.
    unit : Unit
        What it worked on.
    window : Window or None
        The tile or band.
    answer : object
        What it returned.

    Raises
    ------
    PluginError
        If it is no mapping, or holds a plane that was not declared or does not fit.
    """
    who = f"Step {step.name!r} of {step.owner}"
    if not isinstance(answer, Mapping):
        msg = f"{who} returned {type(answer).__name__}; it must return a mapping of planes."
        raise PluginError(msg)
    found = {}
    for name, value in answer.items():
        plain = name.name if isinstance(name, PlaneKey) else name
        plane = step.planes.get(plain)
        if plane is None:
            msg = f"{who} returned plane {plain!r}, which it does not declare. Add it to `makes`."
            raise PluginError(msg)
        key = name if isinstance(name, PlaneKey) else PlaneKey(plain, _unit_of(who, plane, unit))
        if not plan.has(key.unit) or key.unit.scope != plane.on:
            msg = f"{who} returned {plain!r} for {key.unit}, which is no {plane.on} of this run."
            raise PluginError(msg)
        if not holds(unit, key.unit):
            msg = f"{who} returned {plain!r} for {key.unit} while it worked on {unit}. A step makes planes of its own unit, or over='run'."
            raise PluginError(msg)
        found[key] = _plane(plan, who, plane, key.unit, window, value)
    return found


def _unit_of(who: str, plane: Plane, unit: Unit) -> Unit:
    """Return whose a plane is that was returned by its name alone."""
    if plane.on == "frame":
        return FrameUnit(plane.grid)
    if plane.on != unit.scope:
        msg = f"{who} returned {plane.name!r} for the {unit.scope}; it is a plane of a {plane.on}. Return PlaneKey(name, unit)."
        raise PluginError(msg)
    return unit


def _plane(plan: Plan, who: str, plane: Plane, unit: Unit, window: Window | None, value: Any) -> Any:
    """Return a plane as it is kept; refuse what cannot be one."""
    if plane.kind == "value":
        if plane.value is not None and not isinstance(value, plane.value):
            wanted = plane.value if isinstance(plane.value, tuple) else (plane.value,)
            names = " or ".join(t.__name__ for t in wanted)
            msg = f"{who} returned {plane.name!r} as {type(value).__name__} {value!r:.60}; it must be a {names}."
            raise PluginError(msg)
        return value.copy() if isinstance(value, np.ndarray) else value  # it may be filled again
    shape = shape_on(plan, unit) if window is None else window.shape
    if not isinstance(value, np.ndarray):
        wanted_ = "an array" if shape is None else f"an array of shape {shape}"
        msg = f"{who} returned {plane.name!r} as {type(value).__name__} {value!r:.60}; it must be {wanted_}."
        raise PluginError(msg)
    cube = plane.kind == "cube"
    if more := more_than_numbers(value):
        msg = f"{who} returned {plane.name!r} as {type(value).__name__} with {more}."
        raise PluginError(msg)
    value = np.asarray(value)
    fits = value.ndim >= 2 and (cube or value.ndim == 2) and (shape is None or value.shape[-2:] == shape)
    if not fits:
        msg = f"{who} returned {plane.name!r} with shape {value.shape}; it must have {shape}"
        raise PluginError(msg + (" as its last two axes." if cube else "."))
    array = _typed(who, plane, value)
    return (
        array if array.base is None else array.copy()
    )  # a view belongs to an array that may be filled again


def _typed(who: str, plane: Plane, value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return numbers of the type that a plane declares."""
    kinds = {"real": "biuf", "float32": "biuf", "float64": "biuf"}.get(plane.dtype, "biu")
    if value.dtype.kind not in kinds:
        what = "real numbers" if "f" in kinds else "integers"
        msg = f"{who} returned {plane.name!r} with type {value.dtype}; it must hold {what}."
        raise PluginError(msg)
    if plane.dtype in ("real", "integer"):
        return value
    wanted = np.dtype(plane.dtype)
    if wanted.kind in "iu" and value.dtype != wanted and value.size:
        limits, least, most = np.iinfo(wanted), int(value.min()), int(value.max())
        if least < limits.min or most > limits.max:
            msg = f"{who} returned {plane.name!r} with values from {least} to {most}; it must fit into {wanted}."
            raise PluginError(msg)
    with np.errstate(over="ignore"):  # what is beyond float32 is infinite, and is told where it matters
        typed: np.ndarray[Any, Any] = np.ascontiguousarray(value, dtype=wanted)
    return typed


def shape_on(plan: Plan, unit: Unit) -> tuple[int, int] | None:
    """Return the shape of images of a unit; None where only the step that makes them knows."""
    if isinstance(unit, ChipUnit):
        return plan.exposures[unit.exposure].chips[unit.chip].shape
    if isinstance(unit, FrameUnit):
        return plan.frames[unit.name].shape
    if isinstance(unit, ExposureUnit):
        return plan.footprint(unit).shape
    return None
