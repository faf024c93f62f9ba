"""What a step may ask while it works on one unit: planes, components, and the engine's services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np

from drizframe.config import Parameters
from drizframe.engine.bound import BoundStep, lies_on
from drizframe.engine.context import NEAR, RunContext, told_at
from drizframe.engine.hearing import heard
from drizframe.engine.loading import LOADED, input_plane
from drizframe.engine.pool import WITHIN, results_of
from drizframe.engine.store import Store
from drizframe.errors import DrizframeWarning, HookError, InputWarning, RunError
from drizframe.grids.overlaps import find_overlaps
from drizframe.hooks import Component, Interpolator, Kernel, Need, Step, choose, guarded
from drizframe.hooks.plugins.sections import options_of
from drizframe.model import (
    RUN,
    Chip,
    ChipInput,
    ChipUnit,
    Drizzled,
    Exposure,
    ExposureUnit,
    Frame,
    FrameUnit,
    Overlap,
    PixelMap,
    PlaneKey,
    Unit,
    Window,
    holds,
)
from drizframe.pixels.blot import blot_chip
from drizframe.pixels.bounds import rows_near, touches
from drizframe.pixels.drizzle import drizzle
from drizframe.pixels.kernel_forms import loops_compiled
from drizframe.pixels.reach import footprint_of_pixel

__all__ = ["RunJob", "job_for"]

Array = np.ndarray[Any, Any]
Backend = Literal["auto", "reference", "cython"]


class RunJob:
    """The engine's `Job`: for the run, and what all jobs have.

    Parameters
    ----------
    context : RunContext
        The run.
    step : BoundStep
        The step that works; only planes that it declared can be read.
    unit : Unit
        What it works on.
    window : Window or None
        The tile, in pixels of the frame, or the rows of a chip.

    Attributes
    ----------
    made : Store or None
        What earlier steps of the same chain made of this unit: planes are looked for there first.
    """

    def __init__(self, context: RunContext, step: BoundStep, unit: Any, window: Window | None = None) -> None:
        self._context = context
        self._step = step
        self._window = window
        self.made: Store | None = None
        self.unit = unit
        self.parameters: Parameters = context.plan.parameters
        self.exposures: Sequence[Exposure] = context.plan.exposures
        self.registry = context.registry
        self.backend: Backend = context.plan.parameters.backend
        self.told: list[tuple[str, bool | type[DrizframeWarning]]] = []
        self.called: dict[int, tuple[Component, str]] = {}

    def __getattr__(self, name: str) -> Any:
        """Say what a job of this kind does not have."""
        if name in _WHERE:
            over = self._step.over
            msg = f"Step {self._step.name!r} works over {over!r}: its job has no {name!r}. {_WHERE[name]}"
            raise HookError(msg)
        msg = f"A job has no {name!r}."
        raise AttributeError(msg)

    def chip_of(self, unit: ChipUnit) -> Chip:
        """Return any chip of the run."""
        return self.exposures[unit.exposure].chips[unit.chip]

    def units(self, scope: str) -> Sequence[Any]:
        """Return all chips or exposures of the run, in order."""
        return self._context.plan.unit_list(scope)

    def chip_number(self, unit: ChipUnit) -> int:
        """Return the number of a chip over the whole run, from 1."""
        return self._context.plan.chip_number(unit)

    # -- planes
    # ------------------------------------------------------------------------------------------------

    def read(self, name: str, unit: Unit | None = None, window: Window | None = None) -> Any:
        """Return a plane, read-only; None if it was not made and the step can do without.

        For planes of exposures `window` counts in pixels of the separate frame, and pixels outside of the
        footprint are 0.  A step over tiles or bands gets, without a window, its own with the border that it declared.
        """
        need = self._need(name)
        key = PlaneKey(name, self._unit_of(name) if unit is None else unit)
        if need.of == "own":
            self._check_own(key)
        self._check_unit(key)
        if need.of == "touching":
            self._check_touching(key)
        if self._window is not None and self._on_own_grid(key):
            window = self._bordered(name, key.unit, window)
        found = self._get(key, window)
        if found is None and not need.optional:
            raise RunError(self._missing(key))
        return found

    def each(self, name: str) -> Iterator[tuple[Any, Any]]:
        """Yield the units of the run that have a plane, in order, with the plane as `read` gives it."""
        need = self._need(name)
        for unit in self._units_of(need):
            if self._is_of(need, PlaneKey(name, unit)):
                found = self.read(name, unit)
                if found is not None:
                    yield unit, found

    def _units_of(self, need: Need) -> Sequence[Any]:
        """Return the units that may have a plane: of its own exposure where no others are needed."""
        plan, on = self._context.plan, self._context.plan.planes[need.plane].on
        if need.of == "own" and on == "chip" and isinstance(self.unit, ExposureUnit):
            return plan.chips_of(self.unit.exposure)
        return plan.unit_list(on)

    @property
    def _who(self) -> str:
        """The step and who provides it, for messages."""
        return f"Step {self._step.name!r} of {self._step.owner}"

    def _need(self, name: str) -> Need:
        """Return what the step declares of a plane; refuse one that it does not."""
        need = self._step.needs.get(name)
        if need is None:
            msg = f"{self._who} reads plane {name!r} but does not declare it. Add it to `needs`."
            raise HookError(msg)
        return need

    def _unit_of(self, name: str) -> Unit:
        """Return whose plane is meant where no unit is given."""
        plane = self._context.plan.planes[name]
        if plane.on == "frame":
            return FrameUnit(plane.grid)
        if plane.on == "exposure" and isinstance(self.unit, ChipUnit):
            return ExposureUnit(self.unit.exposure)
        if plane.on == "run":
            return RUN
        unit: Unit = self.unit
        return unit

    def _check_own(self, key: PlaneKey) -> None:
        """Refuse a unit that has nothing to do with the one that the step works on."""
        if not (holds(self.unit, key.unit) or holds(key.unit, self.unit)):
            msg = (
                f"{self._who} reads plane {key.name!r} of {key.unit} while it works on {self.unit}, but needs it of its "
                f"own unit only. Declare Need({key.name!r}, of='all'), or another `of`."
            )
            raise HookError(msg)

    def _is_of(self, need: Need, key: PlaneKey) -> bool:
        """Whether a unit is one of those whose planes the step declares that it needs."""
        if need.of == "touching":
            return self._touches(key)
        return need.of != "own" or holds(self.unit, key.unit)

    def _touches(self, key: PlaneKey) -> bool:
        """Whether a unit falls on the tile of this job; steps that have none need nothing that touches one."""
        raise NotImplementedError

    def _check_touching(self, key: PlaneKey) -> None:
        """Refuse a unit that does not touch the tile; where it has no pixels an image is 0, and can be read."""
        if not self._on_own_grid(key) and not self._touches(key):
            name, on = key.name, key.unit.scope
            msg = (
                f"{self._who} reads plane {name!r} of {self._context.plan.place(key.unit)} for its tile {self._window}, which "
                f"this {on} does not touch. Ask each({name!r}), or touching(kernel, pixfrac), which do; or declare "
                f"Need({name!r}, of='all')."
            )
            raise HookError(msg)

    def _check_unit(self, key: PlaneKey) -> None:
        """Refuse a unit that the plane does not belong to, or that the run does not have."""
        plan = self._context.plan
        on = plan.planes[key.name].on
        if key.unit.scope != on:
            msg = (
                f"{self._who} reads plane {key.name!r} of {plan.place(key.unit)}, but that is a plane of each {on}. Give "
                f"the unit, read({key.name!r}, unit), or use each({key.name!r})."
            )
            raise HookError(msg)
        if not plan.has(key.unit):
            msg = f"{self._who} reads plane {key.name!r} of {key.unit}, which is no {on} of this run."
            raise HookError(msg)

    def _on_own_grid(self, key: PlaneKey) -> bool:
        """Whether a plane lies on the pixels that this tile or band is cut from."""
        if self._step.over == "band" and key.unit != self.unit:
            return False
        return lies_on(self._step.step, self._context.plan.planes[key.name])

    def _bordered(self, name: str, unit: Unit, window: Window | None) -> Window:
        """Return the window to read; refuse to read farther from the own one than the step declares."""
        own, border = self._window, self._step.needs[name].border
        assert own is not None  # noqa: S101  (of tiles and bands)
        assert isinstance(border, int)  # noqa: S101  (bound)
        if window is None:
            shape = (
                self.chip_of(unit).shape
                if isinstance(unit, ChipUnit)
                else self._context.plan.grid_shape(self._step.grid)
            )
            return own.grown(border, within=shape)
        if own.grown(border).intersection(window) != window:
            msg = (
                f"{self._who} reads {window} of plane {name!r} for its {self._step.over} {own}, but declares a border of "
                f"{border} pixels. Give Need({name!r}, border=...) what it needs."
            )
            raise HookError(msg)
        return window

    def _missing(self, key: PlaneKey) -> str:
        """Say which plane was not made, and who makes it."""
        plan, step = self._context.plan, self._step
        text = f"Step {step.name!r} needs plane {key.name!r} of {plan.place(key.unit)}, which was not made."
        maker = plan.maker_of(key.name)
        return f"{text} Step {maker!r} makes it: switch that on, or {step.name!r} off." if maker else text

    def _get(self, key: PlaneKey, window: Window | None) -> Any:
        if self._context.watch is not None:
            self._context.watch.look()  # what was freed goes before more comes
        store = self._context.store if self.made is None or key not in self.made else self.made
        origin = store.origin(key)
        if origin is not None and window is not None:
            return self._padded(store, key, origin, window)
        found = store.get(key, window)
        if found is None:
            with self._context.lock_of(key):  # one task loads it, the others wait
                found = store.get(key, window)
                return self._load(key, window) if found is None else found
        return found

    @staticmethod
    def _padded(store: Store, key: PlaneKey, origin: Window, window: Window) -> Array:
        """Return a window of a frame from a plane that covers only a part of it."""
        common = origin.intersection(window)
        if not common.empty and common == window:
            part: Array = store.get(key, common.relative_to(origin))
            return part
        axes = (store.shape(key) or ())[:-2]
        out = np.zeros((*axes, *window.shape), dtype=store.dtype(key))
        if not common.empty:
            out[(..., *common.relative_to(window).slices)] = store.get(key, common.relative_to(origin))
        out.flags.writeable = False
        return out

    def _load(self, key: PlaneKey, window: Window | None) -> Any:
        """Load a plane that comes with the exposure."""
        if not isinstance(key.unit, ChipUnit):
            return None
        if key.name == "flat":
            return self._flat(self.chip_of(key.unit), window)
        return input_plane(self._context, key, window) if key.name in LOADED else None

    def _flat(self, chip: Chip, window: Window | None) -> Array | None:
        """Load the flat field that the chip's header names; what is not found is a warning."""
        source = chip.extra.get("flat")
        if source is None:
            return None
        flat: Array | None
        flat, notes = source()
        for note in notes:
            self.note(note, warn=InputWarning)
        return flat if flat is None or window is None else flat[window.slices]

    # -- services
    # ----------------------------------------------------------------------------------------------

    def component(self, family: str, name: Any) -> Any:
        """Return a component record by family and name."""
        return self.registry.get(family, name)

    def call(self, component: Component) -> Callable[..., Any]:
        """Return the implementation that runs, by `backend`; the result of the run records which it was.

        Arrays that it is given are read-only from then on, and what it answers is checked as its family says.
        """
        function = self._plain(component)

        def called(*args: Any, **kwargs: Any) -> Any:
            for value in (*args, *kwargs.values()):
                if isinstance(value, np.ndarray):
                    value.flags.writeable = False
            return component.checked(function(*args, **kwargs), args)

        return called

    def _plain(self, component: Component) -> Callable[..., Any]:
        """Return the implementation that runs, for loops that check answers themselves."""
        function, kind = choose(component, self.backend)
        self._note_backend(component, kind)
        return guarded(component, function)

    def frame(self, which: str) -> Frame:
        """Return an output frame."""
        return self._context.plan.frames[which]

    def pixel_map(self, unit: ChipUnit, which: str) -> PixelMap:
        """Return the map from a chip to a frame."""
        return self._context.plan.maps[which, unit]

    def blot_map(self, unit: ChipUnit) -> PixelMap:
        """Return the map from a chip to the separate frame that the blot step uses."""
        return self._context.plan.maps["blot", unit]

    def scale_ratio(self, unit: ChipUnit, which: str) -> float:
        """Return the root of the area of an output pixel over that of an undistorted pixel of a chip."""
        return self._context.plan.ratios[which, unit]

    def footprint(self, unit: ExposureUnit) -> Window:
        """Return the part of the separate frame that an exposure covers."""
        return self._context.plan.footprint(unit)

    def overlaps(self) -> Sequence[Overlap]:
        """Return the overlaps of all chips of different exposures on the sky."""
        with self._context.lock:
            if self._context.overlaps is None:
                self._context.overlaps = list(find_overlaps(self.exposures))
            return self._context.overlaps

    def _note_loops(self, component: Kernel | Interpolator) -> None:
        """Record what drives a profile or a point function, for which there is nothing to `call`."""
        if component.profile is not None or component.point is not None:
            self._note_backend(component, loops_compiled(component, self.backend))

    def _note_backend(self, component: Component, kind: str) -> None:
        """Remember which implementation of a component runs, for the run and for this task."""
        self.called[id(component)] = component, kind
        self._context.note_backend(component, kind)

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Apply a function to items, several at a time, and return the results in order."""
        executor = WITHIN if self._context.apart else self.registry.get("executor", self.parameters.executor)
        found = []
        for result, told in results_of(executor, heard(function, self.note), items, self._context.workers):
            found.append(result)
            for text, kind in told:  # in the order of the items
                self.note(text, warn=kind)
        return found

    def wanted(self, name: str) -> bool:
        """Whether anybody uses a plane that this step makes: another step, the products, or the user."""
        return self._context.wanted(name)

    def note(self, message: str, *, warn: bool | type[DrizframeWarning] = False) -> None:
        """Write a line into the log, as a warning if `warn`, which can be the kind of warning.

        It is emitted by the main thread when the task ends.
        """
        self.told.append((message, warn))
        with self._context.lock:
            self._context.notes.append((message, warn, self._step.name, told_at(self.unit, self._window)))

    def plugin_options(self, component: Component | Step | None = None) -> Any:
        """Return the validated parameter section of a component, or of this step if none is named; None if it has none."""
        if component is None:
            return self._step.options
        known = self._context.options  # resolved once in a run
        found = known.get(id(component))
        if found is None or found[0] is not component:
            found = known[id(component)] = component, options_of(component, self.parameters)
        return found[1]


class ExposureJob(RunJob):
    """The job of a step over exposures."""

    @property
    def exposure(self) -> Exposure:
        """The exposure of this unit."""
        found: Exposure = self.exposures[self.unit.exposure]
        return found


class ChipJob(ExposureJob):
    """The job of a step over chips."""

    @property
    def chip(self) -> Chip:
        """The chip of this unit."""
        return self.chip_of(self.unit)

    def blot(
        self,
        image: Array | Callable[[Window], Any],
        unit: ChipUnit,
        *,
        interpolator: Interpolator,
        factor: float,
        **options: Any,
    ) -> Array:
        """Resample an image on the separate frame onto a chip; see `drizframe.pixels.blot.blot_chip`."""
        self._note_loops(interpolator)
        return blot_chip(
            image, self.blot_map(unit), interpolator, factor=factor,
            backend=self.backend, call=self._plain, **options,
        )  # fmt: skip


class BandJob(ChipJob):
    """The job of a step over bands of chips."""

    @property
    def window(self) -> Window:
        """Rows of the chip, and all columns."""
        assert self._window is not None  # noqa: S101  (a band has one)
        return self._window


class TileJob(RunJob):
    """The job of a step over tiles of a frame."""

    def __init__(self, context: RunContext, step: BoundStep, unit: Any, window: Window | None = None) -> None:
        super().__init__(context, step, unit, window)
        self._near: set[ChipUnit] = set()
        self._by_place: frozenset[ChipUnit] | None = None

    @property
    def window(self) -> Window:
        """The tile, in pixels of the frame."""
        assert self._window is not None  # noqa: S101  (a tile has one)
        return self._window

    def touching(self, kernel: Kernel, pixfrac: float) -> Iterator[ChipUnit]:
        """Yield the chips of this unit that a kernel can spread onto the tile, in order."""
        for unit in self._within(
            lambda unit: footprint_of_pixel(kernel, pixfrac, self.scale_ratio(unit, self._frame)),
            kernel,
            pixfrac,
        ):
            self._near.add(unit)
            yield unit

    def _within(
        self,
        reach: Callable[[ChipUnit], tuple[float, float]],
        kernel: Kernel | None = None,
        pixfrac: float = 1.0,
    ) -> Iterator[ChipUnit]:
        """Yield the chips of this unit that reach the tile, in order; without a kernel what lies about as near."""
        plan = self._context.plan
        if isinstance(self.unit, ExposureUnit):
            near: Iterable[ChipUnit] = plan.chips_of(self.unit.exposure)
        else:
            coverage = self._context.coverage(self._frame, kernel, pixfrac)
            near = (plan.chips[k] for k in coverage.near(self.window))
        for unit in near:
            half, margin = reach(unit)
            if touches(self.pixel_map(unit, self._frame), self.window, half, margin):
                yield unit

    def rows(self, unit: ChipUnit, kernel: Kernel, pixfrac: float) -> Window:
        """Return the rows of a chip that a kernel can spread onto the tile; the whole chip if it cannot."""
        pixels = self.pixel_map(unit, self._frame)
        half, margin = footprint_of_pixel(kernel, pixfrac, self.scale_ratio(unit, self._frame))
        ny, nx = pixels.shape
        first, stop = rows_near(pixels, self.window, half, margin) or (0, ny)
        return Window(first, stop, 0, nx)

    @property
    def _frame(self) -> str:
        """Name of the frame that the tiles are cut from."""
        return "separate" if self._step.grid == "exposure" else self._step.grid

    def _touches(self, key: PlaneKey) -> bool:
        """Whether a chip may fall on the tile, or an exposure with one of its chips, or with its footprint."""
        unit = key.unit
        if isinstance(unit, ChipUnit):
            return unit in self._near or unit in self._around()
        assert isinstance(unit, ExposureUnit)  # noqa: S101  (frames and the run touch no tile: refused while planning)
        if self._on_own_grid(key):
            around = self._bordered(key.name, unit, None)
            return not self.footprint(unit).intersection(around).empty
        return any(u.exposure == unit.exposure for u in (*self._near, *self._around()))

    def _around(self) -> frozenset[ChipUnit]:
        """Return the chips that may fall on the tile, whatever spreads them: no kernel was asked how far it reaches."""
        if self._by_place is None:
            self._by_place = frozenset(self._within(lambda unit: NEAR))  # noqa: ARG005
        return self._by_place

    def drizzle(self, inputs: Iterable[ChipInput], kernel: Kernel, **options: Any) -> Drizzled:
        """Drizzle chips onto the window of this job; see `drizframe.pixels.drizzle.drizzle`."""
        self._note_loops(kernel)
        return drizzle(self.window, inputs, kernel, backend=self.backend, call=self._plain, **options)


class FootprintJob(TileJob, ExposureJob):
    """The job of a step over tiles of the footprints of exposures."""


_JOBS: dict[str, type[RunJob]] = {"run": RunJob, "exposure": ExposureJob, "chip": ChipJob, "band": BandJob}
_WHERE = {
    "chip": "Declare over='chip' or 'band', or use `chip_of(unit)`.",
    "exposure": "Declare over='exposure' or 'chip', or use `exposures`.",
    "window": "Declare over='tile' or 'band'.",
    "drizzle": "Only steps over tiles drizzle.",
    "touching": "Only steps over tiles have it.",
    "rows": "Only steps over tiles have it.",
    "blot": "Only steps over chips blot.",
}


def job_for(context: RunContext, step: BoundStep, unit: Unit, window: Window | None) -> RunJob:
    """Return the job of a task: it has what the step declares that it works over."""
    if step.over == "tile":
        return (FootprintJob if step.grid == "exposure" else TileJob)(context, step, unit, window)
    return _JOBS[step.over](context, step, unit, window)
