"""From the pixels of a chip to the pixels of a frame.

The exact map is pixel → sky with everything the chip's WCS holds (D2IM tables, SIP polynomial and NPOL
tables, CD matrix, projection), then sky → pixel with the core of the frame's WCS.  The drizzle steps use it
through a table of exact positions, as the reference does, unless `stepsize` is 0.
"""

from __future__ import annotations

import copy
import inspect
import math
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import InputError, ParameterError, WCSError
from drizframe.grids.sky_systems import conversion
from drizframe.grids.wcs import WcsState, cd_matrix
from drizframe.model import PixelMap
from drizframe.model.pixel_scale import square_side

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from drizframe.model import Chip, Frame
    from drizframe.model.pixelmap import Transform

__all__ = ["AUTO_ERROR", "SkyTransform", "WCSMap", "pixel_map", "transform"]

Array = np.ndarray[Any, np.dtype[np.float64]]

#: Steps that "auto" tries, coarsest first; then the exact map.
AUTO_STEPS = (20, 10, 5, 2, 1)
#: Interpolation error in frame pixels that "auto" accepts.
AUTO_ERROR = 1e-4


class SkyTransform:
    """The exact map between the pixels of two images, through the sky; 0-based on both sides.

    Parameters
    ----------
    source : astropy.wcs.WCS or WcsState
        The image to start from, distortion included.
    target : astropy.wcs.WCS or WcsState
        The image to arrive at; only its core is used (trap 11-10).

    Raises
    ------
    WCSError
        If a WCS cannot be used, or the two count in different sky systems one of which cannot be converted.

    Notes
    -----
    Every thread works on WCS objects of its own, because wcslib changes an object while it transforms.
    Pickles are exact.
    """

    __slots__ = ("_convert", "_source", "_target")

    def __init__(self, source: WCS | WcsState, target: WCS | WcsState) -> None:
        if not isinstance(source, WcsState):
            source = WcsState.of(source, "the input image")
        if not isinstance(target, WcsState):
            target = WcsState.of(target, "the output frame", distorted=False)
        self._convert = conversion(source.system, target.system)
        self._source, self._target = source, target

    def _objects(self) -> tuple[WCS, WCS]:
        """Return the WCS objects of this thread."""
        return self._source.own(), self._target.own()

    def __call__(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Map positions.

        Parameters
        ----------
        x, y : ndarray of float64, any shape
            Pixel positions on the source, 0-based.

        Returns
        -------
        x, y : ndarray of float64, the same shape
            Pixel positions on the target, 0-based; NaN where the target's projection has no such point.
        """
        fx, fy = self.fits(np.asarray(x, dtype=np.float64) + 1.0, np.asarray(y, dtype=np.float64) + 1.0)
        return fx - 1.0, fy - 1.0

    def fits(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Map positions that count from 1 on both sides; else as calling the object."""
        source, target = self._objects()
        x, y = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
        sky = source.all_pix2world(np.column_stack([x.ravel(), y.ravel()]), 1)
        if self._convert is not None:
            lon, lat = self._convert(*(sky.T if self._source.longitude_first else sky.T[::-1]))
            sky = np.column_stack([lon, lat] if self._target.longitude_first else [lat, lon])
        elif self._source.longitude_first != self._target.longitude_first:
            sky = sky[:, ::-1]
        out = target.wcs_world2pix(sky, 1) if sky.size else sky
        bad = ~np.isfinite(out).all(axis=1)
        out[bad] = np.nan
        return out[:, 0].reshape(x.shape), out[:, 1].reshape(x.shape)

    def __reduce__(self) -> tuple[Any, ...]:
        return SkyTransform, (self._source, self._target)


class WCSMap:
    """The shipped map for `wcsmap`: exact in both directions, counting from 1.

    Parameters
    ----------
    input : astropy.wcs.WCS, optional
        The chip, distortion included.  An object made without images takes those of each chip in turn.
    output : astropy.wcs.WCS, optional
        The frame.

    Notes
    -----
    Derive from it and override `forward` to change the map of a run.
    """

    def __init__(self, input: WCS | None = None, output: WCS | None = None) -> None:  # noqa: A002  (as the reference)
        self.input: WCS | None = input
        self.output: WCS | None = output
        self.exact: SkyTransform | None = None  # made when it is first needed

    def bound_to(self, source: WCS, target: WCS) -> WCSMap:
        """Return this map, whatever a subclass keeps in it, for other images."""
        other = copy.copy(self)
        other.input, other.output = source, target
        other.exact = None
        return other

    def _images(self) -> tuple[WCS, WCS]:
        """Return both images."""
        if self.input is None or self.output is None:
            msg = "This WCSMap has no images yet. Make it as WCSMap(input_wcs, output_wcs)."
            raise ParameterError(msg)
        return self.input, self.output

    def forward(self, x: Any, y: Any) -> tuple[Array, Array]:
        """Map pixels of the input to pixels of the output, both counted from 1, shapes alike."""
        if self.exact is None:
            self.exact = SkyTransform(*self._images())
        return self.exact.fits(x, y)

    def backward(self, x: Any, y: Any) -> tuple[Array, Array]:
        """Map pixels of the output to pixels of the input, both counted from 1, shapes alike.

        Raises
        ------
        WCSError
            If the distortion cannot be inverted there.
        """
        from astropy.wcs import NoConvergence

        chip, frame = self._images()
        source = WcsState.of(chip, "the input image")
        target = WcsState.of(frame, "the output frame", distorted=False)
        sky = target.build().wcs_pix2world(x, y, 1)
        convert = conversion(target.system, source.system)
        if not target.longitude_first:
            sky = sky[::-1]
        if convert is not None:
            sky = convert(*sky)
        try:
            found = source.build().all_world2pix(*(sky if source.longitude_first else sky[::-1]), 1)
        except NoConvergence as error:
            msg = (
                "The distortion of the input image cannot be inverted at these positions. "
                "They may lie too far outside of it."
            )
            raise WCSError(msg) from error
        return np.asarray(found[0], dtype=np.float64), np.asarray(found[1], dtype=np.float64)

    def get_pix_ratio(self) -> float:
        """Return the pixel scale of the output over that of the input: the root of the ratio of areas."""
        source, target = self._images()
        return square_side(cd_matrix(target)) / square_side(cd_matrix(source))


class _Forward:
    """The `forward` of a user's map, which counts from 1, as a 0-based transform; one call at a time.

    Parameters
    ----------
    mapping : object
        Has ``forward(x, y)``.
    """

    def __init__(self, mapping: Any) -> None:
        self.mapping = mapping
        self._lock = threading.Lock()

    def __call__(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Map 0-based positions."""
        given = [np.array(a, dtype=np.float64) + 1.0 for a in (x, y)]
        with self._lock:
            found = self.mapping.forward(*given)
        fx, fy = (np.asarray(a, dtype=np.float64) - 1.0 for a in found)
        if fx.shape != np.shape(x) or fy.shape != np.shape(x):
            msg = (
                f"wcsmap.forward returned shapes {fx.shape} and {fy.shape} for positions of shape "
                f"{np.shape(x)}. It must return two arrays of the shape that it was given."
            )
            raise ParameterError(msg)
        return fx, fy

    def __reduce__(self) -> tuple[Any, ...]:
        return _Forward, (self.mapping,)


def transform(chip_wcs: WCS, frame_wcs: WCS) -> SkyTransform:
    """Return the exact map from the pixels of a chip to the pixels of a frame.

    Parameters
    ----------
    chip_wcs : astropy.wcs.WCS
        With all distortion.
    frame_wcs : astropy.wcs.WCS
        Only its core is used.

    Returns
    -------
    SkyTransform
        ``(x, y) -> (X, Y)``, 0-based, safe to call from several threads; NaN where a point cannot be
        projected.

    Raises
    ------
    WCSError
        If a WCS cannot be used.
    """
    return SkyTransform(chip_wcs, frame_wcs)


def pixel_map(
    chip: Chip, frame: Frame, *, stepsize: float | str = 10, wcsmap: Any = None, name: str = ""
) -> PixelMap:
    """Return the map from a chip to a frame.

    Parameters
    ----------
    chip : Chip
        Gives its WCS and shape.
    frame : Frame
        Where to map to.
    stepsize : float or str
        Distance of exactly mapped positions in pixels, at least 1 and possibly larger than the image; 0:
        every position is mapped exactly; ``"auto"``: the table is refined until its error is below
        `AUTO_ERROR`.
    wcsmap : class, callable or object, optional
        ``wcsmap(input_wcs, output_wcs)`` gives an object whose ``forward(x, y)`` maps pixels, counted from 1;
        an object that has `forward` is used itself.  `stepsize` is then without effect.
    name : str
        Name of the exposure, for messages.

    Returns
    -------
    PixelMap
        0-based.

    Raises
    ------
    ParameterError
        For a wrong `stepsize` or `wcsmap`.
    InputError
        If no position of the chip can be projected onto the frame (trap 06-10).
    """
    step = check_stepsize(stepsize)
    if wcsmap is not None:
        found = PixelMap.from_function(_user_transform(wcsmap, chip.wcs, frame.wcs), chip.shape)
    elif step == "auto":
        found = _refined(transform(chip.wcs, frame.wcs), chip.shape)
    elif step == 0:
        found = PixelMap.from_function(transform(chip.wcs, frame.wcs), chip.shape)
    else:
        found = PixelMap.from_table(transform(chip.wcs, frame.wcs), chip.shape, float(step))
    _check_projectable(found, chip, frame, name)
    return found


def check_stepsize(stepsize: Any) -> float | str:
    """Return a valid step of the table: a number or ``"auto"``; raise `ParameterError` otherwise."""
    if isinstance(stepsize, str) and stepsize.strip().lower() == "auto":
        return "auto"
    number = isinstance(stepsize, int | float | np.number) and not isinstance(
        stepsize, bool | np.bool_ | complex
    )
    if not number or not math.isfinite(stepsize) or not (stepsize == 0 or stepsize >= 1):
        msg = (
            f"stepsize is {stepsize!r}. Give the distance of exactly mapped pixels, 1 or more (default 10), "
            "0 to map every pixel exactly, or 'auto' to refine until the error is below 1e-4 pixel."
        )
        raise ParameterError(msg)
    return float(stepsize)


def _refined(function: Transform, shape: tuple[int, int]) -> PixelMap:
    """Return the coarsest table that is good enough; the exact map if none is."""
    for step in AUTO_STEPS:
        table = PixelMap.from_table(function, shape, step)
        if table.table_error() < AUTO_ERROR:
            return table
    return PixelMap.from_function(function, shape)


def _user_transform(wcsmap: Any, source: WCS, target: WCS) -> Transform:
    """Return the transform of a user's map, whichever form it has."""
    images = tuple(copy.deepcopy(w) for w in (source, target))
    if isinstance(wcsmap, WCSMap):
        made: Any = wcsmap.bound_to(*images)
    elif inspect.isclass(wcsmap) or (callable(wcsmap) and not hasattr(wcsmap, "forward")):
        made = wcsmap(*images)
    else:
        made = wcsmap
    if type(made) is WCSMap:
        return transform(*images)
    if not callable(getattr(made, "forward", None)):
        msg = (
            f"wcsmap gave {type(made).__name__}, which has no method forward(x, y). Give a class or function "
            "called as wcsmap(input_wcs, output_wcs), or an object with forward(x, y); pixels count from 1."
        )
        raise ParameterError(msg)
    return _Forward(made)


def _check_projectable(pixels: PixelMap, chip: Chip, frame: Frame, name: str) -> None:
    """Raise `InputError` if the frame's projection holds no position of the chip."""
    if pixels.nodes is not None:
        some = np.isfinite(pixels.nodes).all(axis=0).any()
    else:
        ny, nx = chip.shape
        x, y = np.linspace(0, nx - 1, 5), np.linspace(0, ny - 1, 5)
        some = np.isfinite(np.stack(pixels.grid(x, y))).all(axis=0).any()
    if not some:
        ra, dec = (float(v) for v in frame.wcs.wcs.crval)
        msg = (
            f"No pixel of {name and f'{name}, '}chip {chip.extver} (reference point {tuple(float(v) for v in chip.wcs.wcs.crval)} "
            f"deg) can be projected onto the output frame centred near ({ra}, {dec}) deg: it lies on the "
            "other side of the sky. Check the frame (final_ra, final_dec, final_refimage or driz_sep_…) or "
            "leave the exposure out."
        )
        raise InputError(msg)
