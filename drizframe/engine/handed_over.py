"""Objects that people hand over in place of file names: NDData become exposures, others are refused with what to give."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.inputs import root_name
from drizframe.errors import InputError, ParameterError
from drizframe.hooks import InstrumentOptions
from drizframe.model import ArraySource, Exposure
from drizframe.model.given import GivenImage, given_image, in_unit, is_nddata, modified_julian
from drizframe.model.sky_wcs import celestial

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["exposure_of_nddata", "is_one_object", "refuse_foreign"]

_FROM_ARRAYS = "Exposure.from_arrays(data, wcs, exptime=…, unit=…)"
_OF_HDU = "Exposure.from_arrays(hdu.data, WCS(hdu.header), exptime=…, unit=hdu.header['BUNIT'])"
_NAMES = "give file names (text or pathlib.Path), a wildcard, '@list', or a list of these"

#: Keywords of `meta` that may be a Quantity, and their unit in a header.
_UNITS = {
    "EXPTIME": ("s",), "GAIN": ("electron / adu", "electron / ct", "electron / DN"), "RDNOISE": ("electron",),
    "READNOIS": ("electron",),
}  # fmt: skip
_TIMES = frozenset({"EXPSTART", "EXPEND"})


def is_one_object(value: Any) -> bool:
    """Whether something that can be iterated is one thing all the same: an image, an open file, a header, a mapping."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind not in "USO"
    return (
        isinstance(value, bytes | bytearray | Mapping)
        or type(value).__name__ in ("HDUList", "Header", "WCS")
        or is_nddata(value)
        or hasattr(value, "read")
        or hasattr(value, "dtype")
    )


def refuse_foreign(item: Any) -> None:
    """Raise `ParameterError` for what is no name of a file; say what came and what to give.

    Parameters
    ----------
    item : Any
        One of the inputs that is neither an exposure nor NDData.
    """
    if isinstance(item, str | os.PathLike):
        return
    raise ParameterError(f"input holds {_what(item)}")


def _what(item: Any) -> str:
    """Return what an object is, and what to give in its place."""
    name = type(item).__name__
    if item is None:
        return f"None; {_NAMES}, or exposures made by {_FROM_ARRAYS}."
    if isinstance(item, bytes | bytearray):
        return f"bytes; {_NAMES}."
    if name == "HDUList":
        return f"an open FITS file ({name}); give the name of the file, or make an exposure of each image by {_OF_HDU}."
    if hasattr(item, "header") and hasattr(item, "data"):
        return f"an extension of a FITS file ({name}); give the name of the file, or make an exposure of it by {_OF_HDU}."
    if isinstance(item, np.ndarray):
        return f"an array ({name} of shape {item.shape}); make an exposure of it by {_FROM_ARRAYS}."
    if isinstance(item, tuple | list):
        kinds = ", ".join(type(i).__name__ for i in item)
        return f"a {name} ({kinds}); make an exposure of each image and its WCS by {_FROM_ARRAYS}."
    if hasattr(item, "read") and not hasattr(item, "colnames"):
        return f"an open stream ({name}); give the name of its file, or open it with fits.open and use {_OF_HDU}."
    if name == "Header" or hasattr(item, "pixel_to_world_values"):
        return f"a {name} without an image; {_NAMES}, or make an exposure by {_FROM_ARRAYS}."
    if isinstance(item, Mapping):
        return f"a {name}; {_NAMES}, or exposures made by {_FROM_ARRAYS}."
    return f"{item!r:.80} ({name}); {_NAMES}, or exposures made by {_FROM_ARRAYS}."


