"""The frame of an image that the user names as reference."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drizframe.errors import FrameWarning, MissingInputError, ParameterError, WCSError
from drizframe.fits.beside import opened_fits
from drizframe.grids.checks import matrix_conflict
from drizframe.grids.custom_frames import check_size
from drizframe.grids.wcs import WcsState, cd_matrix, column_scale, core_wcs, orientation, tangent_wcs
from drizframe.model import Frame
from drizframe.model.wcs_headers import checked_wcs_header

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header
    from astropy.wcs import WCS

__all__ = ["frame_from_reference"]

#: Axes on the sky.
_AXES = frozenset({"RA", "DEC", *(a + b for a in "GESH" for b in ("LON", "LAT"))})
_EXTENSION = re.compile(r"^(?P<path>.*\S)\s*\[(?P<ext>[^\[\]]*)\]\s*$")


def warn(text: str) -> None:
    """Warn of a reference image."""
    warnings.warn(text, FrameWarning, stacklevel=5)


def frame_from_reference(
    refimage: Any, *, name: str = "refimage", tell: Callable[[str], None] = warn, limit: float | None = None
) -> Frame:
    """Return the frame of a reference image.

    Parameters
    ----------
    refimage : str, path, astropy.wcs.WCS or Frame
        ``"file.fits"`` takes the first HDU with a celestial WCS (CRVAL1 and a CD or PC matrix, or CDELT1);
        ``"file.fits[1]"`` and ``"file.fits[sci,1]"`` name one.  A WCS needs `pixel_shape`.
    name : str
        Name of the parameter, for messages.
    tell : callable
        Gets what the user should know; by default it is a Python warning.
    limit : float, optional
        Number of pixels that are allowed; None: the default.

    Returns
    -------
    Frame
        The core of the WCS: distortion of the reference is left out, with a warning (traps 06-11, 11-10).

    Raises
    ------
    MissingInputError
        If the file does not exist.
    UnreadableInputError
        If it is not a FITS file.
    WCSError
        If it has no such extension, or no celestial WCS there.
    ParameterError
        If it is something else, or has no size.
    """
    if isinstance(refimage, Frame):
        check_size(refimage.shape, f"{name} is a frame of that size.", limit)
        return refimage
    if isinstance(refimage, str | os.PathLike):
        frame = _from_file(os.fspath(refimage), name, tell)
        check_size(frame.shape, f"{name} ({os.fspath(refimage)!r}) is an image of that size.", limit)
        return frame
    if hasattr(refimage, "wcs") and hasattr(refimage, "pixel_shape"):
        if refimage.pixel_shape is None:
            msg = (
                f"{name} is a WCS without a size. Set its pixel_shape to (columns, rows) before you give it."
            )
            raise ParameterError(msg)
        nx, ny = (int(v) for v in refimage.pixel_shape)
        check_size((ny, nx), f"{name} is an image of that size.", limit)
        return _from_wcs(refimage, (ny, nx), name, tell)
    msg = (
        f"{name} is {type(refimage).__name__}; give the name of a FITS file, an astropy.wcs.WCS with "
        "pixel_shape, or a Frame."
    )
    raise ParameterError(msg)


def _from_wcs(wcs: WCS, shape: tuple[int, int], where: str, tell: Callable[[str], None]) -> Frame:
    """Return the frame of a WCS and a shape."""
    state = WcsState.of(wcs, where)
    if state.distorted:
        tell(
            f"{where} has a distorted WCS. Output frames are not distorted: only its linear part is used, "
            "and its pixel scale may include some of the distortion. Prefer a drizzled image."
        )
    conflict = matrix_conflict(wcs)
    if conflict:
        tell(f"{where}: {conflict}")
    cd = cd_matrix(wcs)
    in_projection = state.master is not None  # a distortion that is part of the projection (TPV)
    linear = (
        tangent_wcs(wcs, state.crval, state.crpix, cd, shape) if in_projection else core_wcs(wcs, shape, cd)
    )
    return Frame(
        wcs=linear, shape=shape, scale=column_scale(cd), orientation=orientation(cd), name=str(wcs.wcs.name)
    )


def _from_file(text: str, name: str, tell: Callable[[str], None]) -> Frame:
    """Return the frame of a file, with or without extension."""
    found = None if Path(text).is_file() else _EXTENSION.match(text)
    path, ext = (Path(text.strip()), None) if found is None else (Path(found["path"].strip()), found["ext"])
    if not path.is_file():
        msg = f"{name} is {text!r}, but there is no file {str(path)!r}. Give the name of a FITS file."
        raise MissingInputError(msg)
    with opened_fits(path, f"{name} is {text!r}") as hdus:
        header = _search(hdus, text, name) if ext is None else _named(hdus, ext, text, name)
        where = f"{name} ({text!r})"
        return _from_wcs(_wcs(header, hdus, where), _shape(header, text, name), where, tell)


def _search(hdus: HDUList, text: str, name: str) -> Header:
    """Return the header of the first HDU with a celestial WCS."""
    for hdu in hdus:
        if _has_wcs(hdu.header):
            header: Header = hdu.header
            return header
    msg = (
        f"{name} is {text!r}; none of its {len(hdus)} HDUs has CRVAL1 with a CD or PC matrix of a celestial "
        "WCS. Give an image with a WCS."
    )
    raise WCSError(msg)


def _named(hdus: HDUList, ext: str, text: str, name: str) -> Header:
    """Return the header of the extension that the user named."""
    parts = [p.strip() for p in ext.split(",")]
    try:
        key: Any = int(parts[0]) if parts[0].isdigit() else parts[0].upper()
        header: Header = hdus[key if len(parts) == 1 else (key, int(parts[1]))].header
    except (KeyError, IndexError, ValueError, TypeError) as error:
        there = ", ".join(f"{i}: {h.name},{h.ver}" for i, h in enumerate(hdus))
        msg = f"{name} is {text!r}, but the file has no extension [{ext}]. It has {there}."
        raise WCSError(msg) from error
    if not _has_wcs(header):
        msg = (
            f"{name} is {text!r}, but that extension has no CRVAL1 with a CD or PC matrix of a celestial WCS."
        )
        raise WCSError(msg)
    return header


def _has_wcs(header: Header) -> bool:
    """Whether a header describes two axes on the sky."""
    if "CRVAL1" not in header or not any(k in header for k in ("CD1_1", "PC1_1", "CDELT1")):
        return False
    return _celestial(str(header.get("CTYPE1", ""))) and _celestial(str(header.get("CTYPE2", "")))


def _celestial(ctype: str) -> bool:
    """Whether an axis type is a sky coordinate with a projection."""
    return ctype[:4].rstrip("-") in _AXES and len(ctype) > 5


def _wcs(header: Header, hdus: HDUList, where: str) -> WCS:
    """Read the WCS of a header."""
    from astropy.wcs import WCS, FITSFixedWarning

    checked, _ = checked_wcs_header(header, where, tables=hdus)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        return WCS(checked, fobj=hdus, naxis=2)


def _shape(header: Header, text: str, name: str) -> tuple[int, int]:
    """Return rows and columns of an image, or of the constant image that a header stands for."""
    for first, second in (("NAXIS1", "NAXIS2"), ("NPIX1", "NPIX2")):
        if header.get(first) and header.get(second):
            return int(header[second]), int(header[first])
    msg = f"{name} is {text!r}, whose header gives no size (NAXIS1, NAXIS2). Give an image."
    raise WCSError(msg)
