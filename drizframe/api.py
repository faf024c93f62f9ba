"""The Python interface: `run`, `register`, and what they work with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe._crmasks import rays_of
from drizframe._session import Note, Session, run_session
from drizframe._version import __version__
from drizframe.config import Parameters, make_parameters
from drizframe.config.interfaces import for_run
from drizframe.engine.hearing import hearing, listening
from drizframe.engine.kept import by_exposure, left_by
from drizframe.engine.safekeeping import write_result
from drizframe.engine.scratch_folders import close_all
from drizframe.engine.stored import stored
from drizframe.errors import ParameterError, RunError
from drizframe.hooks import PluginManager, Registry
from drizframe.hooks.plugins.manager import LOCK
from drizframe.model import Exposure, Frame, FrameUnit, LazyMapping, Mosaic, PlaneKey, Provenance, SkyValue
from drizframe.system.interrupts import orderly

if TYPE_CHECKING:
    from astropy.nddata import CCDData

    from drizframe.report.logfile import LogFile

__all__ = ["Result", "manager", "register", "registry", "result_of", "run", "unregister"]

Array = np.ndarray[Any, Any]


@cache
def _manager() -> PluginManager:
    return PluginManager()


def manager() -> PluginManager:
    """Return the plugins of this process: stock, installed, and those of the session."""
    with LOCK:
        return _manager()


manager.cache_clear = _manager.cache_clear  # type: ignore[attr-defined]  # for tests, to start anew
_registries: dict[int, Registry] = {}


def registry() -> Registry:
    """Return all components by family and name; built again after `register` and `unregister`.

    Returns
    -------
    Registry
        Read-only.
    """
    with LOCK:
        plugins = manager()
        if plugins.generation not in _registries:
            _registries.clear()
            _registries[plugins.generation] = Registry(plugins)
        return _registries[plugins.generation]


def register(plugin: Any, name: str | None = None) -> str:
    """Add a plugin to this session.

    Parameters
    ----------
    plugin : module or object
        Its functions (or methods) marked with `drizframe.hookimpl` are its hooks.
    name : str, optional
        Name for `unregister` and messages; the module's name by default.

    Returns
    -------
    str
        The name.

    Raises
    ------
    HookError
        If it implements a hook that does not exist, or yields something that is no component.
    ConflictError
        If it provides a component whose name is taken; it is not registered then.
    PluginError
        If it is registered already, its name is taken, or it has no hook.
    """
    with LOCK:
        chosen = manager().register(plugin, name)
        try:
            _registries.clear()
            _registries[manager().generation] = Registry(manager(), strict=chosen)
        except BaseException:
            _registries.clear()
            manager().unregister(chosen)
            raise
        return chosen


def unregister(plugin: Any) -> None:
    """Remove a plugin of this session, by name or object.

    Parameters
    ----------
    plugin : str, module or object
        What `register` was given, or what it returned.

    Raises
    ------
    PluginError
        If it is not registered.
    """
    manager().unregister(plugin)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Result:
    """What a run gives back.

    Parameters
    ----------
    mosaic : Mosaic or None
        The final image; None if the final step was off.
    exposures : tuple of Exposure
        What was combined.
    parameters : Parameters
        With the switches as they were used.
    frames : mapping of str to Frame
        ``"separate"`` and ``"final"``.
    sky : mapping of str to tuple of SkyValue
        Sky of each chip, by exposure name.
    cosmic_rays : mapping of str to tuple of ndarray of uint8
        Cosmic-ray masks (1 good) of each chip, by exposure name, found and given ones together; empty if there are none.
    images : mapping of str to ndarray
        Images on frames that are no layers of the mosaic: ``"median"``, see `median`.
    warnings : tuple of str
        What the user should know.
    seconds : mapping of str to float
        Time of each step.
    backends : mapping of str to str
        Which implementation ("cython" or "reference") of each component ran.
    map_error : float
        Largest error of the coordinate tables, in output pixels.
    products : list of pathlib.Path
        Files that were written.
    cleaned : mapping of str to tuple of ndarray of float32
        With `driz_cr_corr`: each chip with its cosmic rays replaced, native unit, by exposure name.
    planes : mapping of str to object
        By name, the planes that plugins declare to stay (``Plane(stays=True)``), and those that `keep` names and no file
        holds: of chips ``{exposure name: (first chip, ...)}``, with None where there is none; of exposures ``{exposure
        name: value}``; of a frame or the run as they are.
    reused : int
        With `resume`: tasks that an earlier run had done, and that were not done again.
    provenance : Provenance
        What made it: plugins, components with their options and where their formulas come from, steps.

    Notes
    -----
    Images that `max_memory` had no room for lie in scratch files, and are read when they are asked for; from then on they are in
    memory.  The files go with the result: when nobody holds it any more, or the program ends.
    """

    mosaic: Mosaic | None
    exposures: tuple[Exposure, ...]
    parameters: Parameters
    frames: Mapping[str, Frame]
    sky: Mapping[str, tuple[SkyValue, ...]]
    cosmic_rays: Mapping[str, tuple[Array, ...]]
    images: Mapping[str, Array] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    backends: Mapping[str, str] = field(default_factory=dict)
    map_error: float = 0.0
    products: list[Path] = field(default_factory=list)
    cleaned: Mapping[str, tuple[Array, ...]] = field(default_factory=dict)
    planes: Mapping[str, Any] = field(default_factory=dict)
    reused: int = 0
    provenance: Provenance = field(default_factory=lambda: Provenance(version=__version__))

    @property
    def median(self) -> Array | None:
        """The clean comparison image on the separate frame, float32, electrons per second; None if there is none."""
        return self.images.get("median")

    def _image(self) -> Mosaic:
        if self.mosaic is None:
            msg = "This run made no mosaic because driz_combine is off. Switch it on to get one."
            raise RunError(msg)
        return self.mosaic

    @property
    def sci(self) -> Array:
        """Science image, shape (ny, nx)."""
        return self._image().sci

    @property
    def wht(self) -> Array:
        """Weight map, shape (ny, nx)."""
        return self._image().wht

    @property
    def ctx(self) -> Array | None:
        """Context planes, shape (planes, ny, nx), or None."""
        return self._image().ctx

    @property
    def wcs(self) -> Any:
        """The celestial WCS of the mosaic."""
        return self._image().frame.wcs

    @property
    def header(self) -> Any:
        """Header of the science image."""
        return self._image().headers.get("sci")

    def write(
        self,
        root: str | Path,
        *,
        build: bool | None = None,
        overwrite: bool | None = None,
        writer: Any = None,
    ) -> list[Path]:
        """Write the mosaic; see `run` for the names.

        Parameters
        ----------
        root : str or path
            Root of the names.
        build : bool, optional
            One file with extensions instead of one file a part; the run's parameter by default.
        overwrite : bool, optional
            Replace products of other inputs, and other files; the run's ``overwrite_products`` by default.
        writer : str or Writer, optional
            The writer, by name; by default, if `build` is not given either, that of the run's parameter, or the one
            whose ending the root has.

        Returns
        -------
        list of pathlib.Path
            The files.

        Raises
        ------
        OutputError
            If they cannot be written, or would replace an input or what is no product of these inputs;
            nothing is changed then.
        """
        changed = {
            "build": (self.parameters.build and writer is None) if build is None else build,
            "overwrite_products": self.parameters.overwrite_products if overwrite is None else overwrite,
            "writer": (self.parameters.writer if build is None else "") if writer is None else writer,
        }
        settings = self.parameters.model_copy(update=changed)
        with orderly():
            paths = write_result(self._image(), root, self.exposures, settings, registry(), own=self.products)
        self.products.extend(paths)
        return paths

    def to_ccddata(self) -> CCDData:
        """Return the mosaic as `astropy.nddata.CCDData`, masked where the weight is 0."""
        from astropy.nddata import CCDData, StdDevUncertainty

        from drizframe.model.bunit import astropy_unit

        image = self._image()
        uncertainty = None if image.var is None else StdDevUncertainty(np.sqrt(image.var))
        return CCDData(
            np.array(image.sci),
            unit=astropy_unit(image.unit),
            mask=image.wht == 0,
            wcs=image.frame.wcs,
            uncertainty=uncertainty,
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the science image with its coordinates; needs matplotlib (``pip install drizframe[report]``).

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; new ones with the WCS as projection by default.

        Returns
        -------
        matplotlib axes
        """
        from drizframe.report.plot import plot_mosaic

        return plot_mosaic(self._image(), ax)

    def __repr__(self) -> str:
        """Return a few lines: what there is, without the numbers."""
        chips = sum(len(e.chips) for e in self.exposures)
        lines = [
            f"<Result of {_count(len(self.exposures), 'exposure')}, {_count(chips, 'chip')}",
            f"mosaic: {'none, driz_combine is off' if self.mosaic is None else self.mosaic.described()}",
            f"steps: {', '.join(self.seconds) or 'none'}",
        ]
        if self.planes:
            lines.append(f"planes: {', '.join(self.planes)}")
        lines.append(
            f"{_count(len(self.products), 'file')} written, {_count(len(self.warnings), 'warning')}>"
        )
        return "\n  ".join(lines)

    def _repr_html_(self) -> str:
        """Show the description and a small picture in notebooks."""
        from drizframe.report.plot import html_summary

        return html_summary(self.describe(), self.mosaic)

    def describe(self) -> list[str]:
        """Return a few lines for people: what was done, and where to look."""
        chips = sum(len(e.chips) for e in self.exposures)
        lines = [
            f"{_count(len(self.exposures), 'exposure')}, {_count(chips, 'chip')}, {sum(e.exptime for e in self.exposures):g} s in total"
        ]
        if not self.cosmic_rays and len(self.exposures) == 1:
            lines.append("cosmic rays: not looked for, there is no second exposure to compare with")
        if self.cosmic_rays:
            flagged = sum(int((m == 0).sum()) for masks in self.cosmic_rays.values() for m in masks)
            pixels = sum(m.size for masks in self.cosmic_rays.values() for m in masks)
            lines.append(
                f"cosmic rays: {flagged} of {pixels} pixels left out ({100 * flagged / max(pixels, 1):.2f} %)"
            )
        levels = [v.subtracted for values in self.sky.values() for v in values if v.subtracted is not None]
        if levels:
            lines.append(f"sky subtracted: {min(levels):.4g} to {max(levels):.4g}")
        if self.mosaic is not None:
            lines.append(f"mosaic: {self.mosaic.described()}")
        lines.append("time: " + ", ".join(f"{n} {s:.2f} s" for n, s in self.seconds.items() if s >= 0.005))
        if self.reused:
            lines.append(f"resumed: {_count(self.reused, 'task')} had been done by an earlier run")
        lines += [f"warning: {text}" for text in self.warnings]
        lines += [f"wrote {path}" for path in self.products]
        return lines


