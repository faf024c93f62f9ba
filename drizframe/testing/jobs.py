"""A job without a run: what a step is given, for tests of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from drizframe.config import Parameters, make_parameters
from drizframe.engine.bound import bind, declared_planes
from drizframe.engine.bus import Bus
from drizframe.engine.context import RunContext
from drizframe.engine.job import RunJob, job_for
from drizframe.engine.plan import Plan
from drizframe.engine.store import Store
from drizframe.engine.worker import Task, call
from drizframe.errors import HookError, ParameterError, ShapeError, nearest
from drizframe.grids.footprints import exposure_window
from drizframe.grids.frames import build_frames
from drizframe.grids.mapping import pixel_map
from drizframe.grids.pixel_scales import scale_ratio
from drizframe.hooks import PluginManager, Registry, Step
from drizframe.hooks.plugins.sections import section_of
from drizframe.model import (
    RUN,
    ChipUnit,
    Exposure,
    ExposureUnit,
    Frame,
    FrameUnit,
    PixelMap,
    Plane,
    PlaneKey,
    Unit,
    Window,
)
from drizframe.testing.samples import sample_exposures

__all__ = ["FakeJob"]

Key = str | PlaneKey | tuple[str, Unit]
#: Bytes of planes: none goes to a file.
LIMIT = 1 << 40


class FakeJob:
    """The job of a step, without a run: exposures and planes are given, all else is as the engine does it.

    A read that the step does not declare is refused, answers of components are checked, arrays are read-only.

    Parameters
    ----------
    step : Step
        The step that is tested.
    planes : mapping of str, PlaneKey or (str, unit) to array or value
        What earlier steps made.  A name stands for the plane that ``job.read(name)`` gives.  Images and flags of chips
        that are not given come from the exposures.
    exposures : sequence of Exposure, optional
        Those of the run; by default three small ones with stars.
    unit : unit, optional
        What the step works on; by default the first of what it works over.
    window : Window, optional
        The tile or band, within the frame, the footprint or the chip; by default all of that.
    frames : mapping of str to Frame or shape, optional
        Output frames, ``"separate"`` and ``"final"``; by default those that a run of the exposures would have.
    maps : callable, optional
        ``maps(unit, frame name) -> PixelMap``; by default the maps of a run.
    ratio : float, optional
        The pixel-scale ratio of every chip; by default those of a run.
    declared : iterable of Plane
        Planes of other plugins that the step reads or filters.
    **parameters : object
        Parameters of the run; components may be given as records: ``combine_type=MINE``.  Those of the step itself:
        ``plugins={"mine": {"sigma": 3}}``.

    Attributes
    ----------
    reads : list of PlaneKey
        What the step has read, in order.
    notes, warnings : list of str
        What it has told; `notes` holds the warnings too.
    backends : dict
        The components that it has called.

    Raises
    ------
    HookError
        For a plane that nobody declares, or a unit that the run does not have.
    ShapeError
        For an image that does not fit the unit that it is given for.

    Examples
    --------
    >>> import drizframe, numpy as np
    >>> from drizframe.testing import FakeJob
    >>> step = drizframe.Step(
    ...     name="mine.double", summary="Double.", needs=("sci", "sky"), makes=("sci",), over="chip",
    ...     run=lambda job: {"sci": 2 * job.read("sci")},
    ... )
    >>> job = FakeJob(step, {"sci": np.ones((40, 44), np.float32)})
    >>> float(job.run()["sci"].max())
    2.0
    """

    def __init__(
        self,
        step: Step,
        planes: Mapping[Any, Any] | None = None,
        *,
        exposures: Sequence[Exposure] | None = None,
        unit: Unit | None = None,
        window: Window | None = None,
        frames: Mapping[str, Any] | None = None,
        maps: Callable[[ChipUnit, str], PixelMap] | None = None,
        ratio: float | None = None,
        declared: Iterable[Plane] = (),
        **parameters: Any,
    ) -> None:
        _check_given(step, parameters)
        manager = PluginManager(installed=False)
        registry, chosen = Registry(manager), make_parameters(parameters)
        made = tuple(sample_exposures() if exposures is None else exposures)
        others = [s for s in manager.steps() if s.name != step.name]
        known = [*declared, *manager.shipped_planes()]
        names = declared_planes([*others, step], known)
        for need in step.consumes:
            _check_name(need, names, f"{step!r} needs")
        grids = _Grids(made, chosen, frames, maps, ratio)
        plan = Plan(
            exposures=made, parameters=chosen, frames=_Lazy(("separate", "final"), grids.frame),
            steps=(), workers=1, planes=names, makers={p: s.name for s in others for p in s.produces},
            maps=_Lazy((), lambda key: grids.map(*key)), ratios=_Lazy((), lambda key: grids.ratio(*key)),
            footprints=_Lazy((), grids.footprint),
        )  # fmt: skip
        bound = bind(step, names, chosen, made, registry)
        store = Store(LIMIT)
        self._context = RunContext(
            plan=plan, registry=registry, store=store, bus=Bus(manager), keep=frozenset(bound.planes)
        )
        where = _first(step) if unit is None else unit
        if not plan.has(where):
            msg = f"FakeJob of {step!r}: unit {where} is none of this run of {len(made)} exposures."
            raise HookError(msg)
        self._task = Task(self._context, bound, where, _window(plan, step, where, window))
        self.reads: list[PlaneKey] = []
        self._job = _recording(type(job_for(*self._arguments())), self.reads)(*self._arguments())
        for key, value in (planes or {}).items():
            self._put(key, value)

    def _arguments(self) -> tuple[Any, ...]:
        task = self._task
        return task.context, task.step, task.unit, task.window

    def __getattr__(self, name: str) -> Any:
        """Give what the engine's job has."""
        if name.startswith("__") or name == "_job":
            raise AttributeError(name)
        return getattr(self._job, name)

    @property
    def notes(self) -> list[str]:
        """What the step has told, warnings too."""
        return [text for text, *_ in self._context.notes]

    @property
    def warnings(self) -> list[str]:
        """What it has warned of."""
        return [text for text, warn, *_ in self._context.notes if warn]

    @property
    def backends(self) -> dict[str, str]:
        """The components that it has called, with the implementation that ran."""
        return self._context.backends

    def run(self) -> dict[Any, Any]:
        """Return what the step makes, checked as the engine checks it.

        Returns
        -------
        dict of str or PlaneKey
            A plane of the unit that the step works on by its name, others by their keys.

        Raises
        ------
        PluginError
            If the step fails, or its answer does not fit what it declares.
        """
        planes = call(self._task, self._job)
        return {(k.name if k.unit == self._own(k.name) else k): v for k, v in planes.items()}

    def _own(self, name: str) -> Unit:
        plane = self._context.plan.planes[name]
        return FrameUnit(plane.grid) if plane.on == "frame" else self._task.unit

    def _put(self, given: Any, value: Any) -> None:
        """Keep a plane that was given."""
        plan = self._context.plan
        name = given if isinstance(given, str) else given[0] if isinstance(given, tuple) else given.name
        _check_name(name, plan.planes, "FakeJob is given")
        plane = plan.planes[name]
        key = given if isinstance(given, PlaneKey) else PlaneKey(name, self._unit_of(given, plane))
        if key.unit.scope != plane.on or not plan.has(key.unit):
            msg = f"FakeJob is given plane {name!r} for {key.unit}; it is a plane of a {plane.on}. Name the unit: (name, unit)."
            raise HookError(msg)
        if value is None:
            return
        origin = None
        if plane.kind != "value":
            value = _image(plane, value)
            origin = _origin(plan, key, value)
        self._context.store.put(key, value, origin)

    def _unit_of(self, given: Any, plane: Plane) -> Unit:
        if isinstance(given, tuple):
            unit: Unit = given[1]
            return unit
        found: Unit = self._job._unit_of(plane.name)  # noqa: SLF001  (the job knows whose is meant)
        return found


