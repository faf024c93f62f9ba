"""The WCS of a chip: alternate solutions, all distortion tables, or none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drizframe.errors import InputError, ParameterError, WCSError, told
from drizframe.model import check_celestial
from drizframe.model.wcs_headers import AS_THEY_ARE, checked_wcs_header
from drizframe.stock.io.chip_geometry import check_geometry
from drizframe.stock.io.source import image_shape

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header
    from astropy.wcs import WCS

__all__ = ["alternates", "chip_wcs", "promote"]

#: Keywords of an alternate WCS, without its letter.
_WCS_KEYS = re.compile(
    r"^(WCSNAME|WCSAXES|C(?:TYPE|RPIX|RVAL|DELT|UNIT|ROTA)\d|(?:CD|PC|PV|PS)\d_\d+|LONPOLE|LATPOLE|RADESYS|EQUINOX"
    r"|ORIENTAT?|RESTFRQ|RESTWAV|MJDREF)([A-Z])$"
)
_BLANK = frozenset({"", "INDEF", "NONE"})
_FRAMES = {"GSC1": "FK5", "ICRS": "ICRS"}


def alternates(header: Header) -> dict[str, str]:
    """Return the alternate WCSs of a header: letter -> name."""
    return {
        k[-1]: str(header.get("WCSNAME" + k[-1], "")).strip()
        for k in header
        if re.fullmatch(r"CRVAL1[A-Z]", k)
    }


def _letter(header: Header, wcskey: str, where: str) -> str:
    """Return the letter that `wcskey` means in this header; blank for the primary WCS."""
    key = wcskey.strip()
    if key.upper() in _BLANK:
        return ""
    known = alternates(header)
    if len(key) == 1 and key.upper() in known:
        return key.upper()
    named = [letter for letter, name in known.items() if name.upper() == key.upper()]
    if named:
        return named[0]
    if str(header.get("WCSNAME", "")).strip().upper() == key.upper():
        return ""
    listed = ", ".join(f"{k} ({v})" if v else k for k, v in sorted(known.items())) or "none"
    primary = str(header.get("WCSNAME", "")).strip()
    msg = (
        f"{where} has no WCS {wcskey!r}. Its alternate WCSs: {listed}; its primary one: "
        f"{primary or '(no name)'}. "
        f"Choose one of them by letter or name, or leave wcskey blank."
    )
    raise ParameterError(msg)


def promote(header: Header, wcskey: str, where: str) -> Header:
    """Return a copy of a header whose primary WCS is the one that was asked for.

    Parameters
    ----------
    header : Header
        A science header; it is not changed.
    wcskey : str
        Letter or ``WCSNAME``; blank: the primary WCS.
    where : str
        The image, for messages.

    Raises
    ------
    ParameterError
        If there is no such WCS; the message lists those that there are.
    """
    result = header.copy()
    letter = _letter(header, wcskey, where)
    if letter:
        for key in list(header):
            match = _WCS_KEYS.match(key)
            if match and match[2] == letter:
                result[match[1]] = header[key]
    return result


def _without_distortion(wcs: WCS) -> WCS:
    """Return the linear part of a WCS."""
    linear = wcs.deepcopy()
    linear.sip = None
    linear.cpdis1 = linear.cpdis2 = None
    linear.det2im1 = linear.det2im2 = None
    linear.wcs.ctype = [c.removesuffix("-SIP") for c in linear.wcs.ctype]
    linear.wcs.set()
    return linear


def chip_wcs(
    header: Header, primary: Header, hdus: HDUList | None, where: str, *, distortion: bool = True
) -> tuple[WCS, tuple[str, ...]]:
    """Return the WCS of a chip with SIP, NPOL and D2IM distortion.

    Parameters
    ----------
    header : Header
        Science header.
    primary : Header
        Primary header; its ``REFFRAME`` decides the celestial frame.
    hdus : HDUList or None
        The open file, for look-up tables.
    where : str
        The image, for messages.
    distortion : bool
        False: the linear part only.

    Returns
    -------
    astropy.wcs.WCS
    tuple of str
        Warnings.

    Raises
    ------
    WCSError
        If there is no celestial WCS, or it cannot be used.
    InputError
        If it is no image.
    """
    from astropy.wcs import WCS

    shape = image_shape(header)
    if shape is None:
        msg = f"{where} is no image of two axes. Give images only."
        raise InputError(msg)
    own, notes = checked_wcs_header(header, where, shape=shape, tables=hdus)
    frame = _FRAMES.get(str(primary.get("REFFRAME", "")).strip().upper())
    if frame:
        own["RADESYS"] = frame
        notes = tuple(t.replace(AS_THEY_ARE, f"REFFRAME = {primary['REFFRAME']!r} counts") for t in notes)
    for axis in (
        "CTYPE1",
        "CTYPE2",
    ):  # SIP terms apply with or without the suffix; say so, and no note is printed
        value = str(own.get(axis, "")).strip()
        if "A_ORDER" in own and value.endswith("TAN"):
            own[axis] = value + "-SIP"
    try:
        wcs = WCS(own, fobj=hdus, fix=False)
        wcs.wcs.fix()
        wcs.wcs.set()
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        AssertionError,
        ArithmeticError,
        MemoryError,
    ) as error:
        if isinstance(error, MemoryError) and not error.args:
            raise  # of Python; wcslib says so too where a table of its own is wrong, and then says which
        text = told(error)
        msg = (
            f"{where}: the WCS cannot be used ({text}). Correct its keywords, or repair the distortion "
            "tables."
        )
        raise WCSError(msg) from error
    check_celestial(wcs, where)
    result = wcs if distortion else _without_distortion(wcs)
    check_geometry(result, shape, where)
    return result, notes
