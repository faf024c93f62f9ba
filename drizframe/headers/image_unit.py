"""The unit of an image: what ``BUNIT`` says, and what the camera delivers."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from drizframe.model.bunit import PixelUnit, parse_unit

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["pixel_unit"]


def pixel_unit(science: Header, native: str, where: str, notes: list[str]) -> tuple[PixelUnit, str]:
    """Return the unit of an image, and what was assumed or converted.

    Parameters
    ----------
    science : Header
        Its header.
    native : str
        What the instrument delivers, for an image without ``BUNIT`` (or with one of a flux in ergs).
    where : str
        File and extension, for messages.
    notes : list of str
        Gets a warning if ``BUNIT`` and the instrument contradict each other.

    Raises
    ------
    InputError
        If ``BUNIT`` is no unit in which exposures can be averaged.
    """
    text = str(science.get("BUNIT", "") or "").strip()
    if not text:
        usual = parse_unit(native, where)
        assert usual is not None  # noqa: S101  (a detector has a unit)
        return usual, f"no BUNIT; taken as {usual.text}"
    if "ergs" in text.lower():  # a flux: a rate in any case
        assumed = parse_unit(native.split("/", maxsplit=1)[0] + "/s", where)
        assert assumed is not None  # noqa: S101
        notes.append(
            f"{where}: BUNIT {text!r} is a flux; the image is taken as {assumed.text}, as AstroDrizzle does."
        )
        return assumed, ""
    if text.upper() == "UNITLESS":
        kind = native.split("/", maxsplit=1)[0].upper()
        assumed = parse_unit(kind, where)
        assert assumed is not None  # noqa: S101
        notes.append(f"{where}: BUNIT is {text!r}; the image is taken as {kind}.")
        return dataclasses.replace(assumed, text=text), ""
    unit = parse_unit(text, f"{where}: BUNIT")
    assert unit is not None  # noqa: S101
    kind = native.split("/", maxsplit=1)[0]
    if not unit.physical and unit.kind != kind:
        notes.append(
            f"{where}: BUNIT is {text!r}, but this camera delivers {kind}; the numbers are taken as {kind}, as AstroDrizzle does. "
            "Correct BUNIT, or convert the image."
        )
    kept = text if text.upper() == unit.text else unit.text
    return dataclasses.replace(unit, text=kept), ""
