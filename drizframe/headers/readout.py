"""What a header says of the readout, held against the record of the detector."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError
from drizframe.headers.limits import checked_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astropy.io.fits import Header

    from drizframe.headers.detector import Detector

__all__ = ["chip_number", "readout_notes"]

#: The number of a chip, and its amplifiers, where there is none: products, and cameras without a choice.
_NO_CHIP = -999
#: Numbers of chips that can be.
_CHIPS = (float(_NO_CHIP), 1e5)
_NO_AMPLIFIER = frozenset({"", "N/A", "NONE", "UNKNOWN"})


def chip_number(primary: Header, science: Header, keyword: str, extver: int, where: str) -> int:
    """Return the chip's own number; `extver` where the keyword is missing and several chips exist.

    Parameters
    ----------
    primary, science : Header
        Headers of the exposure and the chip.
    keyword : str
        Where the number stands.
    extver : int
        Number of the extension.
    where : str
        File and extension, for messages.

    Raises
    ------
    InputError
        If it is no number.
    """
    number = checked_number((science, primary), keyword, where, _CHIPS)
    if number is not None:
        return int(number)
    return 1 if keyword == "CCDCHIP" else extver


def readout_notes(primary: Header, science: Header, detector: Detector, chip: int, where: str) -> list[str]:
    """Say what a header tells of the readout that cannot be for this detector.

    Parameters
    ----------
    primary, science : Header
        Headers of the exposure and the chip.
    detector : Detector
        Its chips, amplifiers and limits.
    chip : int
        Number of the chip.
    where : str
        File and extension, for messages.

    Returns
    -------
    list of str
        Warnings.
    """
    return [
        f"{where}: {text}"
        for text in (
            *_chip(detector, chip),
            *_amplifiers(primary, science, detector),
            *_aberration(primary, science, detector),
        )
    ]


def _chip(detector: Detector, chip: int) -> Iterator[str]:
    if detector.chips and chip not in (*detector.chips, _NO_CHIP):
        yield (
            f"{detector.chip_keyword} is {chip}, but this detector has {_listed(detector.chips)}; flat fields and directions of "
            "charge-transfer tails are those of an unknown chip. Correct the keyword."
        )


def _amplifiers(primary: Header, science: Header, detector: Detector) -> Iterator[str]:
    """Tell of amplifiers that the detector has not, and of those in use without gain or noise."""
    if not detector.amplifiers:
        return
    value = _first("CCDAMP", primary, science)
    named = str("" if value is None else value).strip().upper()
    if named in _NO_AMPLIFIER:
        return
    if not set(named) <= set(detector.amplifiers):
        yield f"CCDAMP is {value!r}, but the amplifiers are {_listed(tuple(detector.amplifiers))}; it is not used. Correct it."
        return
    for quantity, keywords in (("gain", detector.gain_keywords), ("read noise", detector.readnoise_keywords)):
        keys = [k.strip() for k in keywords.split(",") if k.strip()]
        silent = [k for k in keys if k[-1] in named and _is_zero(k, primary, science)]
        if silent and len(silent) < len(keys):
            yield (
                f"{', '.join(silent)} is 0, but CCDAMP = {value!r} reads through that amplifier; the {quantity} is the mean of "
                "the others. Correct it."
            )


def _aberration(primary: Header, science: Header, detector: Detector) -> Iterator[str]:
    low, high = detector.limits.aberration
    value = _first("VAFACTOR", science, primary)
    if value is None:
        return
    try:
        found = checked_number((science, primary), "VAFACTOR", "")
    except InputError:
        found = math.nan
    if found is not None and not low <= found <= high:
        yield (
            f"VAFACTOR is {value!r}; plausible are {low:g} to {high:g}. It is not used, as the WCS has the aberration in it: "
            "check the scale of the WCS."
        )


def _first(key: str, *headers: Header) -> Any:
    """Return a keyword of the first header that has it."""
    return next((h[key] for h in headers if key in h), None)


def _is_zero(key: str, *headers: Header) -> bool:
    value = _first(key, *headers)
    return isinstance(value, int | float) and value == 0


def _listed(values: tuple[Any, ...]) -> str:
    return " and ".join(map(str, values)) if len(values) < 3 else ", ".join(map(str, values))
