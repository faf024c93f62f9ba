"""Single arguments of the array interface: numbers, arrays, sizes.  What cannot be used is refused by name."""

from __future__ import annotations

import math
import numbers
import operator
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from drizframe.errors import ArrayTypeError, OutOfMemoryError, ParameterError, ShapeError, told

__all__ = [
    "LARGEST",
    "array_of",
    "brief",
    "check_room",
    "number",
    "positive",
    "refuse_memory_error",
    "shape_of",
    "truth",
    "whole",
]

#: Largest size of an output, and of a copy of an input, without `max_pixels`.
MAX_BYTES = 8 << 30
#: Factors beyond these are no measured numbers; their squares still fit float64, their products with data too.
SMALLEST, LARGEST = 1e-30, 1e30
#: What the first letters of NumPy's kinds of types mean to users.
KINDS = {"b": "truth values", "i": "integers", "u": "unsigned integers", "f": "floating-point numbers"}


def brief(value: Any) -> str:
    """Show what a user gave, shortly."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of shape {value.shape} and type {value.dtype}"
    try:
        return reprlib.repr(value)
    except Exception:  # any object can come, and its repr can raise anything
        return f"an object of type {type(value).__name__}"


def number(name: str, value: Any, allowed: str, unit: str = "") -> float:
    """Return a real number that came as one, in any of its usual forms.

    Parameters
    ----------
    name : str
        Of the argument.
    value : object
        What came: a number, a NumPy scalar, an array of no dimensions, or a Quantity.
    allowed : str
        What is allowed, for the message.
    unit : str
        Of the number; a Quantity is converted to it.

    Raises
    ------
    ParameterError
        If it is no real number, or not finite.
    """
    if type(value) is float and math.isfinite(value):
        return value
    found = math.nan
    plain = _without_unit(name, value, unit)
    if isinstance(plain, np.ndarray) and plain.ndim == 0 and plain.dtype.kind in KINDS:
        plain = plain[()]
    if isinstance(plain, numbers.Real | np.number) and not isinstance(
        plain, np.complexfloating | np.timedelta64
    ):
        try:
            found = float(plain)
        except OverflowError:
            found = math.inf
    if not math.isfinite(found):
        msg = f"Argument '{name}' must be {allowed}; got {brief(value)}."
        raise ParameterError(msg)
    return found


def positive(
    name: str, value: Any, unit: str = "", *, least: float = SMALLEST, most: float = LARGEST
) -> float:
    """Return a number that must be finite and above 0, within plausible limits.

    Raises
    ------
    ParameterError
        If it is not.
    """
    allowed = "a strictly positive number"
    found = number(name, value, allowed, unit)
    if not least <= found <= most:
        msg = f"Argument '{name}' must be {allowed} from {least:g} to {most:g}; got {brief(value)}."
        raise ParameterError(msg)
    return found


def whole(name: str, value: Any, least: int = 0) -> int:
    """Return an integer that must not be below `least`.

    Raises
    ------
    ParameterError
        If it is below.
    ArrayTypeError
        If it is no integer.
    """
    try:
        found = operator.index(value)
    except TypeError:
        msg = f"Argument '{name}' must be an integer of {least} or more; got {brief(value)}."
        raise ArrayTypeError(msg) from None
    if found < least:
        msg = f"Argument '{name}' must be an integer of {least} or more; got {brief(value)}."
        raise ParameterError(msg)
    return found


def truth(name: str, value: Any) -> bool:
    """Return a truth value.

    Raises
    ------
    ParameterError
        If it is neither True nor False.
    """
    if isinstance(value, bool | np.bool_) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    msg = f"Argument '{name}' must be True or False; got {brief(value)}."
    raise ParameterError(msg)


def shape_of(name: str, value: Any) -> tuple[int, int]:
    """Return rows and columns as integers.

    Raises
    ------
    ShapeError
        If these are not two integers of 1 or more.
    """
    try:
        ny, nx = (operator.index(n) for n in value)
    except (TypeError, ValueError):
        ny, nx = 0, 0
    if ny < 1 or nx < 1:
        msg = f"'{name}' is {brief(value)}; give two numbers of pixels (rows, columns) of 1 or more."
        raise ShapeError(msg)
    return ny, nx


def array_of(
    name: str, value: Any, kinds: str = "fiub", *, masked: float | None = None, unit: str = ""
) -> Any:
    """Return an array of real numbers, of no subclass.

    Parameters
    ----------
    name : str
        Of the argument.
    value : array_like
        What came.
    kinds : str
        Kinds of types that are allowed.
    masked : float or None
        What masked elements become; None: there may be none.
    unit : str
        Of the numbers; a Quantity is converted to it.

    Raises
    ------
    ArrayTypeError
        If it cannot be turned into numbers of these kinds.
    ParameterError
        If it has a mask or a unit that would be lost.
    """
    if type(value) is not np.ndarray:
        value = _plain_array(name, value, masked, unit)
    if value.dtype.kind not in kinds:
        allowed = ", ".join(KINDS[k] for k in kinds)
        msg = f"'{name}' must be an array of {allowed}; got {brief(value)}."
        raise ArrayTypeError(msg)
    return value


def _plain_array(name: str, value: Any, masked: float | None, unit: str) -> Any:
    """Turn what is no plain array into one."""
    if isinstance(value, np.ma.MaskedArray):
        return _filled(name, value, masked)
    if hasattr(value, "mask") and hasattr(value, "uncertainty"):
        msg = (
            f"'{name}' is of type {type(value).__name__}, whose mask, unit and uncertainty would be lost. Give its "
            "'data' here, the mask as weight_map=~mask and the variance as data2."
        )
        raise ParameterError(msg)
    try:
        return np.asarray(_without_unit(name, value, unit))
    except (ParameterError, MemoryError):
        raise
    except Exception as error:  # any object can come, and its __array__ can raise anything
        msg = f"'{name}' cannot be turned into an array of numbers ({told(error)}); got {brief(value)}."
        raise ArrayTypeError(msg) from error


def _filled(name: str, value: Any, masked: float | None) -> Any:
    """Return a masked array with its mask written into it."""
    if value.dtype.kind not in KINDS or not np.ma.getmaskarray(value).any():
        return np.asarray(value.data)
    if masked is None:
        msg = f"'{name}' has masked elements, which have no meaning here. Give a plain array, filled as you see fit."
        raise ParameterError(msg)
    plain = np.array(value.data, dtype=np.result_type(value.dtype, np.float32))
    plain[np.ma.getmaskarray(value)] = masked
    return plain


def _without_unit(name: str, value: Any, unit: str) -> Any:
    """Return the numbers of a Quantity in `unit`."""
    if not (hasattr(value, "to_value") and hasattr(value, "unit")):
        return value
    try:
        return value.to_value(unit)
    except Exception as error:  # whatever a library of units raises
        want = f"in {unit!r}" if unit else "without a unit"
        msg = f"'{name}' has the unit {value.unit!s}; give numbers {want}, for instance its value in the unit that you mean."
        raise ParameterError(msg) from error


def check_room(
    what: str, shape: tuple[int, ...], each: int, max_pixels: Any = None, *, advice: str = "max_pixels=",
    source: str = "",
) -> None:  # fmt: skip
    """Refuse to make an array that is larger than the user can have meant.

    Parameters
    ----------
    what : str
        What is made.
    shape : tuple of int
        Its rows and columns.
    each : int
        Bytes of a pixel.
    max_pixels : int or None
        Largest number of pixels; None: what fits 8 GiB.
    advice : str
        Which argument lifts the limit; empty: none does.
    source : str
        The argument that tells the shape.

    Raises
    ------
    ParameterError
        If it is larger.
    """
    pixels = math.prod(shape)
    what = f"{what} (shape by '{source}')" if source else what
    if max_pixels is None:
        if pixels * each > MAX_BYTES:
            lift = f" If that is meant, give {advice}{pixels}." if advice else ""
            msg = f"{what} of shape {shape} needs {pixels * each / 2**30:.4g} GiB; the limit is 8 GiB.{lift}"
            raise ParameterError(msg)
    elif pixels > whole("max_pixels", max_pixels, 1):
        msg = f"{what} of shape {shape} has {pixels} pixels, more than max_pixels={max_pixels!r}."
        raise ParameterError(msg)


@contextmanager
def refuse_memory_error(what: str) -> Iterator[None]:
    """Say what there was no memory for."""
    try:
        yield
    except OutOfMemoryError:
        raise
    except MemoryError as error:
        reason = f": {told(error)}" if str(error) else ""
        msg = f"There is not enough memory for {what}{reason}. Give smaller images, or parts of them."
        raise OutOfMemoryError(msg) from error