def _count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def run(
    inputs: Any,
    output: str | Path | None = None,
    *,
    wcsmap: Any = None,
    listeners: Sequence[Any] = (),
    **parameters: Any,
) -> Result:
    """Combine exposures into one clean image; the inputs are never modified.

    Parameters
    ----------
    inputs : str, path, Exposure, or a sequence of them
        Files, wildcards, comma lists, ``@file`` lists, association tables, or exposures in memory
        (`Exposure.from_arrays`), also CCDData and other NDData.
    output : str or path, optional
        Root of the product names: ``"root"`` writes ``root_drz_sci.fits``, ``root_drz_wht.fits`` and
        ``root_drz_ctx.fits`` (``_drc`` for CTE-corrected inputs), or one ``root_drz.fits`` with
        ``build=True``.  Without it nothing is written.  Products of an earlier run of the same inputs and
        output are replaced; anything else of these names is not, unless ``overwrite_products=True``.
    wcsmap : class or callable, optional
        Replaces the map from chips to frames, as in the reference.
    listeners : sequence of objects
        Their methods named as the listener hooks are called.
    **parameters
        Any parameter by its documented name; `drizframe parameters` lists them.

    Returns
    -------
    Result
        The mosaic, masks, sky values, warnings and timings.

    Raises
    ------
    ParameterError
        For a wrong name or value.
    InputError
        For inputs that cannot be read.
    NothingToCombineError
        If no exposure can be used.
    OutputError
        If the products cannot be written, or would replace an input or what is no product of these inputs
        (this is checked before the work begins).

    Notes
    -----
    In the main thread SIGTERM and SIGHUP end the program after scratch files are removed, unless the program
    handles these signals itself.  What a killed run left is removed by the next one that uses the same folders.
    With ``resume=True`` and a `workdir` the same call goes on where an interrupted run was, with the same result.

    Examples
    --------
    >>> import drizframe
    >>> from drizframe.data import stis_sample
    >>> result = drizframe.run(stis_sample())
    >>> result.sci.ndim
    2
    """
    notes: list[Note] = []
    with listening(), hearing(lambda *note: notes.append(note)):
        settings = for_run(make_parameters(parameters))
    logs: list[LogFile] = []
    if settings.runfile:
        from drizframe.report.logfile import log_file

        logs.append(log_file(settings.runfile, output or "astrodrizzle"))
    with orderly(close_all):
        session = run_session(
            inputs, output, settings, registry(), wcsmap=wcsmap, listeners=[*_listed(listeners), *logs], notes=notes,
            also_written=[log.path for log in logs],
        )  # fmt: skip
        return result_of(session)


