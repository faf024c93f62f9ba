"""Sizes of pixels: their areas on the sky, and how large those of a frame are beside those of a chip."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from drizframe.model.exposure import Chip

__all__ = ["PixelScale", "axes_of", "chip_scale", "pixel_side", "projected_area", "square_side"]

#: Sides and areas that agree to this relative difference are equal: positions in degrees have no more digits.
SAME = 1e-7
#: Half the distance, in pixels, of the positions that an area is measured with.
REACH = 4.0


class PixelScale(float):
    """Size of an output pixel over that of an input pixel, where the input pixels are not square on the frame.

    Parameters
    ----------
    side : float
        Root of the ratio of areas; this is the number itself, for whoever knows of one size only.
    x, y : float
        Along the axes of the frame: the reciprocal extent of an input pixel there.

    Notes
    -----
    With J the derivatives of the map from chip to frame, ``x = 1 / hypot(J[0, 0], J[0, 1])`` and
    ``y = 1 / hypot(J[1, 0], J[1, 1])``: a box of these extents has the second moments of the mapped pixel along
    either axis, however that is turned or sheared; for a square pixel both are its scale.
    """

    __slots__ = ("x", "y")
    x: float
    y: float

    def __new__(cls, side: float, x: float, y: float) -> Self:
        """Make the number."""
        self = super().__new__(cls, side)
        self.x, self.y = float(x), float(y)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a copy is made from, in another process too."""
        return PixelScale, (float(self), self.x, self.y)

    def __repr__(self) -> str:
        """Show all three numbers."""
        return f"PixelScale({float(self)!r}, x={self.x!r}, y={self.y!r})"


def axes_of(scale: float) -> tuple[float, float]:
    """Return the size of an output pixel over that of an input pixel along x and along y of the frame.

    Parameters
    ----------
    scale : float or PixelScale
        As kernels get it; a plain number counts along both axes.

    Returns
    -------
    x, y : float
        Both above 0.
    """
    return (scale.x, scale.y) if isinstance(scale, PixelScale) else (float(scale), float(scale))


def square_side(cd: np.ndarray[Any, Any]) -> float:
    """Return the side, in arcsec, of a square with the area of a pixel.

    Parameters
    ----------
    cd : ndarray, shape (2, 2)
        Degrees per pixel; rectangular and sheared pixels have the root of the absolute determinant.
    """
    column = 3600.0 * math.hypot(cd[0][0], cd[1][0])
    side = 3600.0 * math.sqrt(abs(float(np.linalg.det(np.asarray(cd, dtype=np.float64)))))
    return column if math.isclose(side, column, rel_tol=1e-12) else side


def pixel_side(wcs: WCS, x: float, y: float, *, distorted: bool = True) -> float:
    """Return the side, in arcsec, of a square with the area that a pixel covers on the sky.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Celestial, of any projection.
    x, y : float
        The pixel, 0-based.
    distorted : bool
        False: polynomials and tables are left out.
    """
    area = projected_area(wcs, x, y, distorted=distorted)
    return square_side(wcs.pixel_scale_matrix) * math.sqrt(area)


def projected_area(wcs: WCS, x: float, y: float, *, distorted: bool = True) -> float:
    """Return the area of a pixel on the sky over that which the linear transformation tells.

    Parameters
    ----------
    wcs, x, y, distorted
        See `pixel_side`.

    Returns
    -------
    float
        1 where they agree to rounding (as near the reference point of a tangent plane), and where the position
        cannot be projected.

    Notes
    -----
    A tangent plane has cos³ of the distance from its reference point, a plate-carrée map the cosine of the native
    latitude, an equal-area projection 1.
    """
    to_sky = wcs.all_pix2world if distorted else wcs.wcs_pix2world
    offsets = REACH * np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])
    try:
        sky = np.radians(np.asarray(to_sky(np.array([x, y]) + offsets, 0), dtype=np.float64))
    except ValueError:  # wcslib refuses positions beyond the projection
        return 1.0
    lon, lat = sky.T if wcs.wcs.lng <= 0 else sky.T[::-1]
    vectors = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    across, along = vectors[1] - vectors[0], vectors[3] - vectors[2]
    measured = float(np.linalg.norm(np.cross(across, along))) / (4.0 * REACH * REACH)
    linear = abs(float(np.linalg.det(np.radians(wcs.pixel_scale_matrix))))
    found = measured / linear
    usable = math.isfinite(found) and found > 0.0 and abs(found - 1.0) > SAME
    return found if usable else 1.0


def chip_scale(chip: Chip, *, coeffs: bool = True) -> float:
    """Return the side, in arcsec, of the square whose area the flux of a chip's pixels refers to.

    Parameters
    ----------
    chip : Chip
        What to look at.
    coeffs : bool
        False: as if the chip had no distortion.

    Returns
    -------
    side : float
        In arcsec.

    Notes
    -----
    The first of:

    1. `Chip.pixel_scale`, which the user gave;
    2. with a distortion polynomial: `Chip.idc_scale`, else the root of the determinant of CD, because flat fields make
       the pixels of a distorted chip equal in brightness, not in area;
    3. without one: the root of the area that the pixel in the middle of the chip covers on the sky, whether pixels
       are square or not and whatever the projection.
    """
    if chip.pixel_scale is not None and chip.pixel_scale > 0:
        return float(chip.pixel_scale)
    if coeffs and chip.wcs.sip is not None:
        idc = chip.idc_scale
        return float(idc) if idc is not None and idc > 0 else square_side(chip.wcs.pixel_scale_matrix)
    ny, nx = chip.shape
    return pixel_side(chip.wcs, (nx - 1) / 2.0, (ny - 1) / 2.0, distorted=coeffs)
