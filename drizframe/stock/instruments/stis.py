"""Space Telescope Imaging Spectrograph, imaging modes; images are in counts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError
from drizframe.headers import Detector, detector_name, exposure_from_headers
from drizframe.hooks import Instrument, hookimpl
from drizframe.stock.instruments.flats import flat_facts
from drizframe.stock.instruments.limits import HST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from astropy.io.fits import Header

    from drizframe.model import Exposure


def dark_signal(primary: Header, science: Header, exptime: float, *, rate: float) -> float:
    """Return dark signal = rate times time, in electrons."""
    return rate * exptime


def ccd_tails(primary: Header, chip: int) -> int:
    """Return the direction of tails on the CCD."""
    return +1


def flats(primary: Header, science: Header) -> Mapping[str, Any]:
    """Return where the flat fields are: low order times pixel to pixel."""
    return flat_facts(primary, science, ("LFLTFILE", "PFLTFILE"))


def _mama(rate: float) -> Detector:
    return Detector(
        native_unit="counts",
        limits=HST,
        gain=1.0,
        readnoise=0.0,
        gain_applies=True,
        dark=partial(dark_signal, rate=rate),
        exptime_in_science=True,
        cr_bits=8192,
        extra=flats,
    )


DETECTORS = {
    "CCD": Detector(
        native_unit="counts",
        limits=HST,
        gain_keywords="ATODGAIN",
        readnoise_keywords="READNSE",
        gain_applies=True,
        dark=partial(dark_signal, rate=0.009),
        tails=ccd_tails,
        amplifiers="ABCD",
        exptime_in_science=True,
        cr_bits=8192,
        extra=flats,
    ),
    "NUV-MAMA": _mama(0.0013),
    "FUV-MAMA": _mama(0.07),
}


def matches(primary: Header) -> bool:
    """Tell whether a primary header is of this instrument."""
    return str(primary.get("INSTRUME", "")).strip().upper() == "STIS"


def check(primary: Header, path: Path) -> None:
    """Refuse spectra."""
    if str(primary.get("OBSTYPE", "")).strip().upper() == "SPECTROSCOPIC":
        msg = f"{path} is a spectrum (OBSTYPE = 'SPECTROSCOPIC'); only images can be drizzled. Leave it out."
        raise InputError(msg)


def usual_rate(primary: Header, science: Header) -> bool:
    """Images without a unit are in counts."""
    return False


def stis(primary: Header, science: Mapping[int, Header], **where: Any) -> Exposure:
    """Read the facts of a STIS exposure; see `drizframe.hooks.Instrument`."""
    check(primary, where["path"])
    name = detector_name(primary, science, DETECTORS, where["path"])
    return exposure_from_headers(
        DETECTORS[name], primary, science, family="stis", detector_name=name, **where
    )


STIS = Instrument(
    name="stis",
    summary="STIS: CCD, NUV-MAMA and FUV-MAMA images.",
    reference=stis,
    matches=matches,
    traits=frozenset({"picklable"}),
    rules="stis",
    requires=("dq",),
    check=check,
    usual_rate=usual_rate,
    numbered_by_detector=True,
    image_sets=True,
    exposure_keys=("DATE-OBS", "EXPEND", "EXPSTART", "EXPTIME"),
    cite="STIS Instrument Handbook",
)

#: Headers of an exposure, and what is read from them, for the checks of `drizframe.testing`.
EXAMPLE: dict[str, Any] = {
    "primary": {
        "INSTRUME": "STIS", "DETECTOR": "CCD", "OBSTYPE": "IMAGING", "ATODGAIN": 4.0, "READNSE": 7.5, "CCDAMP": "D",
    },
    "science": {1: {"BUNIT": "COUNTS", "EXPTIME": 340.0}},
    "facts": {"gain": 4.0, "effective_gain": 4.0, "readnoise": 7.5},
}  # fmt: skip


@hookimpl
def drizframe_instruments() -> Iterator[Instrument]:
    """Offer STIS."""
    yield STIS
