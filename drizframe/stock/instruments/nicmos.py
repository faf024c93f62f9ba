"""Near Infrared Camera and Multi-Object Spectrometer; images are in counts per second or counts."""

from __future__ import annotations

import dataclasses
from functools import partial
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


def dark_signal(primary: Header, science: Header, exptime: float, *, rate: float) -> float:
    """Return dark signal = rate times ``EXPTIME``, in electrons."""
    return rate * (header_number(primary, "EXPTIME") or exptime)


def flats(primary: Header, science: Header) -> Mapping[str, Any]:
    """Return where the flat is (reference flats of NICMOS are reciprocal)."""
    return flat_facts(primary, science, ("FLATFILE",), reciprocal=True)


def _camera(gain: float, readnoise: float, rate: float) -> Detector:
    return Detector(
        native_unit="counts/s",
        limits=HST,
        gain=gain,
        readnoise=readnoise,
        gain_applies=True,
        dark=partial(dark_signal, rate=rate),
        chip_keyword="CAMERA",
        saturation_bits=64,
        cr_bits=512,
        extra=flats,
    )


CAMERAS = {1: _camera(5.4, 26.0, 0.08), 2: _camera(5.4, 26.0, 0.08), 3: _camera(6.5, 29.0, 0.15)}


def matches(primary: Header) -> bool:
    """Tell whether a primary header is of this instrument."""
    return str(primary.get("INSTRUME", "")).strip().upper() == "NICMOS"


def usual_rate(primary: Header, science: Header) -> bool:
    """Images without a unit are rates, unless the pipeline was told not to divide by the time."""
    return str(science.get("UNITCORR", "") or "").strip().upper() != "OMIT"


def nicmos(primary: Header, science: Mapping[int, Header], **where: Any) -> Exposure:
    """Read the facts of a NICMOS exposure; see `drizframe.hooks.Instrument`."""
    number = header_number(primary, "CAMERA")
    if number is None or number not in CAMERAS:
        msg = (
            f"{where['path']}[0]: CAMERA is {primary.get('CAMERA')!r}; NICMOS has 1, 2 and 3. Correct the "
            "keyword."
        )
        raise InputError(msg)
    camera = CAMERAS[int(number)]
    if str(primary.get("UNITCORR", "")).strip().upper() == "OMIT":  # only matters where BUNIT is missing
        camera = dataclasses.replace(camera, native_unit="counts")
    return exposure_from_headers(
        camera, primary, science, family="nicmos", detector_name=f"NIC{int(number)}", **where
    )


NICMOS = Instrument(
    name="nicmos",
    summary="NICMOS: cameras 1, 2 and 3.",
    reference=nicmos,
    matches=matches,
    traits=frozenset({"picklable"}),
    rules="nicmos",
    requires=("dq",),
    usual_rate=usual_rate,
    numbered_by_detector=True,
    cite="NICMOS Instrument Handbook",
)

#: Headers of an exposure, and what is read from them, for the checks of `drizframe.testing`.
EXAMPLE: dict[str, Any] = {
    "primary": {"INSTRUME": "NICMOS", "CAMERA": 3},
    "science": {1: {"BUNIT": "COUNTS/S"}},
    "facts": {"gain": 6.5, "readnoise": 29.0, "rate": 1},
}


@hookimpl
def drizframe_instruments() -> Iterator[Instrument]:
    """Offer NICMOS."""
    yield NICMOS
