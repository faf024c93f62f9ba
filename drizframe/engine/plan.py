"""What a run will do, from headers alone."""

from __future__ import annotations

import dataclasses
import itertools
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from drizframe.config import Parameters
from drizframe.config.texts import read_text
from drizframe.engine.bound import BoundStep, answer_of, bind, check_places, declared_planes
from drizframe.engine.budget import Budget
from drizframe.engine.geometry import survey
from drizframe.engine.order import check_names, ordered
from drizframe.errors import ParameterError, RunError
from drizframe.grids.checks import wcs_notes
from drizframe.grids.footprints import tiles
from drizframe.grids.frames import build_frames
from drizframe.grids.maps import Maps
from drizframe.grids.wcs import linear_wcs, remembered
from drizframe.hooks import STAGES, Component, Need, Registry, Step
from drizframe.hooks.plugins.sections import check_sections, options_of
from drizframe.hooks.records.signatures import fitting
from drizframe.model import (
    INPUTS,
    RUN,
    ChipUnit,
    Exposure,
    ExposureUnit,
    Frame,
    FrameUnit,
    PixelMap,
    Plane,
    Unit,
    Window,
)

__all__ = ["Plan", "check_components", "make_plan"]

Which = Literal["separate", "final"]

#: Parameter -> family of the component that it names.
COMPONENT_PARAMETERS: dict[str, str] = {
    "skymethod": "sky method",
    "skystat": "sky statistic",
    "driz_sep_kernel": "kernel",
    "combine_type": "combiner",
    "blot_interp": "interpolator",
    "cr_detector": "cosmic-ray detector",
    "final_wht_type": "weighting",
    "final_kernel": "kernel",
    "executor": "executor",
    "writer": "writer",
}


