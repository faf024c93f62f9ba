"""Checks of the arguments of the array interface."""

from __future__ import annotations

import math
import operator
import warnings
from typing import Any

import numpy as np

from drizframe.engine.drizzling import POINT_BELOW
from drizframe.errors import ArrayTypeError, DrizframeWarning, ParameterError, ShapeError
from drizframe.hooks import Kernel

__all__ = [
    "check_exptime",
    "check_flags",
    "check_images",
    "context_like",
    "context_range",
    "deprecated",
    "fill_text",
    "fill_value",
    "image_like",
    "kernel_of",
    "positive",
    "shape_of",
    "warn_about_kernel",
]

INDEF = "INDEF"
KERNELS = ("square", "gaussian", "point", "turbo", "lanczos2", "lanczos3")
CONSERVING = frozenset({"square", "point", "turbo"})


def fill_text(value: Any, *, given: bool) -> str:
    """Return a fill value as text; without one "INDEF" (keep) for a given array, "NaN" for a new one."""
    if value is None or str(value).strip().upper() in {"", INDEF}:
        return INDEF if given else "NaN"
    text = str(value)
    float(text)  # refuses what is no number, with Python's own message
    return text


def fill_value(text: str, keep: Any) -> Any:
    """Return the number that a fill text stands for; `keep` for "INDEF"."""
    return keep if text == INDEF else float(text)


def positive(name: str, value: Any) -> float:
    """Return a number that must be finite and above 0.

    Raises
    ------
    ParameterError
        If it is not.
    """
    try:
        number = math.nan if isinstance(value, str) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number > 0.0):
        msg = f"Argument '{name}' must be positive and finite; got {value!r}."
        raise ParameterError(msg)
    return number


def image_like(name: str, array: Any) -> Any:
    """Return an output image as float32: itself if it is one, else a copy.

    Raises
    ------
    ShapeError
        If it is not two-dimensional.
    ParameterError
        If it is read-only.
    """
    if array is None:
        return None
    image = np.asarray(array, dtype=np.float32)
    if image.ndim != 2 or image.size == 0:
        msg = f"'{name}' must be a 2D array with at least one pixel; got shape {image.shape}."
        raise ShapeError(msg)
    if not image.flags.writeable:
        msg = f"'{name}' is read-only, but results are written into it. Give a copy."
        raise ParameterError(msg)
    return image


def check_flags(name: str, array: Any, shape: tuple[int, ...] | None = None) -> Any:
    """Return flags as uint32: the array itself if it has that type, else a copy.

    Raises
    ------
    ArrayTypeError
        If they are not integers of 32 bits or less.
    ShapeError
        If they have another shape than `shape`.
    """
    flags = np.asarray(array)
    if flags.dtype.kind not in "iu" or flags.dtype.itemsize > 4:
        msg = (
            f"'{name}' must be of an unsigned integer type with itemsize of 4 bytes or less. "
            f"It is {flags.dtype}."
        )
        raise ArrayTypeError(msg)
    if shape is not None and flags.shape != shape:
        msg = f"'{name}' shape is not consistent with 'data' shape."
        raise ShapeError(msg)
    return flags.astype(np.uint32, copy=False)


def kernel_of(kernel: Any) -> tuple[str, Kernel | None]:
    """Return the name of a kernel, and its record if that was given."""
    if isinstance(kernel, Kernel):
        return kernel.name, kernel
    if not isinstance(kernel, str) or kernel.lower() not in KERNELS:
        msg = f"Kernel {kernel!r} is not supported."
        raise ParameterError(msg)
    return kernel, None


def context_range(begin: int, largest: int | None) -> tuple[int, int]:
    """Return the number of the first image and the largest number expected."""
    if begin < 0:
        msg = f"Invalid context image ID {begin!r}; 'begin_ctx_id' must be 0 or more."
        raise ParameterError(msg)
    if largest is not None and largest < begin:
        msg = "'max_ctx_id' cannot be smaller than 'begin_ctx_id'."
        raise ParameterError(msg)
    return int(begin), int(begin if largest is None else largest)


def context_like(out_ctx: Any) -> Any:
    """Return a given context with an axis for planes."""
    if out_ctx is None:
        return None
    array = np.asarray(out_ctx, dtype=np.int32)
    if array.ndim not in (2, 3):
        msg = "'out_ctx' must be either a 2D or 3D array."
        raise ShapeError(msg)
    return array[None] if array.ndim == 2 else array


def shape_of(out_shape: Any) -> tuple[int, int]:
    """Return rows and columns as integers."""
    try:
        ny, nx = (operator.index(n) for n in out_shape)
    except (TypeError, ValueError):
        ny, nx = 0, 0
    if ny < 1 or nx < 1:
        msg = f"'out_shape' is {out_shape!r}; give two numbers of pixels (rows, columns) of 1 or more."
        raise ShapeError(msg)
    return ny, nx


def check_images(data: Any, pixmap: Any) -> None:
    """Refuse an image and a map that do not fit together."""
    if data.ndim != 2 or data.size == 0:
        msg = f"'data' must be a 2D array with at least one pixel; got shape {data.shape}."
        raise ShapeError(msg)
    if pixmap.ndim != 3 or pixmap.shape[2] != 2:
        msg = f"'pixmap' must have the shape (ny, nx, 2); got {pixmap.shape}."
        raise ShapeError(msg)
    if pixmap.shape[:2] != data.shape:
        msg = "'pixmap' shape is not consistent with 'data' shape."
        raise ShapeError(msg)
    if not np.isfinite(pixmap).all(axis=2).any():
        msg = "No valid pixels in the pixel map: none has a finite position."
        raise ParameterError(msg)


def check_exptime(exptime: Any) -> float:
    """Return the exposure time of an image, which must be above 0."""
    if isinstance(exptime, str) or not (exptime > 0.0 and math.isfinite(exptime)):
        msg = "'exptime' *must* be a strictly positive number."
        raise ParameterError(msg)
    return float(exptime)


def warn_about_kernel(name: str, pixfrac: Any) -> float:
    """Return `pixfrac`, 0 or above, and tell what the user may not expect of a stock kernel.

    Raises
    ------
    ParameterError
        If `pixfrac` is no number.
    """
    if not isinstance(pixfrac, int | float | np.number) or not math.isfinite(pixfrac):
        msg = f"'pixfrac' is {pixfrac!r}; give a finite number above 0."
        raise ParameterError(msg)
    if name in KERNELS and name not in CONSERVING:
        _warn(f"Kernel '{name}' is not a flux-conserving kernel.")
    if pixfrac <= POINT_BELOW:
        _warn(f"Kernel reset to 'point' due to input 'pixfrac' being too small ({pixfrac!r}).")
    elif name.startswith("lanczos") and abs(pixfrac - 1.0) > 1e-5:
        _warn("A Lanczos kernel ignores 'pixfrac' and takes 1.")
    return max(float(pixfrac), 0.0)


def deprecated(name: str, instead: str) -> None:
    warnings.warn(
        f"Argument '{name}' has been deprecated. Use {instead} instead.", DeprecationWarning, stacklevel=4
    )


def _warn(message: str) -> None:
    warnings.warn(message, DrizframeWarning, stacklevel=4)
