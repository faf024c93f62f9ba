"""What the arguments of the array interface mean, and which go together."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from drizframe.errors import (
    ArrayTypeError,
    DrizframeWarning,
    ParameterError,
    ShapeError,
    UnknownComponentError,
)
from drizframe.hooks import Kernel
from drizframe.pixels.reach import POINT_BELOW
from drizframe.resample._arguments import LARGEST, array_of, brief, check_room, number, positive, whole

__all__ = [
    "LARGEST_SINGLE",
    "SUPPORTED_DRIZZLE_KERNELS",
    "check_exptime",
    "check_flags",
    "check_pixfrac",
    "check_positions",
    "check_units",
    "component",
    "context_like",
    "context_range",
    "deprecated",
    "fill_text",
    "fill_value",
    "image_like",
    "image_of",
    "kernel_of",
    "map_of",
    "scale_of",
    "warn_about_kernel",
    "weights_of",
]

INDEF = "INDEF"
#: The kernels of the `drizzle` package.
SUPPORTED_DRIZZLE_KERNELS = ["square", "gaussian", "point", "turbo", "lanczos2", "lanczos3"]
#: Largest number that float32 can hold.
LARGEST_SINGLE = float(np.finfo(np.float32).max)
#: Largest number of an image in the context, of which each plane holds 32.
LARGEST_ID = 1_000_000
#: Above this a drop is no drop; the work grows with the square.
LARGEST_PIXFRAC = 10.0
#: Largest ratio of pixel sizes, either way; the work of kernels of a fixed size grows with its square.
LARGEST_RATIO = 1e4


def component(family: str, name: Any) -> Any:
    """Return a component of the session's registry, or the record itself."""
    from drizframe.api import registry

    return registry().get(family, name)


# -- values --------------------------------------------------------------------------------------------------


def fill_text(name: str, value: Any, *, given: bool) -> str:
    """Return a fill value as text; without one "INDEF" (keep) for a given array, "NaN" for a new one.

    Raises
    ------
    ParameterError
        If it is no number that float32 can hold, nor a text for one.
    """
    if value is None or (isinstance(value, str) and value.strip().upper() in {"", INDEF}):
        return INDEF if given else "NaN"
    allowed = (
        f"Argument '{name}' must be a number that float32 can hold, None or 'INDEF'; got {brief(value)}."
    )
    if isinstance(value, bool | np.bool_) or not isinstance(value, str | int | float | np.number):
        raise ParameterError(allowed)
    try:
        found = float(value)
    except (ValueError, TypeError, OverflowError) as error:
        wrong = ParameterError(str(error))  # Python's words, as in the `drizzle` package
        wrong.add_note(allowed)
        raise wrong from error
    if np.isfinite(found) and abs(found) > LARGEST_SINGLE:
        raise ParameterError(allowed)
    return str(value)


def fill_value(text: str, keep: Any) -> Any:
    """Return the number that a fill text stands for; `keep` for "INDEF"."""
    return keep if text == INDEF else float(text)


def context_range(begin: Any, largest: Any) -> tuple[int, int]:
    """Return the number of the first image and the largest number expected."""
    if isinstance(begin, int) and begin < 0:
        msg = f"Invalid context image ID {begin!r}; 'begin_ctx_id' must be 0 or more."
        raise ParameterError(msg)
    first = whole("begin_ctx_id", begin)
    last = first if largest is None else whole("max_ctx_id", largest)
    if last > LARGEST_ID:
        msg = f"Numbers of images in the context go up to {LARGEST_ID}; 'begin_ctx_id' and 'max_ctx_id' are {first} and {last}."
        raise ParameterError(msg)
    if last < first:
        msg = f"'max_ctx_id' cannot be smaller than 'begin_ctx_id'. Got {last} and {first}."
        raise ParameterError(msg)
    return first, last


def check_exptime(value: Any) -> float:
    """Return the exposure time of an image, which must be above 0."""
    try:
        return positive("exptime", value, "s")
    except ParameterError as error:
        error.add_note(str(error))
        error.args = (
            "'exptime' *must* be a strictly positive number.",
        )  # the words of the `drizzle` package
        raise


def check_units(units: Any) -> str:
    """Return the unit of data, "cps" or "counts"."""
    if not isinstance(units, str) or units not in {"cps", "counts"}:
        msg = f"Unknown unit type {brief(units)}: 'in_units' must be 'cps' or 'counts'."
        raise ParameterError(msg)
    return units


def scale_of(name: str, value: Any) -> float:
    """Return a ratio of pixel sizes."""
    return positive(name, value, least=1.0 / LARGEST_RATIO, most=LARGEST_RATIO)


# -- kernels -------------------------------------------------------------------------------------------------


