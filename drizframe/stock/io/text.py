"""Texts and numbers as FITS headers hold them."""

from __future__ import annotations

from typing import Any

__all__ = ["header_text", "plain"]


def header_text(text: str) -> str:
    r"""Return a name with everything but printable ASCII written as an escape.

    Parameters
    ----------
    text : str
        The name of a file or an exposure.

    Returns
    -------
    str
        Unchanged where FITS allows it.

    Examples
    --------
    >>> header_text("a_flt.fits")
    'a_flt.fits'
    >>> header_text("\u00e9toile")
    '\\xe9toile'
    """
    return "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode() for c in text)


def plain(value: Any) -> Any:
    """Return a number with the digits of its own precision: 36.684402, not 36.68440246582031."""
    import numpy as np

    single = np.float32(value)
    return float(str(single)) if float(single) == float(value) else float(value)
