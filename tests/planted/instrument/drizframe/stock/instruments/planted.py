"""A camera that writes counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drizframe.headers import Detector, exposure_from_headers
from drizframe.hooks import Instrument, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from astropy.io.fits import Header

    from drizframe.model import Exposure

DETECTOR = Detector(
    native_unit="counts", gain_keywords="GAIN", readnoise_keywords="RDNOISE", gain_applies=True
)


def matches(primary: Header) -> bool:
    """Tell whether a primary header is of this camera."""
    return str(primary.get("INSTRUME", "")).strip().upper() == "PLANTED"


def planted(primary: Header, science: Mapping[int, Header], **where: Any) -> Exposure:
    """Read the facts of an exposure; see `drizframe.hooks.Instrument`."""
    return exposure_from_headers(DETECTOR, primary, science, family="planted", detector_name="ONE", **where)


PLANTED = Instrument(
    name="planted",
    summary="A camera that writes counts.",
    reference=planted,
    matches=matches,
    traits=frozenset({"picklable"}),
    rules="planted",
    needs_roll=False,
)

#: Headers of an exposure, and what is read from them, for the checks of `drizframe.testing`.
EXAMPLE: dict[str, Any] = {
    "primary": {"INSTRUME": "PLANTED", "GAIN": 3.0, "RDNOISE": 4.5},
    "science": {1: {"BUNIT": "COUNTS"}},
    "facts": {"gain": 3.0, "effective_gain": 3.0, "readnoise": 4.5, "native_unit": "counts"},
}


@hookimpl
def drizframe_instruments() -> Iterator[Instrument]:
    """Offer the camera."""
    yield PLANTED
