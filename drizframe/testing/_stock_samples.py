"""Samples for what drizframe ships, and for whatever reads the same forms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from drizframe.hooks import CosmicRayDetector, Instrument, Reader, Step, Writer
from drizframe.testing.samples import (
    InstrumentSample,
    ReaderSample,
    StepSample,
    WriterSample,
    sample_exposures,
)
from drizframe.testing.strategies import tangent_plane

__all__ = ["instrument_samples", "sample_for"]

Array = np.ndarray[Any, Any]
SHAPE = (6, 8)
TIMES = {"EXPTIME": 340.0, "EXPSTART": 53436.0, "EXPEND": 53436.01, "PA_V3": 30.0}


def _four(base: str, value: float) -> dict[str, float]:
    """Return one keyword for each of four amplifiers."""
    return {base + amplifier: value for amplifier in "ABCD"}


def _acs_like(instrument: str, detector: str) -> InstrumentSample:
    primary = {
        "INSTRUME": instrument,
        "DETECTOR": detector,
        **TIMES,
        **_four("ATODGN", 2.0),
        **_four("READNSE", 5.25),
        "CCDAMP": "ABCD",
    }
    science = {v: {"BUNIT": "ELECTRONS", "CCDCHIP": 3 - v, "MEANDARK": 1.5} for v in (1, 2)}
    facts = {
        "gain": 2.0,
        "readnoise": 5.25,
        "exptime": 340.0,
        "dark": 1.5,
        "effective_gain": 1.0,
        "native_unit": "electrons",
    }
    return InstrumentSample(primary=primary, science=science, facts=facts, shape=SHAPE)


def instrument_samples() -> dict[str, InstrumentSample]:
    """Return a sample for each stock instrument."""
    stis = InstrumentSample(
        primary={
            "INSTRUME": "STIS",
            "DETECTOR": "CCD",
            "OBSTYPE": "IMAGING",
            "ATODGAIN": 4.0,
            "READNSE": 7.5,
            "CCDAMP": "D",
            **TIMES,
        },
        science={1: {"BUNIT": "COUNTS", "EXPTIME": 340.0}},
        shape=SHAPE,
        facts={"gain": 4.0, "effective_gain": 4.0, "readnoise": 7.5, "exptime": 340.0},
    )
    wfpc2 = InstrumentSample(
        primary={"INSTRUME": "WFPC2", "ATODGAIN": 7.0, "DARKTIME": 300.0, "MODE": "FULL", **TIMES},
        science={1: {"BUNIT": "COUNTS", "DETECTOR": 1}},
        shape=SHAPE,
        facts={"gain": 7.12, "readnoise": 5.24, "dark": 1.5, "exptime": 340.0},
    )
    nicmos = InstrumentSample(
        primary={"INSTRUME": "NICMOS", "CAMERA": 3, **TIMES},
        science={1: {"BUNIT": "COUNTS/S"}},
        shape=SHAPE,
        facts={"gain": 6.5, "readnoise": 29.0, "exptime": 340.0, "rate": 1},
    )
    generic = InstrumentSample(
        primary={"INSTRUME": "OTHER", "GAIN": 1.5, "RDNOISE": 4.25, **TIMES},
        science={1: {"BUNIT": "COUNTS"}},
        shape=SHAPE,
        facts={"gain": 1.5, "effective_gain": 1.5, "readnoise": 4.25, "exptime": 340.0},
    )
    return {
        "acs": _acs_like("ACS", "WFC"),
        "wfc3": _acs_like("WFC3", "UVIS"),
        "stis": stis,
        "wfpc2": wfpc2,
        "nicmos": nicmos,
        "generic": generic,
    }


def _images() -> list[Array]:
    rng = np.random.default_rng(8)
    return [rng.normal(40, 5, SHAPE).astype(np.float32) for _ in range(2)]


def write_fits(folder: Path) -> Path:
    """Write a calibrated exposure of two chips."""
    from astropy.io import fits

    sample = _acs_like("ACS", "WFC")
    hdus = fits.HDUList(
        [
            fits.PrimaryHDU(
                header=fits.Header(
                    {**sample.primary, "ROOTNAME": "jsample01", "FILENAME": "jsample01_flt.fits"}
                )
            )
        ]
    )
    for version, image in enumerate(_images(), start=1):
        wcs = tangent_plane(SHAPE, 0.05).to_header()
        for name, data in (
            ("SCI", image),
            ("ERR", np.ones(SHAPE, np.float32)),
            ("DQ", np.zeros(SHAPE, np.int16)),
        ):
            header = fits.Header({**sample.science[version]}) if name == "SCI" else fits.Header()
            header.update(wcs)
            hdus.append(fits.ImageHDU(data, header=header, name=name, ver=version))
    path = folder / "jsample01_flt.fits"
    hdus.writeto(path)
    return path


def read_fits(paths: list[Path]) -> Mapping[str, Array]:
    """Read what a FITS writer wrote: extensions by name, or files by the end of their names."""
    from astropy.io import fits

    found: dict[str, Array] = {}
    for path in paths:
        with fits.open(path, memmap=False) as hdus:
            for hdu in hdus:
                part = hdu.name.lower() if hdu.name != "PRIMARY" else path.stem.rpartition("_")[2]
                if hdu.data is not None and part in {"sci", "wht", "ctx"}:
                    found[part] = np.array(hdu.data)
    return found


def _needs_depth(
    sci: Array, blot: Array, deriv: Array, noise: Array, depth: Array, dq: Any, options: Any
) -> Array:
    """Flag nothing; a detector that asks for the depth, so that the step that makes it runs."""
    return np.zeros(sci.shape, dtype=np.uint8)


def _wanted(step: Step) -> Mapping[str, Any]:
    """Return the parameters that switch a step on."""
    if step.name != "depth":
        return {}
    detector = CosmicRayDetector(
        name="sample.depth",
        summary="Asks for the depth.",
        reference=_needs_depth,
        traits=frozenset({"needs_blot", "needs_depth"}),
    )
    return {"cr_detector": detector}


def _in_flux() -> list[Any]:
    """Return exposures in units of flux, without which their noise is not measured."""
    return sample_exposures(unit="nJy")


def sample_for(record: Any) -> Any:
    """Return a sample for a record, or None."""
    if isinstance(record, Step):
        return StepSample(
            exposures=_in_flux if record.name == "noise_level" else sample_exposures,
            parameters={"driz_cr_corr": True, **_wanted(record)},
        )
    if isinstance(record, Reader):
        fits_like = record.matches is not None and record.matches(Path("jsample01_flt.fits"))
        return ReaderSample(write=write_fits, images=_images(), exptime=340.0) if fits_like else None
    if isinstance(record, Writer):
        return WriterSample(read=read_fits) if record.name.startswith("fits") else None
    if isinstance(record, Instrument):
        return instrument_samples().get(record.name)
    return None
