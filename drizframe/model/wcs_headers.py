"""Headers before the WCS library: what it will use is looked at first, and it is given nothing else.

wcslib believes what a header says: ``WCSAXES = 65536`` ends the process, ``DP1 = 'NAXES: 65536'`` corrupts its memory,
``A_ORDER = 40000`` makes a table of 12 GB.  Only what describes two celestial axes is passed on, after every number,
order, index and look-up table in it was found to make sense.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import WCSError

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

__all__ = ["AS_THEY_ARE", "MAX_ORDER", "checked_wcs_header"]

#: Highest order of a distortion polynomial.
MAX_ORDER = 9
#: Most axes that a header may describe; all but the first two are left out.
_MAX_AXES = 9
#: Highest index of a parameter of a projection (TPV has 39).
_MAX_PARAMETER = 39
#: Pixels of the largest look-up table.
_MAX_TABLE = 2**24
#: A reference pixel or offset beyond this is no position, in pixels.
_FAR = 1e8

#: Numbers without which a position would be wrong.
_NUMBERS = re.compile(
    r"C(RVAL|RPIX|DELT|ROTA)[12]|(CD|PC)[12]_[12]|PV[12]_\d+|LONPOLE|LATPOLE|[AB]P?_\d+_\d+|[AB]P?_DMAX"
)
#: Numbers of which only the sky system may know; text there is left out.
_DATES = re.compile(r"EQUINOX|EPOCH|MJD(-OBS|-AVG|-BEG|-END|REF|REFI|REFF)")
#: Spellings of units of angles that the WCS library does not know, or knows in one case only.
_UNITS = {
    **dict.fromkeys(("deg", "degs", "degree", "degrees"), "deg"),
    **dict.fromkeys(("arcmin", "arcmins", "arcminute", "arcminutes"), "arcmin"),
    **dict.fromkeys(("arcsec", "arcsecs", "arcsecond", "arcseconds"), "arcsec"),
    **dict.fromkeys(("rad", "radian", "radians"), "rad"),
}
#: Terms of a distortion that IRAF writes as text.
_IN_WORDS = re.compile(r"lngcor|latcor|projp([02-9]|1\s*=\s*(?!1\.?0*[\s\"]|1\.?0*$))", re.IGNORECASE)
#: How a year is marked in a text: 'J2000.0'.
_YEAR = re.compile(r"^\s*[JBjb](?=\d)")
_TEXTS = re.compile(r"WCSNAME|CTYPE[12]|CUNIT[12]|RADESYS|RADECSYS|DATE(-OBS|-AVG|-BEG|-END|REF)|TIMESYS")
_ORDERS = ("A_ORDER", "B_ORDER", "AP_ORDER", "BP_ORDER")
_PROJECTIONS = re.compile(
    "AZP|SZP|TAN|TPD|TPV|TNX|ZPX|STG|SIN|NCP|ARC|ZPN|ZEA|AIR|CYP|CEA|CAR|GLS|SFL|MER|PAR|MOL|AIT|CO[PEDO]|BON|PCO"
    "|TSC|CSC|QSC|HPX|XPH"
)
_LATITUDES = frozenset({"DEC", "GLAT", "ELAT", "SLAT", "HLAT"})
#: Systems of right ascension and declination.
_SYSTEMS = frozenset({"", "ICRS", "FK5", "FK4", "FK4-NO-E", "GAPPT"})
#: Distortion keyword, its record, the extensions with its tables, its largest error.
_TABLES = (("CPDIS", "DP", "WCSDVARR", "CPERR"), ("D2IMDIS", "D2IM", "D2IMARR", "D2IMERR"))
_LIMITS: Mapping[str, float] = {"LONPOLE": 360.0, "LATPOLE": 90.0, "CROTA1": 1080.0, "CROTA2": 1080.0}
#: What becomes of positions of an unknown system, unless something else in the file tells it.
AS_THEY_ARE = "positions are taken as they are"
_UNSET_POLE = 999.0  # how some programs say that LONPOLE or LATPOLE is not set


def checked_wcs_header(
    header: Header, where: str, *, shape: tuple[int, int] | None = None, tables: HDUList | None = None
) -> tuple[Header, tuple[str, ...]]:
    """Return the part of a header that describes the celestial WCS of an image of two axes.

    Parameters
    ----------
    header : Header
        Header of an image; not changed.
    where : str
        The file and extension, for messages.
    shape : tuple of int, optional
        Rows and columns; default: as the header says.
    tables : HDUList, optional
        The open file, for look-up tables of the distortion.

    Returns
    -------
    Header
        New, with what the WCS library needs and nothing else.
    tuple of str
        Warnings: what was left out.

    Raises
    ------
    WCSError
        If a number is missing, is none, or cannot be; if a table is missing or damaged.
    """
    from astropy.io.fits import Header

    ny, nx = shape or (header.get("NAXIS2"), header.get("NAXIS1"))
    _check_axes(header, where)
    notes: list[str] = []
    result = Header()
    if isinstance(nx, int) and isinstance(ny, int):
        result["NAXIS"], result["NAXIS1"], result["NAXIS2"] = 2, nx, ny
    for key in dict.fromkeys(c.keyword for c in header.cards):
        value = _checked(header, key, where, notes)
        if value is not None:
            result[key] = value
    _check_types(result, where)
    _check_words(header, result, where)
    _check_matrix(result, where)
    if "CTYPE1" in result or "CTYPE2" in result:
        _check_required(result, where)
    _check_polynomials(header, result, where)
    _copy_tables(header, result, where, tables, max(nx or 0, ny or 0))
    return result, tuple(notes)


def _fail(where: str, key: str, value: Any, allowed: str) -> None:
    msg = f"{where}: the WCS cannot be used: {key} is {value!r}; {allowed}. Correct the header."
    raise WCSError(msg)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _whole(value: Any) -> int | None:
    """Return a number that is a whole one (``2``, ``2.0``) as int; None otherwise."""
    return int(value) if _is_number(value) and abs(value) < 2**31 and value == int(value) else None


def _checked(header: Header, key: str, where: str, notes: list[str]) -> Any:
    """Return the value of a keyword that is passed on; None for all others."""
    if _NUMBERS.fullmatch(key):
        value = header[key]
        if not _is_number(value):
            _fail(where, key, value, "it must be a finite number")
        if key[:2] == "PV" and int(key[4:]) > _MAX_PARAMETER:
            _fail(where, key, value, f"parameters of projections count up to {_MAX_PARAMETER}")
        unset = key in {"LONPOLE", "LATPOLE"} and abs(value) == _UNSET_POLE
        limit = math.inf if unset else _LIMITS.get(key, _FAR if key.startswith(("CRPIX", "CRVAL")) else 1e30)
        if abs(value) > limit:
            _fail(where, key, value, f"it lies between -{limit:g} and {limit:g}")
        return value
    if _DATES.fullmatch(key):
        return _date(header, key, where, notes)
    if _TEXTS.fullmatch(key):
        value = header[key]
        if not isinstance(value, str):
            if key.startswith("CTYPE"):
                _fail(where, key, value, "it must be a text such as 'RA---TAN'")
            notes.append(f"{where}: {key} is {value!r}, which is no text; it is left out")
            return None
        if key.startswith("CUNIT"):
            return _UNITS.get(value.strip().lower(), value)
        if key == "RADESYS" and value.strip().upper() not in _SYSTEMS:
            notes.append(f"{where}: RADESYS is {value!r}, which is not known; {AS_THEY_ARE}")
        return value
    return None


def _date(header: Header, key: str, where: str, notes: list[str]) -> float | None:
    """Return an epoch as a number, also one written as text; None, and a note, where it is neither."""
    try:
        value = float(_YEAR.sub("", header[key]) if isinstance(header[key], str) else header[key])
    except (TypeError, ValueError):
        value = math.nan
    low, high = (1500.0, 2500.0) if key in {"EQUINOX", "EPOCH"} else (-2e6, 1e6)
    if low <= value <= high or (value == 0 and not key.startswith("EQ")):
        return value
    notes.append(
        f"{where}: {key} is {header[key]!r}, which is no {'year' if key[0] == 'E' else 'date'}; it is left out"
    )
    return None


def _check_axes(header: Header, where: str) -> None:
    """Refuse a header that describes no two axes, or absurdly many."""
    if "WCSAXES" in header:
        count = _whole(header["WCSAXES"])
        if count is None or not 2 <= count <= _MAX_AXES:
            _fail(where, "WCSAXES", header["WCSAXES"], f"an image has 2 axes (at most {_MAX_AXES} are read)")
    for axis in ("CQDIS1", "CQDIS2"):
        if axis in header:
            _fail(where, axis, header[axis], "distortions of this kind are not supported")


def _check_types(result: Header, where: str) -> None:
    """Refuse projections that are none, and latitudes beyond the poles."""
    for axis in (1, 2):
        key = f"CTYPE{axis}"
        text = str(result.get(key, "")).strip().upper()
        code = text[5:8]
        if text[4:5] == "-" and not _PROJECTIONS.fullmatch(code):
            allowed = f"the projection {code!r} is not known (characters 6 to 8; 'RA---TAN' is usual)"
            _fail(where, key, result[key], allowed)
        if text[:4].rstrip("-") in _LATITUDES and abs(result.get(f"CRVAL{axis}", 0.0)) > 90 * _degree(
            result, axis
        ):
            _fail(where, f"CRVAL{axis}", result[f"CRVAL{axis}"], "latitudes lie between -90 and 90 degrees")


def _check_words(header: Header, result: Header, where: str) -> None:
    """Refuse distortions of IRAF's TNX and ZPX, which stand in texts that nothing here reads: positions would be wrong."""
    if not any(
        str(result.get(f"CTYPE{axis}", "")).strip().upper().endswith(("TNX", "ZPX")) for axis in (1, 2)
    ):
        return
    for axis in (1, 2):
        cards = sorted(k for k in header if re.fullmatch(rf"WAT{axis}_\d+", k))
        if _IN_WORDS.search("".join(str(header[k]) for k in cards)):
            msg = (
                f"{where}: the WCS cannot be used: CTYPE{axis} is {result.get(f'CTYPE{axis}')!r}, and its distortion stands in "
                f"{cards[0]} and what follows, which is not read. Convert the header to SIP or TPV, or fit it anew."
            )
            raise WCSError(msg)


