"""What people hand over as an image, an error, a number or a WCS: arrays with and without mask and unit, NDData, Quantity, Time."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drizframe.errors import ArrayTypeError, InputError, ShapeError, told
from drizframe.model.bunit import PixelUnit, conversion_factor, parse_unit

__all__ = [
    "GivenImage",
    "error_power",
    "factor_between",
    "given_image",
    "in_unit",
    "is_nddata",
    "modified_julian",
    "real_array",
    "standard_deviation",
]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class GivenImage:
    """An image, and what came with it.

    Parameters
    ----------
    data : ndarray
        Numbers.
    unit : PixelUnit or None
        Unit that the object carries.
    mask : ndarray of bool or None
        True where a pixel is bad.
    err : ndarray or None
        Standard deviation, in the unit of the data.
    dq : ndarray or None
        Flags.
    wcs : Any
        World coordinates, or None.
    meta : mapping
        Keywords.
    """

    data: Array
    unit: PixelUnit | None = None
    mask: Array | None = None
    err: Array | None = None
    dq: Array | None = None
    wcs: Any = None
    meta: Mapping[str, Any] = field(default_factory=dict)


def is_nddata(value: Any) -> bool:
    """Whether this is an `astropy.nddata.NDData`, such as a CCDData."""
    nddata = sys.modules.get("astropy.nddata")
    return nddata is not None and isinstance(value, nddata.NDData)


def _has_unit(value: Any) -> bool:
    """Whether this is a Quantity."""
    return hasattr(value, "unit") and hasattr(value, "value") and hasattr(value, "to")


def real_array(value: Any, what: str, kinds: str = "biuf", wanted: str = "real numbers") -> Array:
    """Return `value` as an array whose numbers can be used."""
    try:
        array: Array = np.asarray(value)
    except (ValueError, TypeError) as error:
        msg = f"{what} is no array ({told(error)}); give an image of {wanted}."
        raise ArrayTypeError(msg) from error
    if array.dtype.kind not in kinds:
        msg = f"{what} holds numbers of type {array.dtype}; give {wanted}."
        raise ArrayTypeError(msg)
    return array


def given_image(value: Any, what: str) -> GivenImage:
    """Take an image apart.

    Parameters
    ----------
    value : array-like, masked array, Quantity or NDData
        The image.
    what : str
        Its name, for messages.

    Raises
    ------
    ArrayTypeError
        If its numbers are not real.
    InputError
        If its unit or its uncertainty cannot be used.
    ShapeError
        If mask or uncertainty have another shape.
    """
    if is_nddata(value):
        return _of_nddata(value, what)
    unit = parse_unit(value.unit, f"the unit of {what}") if _has_unit(value) else None
    mask = None
    if hasattr(value, "unmasked") and hasattr(value, "mask"):  # astropy's masked arrays and quantities
        mask, value = np.asarray(value.mask), value.unmasked
    elif np.ma.is_masked(value):
        mask = np.ma.getmaskarray(value)
    plain = value.value if _has_unit(value) else value
    return GivenImage(data=real_array(plain, what, "iuf"), unit=unit, mask=mask)


def _of_nddata(value: Any, what: str) -> GivenImage:
    inner = given_image(value.data, what)
    unit = inner.unit if value.unit is None else parse_unit(value.unit, f"the unit of {what}")
    masks = [m for m in (inner.mask, value.mask) if m is not None and m is not np.ma.nomask]
    mask = None
    for one in masks:
        spread = _like(np.asarray(one).astype(bool), inner.data, f"the mask of {what}")
        mask = spread if mask is None else mask | spread
    err = None
    if value.uncertainty is not None:
        err = _like(
            standard_deviation(value.uncertainty, value.unit, what), inner.data, f"the uncertainty of {what}"
        )
    flags = getattr(value, "flags", None)
    dq = np.asarray(flags) if isinstance(flags, np.ndarray) and flags.dtype.kind in "biu" else None
    if dq is not None:
        dq = _like(dq, inner.data, f"the flags of {what}")
    return GivenImage(
        data=inner.data, unit=unit, mask=mask, err=err, dq=dq, wcs=value.wcs, meta=value.meta or {}
    )


def _like(array: Array, image: Array, what: str) -> Array:
    """Return an array with the shape of an image; a single value counts everywhere."""
    if array.ndim and array.shape != image.shape:
        msg = f"{what} has shape {array.shape} but the image has {image.shape}. Give both on the same pixels."
        raise ShapeError(msg)
    return np.broadcast_to(array, image.shape)


def error_power(uncertainty: Any, what: str = "the image") -> float:
    """Return the power of an uncertainty that is a standard deviation."""
    power = {"std": 1.0, "var": 0.5, "ivar": -0.5}.get(uncertainty.uncertainty_type)
    if power is None:
        msg = (
            f"The uncertainty of {what} is a {type(uncertainty).__name__}, of which nothing says what it means. Give it as "
            "StdDevUncertainty, VarianceUncertainty or InverseVariance, or set it to None."
        )
        raise InputError(msg)
    return power


def standard_deviation(uncertainty: Any, unit: Any, what: str) -> Array:
    """Return the standard deviation, in `unit` (None: in its own), of any uncertainty of astropy."""
    power = error_power(uncertainty, what)
    numbers = real_array(uncertainty.array, f"the uncertainty of {what}").astype(np.float64)
    with np.errstate(
        divide="ignore", invalid="ignore"
    ):  # what comes out without being an error gets no weight
        sigma: Array = np.power(numbers, power)
    own = uncertainty.unit
    if own is None or unit is None:
        return sigma
    from astropy.units import UnitConversionError

    try:
        return sigma * float((own**power).to(unit))
    except UnitConversionError as error:
        msg = f"The uncertainty of {what} is in {str(own)!r}, which does not fit its unit {str(unit)!r}."
        raise InputError(msg) from error


def factor_between(own: PixelUnit, wanted: PixelUnit, what: str) -> float:
    """Return what numbers in one unit are multiplied by to be in another.

    Raises
    ------
    InputError
        If one is a rate and the other is not, or one counts what the other does not.
    """
    alike = own.kind == wanted.kind and own.rate == wanted.rate
    factor = conversion_factor(own, wanted) if alike else None
    if factor is None:
        msg = f"{what} is in {own.native if not own.physical else own.text!r}, but {wanted.text.lower()!r} is wanted. Convert it."
        raise InputError(msg)
    return factor * own.factor / wanted.factor


def in_unit(value: Any, units: tuple[str, ...], what: str) -> Any:
    """Return a Quantity as a number of the first of some units; anything else as it is.

    Parameters
    ----------
    value : Any
        What was given.
    units : tuple of str
        The unit that is wanted, and others of the same size.
    what : str
        Its name, for messages.
    """
    if not _has_unit(value):
        return value
    from astropy.units import Unit, UnitConversionError

    for unit in units:
        try:
            return value.to_value(Unit(unit))
        except UnitConversionError:
            continue
    msg = f"{what} is {value!r}; give a number or a Quantity in {units[0]}."
    raise InputError(msg)


def modified_julian(value: Any, what: str) -> Any:
    """Return a Time, datetime or Quantity of days as Modified Julian Date; anything else as it is."""
    if hasattr(value, "mjd"):
        return value.mjd
    if hasattr(value, "isoformat") and hasattr(value, "utcoffset"):
        from astropy.time import Time

        return Time(value).mjd
    return in_unit(value, ("day",), what)
