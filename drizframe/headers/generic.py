"""Helpers for plugins that read the headers of a camera: the ones that the stock instruments use."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError
from drizframe.headers.assembly import exposure_from_headers
from drizframe.headers.detector import FLIPPED_Y, Detector
from drizframe.headers.limits import checked_number
from drizframe.model.bunit import PixelUnit, parse_unit

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Exposure

__all__ = ["detector_for", "generic_exposure", "unit_of"]


def unit_of(science: Header) -> str:
    """Return the unit of an image in our words (``"electrons/s"``, ``"counts"``, ``"flux"``, ``"brightness"`` …).

    Electrons where ``BUNIT`` is missing.

    Parameters
    ----------
    science : Header
        Header of the image.

    Returns
    -------
    unit : str
        As `Chip.native_unit`.

    Raises
    ------
    InputError
        If ``BUNIT`` is no unit in which exposures can be averaged.
    """
    return _unit(science, "BUNIT").native


def _unit(science: Header, where: str) -> PixelUnit:
    """Return what ``BUNIT`` says; electrons where it is missing."""
    found = parse_unit(str(science.get("BUNIT", "") or ""), where)
    return PixelUnit(text="ELECTRONS", kind="electrons", rate=False) if found is None else found


def detector_for(primary: Header, science: Header, where: str) -> Detector:
    """Return a detector from what the headers of a file (`where`) tell: ``GAIN`` (1), ``RDNOISE`` (0)."""
    unit = unit_of(science)
    headers = (science, primary)

    def number(*keys: str) -> float | None:
        return next((n for k in keys if (n := checked_number(headers, k, where)) is not None), None)

    counts, gain = unit.startswith("counts"), number("GAIN")
    return Detector(
        native_unit=unit, gain=1.0 if gain is None or not (counts or gain > 0) else gain, readnoise=number("RDNOISE", "READNOIS") or 0.0,
        gain_applies=counts, parity=FLIPPED_Y, saturation_bits=0,
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
        Facts that no header tells; by default what ``BUNIT`` (electrons), ``GAIN`` (1), ``RDNOISE`` or ``READNOIS`` (0)
        say.
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
        If ``BUNIT`` is no unit in which exposures can be averaged, or differs between chips.
    """
    label = where["name"] if where.get("path") is None else where["path"]
    units = {v: _unit(h, f"{label}[SCI,{v}]: BUNIT") for v, h in science.items()}
    first = next(iter(science.values()))
    if len({u.text if u.physical else u.native for u in units.values()}) > 1:
        found = ", ".join(f"{h.get('BUNIT')!r} of chip {v}" for v, h in science.items())
        msg = f"{label}: the chips have different units: BUNIT is {found}. Convert them to one BUNIT."
        raise InputError(msg)
    name = str(primary.get("DETECTOR", "")).strip().upper()
    chosen = detector_for(primary, first, str(label)) if detector is None else detector
    named = {v: h for v, h in science.items() if str(h.get("BUNIT", "") or "").strip()}
    for v, header in named.items():  # one spelling for all who look for "/s"
        if not units[v].physical and units[v].factor == 1.0:
            header["BUNIT"] = units[v].text
    known = {v: units[v] for v in named}
    made = exposure_from_headers(
        chosen, primary, science, family=family, detector_name=name, units=known, **where
    )
    if detector is not None:  # whoever gave it knows the unit
        return made
    guessed = [
        f"{label}[SCI,{v}]: BUNIT is missing; the numbers are taken as electrons of the whole exposure, not per second. Add it."
        for v in science
        if v not in named
    ]
    return dataclasses.replace(made, warnings=(*made.warnings, *guessed))
