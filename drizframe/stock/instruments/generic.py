"""Any FITS image with a celestial WCS and an exposure time; ``BUNIT`` decides the unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drizframe.headers import generic_exposure
from drizframe.hooks import Instrument, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astropy.io.fits import Header


def matches(primary: Header) -> bool:
    """Accept every header; this instrument is asked last."""
    return True


GENERIC = Instrument(
    name="generic",
    summary="Any image with a celestial WCS, EXPTIME and BUNIT.",
    reference=generic_exposure,
    matches=matches,
    traits=frozenset({"picklable"}),
)


@hookimpl(trylast=True)
def drizframe_instruments() -> Iterator[Instrument]:
    """Offer the fallback."""
    yield GENERIC
