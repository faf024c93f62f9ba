"""Any FITS image with a celestial WCS and an exposure time; ``BUNIT`` decides the unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError
from drizframe.hooks import Instrument, hookimpl
from drizframe.stock.instruments.common import FLIPPED_Y, Detector, exposure_from_headers, header_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from astropy.io.fits import Header

    from drizframe.model import Exposure

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
        native_unit=unit,
        gain=number("GAIN") or 1.0,
        readnoise=number("RDNOISE", "READNOIS") or 0.0,
        gain_applies=unit.startswith("counts"),
        parity=FLIPPED_Y,
        saturation_bits=0,
    )


def matches(primary: Header) -> bool:
    """Accept every header; this instrument is asked last."""
    return True


def generic(primary: Header, science: Mapping[int, Header], **where: Any) -> Exposure:
    """Read the facts of any exposure; see `drizframe.hooks.Instrument`."""
    first = next(iter(science.values()))
    units = {unit_of(h) for h in science.values()}
    if len(units) > 1:
        msg = (
            f"{where['path']}: the chips have different units ({', '.join(sorted(units))}). Convert them to "
            "one BUNIT."
        )
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
    return exposure_from_headers(
        detector_for(primary, first), primary, science, family="generic", detector_name=name, **where
    )


GENERIC = Instrument(
    name="generic",
    summary="Any image with a celestial WCS, EXPTIME and BUNIT.",
    reference=generic,
    matches=matches,
)


@hookimpl(trylast=True)
def drizframe_instruments() -> Iterator[Instrument]:
    """Offer the fallback."""
    yield GENERIC