def kernel_of(kernel: Any) -> tuple[str, Kernel]:
    """Return the name of a kernel as it was given, and its record.

    Raises
    ------
    UnknownComponentError
        If nobody provides a kernel of that name.
    ParameterError
        If it is neither a name nor a record.
    """
    if isinstance(kernel, Kernel):
        return kernel.name, kernel
    if not isinstance(kernel, str):
        msg = f"Kernel {brief(kernel)} is not supported: 'kernel' must be a name or the record of a kernel."
        raise ParameterError(msg)
    try:
        record: Kernel = component("kernel", kernel)
    except UnknownComponentError as error:
        error.add_note(str(error))
        error.args = (f"Kernel {kernel!r} is not supported.",)  # the words of the `drizzle` package
        raise
    return kernel, record


def check_pixfrac(pixfrac: Any) -> float:
    """Return `pixfrac`, at least 0.

    Raises
    ------
    ParameterError
        If it is no finite number, or no fraction.
    """
    found = number("pixfrac", pixfrac, "a finite number above 0")
    if found > LARGEST_PIXFRAC:
        msg = f"Argument 'pixfrac' is the side of a drop in pixels of the image, {LARGEST_PIXFRAC:g} at most; got {pixfrac!r}."
        raise ParameterError(msg)
    return max(found, 0.0)


def warn_about_kernel(kernel: Kernel, pixfrac: float, given: Any) -> None:
    """Tell what the user may not expect of a kernel."""
    if "conserves_flux" not in kernel.traits:
        _warn(f"Kernel '{kernel.name}' is not a flux-conserving kernel.")
    if pixfrac <= POINT_BELOW:
        _warn(f"Kernel reset to 'point' due to input 'pixfrac' being too small ({given!r}).")
    elif "ignores_pixfrac" in kernel.traits and abs(pixfrac - 1.0) > 1e-5:
        _warn(f"Kernel '{kernel.name}' ignores 'pixfrac' and takes 1.")


# -- arrays --------------------------------------------------------------------------------------------------


def image_of(
    name: str,
    value: Any,
    shape: tuple[int, ...] | None = None,
    *,
    masked: float = np.nan,
    kinds: str = "fiu",
) -> Any:
    """Return an input image of numbers of some kinds; masked pixels become `masked`.

    Raises
    ------
    ArrayTypeError
        If it does not hold real numbers.
    ShapeError
        If it is no image, or has another shape than `shape`, that of the data.
    """
    image = array_of(name, value, kinds, masked=masked)
    if shape is not None and image.shape != shape:
        msg = f"'{name}' shape is not consistent with 'data' shape. They are {image.shape} and {shape}."
        raise ShapeError(msg)
    if image.ndim != 2 or image.size == 0:
        msg = f"'{name}' must be a 2D array with at least one pixel; got shape {image.shape}."
        raise ShapeError(msg)
    if image.dtype not in {np.dtype(np.float32), np.dtype(np.float64)}:
        check_room(f"A copy of '{name}'", image.shape, 8, advice="")
    return image


def weights_of(value: Any, shape: tuple[int, ...], factor: float) -> Any:
    """Return an image of weights; masked ones become 0.

    Raises
    ------
    ParameterError
        If a weight is below 0, if none is a number, or if one times the factor is so large that sums of them overflow float32.
    """
    weights = image_of("weight_map", value, shape, masked=0.0, kinds="biuf")
    with np.errstate(over="ignore", invalid="ignore"):
        largest, least = float(weights.max()), float(weights.min())
        if not largest * factor <= LARGEST or not least >= 0:  # a NaN, an infinity or a huge one: look closer
            usable = np.isfinite(weights)
            if not usable.any():
                msg = "'weight_map' holds no finite number. Give weights of 0 and above, 0 where a pixel does not count."
                raise ParameterError(msg)
            largest = float(np.max(weights, initial=0.0, where=usable))
            least = float(np.min(weights, initial=0.0, where=usable))
    if least < 0:
        msg = f"'weight_map' holds weights down to {least:g}; a weight is 0 or more, 0 where a pixel does not count."
        raise ParameterError(msg)
    if largest * factor > LARGEST:
        msg = f"'weight_map' holds weights of up to {largest:g}, times 'wht_scale' {factor:g}; {LARGEST:g} is the most."
        raise ParameterError(msg)
    return weights


