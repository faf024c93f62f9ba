"""World coordinates to keywords, with all digits: those of a frame, and those of a chip with its distortion."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from drizframe.stock.products.grid_keywords import TERMS, WORLD, is_alternate, remove

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    from drizframe.model import Chip, Frame

__all__ = ["distortion_tables", "put_chip_wcs", "put_frame", "wcs_type"]

#: Magnitude from which wcslib means "undefined".
_UNDEFINED = 1e100
_TABLE_CARD = re.compile(r"(CPDIS|CPERR|D2IMDIS|D2IMERR|D2IMEXT|DP|D2IM)\d?(\..*)?")
_PROJECTION_CARD = re.compile(r"PV\d_\d+|DQ\d.*|CQDIS\d|DVERR.*")
#: Longitudes and latitudes whose position depends on an equinox.
_WITH_EQUINOX = ("RA", "DEC", "ELON", "ELAT")


def wcs_type(name: str) -> str:
    """Return ``WCSTYPE``, a description of a WCS in words, from its name.

    Parameters
    ----------
    name : str
        ``WCSNAME``, such as ``IDC_0461802ej-FIT_REL_GAIAeDR3``.
    """
    parts = name.strip().upper().split("-", maxsplit=1)
    if not parts[0]:
        return "not aligned"
    base = {"IDC": "undistorted ", "OPU": "pipeline default "}.get(parts[0][:3], "user-defined ")
    if len(parts) == 1:
        return base + "not aligned"
    tail = name.strip().split("-", maxsplit=1)[1]
    if "FIT" not in parts[1]:
        return f"{base}a priori solution based on {tail}"
    words = tail.split("_", maxsplit=2)
    catalog = words[2] if len(words) > 2 else "an unknown catalog"
    how = {
        "REL": "relatively aligned to",
        "IMG": "aligned image-by-image to",
        "EVM": "aligned by visit-exposures to",
        "SVM": "aligned by visit to",
    }.get(words[1].upper() if len(words) > 1 else "", "aligned to")
    return f"{base}a posteriori solution {how} {catalog}"


def _system(core: Any) -> tuple[str, float | None]:
    """Return ``RADESYS`` and ``EQUINOX`` as they are meant: blank and None where they say nothing."""
    if str(core.ctype[0]).split("-")[0] not in _WITH_EQUINOX:
        return "", None
    equinox = float(core.equinox) if math.isfinite(core.equinox) else None
    system = str(core.radesys).strip()
    if not system:
        system = "ICRS" if equinox is None else "FK4" if equinox < 1984 else "FK5"
    return system, equinox if system.startswith("FK") else None


def _as_wcslib_tells(wcs: WCS) -> Header:
    """Return what wcslib writes: it alone knows the polynomials that belong to a projection (TPV, TPD)."""
    from astropy.io.fits import Header
    from astropy.wcs import WCSHDO_P17, WCSHDO_all

    return Header.fromstring(wcs.wcs.to_header(relax=WCSHDO_all | WCSHDO_P17))


def _put_linear(header: Header, wcs: WCS, suffix: str) -> None:
    """Write everything but distortion; `suffix` follows the names of the projection."""
    core, matrix, told = wcs.wcs, wcs.pixel_scale_matrix, _as_wcslib_tells(wcs)
    header["WCSAXES"] = (2, "Number of coordinate axes")
    for i in (0, 1):
        header[f"CTYPE{i + 1}"] = str(told[f"CTYPE{i + 1}"]).removesuffix("-SIP") + suffix
        header[f"CUNIT{i + 1}"] = "deg"
        header[f"CRPIX{i + 1}"] = float(core.crpix[i])
        header[f"CRVAL{i + 1}"] = float(core.crval[i])
        for j in (0, 1):
            header[f"CD{i + 1}_{j + 1}"] = float(matrix[i, j])
    for i, m, value in core.get_pv():
        header[f"PV{i}_{m}"] = float(value)
    for card in told.cards:
        if _PROJECTION_CARD.fullmatch(card.keyword) and card.keyword not in header:
            header.append(card, bottom=False)
    for i, m, value in core.get_ps():
        header[f"PS{i}_{m}"] = str(value)
    for key, value in (("LONPOLE", core.lonpole), ("LATPOLE", core.latpole)):
        if math.isfinite(value) and abs(value) < _UNDEFINED:
            header[key] = float(value)
    system, equinox = _system(core)
    if system:
        header["RADESYS"] = system
    if equinox is not None:
        header["EQUINOX"] = equinox


def _put_orientation(header: Header, name: str, orientation: float) -> None:
    """Write the keywords of HST: name, orientation, and that velocity aberration is taken out."""
    if name:
        header["WCSNAME"] = (name, "Coordinate system title")
        header["WCSTYPE"] = wcs_type(name)
    header["VAFACTOR"] = (1.0, "velocity aberration plate scale factor")
    header["ORIENTAT"] = (orientation, "position angle of image y axis (deg. e of n)")


def put_frame(header: Header, frame: Frame) -> None:
    """Write size and world coordinates of a frame; the header must have none of another grid.

    Parameters
    ----------
    header : Header
        Header that gets them.
    frame : Frame
        The grid.
    """
    _put_size(header, frame.shape)
    _put_linear(header, frame.wcs, "")
    _put_orientation(header, frame.name, frame.orientation)


def _put_size(header: Header, shape: tuple[int, int]) -> None:
    """Write the size of an image first of all, where the standard wants it."""
    for position, (key, value) in enumerate((("NAXIS", 2), ("NAXIS1", shape[1]), ("NAXIS2", shape[0]))):
        header.insert(position, (key, value))


def put_chip_wcs(header: Header, chip: Chip, before: int = 0) -> None:
    """Write the world coordinates of a chip in place of those in a header, which may be others.

    Parameters
    ----------
    header : Header
        Header that gets them; alternate world coordinates of it stay.
    chip : Chip
        Whose grid it is.  Its look-up tables have to be in the same file: see `distortion_tables`.
    before : int
        How many tables of other chips precede its own in that file.
    """
    for key in [k for k in dict.fromkeys(header) if WORLD.fullmatch(k) and not is_alternate(k)]:
        header.remove(key, ignore_missing=True, remove_all=True)
    name = str(chip.wcs.wcs.name).strip()
    remove(header, TERMS)
    sip = chip.wcs.sip
    _put_linear(header, chip.wcs, "" if sip is None else "-SIP")
    matrix = chip.wcs.pixel_scale_matrix
    _put_orientation(header, name, math.degrees(math.atan2(matrix[0, 1], matrix[1, 1])))
    _put_polynomials(header, sip)
    if _has_tables(chip.wcs):
        told = chip.wcs.to_fits(relax=True)[0].header
        for card in (c for c in told.cards if _TABLE_CARD.fullmatch(c.keyword)):
            header.append(card, bottom=False)
        for key in [k for k in header if k.endswith(".EXTVER")]:
            header[key] = int(header[key]) + before


def _put_polynomials(header: Header, sip: Any) -> None:
    """Write SIP coefficients."""
    if sip is None:
        return
    for letter in ("a", "b", "ap", "bp"):
        order, terms = getattr(sip, f"{letter}_order"), getattr(sip, letter)
        if terms is None:
            continue
        header[f"{letter.upper()}_ORDER"] = int(order)
        for i in range(order + 1):
            for j in range(order + 1 - i):
                if terms[i, j]:
                    header[f"{letter.upper()}_{i}_{j}"] = float(terms[i, j])


def _has_tables(wcs: WCS) -> bool:
    return any(t is not None for t in (wcs.cpdis1, wcs.cpdis2, wcs.det2im1, wcs.det2im2))


def distortion_tables(wcs: WCS, before: int = 0) -> list[Any]:
    """Return the look-up tables of a chip as extensions, which its header refers to.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        World coordinates of the chip.
    before : int
        How many tables of other chips precede them in their file.

    Returns
    -------
    list of astropy.io.fits.ImageHDU
        Empty if there are none.
    """
    tables = list(wcs.to_fits(relax=True)[1:]) if _has_tables(wcs) else []
    for hdu in tables:
        hdu.ver += before
    return tables
