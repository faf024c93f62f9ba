"""What an image extension takes over from the primary header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drizframe.headers.words import EQUINOX, TERMS, WORLD

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["with_inherited"]


def with_inherited(header: Header, primary: Header) -> Header:
    """Return the header of an image with the unit, and with ``INHERIT = T`` the world coordinates, of the primary header.

    What the image says itself counts; world coordinates are taken over as a whole or not at all.

    Parameters
    ----------
    header : Header
        Of a science image; it is not changed.
    primary : Header
        Primary header of its file.
    """
    result = header.copy()
    if not str(header.get("BUNIT", "") or "").strip() and str(primary.get("BUNIT", "") or "").strip():
        result["BUNIT"] = primary["BUNIT"]
    inherits = header.get("INHERIT") is True and "CTYPE1" in primary and primary.get("NAXIS") == 0
    if inherits and not any(key in header for key in ("CTYPE1", "CRVAL1", "CD1_1", "PC1_1", "CDELT1")):
        for card in primary.cards:
            if any(p.fullmatch(card.keyword) for p in (WORLD, EQUINOX, TERMS)) and card.keyword not in result:
                result.append(card, end=True)
    return result
