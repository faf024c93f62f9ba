"""What a step may ask while it works on one unit: planes, components, and the engine's services."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from drizframe.config import Parameters
from drizframe.engine.bus import Bus
from drizframe.engine.hearing import heard
from drizframe.engine.plan import Plan
from drizframe.engine.pool import results_of
from drizframe.engine.store import Store
from drizframe.errors import HookError
from drizframe.grids.overlaps import find_overlaps
from drizframe.hooks import Component, Interpolator, Kernel, Registry, Step, choose, guarded
from drizframe.hooks.plugins.sections import options_of
from drizframe.model import (
    Chip,
    ChipInput,
    Drizzled,
    Exposure,
    Frame,
    Overlap,
    PixelMap,
    PlaneKey,
    Unit,
    Window,
)
from drizframe.pixels.blot import blot_chip
from drizframe.pixels.drizzle import drizzle
from drizframe.pixels.kernel_forms import loops_compiled

__all__ = ["EngineJob", "RunContext", "cleared_bits", "reset_bits"]

Array = np.ndarray[Any, Any]
Which = Literal["separate", "final"]


@dataclass(slots=True, eq=False)
class RunContext:
    """What all tasks of one run share."""

    plan: Plan
    registry: Registry
    store: Store
    bus: Bus
    backends: dict[str, str] = field(default_factory=dict)
    notes: list[tuple[str, bool]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    overlaps: list[Overlap] | None = None


class EngineJob:
    """The engine's `Job`.

    Parameters
    ----------
    context : RunContext
        The run.
    step : Step
        The step that works; only planes that it declared can be read.
    unit : Unit
        What it works on.
    window : Window or None
        The tile, in pixels of the frame.
    """

    def __init__(self, context: RunContext, step: Step, unit: Unit, window: Window | None = None) -> None:
        self._context = context
        self._step = step
        self.unit = unit
        self.window = window
        self.parameters: Parameters = context.plan.parameters
        self.exposures: Sequence[Exposure] = context.plan.exposures
        self.registry = context.registry
        self.backend: Literal["auto", "reference", "cython"] = context.plan.parameters.backend

    @property
    def exposure(self) -> Exposure:
        """The exposure of this unit."""
        if self.unit.exposure is None:
            msg = f"Step {self._step.name!r} has scope {self._step.scope!r}: there is no single exposure to work on."
            raise HookError(msg)
        return self.exposures[self.unit.exposure]

    @property
    def chip(self) -> Chip:
        """The chip of this unit."""
        if self.unit.chip is None:
            msg = f"Step {self._step.name!r} has scope {self._step.scope!r}: there is no single chip to work on."
            raise HookError(msg)
        return self.exposure.chips[self.unit.chip]

    def chip_of(self, unit: Unit) -> Chip:
        """Return any chip of the run."""
        assert unit.exposure is not None and unit.chip is not None  # noqa: S101, PT018  (chip units only)
        return self.exposures[unit.exposure].chips[unit.chip]

    def units(self, scope: str) -> Sequence[Unit]:
        """Return all chips or exposures of the run, in order."""
        return self._context.plan.unit_list(scope)

    def chip_number(self, unit: Unit) -> int:
        """Return the number of a chip over the whole run, from 1."""
        return self._context.plan.chip_number(unit)

    # -- planes
    # ------------------------------------------------------------------------------------------------

    def read(self, name: str, unit: Unit | None = None, window: Window | None = None) -> Any:
        """Return a plane, read-only; None if it was not made.

        For planes of exposures `window` counts in pixels of the separate frame, and pixels outside of the
        footprint are 0.
        """
        if name not in self._step.consumes:
            msg = f"Step {self._step.name!r} reads plane {name!r} but does not declare it. Add it to `consumes`."
            raise HookError(msg)
        key = PlaneKey(name, self.unit if unit is None else unit)
        if window is not None and self.window is not None and key.unit.chip is None:
            self._check_halo(name, window)
        store = self._context.store
        if key in store:
            origin = store.origin(key)
            if origin is not None and window is not None:
                return self._padded(key, origin, window)
            return store.get(key, window)
        return self._load(key, window)

    def _check_halo(self, name: str, window: Window) -> None:
        """Refuse to read farther from a tile than the step declares."""
        step = self._step
        halo = step.halo(self.parameters, self.registry) if callable(step.halo) else step.halo
        if self.window is not None and self.window.grown(halo).intersection(window) != window:
            msg = (
                f"Step {step.name!r} reads {window} of plane {name!r} for its tile {self.window}, but declares a halo of "
                f"{halo} pixels. Give the step the halo that it needs."
            )
            raise HookError(msg)

    def _padded(self, key: PlaneKey, origin: Window, window: Window) -> Array:
        """Return a window of a frame from a plane that covers only a part of it."""
        common = origin.intersection(window)
        store = self._context.store
        if not common.empty and common == window:
            part: Array = store.get(key, common.relative_to(origin))
            return part
        out = np.zeros(window.shape, dtype=np.float32)
        if not common.empty:
            out[common.relative_to(window).slices] = store.get(key, common.relative_to(origin))
        out.flags.writeable = False
        return out

    def _load(self, key: PlaneKey, window: Window | None) -> Any:
        """Load a plane that comes with the exposure, keep it, and return it."""
        if key.unit.chip is None or key.name not in ("sci", "err", "dq", "ivm", "flat"):
            return None
        chip = self.chip_of(key.unit)
        if key.name == "flat":
            return self._flat(chip, window)
        if key.name == "sci":
            image: Array | None = chip.data()
        else:
            image = chip.plane(key.name)
            if image is not None and key.name == "dq":
                image = reset_bits(image, cleared_bits(self.parameters))
        if image is None:
            return None
        image = image.view()  # the array itself may be the caller's, who goes on with it
        image.flags.writeable = False
        self._context.store.put(key, image)
        return image if window is None else image[window.slices]

    def _flat(self, chip: Chip, window: Window | None) -> Array | None:
        """Load the flat field that the chip's header names; what is not found is a warning."""
        source = chip.extra.get("flat")
        if source is None:
            return None
        flat: Array | None
        flat, notes = source()
        for note in notes:
            self.note(note, warn=True)
        return flat if flat is None or window is None else flat[window.slices]

    def footprint(self, unit: Unit) -> Window:
        """Return the part of the separate frame that an exposure covers."""
        origin = self._context.store.origin(PlaneKey("single.sci", unit))
        assert origin is not None  # noqa: S101  (set when the separate step is prepared)
        return origin

    # -- services
    # ----------------------------------------------------------------------------------------------

    def component(self, family: str, name: Any) -> Any:
        """Return a component record by family and name."""
        return self.registry.get(family, name)

    def call(self, component: Component) -> Callable[..., Any]:
        """Return the implementation that runs, by `backend`; the result of the run records which it was."""
        function, kind = choose(component, self.backend)
        self._context.backends[f"{component.family} {component.name}"] = kind
        return guarded(component, function)

    def frame(self, which: Which) -> Frame:
        """Return an output frame."""
        return self._context.plan.frames[which]

    def pixel_map(self, unit: Unit, which: Which) -> PixelMap:
        """Return the map from a chip to a frame."""
        return self._context.plan.maps[which, unit]

    def blot_map(self, unit: Unit) -> PixelMap:
        """Return the map from a chip to the separate frame that the blot step uses."""
        return self._context.plan.maps["blot", unit]

    def scale_ratio(self, unit: Unit, which: Which) -> float:
        """Return the root of the area of an output pixel over that of an undistorted pixel of a chip."""
        return self._context.plan.ratios[which, unit]

    def overlaps(self) -> Sequence[Overlap]:
        """Return the overlaps of all chips of different exposures on the sky."""
        with self._context.lock:
            if self._context.overlaps is None:
                self._context.overlaps = list(find_overlaps(self.exposures))
            return self._context.overlaps

    def drizzle(self, inputs: Iterable[ChipInput], kernel: Kernel, **options: Any) -> Drizzled:
        """Drizzle chips onto the window of this job; see `drizframe.pixels.drizzle.drizzle`."""
        if self.window is None:
            msg = f"Step {self._step.name!r} has scope {self._step.scope!r}: only steps of scope 'tile' can drizzle."
            raise HookError(msg)
        self._note_loops(kernel)
        return drizzle(self.window, inputs, kernel, backend=self.backend, call=self.call, **options)

    def blot(
        self,
        image: Array | Callable[[Window], Any],
        unit: Unit,
        *,
        interpolator: Interpolator,
        factor: float,
        **options: Any,
    ) -> Array:
        """Resample an image on the separate frame onto a chip; see `drizframe.pixels.blot.blot_chip`."""
        self._note_loops(interpolator)
        return blot_chip(
            image, self.blot_map(unit), interpolator, factor=factor,
            backend=self.backend, call=self.call, **options,
        )  # fmt: skip

    def _note_loops(self, component: Kernel | Interpolator) -> None:
        """Record what drives a profile or a point function, for which there is nothing to `call`."""
        if component.profile is not None or component.point is not None:
            kind = loops_compiled(component, self.backend)
            self._context.backends[f"{component.family} {component.name}"] = kind

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Apply a function to items, several at a time, and return the results in order."""
        executor = self.registry.get("executor", self.parameters.executor)
        told = heard(function, lambda text: self.note(text, warn=True))
        return list(results_of(executor, told, items, self._context.plan.workers))

    def note(self, message: str, *, warn: bool = False) -> None:
        """Write a line into the log, as a warning if `warn`.

        It is emitted by the main thread when the task ends.
        """
        with self._context.lock:
            self._context.notes.append((message, warn))

    def plugin_options(self, component: Component | Step | None = None) -> Any:
        """Return the validated parameter section of a component, or of this step if none is named; None if it has none."""
        return options_of(self._step if component is None else component, self.parameters)


def cleared_bits(parameters: Parameters) -> int | None:
    """Return the flags that do not count: `resetbits`, and `crbit` too where masks of earlier runs are to be left alone."""
    if parameters.use_crmasks:
        return parameters.resetbits
    return (parameters.resetbits or 0) | parameters.crbit


def reset_bits(dq: Array, bits: int | None) -> Array:
    """Return flags with `bits` cleared, in the type they had; None or 0 clears nothing."""
    if not bits:
        return dq
    width = 8 * dq.dtype.itemsize
    keep = ~bits & ((1 << width) - 1)
    unsigned = dq.view(np.dtype(f"u{dq.dtype.itemsize}"))
    cleared: Array = (unsigned & unsigned.dtype.type(keep)).view(dq.dtype)
    return cleared
