"""Samples: what the author of a reader, writer, instrument or step gives the kit to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "InstrumentSample",
    "ReaderSample",
    "StepSample",
    "WriterSample",
    "sample_exposures",
    "stock_sample",
]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InstrumentSample:
    """Headers of one exposure, and what they say.

    Parameters
    ----------
    primary : mapping or Header
        Primary header.
    science : mapping of int to mapping or Header
        Headers of the science images by ``EXTVER``.
    facts : mapping of str to float
        Attributes of every `Chip` that the headers tell, such as ``{"gain": 2.0, "readnoise": 5.2}``; choose gain
        and read noise differently, so that a mix-up shows.
    shape : tuple of int
        Rows and columns of the images.
    """

    primary: Mapping[str, Any]
    science: Mapping[int, Mapping[str, Any]]
    facts: Mapping[str, Any]
    shape: tuple[int, int] = (6, 8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReaderSample:
    """How to make a file that a reader reads.

    Parameters
    ----------
    write : callable
        ``write(folder) -> path``: writes the file.
    images : sequence of ndarray
        Science images of all chips of all exposures in it, in order.
    exptime : float
        Exposure time of each, seconds.
    """

    write: Callable[[Path], Path]
    images: Sequence[Array]
    exptime: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WriterSample:
    """How to read back what a writer wrote.

    Parameters
    ----------
    read : callable
        ``read(paths) -> {"sci": array, "wht": array, "ctx": array}``: layers by name, those that the format holds.
    """

    read: Callable[[list[Path]], Mapping[str, Array]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepSample:
    """A small run in which a step works.

    Parameters
    ----------
    exposures : callable
        Makes the exposures, such as by `Exposure.from_arrays`.
    parameters : mapping
        Parameters of the run; what the step needs must be on.
    steps : sequence of Step
        Other steps that run with it, such as those of the same plugin whose planes it needs.
    """

    exposures: Callable[[], Sequence[Any]]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[Any] = ()


def sample_exposures(count: int = 3, shape: tuple[int, int] = (40, 44), unit: str = "electrons") -> list[Any]:
    """Return dithered exposures of a few stars, with sky, noise, cosmic rays and flags.

    Parameters
    ----------
    count : int
        How many; each is shifted against the one before by (1.3, -0.7) pixels.
    shape : tuple of int
        Rows and columns.
    unit : str
        What the numbers are said to be.

    Returns
    -------
    list of Exposure
        Of one chip of 0.1 arcsec, with error image and flags; the same count and shape give the same.
    """
    from drizframe.model import Exposure
    from drizframe.testing.strategies import tangent_plane

    made = []
    for k in range(count):
        rng = np.random.default_rng(k)
        offset = (1.3 * k, -0.7 * k)
        x, y = np.meshgrid(np.arange(shape[1]) - offset[0], np.arange(shape[0]) - offset[1])
        sky = 20.0 + 2.0 * k
        sci = sky + rng.normal(0, 2, shape)
        for cx, cy, flux in ((12.0, 10.0, 4000.0), (30.0, 28.0, 9000.0)):
            sci += flux / (2 * np.pi * 2.25) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 4.5)
        sci[rng.integers(3, shape[0] - 3, 5), rng.integers(3, shape[1] - 3, 5)] += 900.0
        dq = (rng.random(shape) < 0.01).astype(np.int16) * np.int16(4)
        made.append(
            Exposure.from_arrays(
                sci.astype(np.float32),
                tangent_plane(shape, 0.1, offset),
                name=f"sample{k}",
                exptime=100.0 + 10 * k,
                unit=unit,
                err=np.sqrt(np.abs(sci)).astype(np.float32),
                dq=dq,
                readnoise=3.0,
                dark=1.0,
                start=59000.0 + k,
                end=59000.1 + k,
            )
        )
    return made


def stock_sample(record: Any) -> Any:
    """Return a sample for a component, if drizframe can make one; None if its author must.

    Steps and instruments that accept a plain header get one; readers and writers of FITS files; others None.

    Parameters
    ----------
    record : Component or Step
        What is to be checked.

    Returns
    -------
    sample : StepSample, InstrumentSample, ReaderSample, WriterSample or None
        For checks that need one.
    """
    from drizframe.testing._stock_samples import sample_for

    return sample_for(record)
