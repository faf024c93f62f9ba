"""Wide Field and Planetary Camera 2; images are in counts (DN)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError
from drizframe.headers import Detector, exposure_from_headers, header_number
from drizframe.hooks import Instrument, hookimpl
from drizframe.stock.instruments.flats import flat_facts
from drizframe.stock.instruments.limits import HST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from astropy.io.fits import Header

    from drizframe.model import Exposure

#: Calibrated gain (e/DN) and read noise (e) by header gain and chip.
CALIBRATED = {
    7: {1: (7.12, 5.24), 2: (7.12, 5.51), 3: (6.90, 5.22), 4: (7.10, 5.19)},
    15: {1: (13.99, 7.02), 2: (14.50, 7.84), 3: (13.95, 6.99), 4: (13.95, 8.32)},
}


def calibrated(primary: Header, science: Header, quantity: str, value: float) -> float:
    """Return the calibrated gain or read noise for the header gain `value` and the chip."""
    chip = int(header_number(science, "DETECTOR") or header_number(primary, "DETECTOR") or 0)
    row = CALIBRATED.get(round(value), {}).get(chip)
    if row is None:
        found = science.get("DETECTOR", primary.get("DETECTOR"))
        named = "DETECTOR is missing" if found is None else f"DETECTOR is {found!r}"
        msg = (
            f"WFPC2 {quantity}: ATODGAIN is {value!r} and {named}; known are gains 7 and 15 for "
            "chips 1 to 4. "
            f"Give the parameters gain and rdnoise."
        )
        raise InputError(msg)
    return row[0] if quantity == "gain" else row[1]


def dark(primary: Header, science: Header, exptime: float) -> float | None:
    """Return 0.005 e/s times ``DARKTIME``; None if the keyword is missing."""
    time = header_number(primary, "DARKTIME")
    return None if time is None else 0.005 * time


def tails(primary: Header, chip: int) -> int:
    """Return the direction of tails."""
    return -1


def facts(primary: Header, science: Header) -> Mapping[str, Any]:
    """Return where the flat is (reference flats of WFPC2 are reciprocal), and whether pixels are binned."""
    binned = str(primary.get("MODE", "FULL")).strip().upper() == "AREA"
    return {**flat_facts(primary, science, ("FLATFILE",), reciprocal=True), "binned": 2 if binned else 1}


DETECTOR = Detector(
    native_unit="counts",
    limits=HST,
    gain_keywords="ATODGAIN",
    table=calibrated,
    gain_applies=True,
    dark=dark,
    tails=tails,
    chip_keyword="DETECTOR",
    saturation_bits=8,
    extra=facts,
)


def matches(primary: Header) -> bool:
    """Tell whether a primary header is of this instrument."""
    return str(primary.get("INSTRUME", "")).strip().upper() == "WFPC2"


def usual_rate(primary: Header, science: Header) -> bool:
    """Images without a unit are in counts."""
    return False


def wfpc2(primary: Header, science: Mapping[int, Header], **where: Any) -> Exposure:
    """Read the facts of a WFPC2 exposure; see `drizframe.hooks.Instrument`."""
    return exposure_from_headers(DETECTOR, primary, science, family="wfpc2", detector_name="WFPC2", **where)


WFPC2 = Instrument(
    name="wfpc2",
    summary="WFPC2: PC and the three WF chips.",
    reference=wfpc2,
    matches=matches,
    traits=frozenset({"picklable"}),
    rules="wfpc2",
    requires=("dq",),
    usual_rate=usual_rate,
    product_tag="_drw",
    cite="WFPC2 Instrument Handbook",
)

#: Headers of an exposure, and what is read from them, for the checks of `drizframe.testing`.
EXAMPLE: dict[str, Any] = {
    "primary": {"INSTRUME": "WFPC2", "ATODGAIN": 7.0, "DARKTIME": 300.0, "MODE": "FULL"},
    "science": {1: {"BUNIT": "COUNTS", "DETECTOR": 1}},
    "facts": {"gain": 7.12, "readnoise": 5.24, "dark": 1.5},
}


@hookimpl
def drizframe_instruments() -> Iterator[Instrument]:
    """Offer WFPC2."""
    yield WFPC2
