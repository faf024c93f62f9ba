"""Weight by the error array."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import InputError
from drizframe.hooks import Weighting, WeightOptions, hookimpl
from drizframe.stock.weights._mask import same_shape, usable_weight
from drizframe.stock.weights.exp import exposure_weight

if TYPE_CHECKING:
    from drizframe.model import Chip, SkyValue

__all__ = ["ERR", "error_weight"]

#: Rows that are weighted at a time.
ROWS = 256
#: Weights of which many can be added in 32 bit.
_LARGEST = 1e36


def error_weight(
    chip: Chip,
    mask: np.ndarray[Any, Any],
    sky: SkyValue | None,
    ratio: float,
    options: WeightOptions,
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], float]:
    """Weight good pixels by the inverse variance that the error array tells.

    Parameters
    ----------
    chip : Chip
        Gives the error array, in the unit of the image, and the exposure time t.
    mask : ndarray of uint8, shape (ny, nx)
        1 good, 0 bad.
    sky : SkyValue or None
        Not used by this weighting.
    ratio : float
        Output over undistorted input pixel scale, r.
    options : WeightOptions
        `wt_scl` is used only where there is no error array.

    Returns
    -------
    map : ndarray of float32, shape (ny, nx)
        (t/ERR)², for an image in units per second 1/ERR²; where gains of exposures differ, with ERR in counts of
        the first; 0 where the mask is bad or ERR is not positive and finite.
    scale : float
        1/r⁴; 1 for images in surface brightness.

    Raises
    ------
    ShapeError
        If the error array has another shape than the chip.
    InputError
        If the errors of a flux are so small that no weight can be written.

    Warns
    -----
    DrizframeWarning
        If the chip has no error array; the weight is the exposure time then.
    """
    error = chip.plane("err")
    if error is None:
        options.warn(f"Chip {chip.extver} has no error array (ERR); its weight is the exposure time instead.")
        return exposure_weight(chip, mask, sky, ratio, options)
    sigma = same_shape(error, mask, "error array")
    time = np.float32(1.0 if chip.rate else chip.exptime)
    if chip.mosaic_gain is not None:  # exposures of several gains: all errors in counts of one
        time = time * np.float32(chip.mosaic_gain / chip.gain)
    weight, largest = np.empty(np.shape(mask), dtype=np.float32), 0.0
    for first in range(0, len(weight), ROWS):
        rows = slice(first, first + ROWS)
        with np.errstate(all="ignore"):  # what comes out without being a weight is set to 0
            part = np.where(sigma[rows] > 0, time / sigma[rows], np.float32(0)) ** 2
        largest = max(largest, float(np.max(part, initial=0.0, where=~np.isnan(part))))
        weight[rows] = usable_weight(part, mask[rows])
    if chip.physical and largest > _LARGEST:
        msg = (
            f"Chip {chip.extver}: the errors are of the order of {np.nanmedian(sigma[sigma > 0]):.1g} {chip.bunit}; 1/ERR² is "
            "no number of 32 bit. Multiply the images by a power of ten and say so in BUNIT ('10**-20 erg/s/cm2/Angstrom'), "
            "or use final_wht_type='EXP'."
        )
        raise InputError(msg)
    return weight, 1.0 if chip.brightness else 1.0 / ratio**4


ERR = Weighting(
    name="ERR",
    summary="Inverse variance from the error array.",
    traits=frozenset({"picklable"}),
    reference=error_weight,
)


@hookimpl
def drizframe_weightings() -> Iterator[Weighting]:
    """Yield the weighting of this module."""
    yield ERR