def map_of(value: Any, shape: tuple[int, ...] | None = None) -> Any:
    """Return a pixel map as contiguous float64; masked positions become NaN.

    Raises
    ------
    ArrayTypeError
        If it does not hold real numbers.
    ShapeError
        If it is no map, or not of an image of `shape`.
    """
    pixmap = array_of("pixmap", value, masked=np.nan, unit="pix" if hasattr(value, "unit") else "")
    if pixmap.ndim != 3 or pixmap.shape[2] != 2 or pixmap.size == 0:
        msg = f"'pixmap' must have the shape (ny, nx, 2), with at least one pixel; got {pixmap.shape}."
        raise ShapeError(msg)
    if shape is not None and pixmap.shape[:2] != shape:
        msg = "'pixmap' shape is not consistent with 'data' shape."  # to the letter what clients compare with
        raise ShapeError(msg)
    if pixmap.dtype == np.float64 and pixmap.flags.c_contiguous:
        return pixmap
    check_room("A copy of 'pixmap'", pixmap.shape[:2], 16, advice="")
    with np.errstate(over="ignore"):  # longdouble
        return np.ascontiguousarray(pixmap, dtype=np.float64)


def check_positions(pixmap: Any) -> None:
    """Refuse a map without any finite position; the first row tells, as a rule."""
    if not any(np.isfinite(row).all(axis=1).any() for row in pixmap):
        msg = "No valid pixels in the pixel map: none has a finite position."
        raise ParameterError(msg)


def check_flags(name: str, array: Any, shape: tuple[int, ...] | None = None) -> Any:
    """Return flags as uint32: the array itself if it has that type, else a copy.

    Raises
    ------
    ArrayTypeError
        If they are not integers of 32 bits or less.
    ShapeError
        If they have another shape than `shape`, or are no image.
    """
    flags = array_of(name, array, "fiubcOSUVMm")
    if flags.dtype.kind not in "iu" or flags.dtype.itemsize > 4:
        msg = (
            f"'{name}' must be of an unsigned integer type with itemsize of 4 bytes or less. "
            f"It is {flags.dtype}."
        )
        raise ArrayTypeError(msg)
    if shape is not None and flags.shape != shape:
        msg = f"'{name}' shape is not consistent with 'data' shape. They are {flags.shape} and {shape}."
        raise ShapeError(msg)
    if flags.ndim != 2 or flags.size == 0:
        msg = f"'{name}' must be a 2D array with at least one pixel; got shape {flags.shape}."
        raise ShapeError(msg)
    if flags.dtype != np.uint32:
        check_room(f"A copy of '{name}'", flags.shape, 4, advice="")
    return flags.astype(np.uint32, copy=False)


# -- arrays of the output ------------------------------------------------------------------------------------


def _written(name: str, array: Any) -> Any:
    """Refuse an output array that cannot be written."""
    if not array.flags.writeable:
        msg = f"'{name}' is read-only, but results are written into it. Give a copy."
        raise ParameterError(msg)
    return array


def image_like(name: str, array: Any) -> Any:
    """Return an output image as float32: itself if it is one, else a copy.

    Raises
    ------
    ArrayTypeError
        If it does not hold real numbers.
    ShapeError
        If it is not two-dimensional.
    ParameterError
        If it is read-only.
    """
    if array is None:
        return None
    image = array_of(name, array)
    if image.ndim != 2 or image.size == 0:
        msg = f"'{name}' must be a 2D array with at least one pixel; got shape {image.shape}."
        raise ShapeError(msg)
    if image.dtype != np.float32:
        check_room(f"A copy of '{name}'", image.shape, 4, advice="")
        with np.errstate(over="ignore"):
            image = image.astype(np.float32)
    return _written(name, image)


def context_like(out_ctx: Any) -> Any:
    """Return a given context as int32 with an axis for planes: itself if it is one, else a copy.

    Raises
    ------
    ArrayTypeError
        If it does not hold integers of 32 bits.
    ShapeError
        If it has neither two nor three dimensions.
    ParameterError
        If it is read-only.
    """
    if out_ctx is None:
        return None
    array = array_of("out_ctx", out_ctx, "iu")
    if array.ndim not in (2, 3) or array.size == 0:
        msg = f"'out_ctx' must be either a 2D or 3D array. It needs at least one pixel; got shape {array.shape}."
        raise ShapeError(msg)
    if array.dtype.itemsize > 4 and (array.max() >= 1 << 32 or array.min() < -(1 << 31)):
        msg = f"'out_ctx' holds numbers beyond 32 bits; it is {brief(array)}. A plane holds 32 images."
        raise ArrayTypeError(msg)
    if array.dtype != np.int32:
        check_room("A copy of 'out_ctx'", array.shape, 4, advice="")
        array = array.astype(np.int32)
    return _written("out_ctx", array[None] if array.ndim == 2 else array)


def deprecated(name: str, instead: str) -> None:
    """Warn about an argument that has gone."""
    warnings.warn(
        f"Argument '{name}' has been deprecated. Use {instead} instead.", DeprecationWarning, stacklevel=5
    )


def _warn(message: str) -> None:
    warnings.warn(message, DrizframeWarning, stacklevel=5)
