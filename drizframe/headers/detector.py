"""What is fixed for a detector, and which detector a header names.

An instrument module is a table of `Detector` records; everything that differs between detectors is a field
there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError, RecordError
from drizframe.headers.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path

    from astropy.io.fits import Header

__all__ = ["FLIPPED_X", "FLIPPED_Y", "Detector", "detector_name"]

#: What a pipeline may deliver.
_UNITS = ("electrons", "electrons/s", "counts", "counts/s", "flux", "brightness")
#: Handedness of detectors: y mirrored (ACS/WFC, unknown ones) and x mirrored (all others that are known).
FLIPPED_Y = ((1.0, 0.0), (0.0, -1.0))
FLIPPED_X = ((-1.0, 0.0), (0.0, 1.0))


def _no_dark(primary: Header, science: Header, exptime: float) -> float | None:
    return None


def _no_tails(primary: Header, chip: int) -> int:
    return 0


def _no_extra(primary: Header, science: Header) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """What is fixed for one detector.

    Parameters
    ----------
    native_unit : str
        What the pipeline delivers: ``"electrons"``, ``"electrons/s"``, ``"counts"`` or ``"counts/s"``;
        assumed where ``BUNIT`` is missing.
    gain, readnoise : float or None
        Constants (electrons per count, electrons); None: from the keywords.
    gain_keywords, readnoise_keywords : str
        Comma-separated; the mean of the non-zero values counts.
    table : callable or None
        ``table(primary, science, quantity, value) -> float``: calibrated value for a header value (WFPC2).
    gain_applies : bool
        Whether pixel values are counts that the gain turns into electrons.
    dark : callable
        ``dark(primary, science, exptime)``: electrons per exposure, or None.
    tails : callable
        ``tails(primary, chip)``: direction of charge-transfer tails.
    chip_keyword : str
        Keyword of the chip's number on the detector, looked for in the science, then in the primary header.
    chips : tuple of int
        Numbers that there are; another one is told.  Empty: any.
    amplifiers : str
        Letters that ``CCDAMP`` may name, the last letters of keywords for gain and noise; blank: there is no such choice.
    exptime_in_science : bool
        Whether the exposure time stands in the science header.
    parity : tuple of tuple of float
        Handedness.
    saturation_bits, cr_bits : int
        Data-quality bits.
    limits : Limits
        Plausible numbers; what lies outside is refused.
    extra : callable
        ``extra(primary, science)``: facts for `Chip.extra`.
    """

    native_unit: str
    gain: float | None = None
    readnoise: float | None = None
    gain_keywords: str = ""
    readnoise_keywords: str = ""
    table: Callable[[Header, Header, str, float], float] | None = None
    gain_applies: bool = False
    dark: Callable[[Header, Header, float], float | None] = field(default=_no_dark)
    tails: Callable[[Header, int], int] = field(default=_no_tails)
    chip_keyword: str = "CCDCHIP"
    chips: tuple[int, ...] = ()
    amplifiers: str = ""
    exptime_in_science: bool = False
    parity: tuple[tuple[float, float], tuple[float, float]] = FLIPPED_X
    saturation_bits: int = 256
    cr_bits: int = 4096
    limits: Limits = field(default_factory=Limits)
    extra: Callable[[Header, Header], Mapping[str, Any]] = field(default=_no_extra)

    def __post_init__(self) -> None:
        """Refuse a unit that no image could be taken for."""
        if self.native_unit not in _UNITS:
            msg = f"Detector has native_unit = {self.native_unit!r}. Give one of: {', '.join(map(repr, _UNITS))}."
            raise RecordError(msg)


def detector_name(
    primary: Header, science: Mapping[int, Header], known: Collection[str], path: str | Path
) -> str:
    """Return the value of ``DETECTOR``, in capitals, which is one of those that the instrument has.

    Parameters
    ----------
    primary : Header
        Primary header.
    science : mapping of int to Header
        Headers of the science images by EXTVER; the first is asked where the primary header does not say it.
    known : collection of str
        The detectors.
    path : str or path
        The file, for messages.

    Returns
    -------
    str
        One of `known`.

    Raises
    ------
    InputError
        If it is none of them.
    """
    first = next(iter(science.values()))
    name = str(primary.get("DETECTOR", "") or first.get("DETECTOR", "")).strip().upper()
    if name not in known:
        instrument = str(primary.get("INSTRUME", "")).strip() or "this instrument"
        msg = f"{path}[0]: DETECTOR is {name!r}; {instrument} has {', '.join(known)}. Correct the keyword."
        raise InputError(msg)
    return name
