"""Helpers for plugins that read the headers of a camera: the ones that the stock instruments use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError
from drizframe.hooks.headers import (
    FLIPPED_X,
    FLIPPED_Y,
    Detector,
    exposure_from_headers,
    header_number,
    keyword_mean,
)

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Exposure

__all__ = [
    "FLIPPED_X",
    "FLIPPED_Y",
    "Detector",
    "exposure_from_headers",
    "generic_exposure",
    "header_number",
    "keyword_mean",
    "unit_of",
]

#: Beginnings of ``BUNIT`` (lower case) that mean electrons, and those that mean counts.
ELECTRONS = ("e", "ph")
COUNTS = ("c", "dn", "adu", "data")


def unit_of(science: Header) -> str:
    """Return the unit of an image in our words; electrons where ``BUNIT`` is missing."""
    text = str(science.get("BUNIT", "") or "").strip().lower().replace(" ", "")
    per_second = "/s" in text or "s-1" in text or "s**-1" in text or "s^-1" in text
    base = "counts" if text.startswith(COUNTS) else "electrons"
    return base + ("/s" if per_second else "")


def detector_for(primary: Header, science: Header) -> Detector:
    """Return a detector from what the headers tell: ``GAIN`` (1), ``RDNOISE`` (0), ``DARK`` (unknown)."""
    unit = unit_of(science)
    headers = (science, primary)

    def number(*keys: str) -> float | None:
        return next((n for h in headers for k in keys if (n := header_number(h, k)) is not None), None)

    return Detector(
        native_unit=unit, gain=number("GAIN") or 1.0, readnoise=number("RDNOISE", "READNOIS") or 0.0,
        gain_applies=unit.startswith("counts"), parity=FLIPPED_Y, saturation_bits=0,
    )  # fmt: skip


def generic_exposure(
    primary: Header,
    science: Mapping[int, Header],
    *,
    detector: Detector | None = None,
    family: str = "generic",
    **where: Any,
) -> Exposure:
    """Read the facts of an exposure from the keywords that most cameras write.

    Parameters
    ----------
    primary : Header
        Primary header.
    science : mapping of int to Header
        Science headers by ``EXTVER``.
    detector : Detector, optional
        Facts that no header tells; by default what ``BUNIT`` (electrons), ``GAIN`` (1), ``RDNOISE`` or ``READNOIS`` (0) say.
    family : str
        Name of the instrument.
    **where
        What an `Instrument` is given besides: `name`, `path`, `source`, `options`, `wcs`.

    Returns
    -------
    Exposure
        With the user's overrides (gain, read noise, exposure time).

    Raises
    ------
    InputError
        If ``BUNIT`` is none that counts electrons, or differs between chips.
    """
    first = next(iter(science.values()))
    units = {unit_of(h) for h in science.values()}
    if len(units) > 1:
        msg = f"{where['path']}: the chips have different units ({', '.join(sorted(units))}). Convert them to one BUNIT."
        raise InputError(msg)
    text = str(first.get("BUNIT", "") or "").strip().lower()
    known = not text or text.startswith((*ELECTRONS, *COUNTS))
    if not known or "erg" in text:
        msg = (
            f"{where['path']}: BUNIT is {first['BUNIT']!r}; write electrons, electrons/s, counts or counts/s "
            f"(also e-, DN, ADU), so that exposures can be weighted."
        )
        raise InputError(msg)
    for header in science.values():  # one spelling for all who look for "/s"
        if text:
            header["BUNIT"] = unit_of(header).upper()
    name = str(primary.get("DETECTOR", "")).strip().upper()
    found = detector_for(primary, first) if detector is None else detector
    return exposure_from_headers(found, primary, science, family=family, detector_name=name, **where)