def _listed(listeners: Any) -> Sequence[Any]:
    """Refuse a listener that is given without a list around it."""
    if not isinstance(listeners, Iterable) or isinstance(listeners, str):
        msg = f"listeners is {listeners!r:.60}; give objects with methods named like the listener hooks, in a list: listeners=[mine]."
        raise ParameterError(msg)
    return list(listeners)


def result_of(session: Session, before: Callable[[], None] | None = None) -> Result:
    """Return what a run gives back, and let its store forget everything else.

    Parameters
    ----------
    session : Session
        A finished run.
    before : callable, optional
        Called before the store forgets.
    """
    context, plan, store = session.context, session.context.plan, session.context.store
    try:
        sky: dict[str, list[SkyValue]] = {}
        for unit, value in store.by_chip("sky").items():
            sky.setdefault(plan.exposures[unit.exposure].name, []).append(value)
        median = stored(store, PlaneKey("median", FrameUnit("separate")))
        result = Result(
            mosaic=session.mosaic,
            exposures=plan.exposures,
            parameters=plan.parameters,
            frames=plan.frames,
            sky={n: tuple(v) for n, v in sky.items()},
            cosmic_rays=by_exposure(
                {u: m.read for u, m in rays_of(store, plan.exposures).items()}, plan.exposures
            ),
            cleaned=by_exposure(
                {u: c.read for u in store.chips("crclean") if (c := stored(store, PlaneKey("crclean", u)))},
                plan.exposures,
            ),
            images=LazyMapping({} if median is None else {"median": median.read}),
            warnings=tuple(context.bus.warnings),
            seconds={e.step: e.seconds for e in context.bus.timings if e.state == "ok"},
            backends=dict(context.backends),
            reused=0 if context.resumption is None else context.resumption.reused,
            provenance=session.provenance,
            products=list(session.written),
            planes=session.planes,
            map_error=plan.map_error,
        )
        if before is not None:
            before()
        store.leave(left_by(plan))
    except BaseException:
        store.close()
        raise
    return result
