"""How large the pixels of a frame are beside those of a chip."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.grids.mapping import SkyTransform
from drizframe.grids.wcs import WcsState, cd_matrix
from drizframe.model import Chip, Frame, PixelScale, chip_scale
from drizframe.model.pixel_scale import SAME, projected_area, square_side

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["frame_scale", "scale_ratio"]

Array = np.ndarray[Any, np.dtype[np.float64]]

#: Half the distance, in chip pixels, of the positions that the map is differentiated with.
REACH = 4.0
#: Pixels whose extents along the axes of a frame agree to this are square.
SQUARE = 1e-5


def frame_scale(frame: Frame) -> float:
    """Return the side, in arcsec, of a square with the area of a frame's pixel, as its linear transformation tells."""
    side = square_side(cd_matrix(frame.wcs))
    return frame.scale if math.isclose(side, frame.scale, rel_tol=1e-9) else side


def scale_ratio(chip: Chip, frame: Frame, *, coeffs: bool = True) -> float:
    """Return the size of a frame's pixels over that of a chip's: the root of the ratio of their areas.

    Parameters
    ----------
    chip : Chip
        From where.
    frame : Frame
        Where to.
    coeffs : bool
        False: as if the chip had no distortion.

    Returns
    -------
    float
        Its square turns flux per pixel of the chip into flux per pixel of the frame.  A `PixelScale` if the chip has
        no distortion model and its pixels are not square on the frame.

    Notes
    -----
    Areas are measured on the sky where the chip lies: a frame that is sheared, or of a projection that changes areas,
    gets as much flux as any other.  A chip with a distortion polynomial has one scale (`chip_scale`), and pixels of a
    tangent-plane frame count as equal for it wherever they lie, as in the reference.
    """
    modelled = coeffs and chip.wcs.sip is not None
    middle = _middle(chip, frame, distorted=coeffs)
    side = frame_scale(frame)
    if middle is not None and not (modelled and _tangent(frame.wcs)):
        side *= math.sqrt(projected_area(frame.wcs, *middle[:, 0], distorted=False))
    ratio = side / chip_scale(chip, coeffs=coeffs)
    if middle is None or (modelled and chip.idc_scale):
        return ratio
    return _along_axes(ratio, middle)


def _tangent(wcs: WCS) -> bool:
    """Whether a WCS is a tangent plane."""
    return str(wcs.wcs.ctype[0]).endswith("TAN")


def _middle(chip: Chip, frame: Frame, *, distorted: bool) -> Array | None:
    """Return where the middle of a chip lies, and the steps from it for a pixel in x and in y.

    Returns
    -------
    ndarray of float64, shape (2, 3), or None
        Columns: frame position; its derivatives by x and by y of the chip.  None if that cannot be projected.
    """
    ny, nx = chip.shape
    source = WcsState.of(chip.wcs, f"chip {chip.extver}", distorted=distorted)
    target = WcsState.of(frame.wcs, "the output frame", distorted=False)
    x = (nx - 1) / 2.0 + REACH * np.array([0.0, -1.0, 1.0, 0.0, 0.0])
    y = (ny - 1) / 2.0 + REACH * np.array([0.0, 0.0, 0.0, -1.0, 1.0])
    found = np.stack(SkyTransform(source, target)(x, y))
    if not np.isfinite(found).all():
        return None
    steps = (found[:, [2, 4]] - found[:, [1, 3]]) / (2.0 * REACH)
    return np.column_stack([found[:, 0], steps])


def _along_axes(ratio: float, middle: Array) -> float:
    """Return the ratio with its values along the axes of the frame, where they differ."""
    extents = np.hypot(middle[:, 1], middle[:, 2])
    if not (extents > SAME).all():
        return ratio
    square = abs(extents[0] / extents[1] - 1.0) < SQUARE and abs(extents[0] * ratio - 1.0) < SQUARE
    return ratio if square else PixelScale(ratio, 1.0 / extents[0], 1.0 / extents[1])