def exposure_of_nddata(
    value: Any, number: int, *, instrument: Callable[[Any], Any], options: InstrumentOptions
) -> Exposure:
    """Return the exposure that an NDData (CCDData) holds: image, mask, uncertainty, flags, unit, WCS and keywords.

    Parameters
    ----------
    value : astropy.nddata.NDData
        One image.
    number : int
        Its place among the inputs, from 1; its name where ``meta`` tells none.
    instrument : callable
        Finds the `Instrument` for a primary header.
    options : InstrumentOptions
        The user's gain, read noise and exposure time.

    Raises
    ------
    InputError
        If unit or exposure time are missing.
    WCSError
        If it has no celestial WCS.
    """
    kind = type(value).__name__
    what = f"input number {number} ({kind})"
    given = given_image(value, what)
    primary = _header(given.meta)
    name = _name(primary, number)
    what = f"{name!r} ({kind})"
    if value.unit is None and not str(primary.get("BUNIT", "") or "").strip():
        msg = f"{what} has no unit. Give it one (unit='electron'), or make the exposure by {_FROM_ARRAYS}."
        raise InputError(msg)
    if given.data.ndim != 2:
        msg = f"{what} has {given.data.ndim} dimensions; an image has 2 (rows, columns). Give one for each image."
        raise InputError(msg)
    wcs = celestial(given.wcs, what)
    if not options.extra.get("coeffs", True):
        wcs = wcs.deepcopy()
        wcs.sip = wcs.cpdis1 = wcs.cpdis2 = wcs.det2im1 = wcs.det2im2 = None
    science = _science(primary, wcs, given, value.unit)
    record = instrument(primary)
    exposure: Exposure = record.read(
        primary.copy(), {1: science}, name=name, path=None, source=lambda _: ArraySource(_planes(given)),
        options=options, wcs=lambda _: wcs,
    )  # fmt: skip
    if not exposure.exptime > 0:
        msg = (
            f"{what} has no exposure time (EXPTIME is {primary.get('EXPTIME')!r}). Write meta['EXPTIME'] in seconds, give exptime "
            f"or expkeyword to run, or make the exposure by {_FROM_ARRAYS}."
        )
        raise InputError(msg)
    return dataclasses.replace(exposure, extra={**exposure.extra, "rules": record.rules})


def _header(meta: Mapping[str, Any]) -> Header:
    """Return keywords as a header; what no card can hold is left out."""
    from astropy.io.fits import Header

    if isinstance(meta, Header):
        return meta.copy()
    header = Header()
    for key, value in meta.items():
        name = str(key).upper()
        plain = in_unit(value, _UNITS[name], f"meta[{key!r}]") if name in _UNITS else value
        plain = modified_julian(plain, f"meta[{key!r}]") if name in _TIMES else plain
        if len(name) <= 8 and isinstance(
            plain, str | bool | int | float | np.bool_ | np.integer | np.floating
        ):
            try:
                header[name] = plain
            except ValueError:  # a name or text that FITS has no place for
                continue
    return header


def _name(primary: Header, number: int) -> str:
    """Return the root name of an exposure."""
    text = str(primary.get("FILENAME", "") or primary.get("ROOTNAME", "") or "").strip()
    return root_name(PurePath(text).name) if text else f"image{number}"


def _science(primary: Header, wcs: Any, given: GivenImage, unit: Any) -> Header:
    """Return a science header that describes the image."""
    header: Header = primary.copy()
    for key in ("SIMPLE", "XTENSION", "NAXIS3", "BSCALE", "BZERO"):
        header.remove(key, ignore_missing=True)
    header.update(wcs.to_header(relax=True))
    rows, columns = given.data.shape
    header["NAXIS"], header["NAXIS1"], header["NAXIS2"] = 2, columns, rows
    header["EXTNAME"], header["EXTVER"] = "SCI", 1
    if unit is not None:
        header["BUNIT"] = unit.to_string()
    return header


def _planes(given: GivenImage) -> dict[str, np.ndarray[Any, Any]]:
    """Return the images of a chip, NaN under the mask."""
    planes = {"sci": given.data}
    if given.err is not None:
        planes["err"] = given.err
    if given.mask is not None and given.mask.any():
        planes = {
            k: np.where(given.mask, np.nan, v.astype(np.result_type(v, np.float32)))
            for k, v in planes.items()
        }
    if given.dq is not None:
        planes["dq"] = given.dq
    return planes
