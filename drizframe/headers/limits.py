"""Numbers of headers that are plausible; the limits stand in the record of the detector."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["Limits", "checked_number", "plausible_scale", "within"]

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Smallest and largest plausible numbers of a detector; what lies outside is refused, by name of file and keyword.

    Parameters
    ----------
    exptime : tuple of float
        Exposure time, s.
    gain : tuple of float
        Electrons per count.
    readnoise : tuple of float
        Electrons.
    dark : tuple of float
        Electrons per exposure.
    scale : tuple of float
        Side of a pixel by the linear WCS, arcsec.
    idc_ratio : float
        Largest factor between ``IDCSCALE`` and the linear scale, either way.
    date : tuple of float
        Start and end, modified Julian date.
    aberration : tuple of float
        Factor of the velocity aberration (``VAFACTOR``); nothing is computed from it, so beyond them it is only told.
    """

    exptime: Range = (1e-6, 1e9)
    gain: Range = (1e-6, 1e5)
    readnoise: Range = (0.0, 1e5)
    dark: Range = (-1e6, 1e9)
    scale: Range = (1e-5, 3600.0)
    idc_ratio: float = 3.0
    date: Range = (1.0, 200_000.0)
    aberration: Range = (0.99, 1.01)


def checked_number(
    headers: tuple[Header, ...], key: str, where: str, limits: Range | None = None
) -> float | None:
    """Return a keyword of the first header that has it as a finite number; None where all lack it or leave it blank.

    Parameters
    ----------
    headers : tuple of Header
        Where to look, in this order.
    key : str
        Keyword.
    where : str
        The file and extension, for messages.
    limits : tuple of float, optional
        Smallest and largest value.

    Raises
    ------
    InputError
        If it is no number, or outside of `limits`.
    """
    from astropy.io.fits.card import Undefined

    for header in headers:
        value = header.get(key)
        if value is None or isinstance(value, Undefined) or (isinstance(value, str) and not value.strip()):
            continue
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            msg = (
                f"{where}: {key} is {value!r}; it must be a finite number. Correct it, or remove the keyword."
            )
            raise InputError(msg)
        return number if limits is None else within(number, limits, key, where)
    return None


def within(
    value: float, limits: Range, what: str, where: str, advice: str = "Correct it in the header."
) -> float:
    """Return a value that lies within limits, both included; raise `InputError` otherwise."""
    if not limits[0] <= value <= limits[1]:
        allowed = f"{limits[0]:g} to {limits[1]:g}" if math.isfinite(limits[1]) else f"{limits[0]:g} and more"
        msg = f"{where}: {what} is {value!r}; plausible are {allowed}. {advice}"
        raise InputError(msg)
    return value


def plausible_scale(
    idc_scale: float | None, wcs: Any, limits: Limits, where: str, notes: list[str]
) -> float | None:
    """Return ``IDCSCALE`` after a look at it and at the scale of the linear WCS.

    Parameters
    ----------
    idc_scale : float or None
        Arcsec; None: the header has none; 0: it is not set.
    wcs : astropy.wcs.WCS or None
        Of the chip; None: nothing to compare with.
    limits : Limits
        Of the detector.
    where : str
        The file and extension, for messages.
    notes : list of str
        Gets a warning if it is 0.

    Raises
    ------
    InputError
        If one of them is implausible, or they do not fit together.
    """
    matrix = getattr(wcs, "pixel_scale_matrix", None)
    if matrix is None:
        return idc_scale
    for axis in (0, 1):
        side = 3600.0 * math.hypot(matrix[0][axis], matrix[1][axis])
        within(side, limits.scale, f"the side of a pixel in {'xy'[axis]} (CD matrix, arcsec)", where)
    if idc_scale == 0:
        notes.append(f"{where}: IDCSCALE is 0; the scale of the linear WCS is taken")
    if not idc_scale:
        return None
    area = abs(matrix[0][0] * matrix[1][1] - matrix[0][1] * matrix[1][0])
    linear = 3600.0 * math.sqrt(area)
    if not (idc_scale > 0 and 1 / limits.idc_ratio <= idc_scale / linear <= limits.idc_ratio):
        msg = (
            f"{where}: IDCSCALE is {idc_scale!r} arcsec, but pixels of the linear WCS have {linear:.6g} arcsec. Correct "
            "IDCSCALE or the CD matrix; without IDCSCALE the linear scale is taken."
        )
        raise InputError(msg)
    return idc_scale