def _degree(result: Header, axis: int) -> float:
    """Return a degree in the unit of an axis."""
    unit = str(result.get(f"CUNIT{axis}", "")).strip().lower()
    return {"arcsec": 3600.0, "arcmin": 60.0, "mas": 3.6e6}.get(unit, 1.0)


def _check_matrix(result: Header, where: str) -> None:
    """Refuse a transformation without any scale: one degree for each pixel would be assumed."""
    if "CTYPE1" in result and not any(re.fullmatch(r"CD\d_\d|CDELT[12]|PC\d_\d", k) for k in result):
        msg = f"{where}: the WCS cannot be used: there is no CD matrix, and no CDELT1 and CDELT2. Add it to the header."
        raise WCSError(msg)


def _check_required(result: Header, where: str) -> None:
    """Refuse a header without the reference point."""
    for key in ("CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2"):
        if key not in result:
            msg = f"{where}: the WCS cannot be used: {key} is missing. Add it to the header."
            raise WCSError(msg)


def _check_polynomials(header: Header, result: Header, where: str) -> None:
    """Copy the orders of SIP polynomials, which come in pairs; drop coefficients without one."""
    for first, second in (_ORDERS[:2], _ORDERS[2:]):
        if (first in header) != (second in header):
            missing = second if first in header else first
            msg = f"{where}: the WCS cannot be used: {missing} is missing, which belongs to the SIP polynomial. Add it."
            raise WCSError(msg)
        for key in (first, second):
            if key not in header:
                continue
            order = _whole(header[key])
            if order is None or not 0 <= order <= MAX_ORDER:
                _fail(where, key, header[key], f"the order of a polynomial lies between 0 and {MAX_ORDER}")
            result[key] = order


