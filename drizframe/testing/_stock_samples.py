"""Samples for what drizframe ships, and for whatever reads the same forms."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from drizframe import stock
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


def instrument_samples() -> dict[str, InstrumentSample]:
    """Return a sample for each stock instrument, whose module says what its headers look like (``EXAMPLE``)."""
    found: dict[str, InstrumentSample] = {}
    for name in stock.modules():
        module = importlib.import_module(name)
        for record in getattr(module, "drizframe_instruments", tuple)():
            example = module.EXAMPLE
            found[record.name] = InstrumentSample(
                primary={**example["primary"], **TIMES},
                science=example["science"],
                facts={"exptime": TIMES["EXPTIME"], **example["facts"]},
                shape=SHAPE,
            )
    return found


def _images() -> list[Array]:
    rng = np.random.default_rng(8)
    return [rng.normal(40, 5, SHAPE).astype(np.float32) for _ in range(2)]


def write_fits(folder: Path) -> Path:
    """Write a calibrated exposure of two chips."""
    from astropy.io import fits

    sample = instrument_samples()["acs"]
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
                if hdu.is_image and hdu.data is not None:
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
        return WriterSample(read=read_fits) if record.suffixes == {".fits"} else None
    if isinstance(record, Instrument):
        return instrument_samples().get(record.name)
    return None
