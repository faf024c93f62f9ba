"""Exposures made from arrays (the body of `Exposure.from_arrays`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import InputError, ShapeError
from drizframe.model.bunit import WANTED, PixelUnit, parse_unit
from drizframe.model.exposure import ArraySource, Chip, Exposure
from drizframe.model.given import (
    GivenImage,
    error_power,
    factor_between,
    given_image,
    in_unit,
    modified_julian,
    real_array,
    standard_deviation,
)
from drizframe.model.pixel_scale import square_side
from drizframe.model.sky_wcs import celestial

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

Array = np.ndarray[Any, Any]

#: Images of whole numbers that hold no more different ones than these are no counts (masks, flat test images).
_FEW = 2
#: Where the scatter of pixels tells counts from rates: exposures of some seconds, a level far above that of the readout noise, this
#: many pixels, and a variance that is nearly the level.
_LONG, _BRIGHT, _SOME, _POISSON = 5.0, 20.0, 400, (0.7, 1.6)


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
    header["EXTNAME"], header["EXTVER"], header["BUNIT"] = "SCI", extver, unit
    header["NAXIS1"], header["NAXIS2"] = shape[1], shape[0]
    return header


def _hidden(array: Array, mask: Array | None) -> Array:
    """Return an image with NaN under a mask."""
    if mask is None or not mask.any():
        return array
    kind = array.dtype if array.dtype.kind == "f" else np.dtype(np.float64)
    return np.where(mask, kind.type(np.nan), array)


def _scatters_like_counts(images: Sequence[Array], exptime: float) -> bool:
    """Whether neighbouring pixels scatter as counted photons do, and far more than rates over that time would.

    Notes
    -----
    Electrons of an image divided by its flat field are no whole numbers any more, but their variance is still their level; that
    of a rate is its level over the time, and what the readout adds is small beside it at the levels that are looked at.
    """
    if exptime < _LONG:
        return False
    for image in images:
        values = image[:: max(1, image.shape[0] // 256)].astype(np.float64)
        if values.ndim != 2 or values.size < _SOME:
            return False
        finite = values[np.isfinite(values)]
        steps = np.diff(values, axis=1)
        steps = steps[np.isfinite(steps)]
        if finite.size < _SOME or steps.size < _SOME:
            return False
        level = float(np.median(finite))
        variance = (1.4826 * float(np.median(np.abs(steps - np.median(steps))))) ** 2 / 2
        if level < _BRIGHT or not _POISSON[0] < variance / level < _POISSON[1]:
            return False
    return True


def _like_counts(images: Sequence[Array]) -> bool:
    """Whether images hold whole numbers only, as counts do: by type, or all numbers of several."""
    return all(i.dtype.kind in "biu" or _whole(i) for i in images)


def _whole(image: Array) -> bool:
    """Whether an image of floats holds nothing but whole numbers, and more than two of them."""
    seen: set[float] = set()
    found = False
    for row in image:
        finite = row[np.isfinite(row)]
        if np.any(finite != np.floor(finite)):
            return False
        if len(seen) <= _FEW:
            seen |= set(np.unique(finite)[: _FEW + 1].tolist())
        found = found or len(seen) > _FEW
    return found


def _unit(given: Any, images: Sequence[GivenImage], name: str, exptime: float) -> tuple[PixelUnit, str]:
    """Return the unit of the images of an exposure of that many seconds, and what was assumed."""
    declared = None if given is None else parse_unit(given, f"unit of {name!r}")
    if declared is not None:
        return declared, ""
    if given is not None:
        msg = f"unit of {name!r} is blank; {WANTED}."
        raise InputError(msg)
    own = [i.unit for i in images if i.unit is not None]
    if own:
        return dataclasses.replace(own[0], factor=1.0), ""
    arrays = [i.data for i in images]
    fault = f"holds whole numbers (type {arrays[0].dtype})" if _like_counts(arrays) else ""
    if not fault and _scatters_like_counts(arrays, exptime):
        fault = "scatters by the root of its level"
    if fault:
        msg = (
            f"data of {name!r} {fault}, as counts do, but no unit is given. Give unit to "
            "from_arrays: 'counts' or 'electrons' for what the exposure gathered, 'counts/s' or 'electrons/s' for rates; or "
            "data with a unit."
        )
        raise InputError(msg)
    assumed = parse_unit("electrons/s")
    assert assumed is not None  # noqa: S101
    return assumed, "no unit given; taken as electrons/s"


def _scaled(image: Array, factor: float) -> Array:
    return image if factor == 1.0 else image * factor


def _images(index: int, sci: GivenImage, err: Any, dq: Any, unit: PixelUnit) -> dict[str, Array]:
    """Return the images of one chip, in `unit`, after checking their shapes and types."""
    what = f"data of chip {index + 1}"
    if sci.data.ndim != 2:
        msg = f"{what} has {sci.data.ndim} dimensions; an image has 2 (rows, columns)."
        raise ShapeError(msg)
    factor = (
        unit.factor
        if sci.unit is None
        else factor_between(sci.unit, dataclasses.replace(unit, factor=1.0), what)
    )
    images = {"sci": _hidden(_scaled(sci.data, factor), sci.mask)}
    if err is not None:
        images["err"] = _error(index, err, unit)
    elif sci.err is not None:
        images["err"] = _hidden(_scaled(sci.err, factor), sci.mask)
    flags = sci.dq if dq is None else dq
    if flags is not None:
        images["dq"] = real_array(flags, f"dq of chip {index + 1}", "biu", "whole numbers (flags)")
        if np.ma.is_masked(flags):
            images["sci"] = _hidden(images["sci"], np.ma.getmaskarray(flags))
    for kind, array in images.items():
        if array.shape != sci.data.shape:
            msg = (
                f"{kind} of chip {index + 1} has shape {array.shape} but its data has {sci.data.shape}. "
                "Give both on the same pixels."
            )
            raise ShapeError(msg)
    return images


def _error(index: int, err: Any, unit: PixelUnit) -> Array:
    """Return an error image in `unit`."""
    what = f"err of chip {index + 1}"
    if hasattr(err, "uncertainty_type"):
        sigma = standard_deviation(err, None, what)
        own = None if err.unit is None else parse_unit(err.unit ** error_power(err), f"the unit of {what}")
        found = GivenImage(data=sigma, unit=own)
    else:
        found = given_image(err, what)
    factor = (
        unit.factor
        if found.unit is None
        else factor_between(found.unit, dataclasses.replace(unit, factor=1.0), what)
    )
    return _hidden(_scaled(found.data, factor), found.mask)


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


def _common_scale(wcs_list: Sequence[WCS]) -> float | None:
    """Return the scale, in arcsec, that the flat fields of distorted chips refer to; None without distortion."""
    if all(wcs.sip is None for wcs in wcs_list):
        return None
    return square_side(wcs_list[0].pixel_scale_matrix)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """Numbers that describe an exposure, checked."""

    exptime: float
    gain: float
    readnoise: float
    start: float
    end: float
    dark: float | None
    pixel_scale: float | None


#: Characters of a name that leave room for what intermediate files add, within the 255 bytes of file systems.
_LONGEST_NAME = 120


def _no_file_name(name: str) -> bool:
    """Whether no file can begin with this name."""
    return any(c in name for c in "/\\\0") or not name.isprintable() or len(name.encode()) > _LONGEST_NAME


def _facts(name: str, given: Mapping[str, Any]) -> _Facts:
    """Check the numbers of `Exposure.from_arrays`."""
    electrons = ("electron", "electron / pix")
    exptime = in_unit(given["exptime"], ("s",), f"exptime of {name!r}")
    gain = in_unit(
        given["gain"], ("electron / adu", "electron / ct", "electron / DN", "electron"), f"gain of {name!r}"
    )
    noise = in_unit(given["readnoise"], electrons, f"readnoise of {name!r}")
    dark = in_unit(given["dark"], electrons, f"dark of {name!r}")
    side = in_unit(given["pixel_scale"], ("arcsec", "arcsec / pix"), f"pixel_scale of {name!r}")
    start, end = (modified_julian(given[k], f"{k} of {name!r}") for k in ("start", "end"))
    arcsec = "arcsec above 0"
    return _Facts(
        exptime=_number(exptime, f"exptime of {name!r}", "seconds above 0", low=0, above=True),
        gain=_number(gain, f"gain of {name!r}", "electrons per count, above 0", low=0, above=True),
        readnoise=_number(noise, f"readnoise of {name!r}", "electrons, 0 or above", low=0),
        start=_number(start, f"start of {name!r}", "a Modified Julian Date or a Time"),
        end=_number(end, f"end of {name!r}", "a Modified Julian Date or a Time"),
        dark=None if dark is None else _number(dark, f"dark of {name!r}", "electrons, 0 or above", low=0),
        pixel_scale=None
        if side is None
        else _number(side, f"pixel_scale of {name!r}", arcsec, low=0, above=True),
    )


def _wcs_of(wcs: Any, images: Sequence[GivenImage], name: str) -> list[WCS]:
    """Return the WCS of each image; without one, that which it carries."""
    listed = [i.wcs for i in images] if wcs is None else _listed(wcs, len(images), "wcs")
    return [celestial(w, f"chip {k + 1} of {name!r}") for k, w in enumerate(listed)]


def exposure_from_arrays(
    data: Any, wcs: Any, *, name: str, err: Any, dq: Any, unit: Any, **given: Any
) -> Exposure:
    """See `Exposure.from_arrays`."""
    from astropy.io.fits import Header

    if not isinstance(name, str) or not name.strip() or _no_file_name(name):
        msg = (
            f"name is {name!r:.60}; give a text of at most {_LONGEST_NAME} printable characters without slashes (names "
            "of intermediate files begin with it)."
        )
        raise InputError(msg)
    facts = _facts(name, given)
    listed = list(data) if isinstance(data, list | tuple) else [data]
    count = len(listed)
    if not count:
        msg = f"data of {name!r} holds no image. Give at least one."
        raise InputError(msg)
    images = [given_image(d, f"data of chip {k + 1}") for k, d in enumerate(listed)]
    err_list, dq_list = _listed(err, count, "err"), _listed(dq, count, "dq")
    pixel, assumed = _unit(unit, images, name, facts.exptime)
    arrays = [_images(k, i, err_list[k], dq_list[k], pixel) for k, i in enumerate(images)]
    wcs_list = _wcs_of(wcs, images, name)
    scale = facts.pixel_scale if facts.pixel_scale is not None or count == 1 else _common_scale(wcs_list)
    factor = facts.gain if pixel.kind == "counts" else 1.0
    chips = []
    for k, planes in enumerate(arrays):
        shape = (planes["sci"].shape[0], planes["sci"].shape[1])
        chips.append(
            Chip(
                extver=k + 1,
                shape=shape,
                wcs=wcs_list[k],
                load=ArraySource(planes),
                header=_header(wcs_list[k], shape, pixel.text, k + 1),
                exptime=facts.exptime,
                gain=facts.gain,
                effective_gain=factor,
                conversion=factor * (facts.exptime if pixel.rate else 1.0),
                readnoise=facts.readnoise,
                dark=facts.dark,
                rate=pixel.rate,
                bunit=pixel.text,
                native_unit=pixel.native,
                detector_chip=k + 1,
                idc_scale=scale,
                pixel_scale=facts.pixel_scale,
            )
        )
    primary = Header()
    label = name.encode("ascii", "backslashreplace").decode()
    primary["EXPTIME"], primary["ROOTNAME"], primary["FILENAME"] = facts.exptime, label, label
    primary.update({k: date for k, date in (("EXPSTART", facts.start), ("EXPEND", facts.end)) if date})
    return Exposure(
        name=name, exptime=facts.exptime, chips=tuple(chips), start=facts.start, end=facts.end, primary=primary,
        history=(assumed,) if assumed else (),
    )  # fmt: skip
