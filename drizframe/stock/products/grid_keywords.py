"""Keywords that describe a grid of pixels: they hold for the array they were written for, and for no other.

A product of drizzling has another grid than its inputs, so none of these may be copied to it.  What is true of
the product is written anew: `drizframe.stock.products.wcs_keywords`.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from drizframe.headers.words import EQUINOX, TERMS, WORLD

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

__all__ = [
    "EQUINOX", "MODEL", "NEUTRAL", "PLACE", "STRUCTURE", "TERMS", "WORLD",
    "describes_array", "drop_grid", "is_alternate", "put_pixel_sizes", "remove",
]  # fmt: skip

#: The form of the array in its file, its compression, and sums over it.
STRUCTURE = re.compile(
    r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|EXTEND|GROUPS|BLOCKED|PCOUNT|GCOUNT|PTYPE\d+|PSCAL\d+|PZERO\d+"
    r"|BSCALE|BZERO|BLANK|CHECKSUM|DATASUM|PIXVALUE|NPIX\d|EXTNAME|EXTVER|EXTLEVEL|HDUNAME"
    r"|TFIELDS|THEAP|T(TYPE|FORM|UNIT|NULL|SCAL|ZERO|DISP|BCOL|DIM)\d+"
    r"|Z(IMAGE|TABLE|SIMPLE|TENSION|EXTEND|BITPIX|NAXIS\d*|TILE\d+|CMPTYPE|NAME\d+|VAL\d+|MASKCMP|QUANTIZ|DITHER0"
    r"|BLANK|SCALE|ZERO|PCOUNT|GCOUNT|HECKSUM|DATASUM|BLOCKED)|FZ(ALGOR|QVALUE|QMETHD|DTHRSD|INT2F|HCOMP)"
)
#: What AstroDrizzle leaves of an archived WCS: numbers that say nothing of a grid.
NEUTRAL = re.compile(r"CDELT\dO|RESTFRQO|RESTWAVO|WCSTYPEO")
#: Models of instruments and of plates, from which world coordinates were made.
MODEL = re.compile(
    r"TDD(?!CORR)\w*|IDC(?!TAB)\w*|OC[XY]\d\d|O(CD\d_\d|C(RPIX|RVAL|TYPE)\d|NAXIS\d|ORIENTA)"
    r"|S(CD\d_\d|CTYPE\d|CRVAL\d|CRPIX\d|NAXIS\d)|AMD[XY]\d+|PPO\d+|PLTRA[HMS]|PLTDEC(SN|D|M|S)|CNPIX\d|[XY]PIXELSZ"
)
#: Where the image lies on its detector, how its axes run, and where its corners lie on the sky.  What was commanded (aperture,
#: subarray, binning, SIZAXISn, CENTERAn) and where the telescope looked (RA_V1, PA_V3, PA_APER) is of the observation, and stays.
PLACE = re.compile(
    r"LTV\d|LTM\d_\d|[AD]T[VM]\d(_\d)?|[ABCDT]SEC[A-Z\d]?|SUBSTRT\d|SUBSIZE\d"
    r"|(CCD|DATA|DET|TRIM|BIAS|AMP|ORIG|PRESC|OVERSC|OVR|STAT|NORM|IMG|SCI|FRM|ROI)SEC[A-Z\d]?"
    r"|S_REGION|FOOTPRNT|COR(N|NR)?\d?(RA|DEC)\d?|(RA|DEC)C?[1-4]|(RA|DEC)_CENT|CEN(RA|DEC)1|CENT(RA|DEC)"
    r"|(RA|DEC)C?_?(MIN|MAX)|TR\d+_\d+|[XY]?REFPIX[12XY]?|[XY]REF_SCI|(FAST|SLOW)AXIS|MIR_REVR|CHIP[XY]OFF|[XY]ORGSUBF"
    r"|(ROW|COL)OFFST|(PRD|EFP)-(MIN|RNG)\d|S_(EF|OS|CT|PR)(MN|MX)\d\d|WCSTY\d[A-Z]?"
)
#: Extreme values of the pixels, as IRAF and its like write them.
_EXTREMES = re.compile(r"IRAF-(MIN|MAX)|ALLG-(MIN|MAX)|DATA(MIN|MAX)")
#: A section of an image, as the whole of a value: whatever the keyword, it counts pixels of one array.
_SECTION = re.compile(r"\s*\[\s*-?\d+\s*:\s*-?\d+\s*,\s*-?\d+\s*:\s*-?\d+\s*\]\s*")
#: Sizes of a whole camera are written like sections.
_CAMERA = re.compile(r"(DET|CCD|MOS)SIZE")
#: Side of a pixel on the sky, with its axis.
_SIDE = re.compile(
    r"(?:PIXSCALE?|PIXELSCL|PIXSCL|PXSCALE|PXSCAL|SECPIX|SECPPIX|PLATESC)([12XY]?)|([XY])PIXSCALE?"
)
#: Words that mean the side of a pixel in some headers, other things in others.
_MAYBE_SIDE = re.compile(r"(?:SCALE|PSCALE|PLTSCALE)([12XY]?)()")
#: Area of a pixel on the sky: unit in square degrees.
_AREAS = {"PIXAR_A2": 3600.0**-2, "PIXAR_SR": math.degrees(1.0) ** 2}
#: Units in which headers give the side of a pixel, in degrees.
_UNITS = (1 / 3600, 1.0, 1 / 60, 1 / 3.6e6, math.degrees(1.0))
#: How far a nominal scale may be from the true one, relative.
_NOMINAL = 0.15


def remove(header: Header, *patterns: re.Pattern[str], keep: re.Pattern[str] | None = None) -> None:
    """Remove the keywords that match a pattern as a whole.

    Parameters
    ----------
    header : Header
        Header that is changed.
    *patterns : re.Pattern
        What to remove.
    keep : re.Pattern, optional
        What stays all the same.
    """
    for key in list(dict.fromkeys(header)):
        if any(p.fullmatch(key) for p in patterns) and not (keep and keep.fullmatch(key)):
            header.remove(key, ignore_missing=True, remove_all=True)


def is_alternate(key: str) -> bool:
    """Tell whether a keyword belongs to alternate world coordinates.

    Parameters
    ----------
    key : str
        Keyword.
    """
    if key == "ORIENTAT" or not key[-1:].isalpha() or not WORLD.fullmatch(key):
        return False
    return bool(WORLD.fullmatch(key[:-1]) or EQUINOX.fullmatch(key[:-1]))


def describes_array(key: str) -> bool:
    """Tell whether a keyword belongs to the array it stands with rather than to the exposure.

    Parameters
    ----------
    key : str
        Keyword.
    """
    return key == "BUNIT" or any(p.fullmatch(key) for p in (STRUCTURE, WORLD, EQUINOX, TERMS, MODEL, PLACE))


def drop_grid(header: Header, *, equinox: bool = True, keep: re.Pattern[str] | None = None) -> None:
    """Remove all that describes the array of an input.

    Parameters
    ----------
    header : Header
        Header that is changed.
    equinox : bool
        Whether ``EQUINOX`` goes too.
    keep : re.Pattern, optional
        What stays all the same, besides what AstroDrizzle leaves.
    """
    ours = re.compile(f"{NEUTRAL.pattern}|{keep.pattern}") if keep else NEUTRAL
    remove(
        header, STRUCTURE, WORLD, TERMS, MODEL, PLACE, _EXTREMES, *((EQUINOX,) if equinox else ()), keep=ours
    )
    for card in list(header.cards):
        named = card.keyword not in {"", "COMMENT", "HISTORY"} and not _CAMERA.fullmatch(card.keyword)
        if named and isinstance(card.value, str) and _SECTION.fullmatch(card.value):
            header.remove(card.keyword, ignore_missing=True, remove_all=True)


def put_pixel_sizes(header: Header, was: WCS, wcs: WCS) -> None:
    """Give the keywords for side and area of a pixel the values of a new grid.

    Parameters
    ----------
    header : Header
        Header that is changed.
    was : astropy.wcs.WCS
        World coordinates that the values in the header belong to.
    wcs : astropy.wcs.WCS
        World coordinates of the product.

    Notes
    -----
    The unit of a side is whichever makes the present value that of `was`, within 15 % as headers often hold
    nominal values; a value that fits no unit is removed, as nobody can say what it means.
    """
    for key in list(dict.fromkeys(header)):
        word = key.split(" ")[-1]
        if word in _AREAS:
            header[key] = _sides(wcs)[""] ** 2 / _AREAS[word]
            continue
        sure = _SIDE.fullmatch(word)
        match = sure or _MAYBE_SIDE.fullmatch(word)
        if match is None:
            continue
        axis = match[1] or match[2] or ""
        value = _in_same_unit(header[key], _sides(was)[axis], _sides(wcs)[axis])
        if value is not None:
            header[key] = value
        elif sure:
            header.remove(key, remove_all=True)


def _sides(wcs: WCS) -> dict[str, float]:
    """Return the sides of a pixel in degrees by axis; without one, the root of the area."""
    (a, b), (c, d) = wcs.pixel_scale_matrix
    x, y = math.hypot(a, c), math.hypot(b, d)
    return {"": math.sqrt(abs(a * d - b * c)), "1": x, "X": x, "2": y, "Y": y}


def _in_same_unit(value: object, was: float, now: float) -> float | None:
    """Return `now` in the unit that makes `value` equal to `was`; None if there is no such unit."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    for unit in _UNITS:
        if abs(abs(number) * unit / was - 1) < _NOMINAL:
            return math.copysign(now / unit, number)
    return None