class _Lazy(dict[Any, Any]):
    """Values that are made when they are asked for: many steps need no grid."""

    def __init__(self, keys: Iterable[Any], make: Callable[[Any], Any]) -> None:
        super().__init__(dict.fromkeys(keys))
        self._make, self._made = make, dict[Any, Any]()

    def __getitem__(self, key: Any) -> Any:
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]

    def items(self) -> Any:
        return [(k, self[k]) for k in self]


class _Grids:
    """Frames, maps and ratios: those that were given, or those of a run."""

    def __init__(
        self,
        exposures: Sequence[Exposure],
        parameters: Parameters,
        frames: Mapping[str, Any] | None,
        maps: Callable[[ChipUnit, str], PixelMap] | None,
        ratio: float | None,
    ) -> None:
        self.exposures, self.parameters = exposures, parameters
        self.given, self.maps, self.one = frames, maps, ratio
        self.built: Mapping[str, Frame] | None = None

    def frame(self, name: str) -> Frame:
        """Return a frame by name."""
        if self.given is None:
            if self.built is None:
                self.built = build_frames(self.exposures, self.parameters)
            return self.built[name]
        if name not in self.given:
            msg = f"The step asks for the {name!r} frame; give it to FakeJob: frames={{{name!r}: (rows, columns)}}."
            raise HookError(msg)
        frame = self.given[name]
        return frame if isinstance(frame, Frame) else Frame(wcs=None, shape=tuple(frame), scale=1.0)

    def chip(self, unit: ChipUnit) -> Any:
        """Return a chip."""
        return self.exposures[unit.exposure].chips[unit.chip]

    def map(self, which: str, unit: ChipUnit) -> PixelMap:
        """Return the map of a chip onto a frame; "blot" is one onto the separate frame."""
        name = "separate" if which == "blot" else which
        if self.maps is not None:
            return self.maps(unit, name)
        step = self.parameters.blot_stepsize if which == "blot" else self.parameters.stepsize
        return pixel_map(self.chip(unit), self.frame(name), stepsize=step)

    def ratio(self, which: str, unit: ChipUnit) -> float:
        """Return the pixel-scale ratio of a chip."""
        if self.one is not None:
            return self.one
        return scale_ratio(self.chip(unit), self.frame(which), coeffs=self.parameters.coeffs)

    def footprint(self, unit: ExposureUnit) -> Window:
        """Return the footprint of an exposure: that of a run, or all of a frame that was given."""
        shape = self.frame("separate").shape
        if self.given is not None or self.maps is not None:
            return Window(0, shape[0], 0, shape[1])
        chips = range(len(self.exposures[unit.exposure].chips))
        return exposure_window([self.map("separate", ChipUnit(unit.exposure, k)) for k in chips], shape)


