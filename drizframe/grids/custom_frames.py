"""A frame that the user's parameters change: rotation, scale, size, position."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from drizframe.errors import ParameterError
from drizframe.grids.wcs import cd_matrix, core_wcs
from drizframe.model import Frame

__all__ = ["MAX_PIXELS", "check_size", "custom_frame"]

Array = np.ndarray[Any, np.dtype[np.float64]]

#: Pixels of the largest frame by default: 20,000 on a side, near a sky cell of the Hubble archive; a float32 image of that
#: size has 1.6 GB.
MAX_PIXELS = 400_000_000


def check_size(shape: tuple[int, int], reason: str, limit: float | None = None) -> None:
    """Raise `ParameterError` if a frame has more pixels than are allowed (trap 06-12).

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    reason : str
        What may have caused it, a sentence; blank: unknown.
    limit : float, optional
        Number of pixels; None: `MAX_PIXELS`.
    """
    ny, nx = shape
    limit = MAX_PIXELS if limit is None else limit
    if ny * nx > limit:
        cause = f" {reason}" if reason else ""
        msg = (
            f"The output frame would have {nx} columns and {ny} rows: {ny * nx / 2**28:.3g} GiB for "
            f"each image, while max_pixels allows {limit:.0f} pixels ({limit / 2**28:.3g} GiB).{cause} Give a coarser scale, a "
            "smaller size with outnx and outny around a position given with ra and dec, or a larger max_pixels."
        )
        raise ParameterError(msg)


def custom_frame(
    base: Frame,
    *,
    rot: float | None = None,
    scale: float | None = None,
    outnx: float | None = None,
    outny: float | None = None,
    ra: float | None = None,
    dec: float | None = None,
    crpix1: float | None = None,
    crpix2: float | None = None,
    prefix: str = "",
    anchored: bool = False,
    limit: float | None = None,
) -> Frame:
    """Return a frame changed by the user's values; None leaves a value as it is.

    Parameters
    ----------
    base : Frame
        Where to start from.
    rot : float, optional
        Position angle of the y axis in degrees.
    scale : float, optional
        Pixel scale in arcsec.
    outnx, outny : float, optional
        Columns and rows; both or none.
    ra, dec : float, optional
        Sky position of the reference pixel in degrees; both or none.
    crpix1, crpix2 : float, optional
        Reference pixel, counted from 1; both or none.
    prefix : str
        What stands before the names in messages, such as ``"final_"``.
    anchored : bool
        With a position, but neither size nor reference pixel: whether the position is the centre of a pixel, so that all
        frames of one position, scale and rotation lie whole pixels apart, whatever they began with.
    limit : float, optional
        Number of pixels that are allowed; None: the default.

    Returns
    -------
    Frame
        With a size given, the reference pixel is the centre of the image; otherwise it keeps its place among
        the data.

    Raises
    ------
    ParameterError
        If one of a pair is missing, a value is out of range, or the frame would be too large.
    """
    size = _pair(prefix, "outnx", outnx, "outny", outny)
    sky = _pair(prefix, "ra", ra, "dec", dec)
    pixel = _pair(prefix, "crpix1", crpix1, "crpix2", crpix2)
    _check_values(prefix, rot, scale, size, sky)
    if scale is None and rot is None and not (size or sky or pixel):
        return base
    q = (
        1.0
        if scale is None or math.isclose(scale, base.scale, rel_tol=10 * np.finfo(float).eps)
        else base.scale / scale
    )
    turn = 0.0 if rot is None else base.orientation - rot
    if size:
        shape = (_whole(size[1]), _whole(size[0]))
        crpix = ((shape[1] + 1) / 2.0, (shape[0] + 1) / 2.0)
    else:
        shape, crpix = _resized(base, q, turn)
        if anchored and sky:
            crpix = (math.floor(crpix[0] + 0.5), math.floor(crpix[1] + 0.5))
    given = f"{prefix}scale is {scale!r}, {prefix}outnx and {prefix}outny are {outnx!r} and {outny!r}."
    check_size(shape, given, limit)
    cd = cd_matrix(base.wcs) / q @ _rotation(turn)
    wcs = core_wcs(base.wcs, shape, cd, pixel or crpix, sky)
    return Frame(
        wcs=wcs,
        shape=shape,
        name=base.name,
        scale=base.scale if scale is None else float(scale),
        orientation=base.orientation if rot is None else float(rot),
    )


def _pair(prefix: str, first: str, one: Any, second: str, two: Any) -> tuple[float, float] | None:
    """Return both values of a pair, or None; raise `ParameterError` if one is missing or no number."""
    if (one is None) != (two is None):
        given, value, missing = (first, one, second) if two is None else (second, two, first)
        msg = f"{prefix}{given} is {value!r} but {prefix}{missing} is not set. Set both or none."
        raise ParameterError(msg)
    if one is None:
        return None
    return _number(prefix + first, one), _number(prefix + second, two)


def _number(name: str, value: Any) -> float:
    """Return a finite number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        msg = f"{name} is {value!r}; give a finite number, or leave it unset."
        raise ParameterError(msg)
    return number


def _check_values(prefix: str, rot: Any, scale: Any, size: Any, sky: Any) -> None:
    """Refuse values out of range."""
    if rot is not None:
        _number(f"{prefix}rot", rot)
    if scale is not None and not _number(f"{prefix}scale", scale) > 0:
        msg = f"{prefix}scale is {scale!r}; give arcsec per pixel above 0."
        raise ParameterError(msg)
    if size and min(size) < 0.5:
        msg = (
            f"{prefix}outnx and {prefix}outny are {size[0]:g} and {size[1]:g}; both must be at least 1 pixel."
        )
        raise ParameterError(msg)
    if sky and abs(sky[1]) > 90:
        msg = f"{prefix}dec is {sky[1]!r}; give degrees from -90 to 90."
        raise ParameterError(msg)


def _whole(value: float) -> int:
    """Round half away from zero, at least 1."""
    return max(1, math.floor(value + 0.5))


def _rotation(turn: float) -> Array:
    """Return [[cos, sin], [-sin, cos]] of an angle in degrees."""
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return np.array([[c, s], [-s, c]])


def _resized(base: Frame, q: float, turn: float) -> tuple[tuple[int, int], tuple[float, float]]:
    """Return shape and CRPIX of the frame scaled by q and turned, so that it covers the old one.

    Notes
    -----
    Turned: the outer corners of the image about its reference pixel, times q, times the rotation, span the
    new image. Only scaled: the size is q n and the centre of the first pixel keeps its place.
    """
    (ny, nx), (cx, cy) = base.shape, base.wcs.wcs.crpix
    if turn != 0.0:
        corners = np.array([[0.5, 0.5], [nx + 0.5, 0.5], [0.5, ny + 0.5], [nx + 0.5, ny + 0.5]]) - [cx, cy]
        turned = q * corners @ _rotation(turn)
        low, span = turned.min(axis=0), np.ptp(turned, axis=0)
        return (max(1, math.ceil(span[1])), max(1, math.ceil(span[0]))), (
            0.5 - float(low[0]),
            0.5 - float(low[1]),
        )
    if q != 1.0:
        shape = (max(1, math.ceil(q * ny)), max(1, math.ceil(q * nx)))
        return shape, (1.0 + q * (cx - 1.0), 1.0 + q * (cy - 1.0))
    return base.shape, (float(cx), float(cy))
