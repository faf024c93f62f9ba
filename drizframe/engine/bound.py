"""Steps bound to a run: options, borders and planes resolved once, while planning."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drizframe.config import Parameters
from drizframe.errors import ConflictError, DrizframeError, HookError, PluginError, nearest
from drizframe.hooks import FAULTS, Need, Registry, Step
from drizframe.hooks.guard import culprit_of
from drizframe.hooks.plugins.sections import options_of
from drizframe.model import INPUTS, Exposure, Plane

__all__ = ["BoundStep", "answer_of", "bind", "check_places", "declared_planes", "lies_on"]

#: What images a step can make, by what it works over; one over the run can make all.
_PLACES = {"chip": ("chip",), "band": ("chip",), "exposure": ("exposure", "chip")}


def nothing(shape: tuple[int, int]) -> int:
    """Return the bytes of a step that holds nothing beside what it reads and returns."""
    del shape
    return 0


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
    work : callable
        ``work(shape) -> bytes`` that a task of so many rows and columns holds beside what it reads and returns.
    """

    step: Step
    options: Any
    needs: Mapping[str, Need]
    planes: Mapping[str, Plane]
    work: Callable[[tuple[int, int]], int] = nothing

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


def check_places(steps: Iterable[Step], planes: Mapping[str, Plane], grids: Iterable[str]) -> None:
    """Refuse steps that make what several of their tasks would have to agree on, and grids that are not there.

    Parameters
    ----------
    steps : iterable of Step
        All steps of a run.
    planes : mapping of str to Plane
        All planes that are declared.
    grids : iterable of str
        Names of the frames.

    Raises
    ------
    HookError
        If a step works on tiles of a grid that does not exist, or makes planes that do not belong to what it works over.
    """
    known = sorted({"exposure", *grids})
    for step in steps:
        who = f"Step {step.name!r} of {step.provider or step.run.__module__}"
        if step.over == "tile" and step.grid not in known:
            msg = f"{who} works on tiles of grid {step.grid!r}; there are: {', '.join(known)}."
            raise HookError(msg)
        for need in step.needs:
            _check_need(who, step, need, planes)
        for plane in (planes[name] for name in step.produces):
            if plane.on == "frame" and plane.grid not in known:
                msg = (
                    f"{who} makes plane {plane.name!r} on grid {plane.grid!r}; there are: {', '.join(known)}."
                )
                raise HookError(msg)
            if not _has_place(step, plane):
                over = f"tiles of grid {step.grid!r}" if step.over == "tile" else f"each {step.over}"
                what = "a value" if plane.kind == "value" else plane.kind
                msg = (
                    f"{who} is called for {over}, and makes plane {plane.name!r}, {what} of "
                    f"{'the run' if plane.on == 'run' else f'each {plane.on}'}{f' {plane.grid!r}' if plane.grid else ''}. "
                    f"Make it in a step over={_over(plane)}, or over='run'."
                )
                raise HookError(msg)


def _check_need(who: str, step: Step, need: Any, planes: Mapping[str, Plane]) -> None:
    """Refuse a need that means nothing for the plane."""
    plane = planes.get(need.plane)
    if plane is None:
        return
    if need.of == "under" and plane.on != "frame":
        msg = f"{who} needs {plane.name!r} under a chip, but that is a plane of each {plane.on}. Give of='own' or of='all'."
        raise HookError(msg)
    if need.of == "touching" and plane.on not in ("chip", "exposure"):
        msg = f"{who} needs {plane.name!r} of what touches a tile, but that is {plane.describe()}. Give of='own' or of='all'."
        raise HookError(msg)
    if need.border != 0 and not lies_on(step, plane):
        over = f"tiles of grid {step.grid!r}" if step.over == "tile" else f"each {step.over}"
        msg = (
            f"{who} works over {over} and needs {plane.name!r} with a border, but that is {plane.describe()}: not cut into these. "
            "Leave the border out."
        )
        raise HookError(msg)


def lies_on(step: Step, plane: Plane) -> bool:
    """Whether a plane lies on the pixels that the tiles or bands of a step are cut from."""
    if plane.kind == "value":
        return False
    if step.over == "band":
        return plane.on == "chip"
    if plane.on == "exposure":
        return step.grid in ("exposure", "separate")
    return plane.on == "frame" and plane.grid == ("separate" if step.grid == "exposure" else step.grid)


def _has_place(step: Step, plane: Plane) -> bool:
    """Whether what one task makes of a plane is its own."""
    if step.over == "run":
        return True
    if step.over in ("tile", "band") and plane.kind == "value":
        return False
    if step.over == "tile":
        return plane.on == "exposure" if step.grid == "exposure" else plane.grid == step.grid
    return plane.on in _PLACES[step.over]


def _over(plane: Plane) -> str:
    """Return what a step works over that makes a plane."""
    if plane.on == "frame" and plane.kind != "value":
        return f"'tile' with grid={plane.grid!r}"
    return repr("run" if plane.on == "frame" else plane.on)


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
    return BoundStep(
        step, options, needs, {name: planes[name] for name in step.produces}, functools.partial(_work, step, asked)
    )  # fmt: skip


def answer_of(
    step: Step, what: str, registry: Registry, parameters: Parameters, question: Callable[[], Any]
) -> Any:
    """Ask a step something before the work; a stranger's error is named after its component or the step.

    Parameters
    ----------
    step : Step
        Who is asked.
    what : str
        For what, for messages.
    registry : Registry
        Components of plugins.
    parameters : Parameters
        May hold records that were given directly.
    question : callable
        ``question()`` calls the step's function.

    Raises
    ------
    PluginError
        For what is no error of drizframe.
    """
    try:
        return question()
    except DrizframeError:
        raise
    except FAULTS as error:
        culprit = culprit_of(error, registry, parameters)
        who = f"{culprit} failed in step {step.name!r}, in" if culprit else f"{_who(step)} failed in"
        msg = f"{who} {what}: {type(error).__name__}: {error}"
        raise PluginError(msg) from error


def _who(step: Step) -> str:
    return f"Step {step.name!r} of {step.provider or step.run.__module__}"


def _work(step: Step, asked: _Asked, shape: tuple[int, int]) -> int:
    """Return the bytes that a task holds beside what it reads and returns; a stranger's error is named after the step."""
    work = step.work
    if not callable(work):
        return math.ceil(work * math.prod(shape))
    function: Any = work
    found: Any = answer_of(
        step, "its 'work'", asked.registry, asked.parameters, lambda: function(asked, shape)
    )
    try:
        number: int = math.ceil(found)
    except (TypeError, ValueError, OverflowError):
        number = -1
    if number < 0:
        msg = f"{_who(step)} gives {found!r:.80} as its work; give a number of bytes, 0 or more."
        raise PluginError(msg)
    return number


def _border(step: Step, plane: str, function: Callable[[Any], int], asked: _Asked) -> int:
    """Ask for a border; a stranger's error is named after the step."""
    what = f"the border of plane {plane!r}"
    border = answer_of(step, what, asked.registry, asked.parameters, lambda: function(asked))
    if isinstance(border, bool) or not hasattr(border, "__index__") or border < 0:
        msg = f"{_who(step)} gives {border!r} as the border of plane {plane!r}; give a whole number of pixels, 0 or more."
        raise PluginError(msg)
    return int(border)