def check_components(parameters: Parameters, registry: Registry) -> None:
    """Raise `UnknownComponentError` if a parameter names a component that is not registered.

    A record of another kind is a `ParameterError`.
    """
    for name, family in COMPONENT_PARAMETERS.items():
        value = getattr(parameters, name)
        if isinstance(value, Component) and value.family != family:
            msg = f"Parameter {name} = {value!r}: a {family} is wanted here, not a {value.family}."
            raise ParameterError(msg)
        if value != "":
            registry.get(family, value)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Frames, maps, tiles and steps of a run.

    Parameters
    ----------
    exposures : tuple of Exposure
        What is combined, in input order.
    parameters : Parameters
        With consistent switches.
    frames : mapping
        ``"separate"`` and ``"final"``.
    steps : tuple of BoundStep
        In the order in which they run.
    planes : mapping of str to Plane
        What the inputs have and all steps declare, those too that are off.
    makers : mapping of str to str
        The step that makes a plane, whether it runs or not.
    workers : int
        Tasks at a time.
    off : tuple of str
        Stages that do not run.
    notes : tuple of (str, bool)
        What the user should know before the work begins; True: as a warning.
    band : int
        Rows of a band of a chip.
    maps, ratios, footprints, lonely
        Where the chips lie; see `drizframe.engine.geometry.Geometry`.

    Attributes
    ----------
    chips : tuple of ChipUnit
        All chips of the run, in order.
    largest, widest : tuple of int
        Rows and columns of the chip with the most pixels, and most rows and columns of the footprints.
    scales : tuple of float
        Least and largest side of a frame pixel over that of a pixel of a chip.
    """

    exposures: tuple[Exposure, ...]
    parameters: Parameters
    frames: dict[str, Frame]
    steps: tuple[BoundStep, ...]
    workers: int
    planes: Mapping[str, Plane] = field(default_factory=dict)
    makers: Mapping[str, str] = field(default_factory=dict)
    off: tuple[str, ...] = ()
    notes: tuple[tuple[str, bool], ...] = ()
    band: int = 256
    maps: Maps | Mapping[tuple[str, ChipUnit], PixelMap] = field(default_factory=dict)
    ratios: Mapping[tuple[str, ChipUnit], float] = field(default_factory=dict)
    footprints: Mapping[ExposureUnit, Window] = field(default_factory=dict)
    lonely: tuple[str, ...] = ()

    chips: tuple[ChipUnit, ...] = field(init=False)
    largest: tuple[int, int] = field(init=False)
    widest: tuple[int, int] = field(init=False)
    scales: tuple[float, float] = field(init=False)
    _first: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Count and measure once: every tile asks for the numbers of chips, and every step for their sizes."""
        units = [[ChipUnit(i, k) for k in range(len(e.chips))] for i, e in enumerate(self.exposures)]
        object.__setattr__(self, "chips", tuple(u for chips in units for u in chips))
        object.__setattr__(self, "_first", tuple(itertools.accumulate(map(len, units), initial=0)))
        shapes = [c.shape for e in self.exposures for c in e.chips]
        object.__setattr__(self, "largest", max(shapes, key=math.prod, default=(0, 0)))
        prints = [w.shape for w in self.footprints.values()]
        object.__setattr__(
            self, "widest", (max((s[0] for s in prints), default=0), max((s[1] for s in prints), default=0))
        )
        ratios = [r for r in self.ratios.values() if math.isfinite(r) and r > 0] or [1.0]
        object.__setattr__(self, "scales", (min(ratios), max(ratios)))

    @property
    def total_exptime(self) -> float:
        """Exposure time of all exposures, each counted once, in seconds."""
        return float(sum(e.exptime for e in self.exposures))

    @property
    def map_error(self) -> float:
        """Largest error of the coordinate tables, in output pixels."""
        return self.maps.table_error() if isinstance(self.maps, Maps) else 0.0

    def unit_list(self, scope: str) -> tuple[Any, ...]:
        """Units of a scope, in order."""
        if scope == "chip":
            return self.chips
        if scope == "exposure":
            return tuple(ExposureUnit(i) for i in range(len(self.exposures)))
        return tuple(FrameUnit(n) for n in self.frames) if scope == "frame" else (RUN,)

    def chip_number(self, unit: ChipUnit) -> int:
        """Number of a chip over the whole run, from 1: its bit in the context image."""
        return self._first[unit.exposure] + unit.chip + 1

    def chips_of(self, exposure: int) -> tuple[ChipUnit, ...]:
        """Return the chips of an exposure, in order."""
        return self.chips[self._first[exposure] : self._first[exposure + 1]]

    def has(self, unit: Unit) -> bool:
        """Whether the run has such a unit."""
        if isinstance(unit, FrameUnit):
            return unit.name in self.frames
        if not isinstance(unit, ChipUnit | ExposureUnit):
            return unit == RUN
        if not 0 <= unit.exposure < len(self.exposures):
            return False
        return isinstance(unit, ExposureUnit) or 0 <= unit.chip < len(self.exposures[unit.exposure].chips)

    def place(self, unit: Unit) -> str:
        """Name of a unit, for messages."""
        if isinstance(unit, ChipUnit):
            exposure = self.exposures[unit.exposure]
            return f"{exposure.name}, chip {exposure.chips[unit.chip].extver}"
        if isinstance(unit, ExposureUnit):
            return self.exposures[unit.exposure].name
        return f"the {unit.name} frame" if isinstance(unit, FrameUnit) else "the run"

    def maker_of(self, plane: str) -> str:
        """Name of the step that makes a plane, whether it runs or not; blank if none does."""
        return self.makers.get(plane, "")

    def grid_shape(self, grid: str) -> tuple[int, int]:
        """Shape of the frame that tiles are cut from."""
        return self.frames["separate" if grid == "exposure" else grid].shape

    def footprint(self, unit: ExposureUnit) -> Window:
        """Part of the separate frame that an exposure covers, with the support of the kernel."""
        return self.footprints[unit]

    def bands(self, unit: ChipUnit) -> list[Window]:
        """Bands of rows of a chip."""
        ny, nx = self.exposures[unit.exposure].chips[unit.chip].shape
        return [Window(y, min(y + self.band, ny), 0, nx) for y in range(0, ny, self.band)]

    def tiles(self, area: Window | tuple[int, int], halo_rows: int | None = None) -> list[Window]:
        """Tiles of a frame or of a part of it; rows are capped at `halo_rows` where given."""
        found: list[Window] = tiles(area, self.parameters.tile_size)
        if halo_rows is None:
            return found
        cut = []
        for t in found:
            cut += [Window(y, min(y + halo_rows, t.y1), t.x0, t.x1) for y in range(t.y0, t.y1, halo_rows)]
        return cut


def steps_of(registry: Registry) -> list[Step]:
    """Return the steps that plugins give, whether they are switched on or not: stages first."""
    stages = [registry.manager.stage(name) for name in STAGES]
    return [step for step in (*stages, *registry.manager.extra_steps()) if step is not None]


def _steps(
    registry: Registry, parameters: Parameters, exposures: Sequence[Exposure]
) -> tuple[list[Step], list[Step], list[str]]:
    """Ask the hooks for the steps; return those that run, in order, all of them, and the stages that are off."""
    found = steps_of(registry)
    given = {step.name for step in found}
    off = [stage for stage in STAGES.values() if stage not in given]
    check_sections(parameters, registry, found)
    enabled = []
    for step in found:
        if _answer(step, "enabled", parameters, exposures, registry, default=True):
            _answer(step, "check", parameters, exposures, registry, default=None)
            enabled.append(step)
        elif step.name in STAGES.values():
            off.append(step.name)
    return enabled, found, off


