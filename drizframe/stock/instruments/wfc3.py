"""Wide Field Camera 3: UVIS (electrons) and IR (electrons per second)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drizframe.headers import Detector, detector_name, exposure_from_headers
from drizframe.hooks import Instrument, hookimpl
from drizframe.stock.instruments.acs import GAINS, NOISES, flats, mean_dark, two_chip_tails
from drizframe.stock.instruments.limits import HST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from astropy.io.fits import Header

    from drizframe.model import Exposure

DETECTORS = {
    "UVIS": Detector(
        native_unit="electrons",
        limits=HST,
        gain_keywords=GAINS,
        readnoise_keywords=NOISES,
        dark=mean_dark,
        tails=two_chip_tails,
        chips=(1, 2),
        amplifiers="ABCD",
        saturation_bits=256 | 2048,
        extra=flats,
    ),
    "IR": Detector(
        native_unit="electrons/s",
        limits=HST,
        gain_keywords=GAINS,
        readnoise_keywords=NOISES,
        dark=mean_dark,
        chips=(1,),
        amplifiers="ABCD",
        extra=flats,
    ),
}


def matches(primary: Header) -> bool:
    """Tell whether a primary header is of this instrument."""
    return str(primary.get("INSTRUME", "")).strip().upper() == "WFC3"


def usual_rate(primary: Header, science: Header) -> bool:
    """Images of IR without a unit are rates, those of UVIS are not."""
    return str(primary.get("DETECTOR", "")).strip().upper() == "IR"


def wfc3(primary: Header, science: Mapping[int, Header], **where: Any) -> Exposure:
    """Read the facts of a WFC3 exposure; see `drizframe.hooks.Instrument`."""
    name = detector_name(primary, science, DETECTORS, where["path"])
    return exposure_from_headers(
        DETECTORS[name], primary, science, family="wfc3", detector_name=name, **where
    )


WFC3 = Instrument(
    name="wfc3",
    summary="WFC3: UVIS and IR.",
    reference=wfc3,
    matches=matches,
    traits=frozenset({"picklable"}),
    rules="wfc3",
    requires=("dq",),
    usual_rate=usual_rate,
    cite="WFC3 Instrument Handbook",
)

#: Headers of an exposure, and what is read from them, for the checks of `drizframe.testing`.
EXAMPLE: dict[str, Any] = {
    "primary": {
        "INSTRUME": "WFC3", "DETECTOR": "UVIS", "CCDAMP": "ABCD",
        **{f"ATODGN{a}": 2.0 for a in "ABCD"}, **{f"READNSE{a}": 5.25 for a in "ABCD"},
    },
    "science": {v: {"BUNIT": "ELECTRONS", "CCDCHIP": 3 - v, "MEANDARK": 1.5} for v in (1, 2)},
    "facts": {"gain": 2.0, "readnoise": 5.25, "dark": 1.5, "effective_gain": 1.0, "native_unit": "electrons"},
}  # fmt: skip


@hookimpl
def drizframe_instruments() -> Iterator[Instrument]:
    """Offer WFC3."""
    yield WFC3
