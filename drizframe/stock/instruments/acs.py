"""Advanced Camera for Surveys: WFC, HRC, SBC; calibrated images are in electrons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drizframe.headers import FLIPPED_Y, Detector, detector_name, exposure_from_headers, header_number
from drizframe.hooks import Instrument, hookimpl
from drizframe.stock.instruments.flats import flat_facts
from drizframe.stock.instruments.limits import HST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from astropy.io.fits import Header

    from drizframe.model import Exposure

GAINS = "ATODGNA,ATODGNB,ATODGNC,ATODGND"
NOISES = "READNSEA,READNSEB,READNSEC,READNSED"


def mean_dark(primary: Header, science: Header, exptime: float) -> float | None:
    """Return ``MEANDARK`` of the science header; None without it (only inverse-variance weights need it)."""
    return header_number(science, "MEANDARK")


def two_chip_tails(primary: Header, chip: int) -> int:
    """Return the direction of tails: chip 2 reads out at its lower edge, chip 1 at its upper one."""
    return {1: +1, 2: -1}.get(chip, 0)


def hrc_tails(primary: Header, chip: int) -> int:
    """Return the direction of tails by amplifier; 0 for a readout through several."""
    amplifier = str(primary.get("CCDAMP", "")).strip().upper()
    return {"A": +1, "B": +1, "C": -1, "D": -1}.get(amplifier, 0)


def flats(primary: Header, science: Header) -> Mapping[str, Any]:
    """Return where the flat field of a chip is."""
    return flat_facts(primary, science, ("PFLTFILE",))


DETECTORS = {
    "WFC": Detector(
        native_unit="electrons",
        limits=HST,
        gain_keywords=GAINS,
        readnoise_keywords=NOISES,
        dark=mean_dark,
        tails=two_chip_tails,
        chips=(1, 2),
        amplifiers="ABCD",
        parity=FLIPPED_Y,
        saturation_bits=256 | 2048,
        extra=flats,
    ),
    "HRC": Detector(
        native_unit="electrons",
        limits=HST,
        gain_keywords=GAINS,
        readnoise_keywords=NOISES,
        dark=mean_dark,
        tails=hrc_tails,
        chips=(1,),
        amplifiers="ABCD",
        saturation_bits=256 | 2048,
        extra=flats,
    ),
    "SBC": Detector(
        native_unit="electrons",
        limits=HST,
        gain=1.0,
        readnoise=0.0,
        dark=mean_dark,
        chips=(1,),
        extra=flats,
    ),
}


def matches(primary: Header) -> bool:
    """Tell whether a primary header is of this instrument."""
    return str(primary.get("INSTRUME", "")).strip().upper() == "ACS"


def usual_rate(primary: Header, science: Header) -> bool:
    """Images without a unit are in counts."""
    return False


def acs(primary: Header, science: Mapping[int, Header], **where: Any) -> Exposure:
    """Read the facts of an ACS exposure; see `drizframe.hooks.Instrument`."""
    name = detector_name(primary, science, DETECTORS, where["path"])
    return exposure_from_headers(DETECTORS[name], primary, science, family="acs", detector_name=name, **where)


ACS = Instrument(
    name="acs",
    summary="ACS: WFC, HRC and SBC.",
    reference=acs,
    matches=matches,
    traits=frozenset({"picklable"}),
    rules="acs",
    requires=("dq",),
    usual_rate=usual_rate,
    cite="ACS Instrument Handbook",
)

#: Headers of an exposure, and what is read from them, for the checks of `drizframe.testing`.
EXAMPLE: dict[str, Any] = {
    "primary": {
        "INSTRUME": "ACS", "DETECTOR": "WFC", "CCDAMP": "ABCD",
        **{f"ATODGN{a}": 2.0 for a in "ABCD"}, **{f"READNSE{a}": 5.25 for a in "ABCD"},
    },
    "science": {v: {"BUNIT": "ELECTRONS", "CCDCHIP": 3 - v, "MEANDARK": 1.5} for v in (1, 2)},
    "facts": {"gain": 2.0, "readnoise": 5.25, "dark": 1.5, "effective_gain": 1.0, "native_unit": "electrons"},
}  # fmt: skip


@hookimpl
def drizframe_instruments() -> Iterator[Instrument]:
    """Offer ACS."""
    yield ACS
