"""Any FITS image with a celestial WCS and an exposure time; ``BUNIT`` decides the unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drizframe.headers import generic_exposure
from drizframe.hooks import Instrument, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astropy.io.fits import Header


def matches(primary: Header) -> bool:
    """Accept every header; this instrument is asked last."""
    return True


#: Cameras without an instrument of their own, by ``INSTRUME``: whether their images without a unit are rates.
_USUAL = {"WFPC": False, "FOC": True, "COS": True}


def usual_rate(primary: Header, science: Header) -> bool | None:
    """Tell whether an image without a unit is a rate, for old cameras; None for others."""
    return _USUAL.get(str(primary.get("INSTRUME", "")).strip().upper())


GENERIC = Instrument(
    name="generic",
    summary="Any image with a celestial WCS, EXPTIME and BUNIT.",
    reference=generic_exposure,
    matches=matches,
    traits=frozenset({"picklable"}),
    usual_rate=usual_rate,
    needs_roll=False,
    fallback=True,
)

#: Headers of an exposure, and what is read from them, for the checks of `drizframe.testing`.
EXAMPLE: dict[str, Any] = {
    "primary": {"INSTRUME": "OTHER", "GAIN": 1.5, "RDNOISE": 4.25},
    "science": {1: {"BUNIT": "COUNTS"}},
    "facts": {"gain": 1.5, "effective_gain": 1.5, "readnoise": 4.25},
}


@hookimpl(trylast=True)
def drizframe_instruments() -> Iterator[Instrument]:
    """Offer the fallback."""
    yield GENERIC
