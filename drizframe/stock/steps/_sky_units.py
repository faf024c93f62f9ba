"""From values of an image to surface brightness: what makes the sky of different chips comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError
from drizframe.model import chip_scale
from drizframe.model.bunit import parse_unit

if TYPE_CHECKING:
    from drizframe.model import Chip, Exposure

__all__ = ["brightness_conversion", "is_rate", "pixel_scale"]


def _card(header: Any, key: str) -> Any:
    """Return the value of a keyword, None if the header or the keyword is missing or empty."""
    value = None if header is None else header.get(key)
    return None if value is None or (isinstance(value, str) and not value.strip()) else value


def pixel_scale(exposure: Exposure, chip: Chip) -> float:
    """Return the side of an undistorted pixel in arcsec.

    Parameters
    ----------
    exposure : Exposure
        The exposure, for its primary header.
    chip : Chip
        The chip.

    Notes
    -----
    The first of: what the user gave; IDCSCALE of the distortion model; PAMSCALE and IDCSCALE of the science, then of
    the primary header; `chip_scale`, which is the root of the pixel's area on the sky.
    """
    if chip.pixel_scale is not None:
        return float(chip.pixel_scale)
    if chip.idc_scale is not None and chip.idc_scale > 0:
        return float(chip.idc_scale)
    for header in (chip.header, exposure.primary):
        for key in ("PAMSCALE", "IDCSCALE"):
            value = _card(header, key)
            if value is not None and float(value) > 0:
                return float(value)
    return chip_scale(chip)


#: How the two kinds of images are called.
_PER_SECOND, _TOTALS = "per second", "of the whole exposure (not per second)"


def is_rate(exposure: Exposure, chip: Chip) -> tuple[bool, str]:
    """Tell whether the image is in units per second.

    Parameters
    ----------
    exposure : Exposure
        The exposure, for its primary header.
    chip : Chip
        The chip.

    Returns
    -------
    rate : bool
        By BUNIT; without it by instrument; with an unknown one as the drizzle steps take it.
    doubt : str
        What was assumed for want of a clear BUNIT; blank if it is clear.
    """
    unit = _card(chip.header, "BUNIT") or _card(exposure.primary, "BUNIT")
    if unit is not None:
        try:
            known = parse_unit(str(unit), "BUNIT")
        except InputError:
            known = None
        if known is not None:
            return known.rate, ""
        problem = f"BUNIT {str(unit)!r} is not known"
    else:
        problem = "BUNIT is missing"
        usual = chip.usual_rate
        if usual is not None:
            return (
                usual,
                f"{problem}; {exposure.instrument} images are taken to be {_PER_SECOND if usual else _TOTALS}",
            )
    return (
        chip.rate,
        f"{problem}; the image is taken to be {_PER_SECOND if chip.rate else _TOTALS}, as for drizzling",
    )


def brightness_conversion(exposure: Exposure, chip: Chip) -> tuple[float, str]:
    """Return the factor from values of the image to surface brightness, and what was assumed.

    Parameters
    ----------
    exposure : Exposure
        The exposure, for its primary header.
    chip : Chip
        The chip.

    Returns
    -------
    factor : float
        ``1 / scale**2``, 1 for images in surface brightness; for counts divided by the exposure time of the
        header (an override of `exptime` does not count here, trap 05-12, unless the header has none).
    doubt : str
        See `is_rate`.

    Raises
    ------
    InputError
        If the image is in counts and there is no exposure time above 0.
    """
    if chip.brightness:
        return 1.0, ""
    scale = pixel_scale(exposure, chip)
    factor = 1.0 / scale**2
    rate, doubt = is_rate(exposure, chip)
    if rate:
        return factor, doubt
    value = _card(exposure.primary, "EXPTIME")
    if value is None:
        value = _card(chip.header, "EXPTIME")
    if value is None:
        value = chip.exptime  # of expkeyword, or given
    if not float(value) > 0:
        msg = (
            f"{exposure.name}: EXPTIME is {value!r}, but the sky of an image in counts needs seconds above "
            "0. "
            f"Correct EXPTIME in its primary header, or leave the exposure out."
        )
        raise InputError(msg)
    return factor / float(value), doubt
