"""Steps bound to a run: options, borders and planes resolved once, while planning."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drizframe.config import Parameters
from drizframe.errors import ConflictError, DrizframeError, HookError, PluginError, nearest
from drizframe.hooks import FAULTS, Need, Registry, Step
from drizframe.hooks.plugins.sections import options_of
from drizframe.model import INPUTS, Exposure, Plane

__all__ = ["BoundStep", "bind", "declared_planes"]


@dataclass(frozen=True, slots=True, eq=False)
class BoundStep:
    """A step of one run.

    Parameters
    ----------
    step : Step
        As its author wrote it.
    options : object
        Its validated parameter section; None if it has none.
    needs : mapping of str to Need
        By name of the plane; every border is a number.
    planes : mapping of str to Plane
        What it makes, by name.
    """

    step: Step
    options: Any
    needs: Mapping[str, Need]
    planes: Mapping[str, Plane]

    @property
    def name(self) -> str:
        """Name of the step."""
        return self.step.name

    @property
    def over(self) -> str:
        """What it is called for."""
        return self.step.over

    @property
    def grid(self) -> str:
        """Which grid its tiles are of."""
        return self.step.grid

    @property
    def owner(self) -> str:
        """Who provides it, for messages."""
        return self.step.provider or self.step.run.__module__

    @property
    def filtered(self) -> frozenset[str]:
        """Names of the planes that it changes."""
        return frozenset(self.needs) & frozenset(self.planes)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What a border may depend on."""

    parameters: Parameters
    exposures: Sequence[Exposure]
    registry: Registry
    options: Any

    def options_of(self, component: Any) -> Any:
        """Return the validated parameter section of a component."""
        return options_of(component, self.parameters)


def declared_planes(steps: Iterable[Step], known: Iterable[Plane] = ()) -> dict[str, Plane]:
    """Return all planes that the inputs have and steps declare, by name.

    Parameters
    ----------
    steps : iterable of Step
        All steps of a run, also those that are switched off.
    known : iterable of Plane
        Those of stages that were replaced.

    Raises
    ------
    ConflictError
        If two steps declare one name differently.
    HookError
        If a step makes a plane by a name that nobody declares.
    """
    steps = list(steps)
    planes = {p.name: p for p in INPUTS}
    owners: dict[str, Step] = {}
    for step in steps:
        for plane in step.makes:
            if not isinstance(plane, Plane):
                continue
            if planes.setdefault(plane.name, plane) != plane:
                first = f"step {owners[plane.name].name!r}" if plane.name in owners else "the exposures"
                msg = (
                    f"Step {step.name!r} of {step.provider or step.run.__module__} declares plane {plane.name!r} otherwise than "
                    f"{first}: {plane.describe()}, not {planes[plane.name].describe()}. Give the plane another name, or make it by "
                    "name only."
                )
                raise ConflictError(msg)
            owners.setdefault(plane.name, step)
    for plane in known:
        planes.setdefault(plane.name, plane)
    for step in steps:
        for name in step.produces:
            if name not in planes:
                near = nearest(name, planes)
                hint = f" Did you mean {near!r}?" if near else ""
                msg = (
                    f"Step {step.name!r} of {step.provider or step.run.__module__} makes plane {name!r} by name, which nobody "
                    f"declares.{hint} Give a Plane record that says what it holds."
                )
                raise HookError(msg)
    return planes


def bind(
    step: Step,
    planes: Mapping[str, Plane],
    parameters: Parameters,
    exposures: Sequence[Exposure],
    registry: Registry,
) -> BoundStep:
    """Resolve what a step declares; see `BoundStep`."""
    options = options_of(step, parameters)
    asked = _Asked(parameters, exposures, registry, options)
    needs = {}
    for need in step.needs:
        assert isinstance(need, Need)  # noqa: S101  (names became needs when the record was made)
        border = (
            need.border if isinstance(need.border, int) else _border(step, need.plane, need.border, asked)
        )
        needs[need.plane] = dataclasses.replace(need, border=border)
    return BoundStep(step, options, needs, {name: planes[name] for name in step.produces})


def _border(step: Step, plane: str, function: Callable[[Any], int], asked: _Asked) -> int:
    """Ask for a border; a stranger's error is named after the step."""
    who = f"Step {step.name!r} of {step.provider or step.run.__module__}"
    try:
        border = function(asked)
    except DrizframeError:
        raise
    except FAULTS as error:
        msg = f"{who} failed in the border of plane {plane!r}: {type(error).__name__}: {error}"
        raise PluginError(msg) from error
    if isinstance(border, bool) or not hasattr(border, "__index__") or border < 0:
        msg = f"{who} gives {border!r} as the border of plane {plane!r}; give a whole number of pixels, 0 or more."
        raise PluginError(msg)
    return int(border)
