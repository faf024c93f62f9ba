"""Exposures made from arrays (the body of `Exposure.from_arrays`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import ArrayTypeError, InputError, ShapeError
from drizframe.model.exposure import ArraySource, Chip, Exposure, check_celestial

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

UNITS = ("electrons", "electrons/s", "counts", "counts/s")


def _listed(value: Any, count: int, what: str) -> list[Any]:
    """Return `value` as one entry per chip."""
    if value is None:
        return [None] * count
    items = list(value) if isinstance(value, list | tuple) else [value]
    if len(items) != count:
        msg = f"{what} holds {len(items)} entries but data holds {count} images. Give one for each image."
        raise InputError(msg)
    return items


def _header(wcs: WCS, shape: tuple[int, int], unit: str, extver: int) -> Header:
    """Return a science header that describes the array."""
    header: Header = wcs.to_header(relax=True)
    header["EXTNAME"], header["EXTVER"], header["BUNIT"] = "SCI", extver, unit.upper()
    header["NAXIS1"], header["NAXIS2"] = shape[1], shape[0]
    return header


def _array(value: Any, what: str, kinds: str, wanted: str) -> np.ndarray[Any, Any]:
    """Return `value` as an array whose numbers can be used."""
    array: np.ndarray[Any, Any] = np.asarray(value)
    if array.dtype.kind not in kinds:
        msg = f"{what} holds numbers of type {array.dtype}; give {wanted}."
        raise ArrayTypeError(msg)
    return array


def _unmasked(value: Any, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return an image with NaN under the mask of a masked array."""
    if not np.ma.is_masked(value):
        return array
    kind = array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)
    return np.where(np.ma.getmaskarray(value), kind.type(np.nan), array)


def _images(index: int, sci: Any, err: Any, dq: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Return the images of one chip after checking their shapes and types."""
    given = {"err": err, "dq": dq}
    sci = _unmasked(sci, _array(sci, f"data of chip {index + 1}", "biuf", "real numbers"))
    if sci.ndim != 2:
        msg = f"data of chip {index + 1} has {sci.ndim} dimensions; an image has 2 (rows, columns)."
        raise ShapeError(msg)
    images = {"sci": sci}
    for kind, other in given.items():
        if other is None:
            continue
        kinds, wanted = ("biu", "whole numbers (flags)") if kind == "dq" else ("biuf", "real numbers")
        array = _array(other, f"{kind} of chip {index + 1}", kinds, wanted)
        if array.shape != sci.shape:
            msg = (
                f"{kind} of chip {index + 1} has shape {array.shape} but its data has {sci.shape}. "
                "Give both on the same pixels."
            )
            raise ShapeError(msg)
        images[kind] = array if kind == "dq" else _unmasked(other, array)
        if kind == "dq" and np.ma.is_masked(other):
            images["sci"] = _unmasked(
                np.ma.array(images["sci"], mask=np.ma.getmaskarray(other)), images["sci"]
            )
    return images


def _number(value: Any, what: str, wanted: str, *, low: float = -np.inf, above: bool = False) -> float:
    """Return a finite number that is at least `low`, or above it."""
    if isinstance(value, str | bytes | bool) or value is None:
        number = np.nan
    else:
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = np.nan
    if not np.isfinite(number) or number < low or (above and number == low):
        msg = f"{what} is {value!r}; give {wanted}."
        raise InputError(msg)
    return number


def _linear_scale(wcs: WCS, name: str) -> float:
    """Return the pixel scale at the reference pixel in arcsec."""
    check_celestial(wcs, f"chip 1 of {name!r}")
    return float(3600.0 * np.sqrt(abs(np.linalg.det(wcs.pixel_scale_matrix))))


def exposure_from_arrays(
    data: Any, wcs: Any, *, name: str, exptime: float, err: Any, dq: Any, unit: str,
    gain: float, readnoise: float, dark: float | None, pixel_scale: float | None, start: float, end: float,
) -> Exposure:  # fmt: skip
    """See `Exposure.from_arrays`."""
    from astropy.io.fits import Header

    if unit not in UNITS:
        msg = f"unit is {unit!r}; choose one of {', '.join(UNITS)}."
        raise InputError(msg)
    if not isinstance(name, str) or not name.strip() or any(c in name for c in "/\\\0"):
        msg = f"name is {name!r}; give a text without slashes (names of intermediate files begin with it)."
        raise InputError(msg)
    exptime = _number(exptime, f"exptime of {name!r}", "seconds above 0", low=0, above=True)
    gain = _number(gain, f"gain of {name!r}", "electrons per count, above 0", low=0, above=True)
    readnoise = _number(readnoise, f"readnoise of {name!r}", "electrons, 0 or above", low=0)
    start = _number(start, f"start of {name!r}", "a Modified Julian Date")
    end = _number(end, f"end of {name!r}", "a Modified Julian Date")
    if dark is not None:
        dark = _number(dark, f"dark of {name!r}", "electrons, 0 or above", low=0)
    if pixel_scale is not None:
        pixel_scale = _number(pixel_scale, f"pixel_scale of {name!r}", "arcsec above 0", low=0, above=True)
    images = list(data) if isinstance(data, list | tuple) else [data]
    count = len(images)
    if not count:
        msg = f"data of {name!r} holds no image. Give at least one."
        raise InputError(msg)
    wcs_list, err_list, dq_list = (
        _listed(wcs, count, "wcs"),
        _listed(err, count, "err"),
        _listed(dq, count, "dq"),
    )
    scale = pixel_scale if pixel_scale is not None or count == 1 else _linear_scale(wcs_list[0], name)
    rate = unit.endswith("/s")
    factor = float(gain) if unit.startswith("counts") else 1.0
    chips = []
    for k, sci in enumerate(images):
        arrays = _images(k, sci, err_list[k], dq_list[k])
        check_celestial(wcs_list[k], f"chip {k + 1} of {name!r}")
        shape = (arrays["sci"].shape[0], arrays["sci"].shape[1])
        chips.append(
            Chip(
                extver=k + 1,
                shape=shape,
                wcs=wcs_list[k],
                load=ArraySource(arrays),
                header=_header(wcs_list[k], shape, unit, k + 1),
                exptime=float(exptime),
                gain=float(gain),
                effective_gain=factor,
                conversion=factor * (float(exptime) if rate else 1.0),
                readnoise=float(readnoise),
                dark=dark,
                rate=rate,
                bunit=unit.upper(),
                native_unit=unit,
                detector_chip=k + 1,
                idc_scale=scale,
            )
        )
    primary = Header()
    label = name.encode("ascii", "backslashreplace").decode()
    primary["EXPTIME"], primary["ROOTNAME"], primary["FILENAME"] = float(exptime), label, label
    primary["EXPSTART"], primary["EXPEND"] = start, end
    return Exposure(
        name=name, exptime=float(exptime), chips=tuple(chips), start=start, end=end, primary=primary
    )
