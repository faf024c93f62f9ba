"""Weight by an inverse-variance map: the user's, or one made from sky, dark, read noise and flat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import InputError
from drizframe.hooks import Weighting, WeightOptions, hookimpl
from drizframe.stock.weights._mask import same_shape, usable_weight
from drizframe.stock.weights.err import error_weight
from drizframe.stock.weights.exp import exposure_weight

if TYPE_CHECKING:
    from drizframe.model import Chip, SkyValue

__all__ = ["IVM", "background_variance", "ivm_weight"]

Image = np.ndarray[Any, np.dtype[np.float32]]


def _flat(chip: Chip, mask: np.ndarray[Any, Any], options: WeightOptions) -> Image | np.float32:
    """Return the flat field, or 1 with a warning."""
    if options.flat is None:
        options.warn(
            f"No flat field for chip {chip.extver}; its inverse-variance weight is made with 1 instead. "
            f"Set the reference-file variable (jref, iref, …) to the folder that holds it."
        )
        return np.float32(1)
    return same_shape(options.flat, mask, "flat field")


def background_variance(chip: Chip, sky: SkyValue | None, flat: Image | np.float32) -> Image | np.float32:
    """Return D + S·F + RN² in electrons², for one exposure.

    Parameters
    ----------
    chip : Chip
        Gives dark D (electrons), read noise RN (electrons), and electrons per native unit.
    sky : SkyValue or None
        Sky level in native units; None: 0.
    flat : ndarray of float32 or float32
        Flat field F.

    Raises
    ------
    InputError
        If the dark signal is not known.
    """
    if chip.dark is None:
        msg = (
            f"Chip {chip.extver}: an inverse-variance weight needs the dark signal, which the header lacks "
            f"(MEANDARK, or DARKTIME for WFPC2). Add it, give IVM files, or use final_wht_type='EXP'."
        )
        raise InputError(msg)
    level = np.float32(0.0 if sky is None else sky.level * chip.conversion)
    variance: Image | np.float32 = np.float32(chip.dark) + level * flat + np.float32(chip.readnoise**2)
    return variance


def _area(chip: Chip, ratio: float) -> float:
    """Return the factor of a weight by the area of pixels."""
    return 1.0 if chip.brightness else 1.0 / ratio**4


def _of_errors(
    chip: Chip, mask: np.ndarray[Any, Any], sky: SkyValue | None, ratio: float, options: WeightOptions
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], float]:
    """Return the weight of an image whose unit counts no electrons."""
    has_error = chip.plane("err") is not None
    options.warn(
        f"Chip {chip.extver} is in {chip.bunit!r}, so sky, dark and read noise in electrons make no inverse-variance map for "
        f"it; its weight is {'that by ERR' if has_error else 'the exposure time'} instead. Give IVM files to have your own."
    )
    return (error_weight if has_error else exposure_weight)(chip, mask, sky, ratio, options)


def ivm_weight(
    chip: Chip,
    mask: np.ndarray[Any, Any],
    sky: SkyValue | None,
    ratio: float,
    options: WeightOptions,
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], float]:
    """Weight good pixels by inverse variance without the noise of sources.

    Parameters
    ----------
    chip : Chip
        Gives exposure time t, dark, read noise and electrons per native unit.
    mask : ndarray of uint8, shape (ny, nx)
        1 good, 0 bad.
    sky : SkyValue or None
        Sky level in native units.
    ratio : float
        Output over undistorted input pixel scale, r.
    options : WeightOptions
        `ivm` (the user's map, electrons⁻² of one exposure) or, without it, `flat`.

    Returns
    -------
    map : ndarray of float32, shape (ny, nx)
        The user's map, else F²/(D + S·F + RN²) with all terms in electrons; 0 where the mask is bad or the
        value is not positive and finite.
    scale : float
        t²/r⁴; for images in units of flux 1/r⁴, of surface brightness 1.

    Raises
    ------
    InputError
        If the dark signal is needed and not known.
    ShapeError
        If map or flat field have another shape than the chip.

    Warns
    -----
    DrizframeWarning
        If there is no flat field (1 is used), or if the sky is relative to other exposures, which makes the
        variance too small.

    Notes
    -----
    An image in units of flux or surface brightness has no electrons to make a map of: the weight is that by ERR, or the
    exposure time, with a warning.  A map of the user's is in the inverse square of the image's unit there.
    """
    scale = _area(chip, ratio) if chip.physical else chip.exptime**2 / ratio**4
    if options.ivm is not None:
        return usable_weight(same_shape(options.ivm, mask, "inverse-variance map"), mask), scale
    if chip.physical:
        return _of_errors(chip, mask, sky, ratio, options)
    if sky is not None and sky.method == "match":
        options.warn(
            f"Chip {chip.extver}: skymethod 'match' gives the sky relative to other exposures, so "
            f"inverse-variance weights made with it are too large. Use 'globalmin+match'."
        )
    flat = _flat(chip, mask, options)
    with np.errstate(all="ignore"):  # what comes out without being a weight is set to 0
        variance = background_variance(chip, sky, flat)
        weight = np.where((variance > 0) & (flat > 0), flat * flat / variance, np.float32(0))
    return usable_weight(np.broadcast_to(weight, np.shape(mask)), mask), scale


IVM = Weighting(
    name="IVM",
    summary="Inverse variance of sky, dark and read noise, or the user's own map.",
    reference=ivm_weight,
    traits=frozenset({"needs_flat", "picklable"}),
)


@hookimpl
def drizframe_weightings() -> Iterator[Weighting]:
    """Yield the weighting of this module."""
    yield IVM
