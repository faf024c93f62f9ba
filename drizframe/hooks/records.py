"""The frozen records that hooks yield: one class for each kind of component.

Every component has a NumPy `reference`, which is its specification, and may have a `fast` twin with the same
arguments and result.  All arrays that a component gets are read-only for it: it returns new ones.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from drizframe.errors import HookError, PluginError
from drizframe.hooks.calls import Calls, check_calls
from drizframe.hooks.fields import check_fields, model_class, number, text, texts, whole
from drizframe.hooks.points import check_point
from drizframe.model import axes_of

if TYPE_CHECKING:
    from pydantic import BaseModel

    from drizframe.model import Chip, Exposure


__all__ = [
    "TRAITS",
    "Combiner",
    "Command",
    "Component",
    "CosmicRayDetector",
    "Executor",
    "Instrument",
    "Interpolator",
    "Kernel",
    "Overlap",
    "Reader",
    "SkyChip",
    "SkyMethod",
    "SkyStatistic",
    "Weighting",
    "Writer",
]

_NAME = re.compile(r"^[a-z0-9_+.-]+$", re.IGNORECASE)

#: Promises that a component can make; the conformance kit tests each one that is made.
TRAITS: dict[str, str] = {
    "conserves_flux": "kernel: the weights of a pixel that lies wholly on the frame sum to its weight",
    "non_negative": "kernel: no weight is negative",
    "linear": "the result is linear in the data",
    "order_free": "the result does not depend on the order of the exposures",
    "rotation_invariant": "the result turns with the input by 90 degrees",
    "needs_flat": "weighting: wants the flat field of the chip where there is no inverse-variance map",
    "needs_blot": "detector: needs a blotted median, so it cannot run on a single exposure",
    "needs_depth": "detector: wants to know how many exposures lie behind each pixel",
    "picklable": "the record survives pickling, so it can be used in other processes",
}


def _none(options: Any) -> int:
    """Return 0; a function of the module, so that records that keep it can be pickled."""
    return 0


def _one(options: Any) -> int:
    """Return 1; see `_none`."""
    return 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Component:
    """What all components share.

    Parameters
    ----------
    name : str
        The name that users type, unique in its family.
    summary : str
        One sentence.
    reference : callable or None
        The NumPy implementation.
    fast : callable or None
        A compiled twin with the same arguments and result.
    supports : callable or None
        ``supports(**arguments) -> bool``: whether `fast` can take these arguments; None: always.
    traits : frozenset of str
        Promises, from `TRAITS`.
    tolerance : float
        Relative difference allowed between `fast` and `reference` in float64.
    options_model : type of pydantic.BaseModel, or None
        The plugin's own parameters, validated before `options.plugin` carries them.
    cite : str
        Where the formula comes from.
    """

    family: ClassVar[str] = ""
    takes_options: ClassVar[bool] = True
    #: Whether components of the family loop over pixels, so that ``backend="cython"`` wants a compiled half.
    loops: ClassVar[bool] = False
    #: How the functions of the record are called; `fast` and `supports` are given what `reference` is given.
    CALLS: ClassVar[Calls] = {}

    name: str
    summary: str
    reference: Callable[..., Any] | None = None
    fast: Callable[..., Any] | None = None
    supports: Callable[..., bool] | None = None
    traits: frozenset[str] = frozenset()
    tolerance: float = 1e-12
    options_model: type[BaseModel] | None = None
    cite: str = ""

    def __post_init__(self) -> None:
        """Refuse a record that could not work, naming it."""
        if not isinstance(self.name, str) or not _NAME.match(self.name):
            msg = f"{type(self).__name__} has the name {self.name!r}; use letters, digits and _ + . -"
            raise HookError(msg)
        self._check_types()
        if not self.summary:
            msg = f"{self.label} has no summary. Say in one sentence what it does."
            raise HookError(msg)
        unknown = sorted(self.traits - set(TRAITS))
        if unknown:
            msg = f"{self.label} promises unknown traits {unknown}. Choose from {sorted(TRAITS)}."
            raise HookError(msg)
        if self.options_model is not None and not self.takes_options:
            msg = f"{self.label} has an options_model, but a {self.family} is not given options. Make a record for each setting."
            raise HookError(msg)
        self._check()
        calls = self._calls()
        if "reference" in calls:
            calls = {**calls, "fast": calls["reference"], "supports": calls["reference"]}
        check_calls(self.label, self, calls)

    def __repr__(self) -> str:
        """Name the record; functions and defaults would only hide it."""
        return f"{type(self).__name__}({self.name!r})"

    @property
    def label(self) -> str:
        """Family and name, for messages."""
        return f"{self.family or type(self).__name__} {self.name!r}"

    def _check_types(self) -> None:
        check_fields(
            self.label, self, summary=text, cite=text, tolerance=number, traits=texts(frozenset), options_model=model_class
        )  # fmt: skip

    def _calls(self) -> Calls:
        """How the functions of this record are called, if that depends on its fields."""
        return self.CALLS

    def _check(self) -> None:
        if self.reference is None:
            msg = f"{self.label} has no reference. Give the NumPy function that computes it."
            raise HookError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Kernel(Component):
    """How an input pixel spreads over output pixels.

    Exactly one of `footprint`, `profile` and `point` is given.

    Parameters
    ----------
    footprint : callable
        ``footprint(x, y, corners, x0, y0, shape, *, pixfrac, scale) -> weights``.  `x`, `y` (n,) are the
        positions of pixel centres on the frame; `corners` (n, 4, 2) those of the corners of the shrunken
        pixel, in order (-,+), (+,+), (+,-), (-,-) of the input axes, or None unless `needs_corners`; the
        weights (n, h, w), float64, belong to the output pixels ``x0[k] + i``, ``y0[k] + j`` of a window of
        `shape` ``(h, w)`` that covers at least the part of the support that matters.  A weight is the share
        of the input pixel's weight that the output pixel gets; 0 means: not touched.
    profile : callable
        ``profile(dx, dy, *, pixfrac) -> weight`` with offsets in input pixels (integral 1 over the plane).
    point : object
        A `scipy.LowLevelCallable` called for each input pixel.
    support : callable
        ``support(pixfrac, scale) -> float``: half the width, in output pixels, of the region that a pixel can
        touch about its centre.  Needed unless `needs_corners` (then the corners bound it).  For a profile:
        ``support(pixfrac)`` in input pixels.  `scale` is a float everywhere; where input pixels are not square it
        is a `PixelScale`, which tells the sizes along the axes too, and its own value is the root of the ratio of
        areas.
    needs_corners : bool
        Whether `footprint` wants the corners.
    flux_error : float
        How far the weights of one pixel are from a sum of 1, at most over its sub-pixel phases, where both pixel
        scales are equal and pixfrac is 1; 0: they sum to 1.
    block : callable, optional
        ``block(pixfrac, scale) -> (capsule, constants)``: the compiled body of `fast` for a block of pixels, which
        saves the memory for the weights of all (``cython_ext/kernel_loop.pxd`` says what it is).  It must give the
        same weights as `fast`, and is only used where `fast` is.
    """

    family: ClassVar[str] = "kernel"
    takes_options: ClassVar[bool] = False
    loops: ClassVar[bool] = True
    CALLS: ClassVar[Calls] = {
        "footprint": "x, y, corners, x0, y0, shape, *, pixfrac, scale",
        "profile": "dx, dy, *, pixfrac",
        "support": "pixfrac, scale",
        "block": "pixfrac, scale",
    }

    footprint: Callable[..., Any] | None = None
    profile: Callable[..., Any] | None = None
    point: Any = None
    support: Callable[..., float] | None = None
    needs_corners: bool = False
    flux_error: float = 0.0
    block: Callable[[float, float], tuple[Any, Any]] | None = None

    def _check(self) -> None:
        given = [n for n in ("footprint", "profile", "point") if getattr(self, n) is not None]
        if len(given) != 1:
            msg = f"{self.label} gives {given or 'none'} of footprint, profile and point. Give exactly one."
            raise HookError(msg)
        if self.footprint is None:
            extra = [n for n in ("fast", "supports", "block") if getattr(self, n) is not None]
            extra += ["needs_corners"] if self.needs_corners else []
            if extra:
                msg = (
                    f"{self.label} is written as a {given[0]} function, which goes without {' and '.join(extra)}: "
                    f"drizframe makes the compiled half, and a point function gets the derivatives of the map."
                )
                raise HookError(msg)
        if self.point is not None:
            check_point(self.label, self.point)
        if not self.needs_corners and self.support is None:
            give = {
                "profile": "support(pixfrac), in input pixels",
                "point": "support(pixfrac, scale), in frame pixels",
            }
            advice = give.get(given[0], "support(pixfrac, scale), in frame pixels, or set needs_corners")
            msg = f"{self.label} has no support. Give {advice}."
            raise HookError(msg)
        if self.reference is None:
            object.__setattr__(self, "reference", getattr(self, given[0]))

    def _calls(self) -> Calls:
        if self.footprint is not None:
            return {**self.CALLS, "reference": self.CALLS["footprint"]}
        return {**self.CALLS, "support": "pixfrac"} if self.profile is not None else self.CALLS

    def reach(self, pixfrac: float, scale: float) -> tuple[float, float]:
        """How far a pixel can reach: half the side of the mapped region about its centre, and a margin about that.

        Returns
        -------
        half : float
            In chip pixels; the corners of that square are mapped to the frame (0: only the centre).
        margin : float
            In frame pixels; how far beyond the mapped positions weights can lie.
        """
        if self.needs_corners:
            return 0.5 * pixfrac, 0.0
        from drizframe.hooks.guard import ask  # guard needs this module

        if self.profile is not None:
            narrow = min(axes_of(scale))
            return 0.0, self._width(ask(self, self.support, pixfrac), f"pixfrac={pixfrac:g}") / narrow
        width = ask(self, self.support, pixfrac, scale)
        return 0.0, self._width(width, f"pixfrac={pixfrac:g}, scale={scale:g}")

    def _width(self, answer: Any, given: str) -> float:
        """Refuse a support that is no width."""
        try:
            width = float(answer)
        except (TypeError, ValueError):
            width = math.nan
        if not 0.0 <= width < math.inf:
            msg = f"The support of {self.label} is {answer!r} for {given}; it must be a finite number of 0 or more."
            raise PluginError(msg, self)
        return width


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Interpolator(Component):
    """Value of an image at any position.

    Exactly one of `reference`, `profile` and `point` is given.

    Parameters
    ----------
    reference : callable
        ``reference(image, x, y, *, fill, **options) -> values``: `image` (ny, nx) float32 or float64; `x`, `y`
        (n,) float64 positions, any value including NaN and infinities; `values` (n,) float64, `fill` where a
        position is not finite or lies outside ``0 <= x < nx``, ``0 <= y < ny``.  Beyond the domain's edges the
        component defines what it needs; elsewhere a shift of image and positions by whole pixels must not
        change a value, because the engine hands out cuts of large images.
    profile : callable
        ``profile(dx, dy) -> weight`` with the offsets of pixels from the position, in pixels.  The value is
        ``Σ w S / Σ w`` over the pixels S within the support.
    point : object
        A `scipy.LowLevelCallable` called for each position, of the C type of a kernel's (with the derivatives of
        the identity and pixfrac = scale = 1), which gives the weights of pixels.  The value is ``Σ w S``.
    support : float
        For a profile or a point function: largest offset of a pixel along an axis, in pixels.  Pixels beyond an
        edge of the image have the value of the edge pixel.
    reach : int
        Pixels around the position (on each side) that a value can depend on; for a profile or a point function it
        follows from the support.
    accepts : frozenset of str
        Names of stock options that `reference` takes as keywords (``"sinscl"``).  With an `options_model`, its
        validated section comes as the keyword `plugin`.
    """

    family: ClassVar[str] = "interpolator"
    loops: ClassVar[bool] = True
    CALLS: ClassVar[Calls] = {"reference": "image, x, y, *, fill", "profile": "dx, dy"}

    profile: Callable[..., Any] | None = None
    point: Any = None
    support: float | None = None
    reach: int = 1
    accepts: frozenset[str] = frozenset()

    def _check_types(self) -> None:
        Component._check_types(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        check_fields(self.label, self, reach=whole(0), accepts=texts(frozenset))
        if unknown := sorted(self.accepts - {"sinscl"}):
            msg = f"{self.label} accepts {unknown}, which are no stock options. The only one is 'sinscl'; options_model is for your own."
            raise HookError(msg)

    def _calls(self) -> Calls:
        plugin = ["plugin"] if self.options_model is not None else []
        return {
            **self.CALLS,
            "reference": ", ".join(["image, x, y, *, fill", *sorted(self.accepts), *plugin]),
        }

    def _check(self) -> None:
        ways = [n for n in ("profile", "point") if getattr(self, n) is not None]
        given = ways if self.reference is None else ["reference", *ways]
        if len(given) != 1:
            msg = (
                f"{self.label} gives {' and '.join(given) or 'none'} of reference, profile and point. "
                f"Give exactly one."
            )
            raise HookError(msg)
        if not ways:
            Component._check(self)  # noqa: SLF001  (super() does not work in a class with slots)
            return
        if self.point is not None:
            check_point(self.label, self.point)
        self._check_weights()

    def _check_weights(self) -> None:
        """Refuse what a profile or a point function cannot have."""
        extra = [n for n in ("fast", "supports", "options_model") if getattr(self, n) is not None]
        if extra or self.accepts:
            msg = (
                f"{self.label} is written as weights of pixels, which go without {' and '.join(extra or ['accepts'])}: "
                f"drizframe makes the compiled half, and no options are passed. Make a record for each setting."
            )
            raise HookError(msg)
        support = self.support
        number = isinstance(support, int | float) and not isinstance(support, bool)
        if not (number and 0.5 <= support < 1000):  # type: ignore[operator]
            msg = (
                f"{self.label} has the support {support!r}. Give the largest offset of a pixel from the position, "
                f"in pixels, as a number of 0.5 or more."
            )
            raise HookError(msg)
        object.__setattr__(self, "support", float(support))  # type: ignore[arg-type]
        object.__setattr__(self, "reach", math.ceil(self.support))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Combiner(Component):
    """One image out of a stack.

    ``reference(stack, bad, *, weight, exptime, background, readnoise, n_total, options) -> image``: `stack`
    (n, h, w) float32 in electrons/s; `bad` (n, h, w) bool; `weight` (n, h, w) float32; `exptime`,
    `background`, `readnoise` (n,) float64 in s, electrons, electrons; `options` a `CombineOptions`; `image`
    (h, w) float32.  The arrays are read-only, and of any strides and byte order; `n_total` is the number of exposures
    of the run; `image` is a new array.

    Parameters
    ----------
    halo : callable
        ``halo(options) -> int``: pixels around the tile that a result can depend on.
    minimum : callable
        ``minimum(options) -> int``: exposures needed at least.
    """

    family: ClassVar[str] = "combiner"
    loops: ClassVar[bool] = True
    CALLS: ClassVar[Calls] = {
        "reference": "stack, bad, *, weight, exptime, background, readnoise, n_total, options",
        "halo": "options",
        "minimum": "options",
    }

    halo: Callable[[Any], int] = field(default=_none)
    minimum: Callable[[Any], int] = field(default=_one)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SkyChip:
    """One chip as a `SkyMethod` sees it.

    Parameters
    ----------
    key : hashable
        Identifies the chip.
    exposure : int
        Index of its exposure.
    name : str
        For messages.
    conversion : float
        Surface brightness = `conversion` × value in the unit of the image.
    pixels : callable
        ``pixels(region=None) -> ndarray (n,) float32``: the usable finite values in row order, of the whole chip or
        of a boolean region (ny, nx) or anything that `numpy.asarray` turns into one.
    of_exposure : Exposure or None
        The exposure, with its primary header (`primary`).
    of_chip : Chip or None
        The chip, with the header of its image (`header`).
    """

    key: Any
    exposure: int
    name: str
    conversion: float
    pixels: Callable[..., Any]
    of_exposure: Exposure | None = None
    of_chip: Chip | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlap:
    """The common region of two chips of different exposures.

    Parameters
    ----------
    first, second : hashable
        Keys of the chips; the exposure of `first` comes earlier.
    first_region, second_region : array-like of bool, shape (ny, nx)
        The region on each chip: an array, or an object that `numpy.asarray` turns into one when it is needed.
    area : float
        Area of the intersection, steradian.
    """

    first: Any
    second: Any
    first_region: Any
    second_region: Any
    area: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SkyMethod(Component):
    """Sky of every chip.

    ``reference(chips, statistic, *, overlaps, options) -> {key: SkyValue}``: `chips` a sequence of `SkyChip`;
    ``statistic(values)
    -> (value, n)`` with NaN, 0 where there is not enough data; `overlaps` a callable that gives the list of
    `Overlap`.  Pixels are in native byte order and read-only.

    Parameters
    ----------
    minimum : int
        Exposures needed; with fewer the step falls back, with a warning, to `fallback`.
    fallback : str
        Name of another sky method.
    """

    family: ClassVar[str] = "sky method"
    CALLS: ClassVar[Calls] = {"reference": "chips, statistic, *, overlaps, options"}

    minimum: int = 1
    fallback: str = ""

    def _check_types(self) -> None:
        Component._check_types(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        check_fields(self.label, self, minimum=whole(0), fallback=text)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SkyStatistic(Component):
    """A statistic of sky pixels.

    ``reference(values, options) -> (value, n)``: `values` (n,) float32, finite, in row order, `options` a
    `StatisticOptions`; NaN and 0 where there is not enough data.  `values` is in native byte order, read-only, and
    may have strides; `value` is a real number, `n` a whole one.
    """

    family: ClassVar[str] = "sky statistic"
    CALLS: ClassVar[Calls] = {"reference": "values, options"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Weighting(Component):
    """Weight map of a chip.

    ``reference(chip, mask, sky, ratio, options) -> (map, scale)``: `chip` a `Chip`, `mask` (ny, nx) uint8 (1
    good), `sky` a `SkyValue`, `ratio` output over undistorted input pixel scale, `options` a `WeightOptions`;
    `map` (ny, nx) float32 with the mask applied, `scale` a factor that the drizzle step multiplies.  `mask` is in
    native byte order, and so are `Chip.data` and `Chip.plane`; the maps of `options` may be of any layout, type and byte
    order, because other steps and instruments make them; nothing may be written to.
    """

    family: ClassVar[str] = "weighting"
    CALLS: ClassVar[Calls] = {"reference": "chip, mask, sky, ratio, options"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CosmicRayDetector(Component):
    """Cosmic rays of one chip.

    ``reference(sci, blot, deriv, noise, depth, dq, options) -> codes``: all (ny, nx); `sci`, `blot`, the
    derivative `deriv` of that and `noise` float32 in electrons; `blot` and `deriv` are None without a median,
    which a detector with the trait ``needs_blot`` never sees; `depth` int32, number of exposures behind each
    pixel, or None unless the detector has the trait ``needs_depth``; `dq` integer or None; `options` a
    `CosmicRayOptions`.  `codes` uint8: 0 good, else the reason (1 test, 2 grown, 4 charge-transfer tail; a
    plugin may use 8 and up).  The arrays are not to be written to, and of any strides and byte order; `dq` is of any
    integer type.

    Parameters
    ----------
    halo : callable
        ``halo(options) -> int``: pixels around a pixel that its code can depend on.
    """

    family: ClassVar[str] = "cosmic-ray detector"
    loops: ClassVar[bool] = True
    CALLS: ClassVar[Calls] = {
        "reference": "sci, blot, deriv, noise, depth, dq, options",
        "halo": "options",
    }

    halo: Callable[[Any], int] = field(default=_one)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Instrument(Component):
    """Reads the facts of exposures and chips from headers.

    Parameters
    ----------
    matches : callable
        ``matches(primary_header) -> bool``.
    reference : callable
        ``reference(primary, science, *, name, path, source, options, wcs) -> Exposure``: `science` maps
        EXTVER to header, ``source(extver)`` gives the chip's `PixelSource`, ``wcs(extver)`` its WCS,
        `options` an `InstrumentOptions`.
    rules : str
        Name of the header-blending rules.
    requires : tuple of str
        Images that every file of the instrument has for each chip, of ``"dq"`` and ``"err"``: a file that lacks one is
        refused, unless the user allows it (``allow_missing``).
    """

    family: ClassVar[str] = "instrument"
    takes_options: ClassVar[bool] = False
    CALLS: ClassVar[Calls] = {
        "reference": "primary, science, *, name, path, source, options, wcs",
        "matches": "primary_header",
    }

    matches: Callable[[Any], bool] | None = None
    rules: str = ""
    requires: tuple[str, ...] = ()

    def _check_types(self) -> None:
        Component._check_types(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        check_fields(self.label, self, rules=text, requires=texts(tuple))

    def _check(self) -> None:
        Component._check(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        if self.matches is None:
            msg = f"{self.label} has no matches(primary_header) -> bool."
            raise HookError(msg)
        unknown = sorted(set(self.requires) - {"dq", "err"})
        if unknown:
            msg = f"{self.label} requires {unknown}. Choose from 'dq' and 'err'."
            raise HookError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Reader(Component):
    """Files to exposures.

    Parameters
    ----------
    matches : callable
        ``matches(path) -> bool``, cheap.
    reference : callable
        ``reference(path, *, instruments, options) -> list[Exposure]``: `instruments` is a callable that finds
        the `Instrument` for a primary header, `options` an `InstrumentOptions`.
    settle : callable or None
        ``settle(paths) -> list[str]``: finishes what an interrupted run left half done to files, and returns
        what it did, for warnings.  Called with all files of a run that the reader takes, before any is read.
    """

    family: ClassVar[str] = "reader"
    takes_options: ClassVar[bool] = False
    CALLS: ClassVar[Calls] = {
        "reference": "path, *, instruments, options",
        "matches": "path",
        "settle": "paths",
    }

    matches: Callable[[Path], bool] | None = None
    settle: Callable[[Sequence[Path]], Sequence[str]] | None = None

    def _check(self) -> None:
        Component._check(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        if self.matches is None:
            msg = f"{self.label} has no matches(path) -> bool."
            raise HookError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Writer(Component):
    """Mosaics to files.

    ``reference(mosaic, path, *, overwrite) -> list[Path]``: writes every part under a temporary name and
    renames it last.

    Parameters
    ----------
    headers : callable or None
        ``headers(product) -> (headers, table, notes)``: headers of a mosaic by part ("primary", "sci", "wht",
        "ctx"), its table of input keywords, and warnings; `product` is a `RunProducts`.
    planes : callable or None
        ``planes(product) -> list[Path]``: writes the intermediate planes that `product` asks for.
    check : callable or None
        ``check(parameters) -> None``: raises, before any work is done, for parameters that it cannot honour.
    paths : callable or None
        ``paths(product) -> list[Path]``: all files that `planes` and `reference` will write for that run; asked
        before the work, so that an input or the product of another run is not overwritten.
    """

    family: ClassVar[str] = "writer"
    takes_options: ClassVar[bool] = False
    CALLS: ClassVar[Calls] = {
        "reference": "mosaic, path, *, overwrite",
        "headers": "product",
        "planes": "product",
        "check": "parameters",
        "paths": "product",
    }

    headers: Callable[..., Any] | None = None
    planes: Callable[..., list[Path]] | None = None
    check: Callable[..., None] | None = None
    paths: Callable[..., list[Path]] | None = None


class MapFunction(Protocol):
    """``Executor.map``: results in the order of the tasks."""

    def __call__(
        self, function: Callable[[Any], Any], tasks: Sequence[Any], *, workers: int
    ) -> Iterator[Any]:  # pragma: no cover
        """Yield ``function(task)`` for each task, in order; the first error stops the run."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Executor(Component):
    """Where tasks run.

    ``reference(function, tasks, *, workers) -> iterator``: results in the order of the tasks.

    Parameters
    ----------
    shares_memory : bool
        Whether tasks see this process's memory, so that components of the session and plain functions can be
        used.
    """

    family: ClassVar[str] = "executor"
    takes_options: ClassVar[bool] = False
    CALLS: ClassVar[Calls] = {"reference": "function, tasks, *, workers"}

    shares_memory: bool = True

    def map(self, function: Callable[[Any], Any], tasks: Sequence[Any], *, workers: int = 1) -> Iterable[Any]:
        """Run ``function(task)`` for every task; see the class."""
        assert self.reference is not None  # noqa: S101  (checked when the record was made)
        result: Iterable[Any] = self.reference(function, tasks, workers=workers)
        return result


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Command:
    """A subcommand of ``drizframe``.

    Parameters
    ----------
    name : str
        What the user types.
    summary : str
        One sentence for the help page.
    function : callable
        A typer-compatible function.
    """

    name: str
    summary: str
    function: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a command that could not be offered."""
        label = f"Command {self.name!r}"
        check_fields(label, self, name=text, summary=text)
        if not _NAME.match(self.name):
            msg = f"{label} has a name that cannot be typed; use letters, digits and _ + . -"
            raise HookError(msg)
        function: Any = self.function
        if not callable(function):
            msg = (
                f"{label} has function = {function!r}, which is no function. Give one that typer understands."
            )
            raise HookError(msg)
