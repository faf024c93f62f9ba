"""Keywords of the WCS in products: which go, and which come."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Frame

__all__ = ["STALE", "TABLES", "put_wcs", "wcs_type"]

#: Keywords of distortion and of earlier solutions, which no product has.
STALE = re.compile(
    r"^(D2IM(?!FILE).*|DP\d.*|CPDIS\d|CPERR\d|CP\d.*|TDD(?!CORR)\w*|DGEOEXT|NPOLEXT|[AB]P?_(ORDER|DMAX|\d+_\d+)|MJDREF"
    r"|IDC(?!TAB)\w*|S(CD\d_\d|CTYPE\d|CRVAL\d|CRPIX\d|NAXIS\d|ORIENTA)|(?:CD|PC)\d_\d|PV\d_\d|CDELT\d|CROTA\d"
    r"|(WCSNAME|WCSAXES|WCSTYPE|C(TYPE|RPIX|RVAL|DELT|UNIT|ROTA)\d|(CD|PC|PV|PS)\d_\d|LONPOLE|LATPOLE|RADESYS|EQUINOX"
    r"|RESTFRQ|RESTWAV|MJDREF)[A-Z])$"
)
#: Look-up tables and time-dependent terms, which a file without the tables must not name.
TABLES = re.compile(r"^(D2IM(?!FILE).*|DP\d.*|CPDIS\d|CPERR\d|TDD_C\w*|NPOLEXT)$")


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


def put_wcs(header: Header, frame: Frame) -> None:
    """Write the WCS of a frame.

    Parameters
    ----------
    header : Header
        Header that gets it.
    frame : Frame
        The grid.
    """
    core = frame.wcs.wcs
    matrix = frame.wcs.pixel_scale_matrix
    if frame.name:
        header["WCSNAME"] = (frame.name, "Coordinate system title")
        header["WCSTYPE"] = wcs_type(frame.name)
    else:
        header.remove("WCSNAME", ignore_missing=True)
    header["WCSAXES"] = (2, "Number of coordinate axes")
    header["VAFACTOR"] = (1.0, "velocity aberration plate scale factor")
    header["ORIENTAT"] = (frame.orientation, "position angle of image y axis (deg. e of n)")
    for i in (0, 1):
        header[f"CTYPE{i + 1}"] = core.ctype[i].removesuffix("-SIP")
        header[f"CRPIX{i + 1}"] = float(core.crpix[i])
        header[f"CRVAL{i + 1}"] = float(core.crval[i])
        header[f"CUNIT{i + 1}"] = "deg"
        for j in (0, 1):
            header[f"CD{i + 1}_{j + 1}"] = float(matrix[i, j])
    if core.radesys:
        header["RADESYS"] = core.radesys
    if core.radesys.startswith("FK") and core.equinox == core.equinox:
        header["EQUINOX"] = float(core.equinox)
