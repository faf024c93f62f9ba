"""Texts as FITS headers can hold them."""

from __future__ import annotations

__all__ = ["header_text"]


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
