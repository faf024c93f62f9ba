"""Which part of which detector a chip shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from drizframe.model import Chip, Exposure

__all__ = ["DetectorSignature", "detector_signature"]


class DetectorSignature(NamedTuple):
    """The same detector pixels have the same signature.

    Parameters
    ----------
    instrument, detector : str
        Names as in the header, upper case.
    shape : tuple of int
        Rows and columns.
    ltv : tuple of float
        Offset (x, y) of a subarray, in pixels.
    chip : int
        Number of the chip.
    """

    instrument: str
    detector: str
    shape: tuple[int, int]
    ltv: tuple[float, float]
    chip: int


def detector_signature(exposure: Exposure, chip: Chip) -> DetectorSignature:
    """Return the signature by which defects of the detector are shared between exposures.

    Parameters
    ----------
    exposure : Exposure
        Any exposure.
    chip : Chip
        One of its chips.

    Notes
    -----
    The chip's number is EXTVER, or the number of the detector or camera for instruments whose EXTVER counts image sets
    (`Exposure.numbered_by_detector`).
    """
    instrument = exposure.instrument.upper()
    number = chip.detector_chip if exposure.numbered_by_detector else chip.extver
    ltv = (float(chip.ltv[0]), float(chip.ltv[1]))
    return DetectorSignature(instrument, exposure.detector.upper(), chip.shape, ltv, number)