def _makers(steps: Sequence[Step]) -> dict[str, str]:
    """Return the step that makes each plane, filters aside."""
    return {p: s.name for s in reversed(steps) for p in s.produces if p not in s.consumes}


def _check_made(steps: Sequence[Step], every: Sequence[Step]) -> None:
    """Refuse a step that cannot do without a plane that no step of this run makes."""
    made = {p.name for p in INPUTS} | {p for s in steps for p in s.produces}
    makers = _makers(every)
    for step in steps:
        for need in step.needs:
            if not isinstance(need, Need) or need.optional or need.plane in made:
                continue
            maker = makers.get(need.plane)
            who = "A plugin left out the stage that makes it: bring it back"
            if maker:
                who = f"Step {maker!r} makes it, which is off: switch that on"
            msg = f"Step {step.name!r} needs plane {need.plane!r}, which no step of this run makes. {who}, or {step.name!r} off."
            raise RunError(msg)


def _answer(
    step: Step,
    question: str,
    parameters: Parameters,
    exposures: Sequence[Exposure],
    registry: Registry,
    *,
    default: Any,
) -> Any:
    """Ask a step something while planning; a stranger's error is named after it."""
    function = getattr(step, question)
    if function is None:
        return default
    way = fitting(function, step.CALLS[question])  # the last arguments may be left out
    given = 3 if way is None else len(way.split(","))

    def ask() -> Any:
        options = [options_of(step, parameters)] if given > 3 else []
        return function(*(parameters, exposures, registry)[:given], *options)

    return answer_of(step, f"its {question!r}", registry, parameters, ask)


def _linear(exposure: Exposure) -> Exposure:
    """Return an exposure without distortion."""
    return exposure.with_chips([dataclasses.replace(c, wcs=linear_wcs(c.wcs)) for c in exposure.chips])


def _check_texts(parameters: Parameters) -> None:
    """Refuse text files that are not there or cannot be read, before any work is done."""
    named = {"rules_file": parameters.rules_file, "skymask_cat": parameters.skymask_cat}
    if parameters.skysub:
        named["skyfile"] = parameters.skyfile
    elif parameters.skyuser.strip().startswith("@"):
        named["skyuser"] = parameters.skyuser.strip()[1:]
    for what, path in named.items():
        if path.strip():
            read_text(path.strip(), f"{what}: the file")


def make_plan(
    exposures: Sequence[Exposure], parameters: Parameters, registry: Registry, *, wcsmap: Any = None
) -> Plan:
    """Plan a run.

    Parameters
    ----------
    exposures : sequence of Exposure
        Usable exposures, in input order.
    parameters : Parameters
        With consistent switches.
    registry : Registry
        Where components and steps come from.
    wcsmap : class or callable, optional
        Replaces the map from chips to frames.

    Returns
    -------
    Plan
        No pixel has been read.
    """
    check_components(parameters, registry)
    _check_texts(parameters)
    enabled, found, off = _steps(registry, parameters, exposures)
    shipped = registry.manager.shipped_planes()
    planes = declared_planes(found, shipped)
    check_names(found, planes, off, (p.name for p in shipped))
    steps = ordered(enabled)
    if not parameters.coeffs:  # readers leave the distortion out; exposures in memory have it still
        exposures = [_linear(e) for e in exposures]
    notes: list[tuple[str, bool]] = []
    with remembered():
        frames = build_frames(exposures, parameters, tell=lambda text: notes.append((text, True)))
        check_places(found, planes, frames)
        _check_made(enabled, found)
        notes += wcs_notes(exposures, frames)
        kernel = registry.get("kernel", parameters.driz_sep_kernel)
        geometry = survey(exposures, frames, parameters, kernel, wcsmap=wcsmap)
    notes += geometry.notes
    workers = parameters.num_cores or os.cpu_count() or 1
    plan = Plan(
        exposures=tuple(exposures), parameters=parameters, frames=dict(frames), planes=planes, makers=_makers(found),
        steps=tuple(bind(s, planes, parameters, exposures, registry) for s in steps),
        workers=workers, off=tuple(off), notes=tuple(notes),
        maps=geometry.maps, ratios=geometry.ratios, footprints=geometry.footprints, lonely=geometry.lonely,
    )  # fmt: skip
    Budget(plan, int(parameters.max_memory * 2**20)).check()
    return plan