def _copy_tables(header: Header, result: Header, where: str, tables: HDUList | None, size: int) -> None:
    """Copy the records of look-up tables whose tables are there."""
    if "CPDIS1" in header and "CPDIS2" not in header:  # one that the WCS library cannot take
        msg = f"{where}: the WCS cannot be used: there is a look-up table for x (CPDIS1) and none for y (CPDIS2). Get the file again."
        raise WCSError(msg)
    for kind, record, extension, error in _TABLES:
        for axis in (1, 2):
            key = f"{kind}{axis}"
            if key not in header:
                continue
            if not isinstance(header[key], str) or header[key].strip().lower() != "lookup":
                _fail(where, key, header[key], "the distortion that is known here is 'Lookup'")
            version = _check_record(header, f"{record}{axis}", where)
            _check_table(tables, extension, version, where, key, size)
            result[key] = "Lookup"
            for field, value in _record(header, f"{record}{axis}").items():
                result.append((f"{record}{axis}", f"{field.split('.', 1)[1]}: {float(value)}"), end=True)
            largest = header.get(f"{error}{axis}")
            if _is_number(largest) and largest >= 0:  # else tables are dropped, and their records are not
                result[f"{error}{axis}"] = largest
    if "AXISCORR" in header:  # the older form of detector corrections
        if _whole(header["AXISCORR"]) not in (1, 2):
            _fail(where, "AXISCORR", header["AXISCORR"], "it is 1 or 2")
        if tables is not None and ("D2IMARR", 1) in tables:
            _check_table(tables, "D2IMARR", 1, where, "AXISCORR", size)
            result["AXISCORR"] = int(header["AXISCORR"])