def _recording(kind: type[RunJob], reads: list[PlaneKey]) -> type[RunJob]:
    """Return a kind of job that notes what is read."""

    class Recording(kind):  # type: ignore[valid-type, misc]
        def read(self, name: str, unit: Any = None, window: Any = None) -> Any:
            found = super().read(name, unit, window)
            reads.append(PlaneKey(name, self._unit_of(name) if unit is None else unit))
            return found

    return Recording


def _check_name(name: str, known: Iterable[str], what: str) -> None:
    """Refuse a plane that nobody declares."""
    if name not in known:
        near = nearest(name, known)
        hint = f" Did you mean {near!r}?" if near else " Declare it: declared=[Plane(...)]."
        msg = f"{what} plane {name!r}, which nobody declares.{hint}"
        raise HookError(msg)


def _image(plane: Plane, value: Any) -> np.ndarray[Any, Any]:
    """Return an image of the type that a run would keep, which cannot be written to; the caller's stays as it is."""
    image = np.asarray(value)
    if plane.dtype not in ("real", "integer"):
        image = image.astype(
            plane.dtype, casting="unsafe" if image.dtype.kind in "biu" else "same_kind", copy=False
        )
    image = image.view()
    image.flags.writeable = False
    return image


def _check_given(step: Step, parameters: Mapping[str, Any]) -> None:
    """Refuse what belongs to a section as if it were a parameter of drizframe."""
    if "options" in parameters:
        section = section_of(step)
        msg = (
            f"FakeJob of {step!r} is given options={parameters['options']!r:.60}. Parameters of the step come as in a run: "
            f"plugins={{{section!r}: {{...}}}}, with the names of its options_model."
        )
        raise ParameterError(msg)


def _window(plan: Plan, step: Step, unit: Unit, given: Any) -> Window | None:
    """Return the window that a step works on: all, or what is given; refuse one that no run would give it."""
    whole = _whole(plan, step, unit)
    if given is None:
        return whole
    who = f"FakeJob of {step!r} is given window={given!r}"
    if whole is None:
        msg = (
            f"{who}, but the step works over {step.over!r}: only tiles and bands have a window. Leave it out."
        )
        raise HookError(msg)
    if not isinstance(given, Window):
        msg = f"{who}; give a drizframe.Window(y0, y1, x0, x1), pixels from 0, ends not included."
        raise HookError(msg)
    if given.empty or whole.intersection(given) != given:
        msg = f"{who}, which is not within {plan.place(unit)}: {whole}."
        raise ShapeError(msg)
    if step.over == "band" and (given.x0, given.x1) != (whole.x0, whole.x1):
        msg = f"{who}; a band has all columns of the chip, x0={whole.x0}, x1={whole.x1}."
        raise ShapeError(msg)
    return given


def _first(step: Step) -> Unit:
    """Return the first unit that a step works on."""
    if step.over == "tile":
        return ExposureUnit(0) if step.grid == "exposure" else FrameUnit(step.grid)
    units: dict[str, Unit] = {"run": RUN, "exposure": ExposureUnit(0)}
    return units.get(step.over, ChipUnit(0, 0))


def _whole(plan: Plan, step: Step, unit: Unit) -> Window | None:
    """Return all of what tiles or bands are cut from."""
    if step.over == "band" and isinstance(unit, ChipUnit):
        shape = plan.exposures[unit.exposure].chips[unit.chip].shape
        return Window(0, shape[0], 0, shape[1])
    if step.over != "tile":
        return None
    if isinstance(unit, ExposureUnit):
        return plan.footprint(unit)
    shape = plan.grid_shape(step.grid)
    return Window(0, shape[0], 0, shape[1])


def _origin(plan: Plan, key: PlaneKey, image: np.ndarray[Any, Any]) -> Window | None:
    """Return where an image lies on its frame; refuse one that does not fit."""
    unit = key.unit
    if isinstance(unit, ChipUnit):
        fits = [plan.exposures[unit.exposure].chips[unit.chip].shape]
    elif isinstance(unit, FrameUnit):
        fits = [plan.frames[unit.name].shape]
    elif isinstance(unit, ExposureUnit):
        fits = [plan.footprint(unit).shape, plan.frames["separate"].shape]
    else:
        return None
    shape = image.shape[-2:]
    if image.ndim < 2 or shape not in fits:
        msg = f"FakeJob is given plane {key.name!r} of {plan.place(unit)} with shape {image.shape}; its last two axes must be "
        raise ShapeError(msg + " or ".join(dict.fromkeys(map(str, fits))) + ".")
    return plan.footprint(unit) if isinstance(unit, ExposureUnit) and shape == fits[0] else None