def _record(header: Header, name: str) -> dict[str, Any]:
    """Return the fields of a record (``DP1.NAXES`` ...), the first card of each."""
    found: dict[str, Any] = {}
    for card in header.cards:
        if card.keyword.startswith(f"{name}."):
            found.setdefault(card.keyword, card.value)
    return found


def _check_record(header: Header, name: str, where: str) -> int:
    """Check the record ``DPj`` of a table; return the EXTVER of the table."""
    found = _record(header, name)
    for key, value in found.items():
        field = key.split(".")[1]
        allowed: Sequence[int] | None = {"NAXES": (2,), "AXIS": (1, 2), "EXTVER": range(1, 10_000)}.get(field)
        if allowed is not None and _whole(value) not in allowed:
            _fail(
                where,
                key,
                value,
                "it is " + ("1 or more" if len(allowed) > 2 else " or ".join(map(str, allowed))),
            )
        if not _is_number(value):
            _fail(where, key, value, "it must be a finite number")
    for field, says in (
        ("NAXES", "how many axes its look-up table has"),
        (f"AXIS.{name[-1]}", "how its look-up table lies"),
    ):
        if f"{name}.{field}" not in found:
            msg = f"{where}: the WCS cannot be used: {name}.{field} is missing, which says {says}. Add it."
            raise WCSError(msg)
    return int(found.get(f"{name}.EXTVER", 1))


def _check_table(tables: HDUList | None, name: str, version: int, where: str, key: str, size: int) -> None:
    """Refuse a table that is missing, no image, or holds absurd numbers."""
    if tables is None or (name, version) not in tables:
        msg = (
            f"{where}: {key} names the look-up table {name},{version}, which the file does not have. Get the file again, "
            "or remove the keyword."
        )
        raise WCSError(msg)
    hdu = tables[name, version]
    what = f"{where}: the look-up table {name},{version} of {key}"
    pixels = math.prod(getattr(hdu, "shape", ()) or (0,)) if getattr(hdu, "is_image", False) else 0
    if not 0 < pixels <= _MAX_TABLE or len(hdu.shape) != (1 if key == "AXISCORR" else 2):
        msg = f"{what} is no image of two axes, or is too large. Get the file again."
        raise WCSError(msg)
    values = np.asarray(hdu.data, dtype=np.float64)
    largest = float(np.abs(values).max())
    if not np.isfinite(values).all() or largest > max(size, 1):
        msg = f"{what} moves pixels by up to {largest:g}, but the image has {size}. Get the file again."
        raise WCSError(msg)
    for i in (1, 2):
        for card, default in ((f"CRPIX{i}", 0.0), (f"CRVAL{i}", 0.0), (f"CDELT{i}", 1.0)):
            value = hdu.header.get(card, default)
            if not _is_number(value) or abs(value) > _FAR or (card.startswith("CDELT") and value == 0):
                msg = f"{what} has {card} = {value!r}, which cannot be. Get the file again."
                raise WCSError(msg)
