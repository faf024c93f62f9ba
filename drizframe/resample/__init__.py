"""Drizzle and blot on arrays, with the interface of STScI's `drizzle` 3.0.

`Drizzle` and `blot_image` take the same arguments, keep the same state and give the same numbers wherever the
pixel map is finite and the image stays inside the output.  At borders every overlap counts, and positions,
data or weights that are not finite contribute nothing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import ParameterError, ShapeError
from drizframe.hooks import Kernel
from drizframe.model import ChipInput, PixelMap
from drizframe.pixels.blot import blot_chip
from drizframe.pixels.reach import POINT_BELOW
from drizframe.resample._adding import add_image
from drizframe.resample._arguments import (
    array_of,
    brief,
    check_room,
    number,
    positive,
    refuse_memory_error,
    truth,
)
from drizframe.resample._blotting import blot_options, interpolator_of
from drizframe.resample._checks import (
    LARGEST_SINGLE,
    SUPPORTED_DRIZZLE_KERNELS,
    check_exptime,
    check_flags,
    check_pixfrac,
    check_positions,
    check_units,
    component,
    context_range,
    deprecated,
    image_like,
    image_of,
    kernel_of,
    map_of,
    scale_of,
    warn_about_kernel,
    weights_of,
)
from drizframe.resample._output import Output
from drizframe.resample._region import covering_shape, first_cell_scale, region_of

if TYPE_CHECKING:
    from drizframe.utils import calc_pixmap, decode_context, estimate_pixel_scale_ratio

__all__ = [
    "CTX_PLANE_BITS",
    "SUPPORTED_DRIZZLE_KERNELS",
    "Drizzle",
    "blot_image",
    "calc_pixmap",
    "decode_context",
    "estimate_pixel_scale_ratio",
]

#: Bits of a context plane: each image has one.
CTX_PLANE_BITS = 32
_NOT_GIVEN: Any = object()
#: Functions of `drizframe.utils`, which uses modules of this package, so that neither can wait for the other to be imported.
_OF_UTILS = frozenset({"calc_pixmap", "decode_context", "estimate_pixel_scale_ratio"})


def __getattr__(name: str) -> Any:
    """Return a function of `drizframe.utils`, imported when it is asked for."""
    if name in _OF_UTILS:
        from drizframe import utils

        return getattr(utils, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


class Drizzle:
    """Combine images onto one grid by drizzling.

    Parameters
    ----------
    kernel : str or Kernel
        "square", "turbo", "point", "gaussian", "lanczos2", "lanczos3", another kernel that is registered, or a
        record.  Gaussian and Lanczos conserve neither flux nor weight.
    fillval, fillval2 : float, str or None
        Value of output pixels without weight, in `out_img` and `out_img2`.  None or "INDEF": arrays that were
        given keep their values there, new ones hold NaN.
    out_shape : tuple of int, optional
        Rows and columns of the output.
    out_img, out_wht : ndarray of float32, shape (ny, nx), optional
        Weighted mean and total weight of earlier images, which are continued.  An array of the right type is
        changed in place, another is copied.
    out_ctx : ndarray of int32, shape (ny, nx) or (planes, ny, nx), optional
        Context of earlier images; it grows by planes as needed.
    out_img2 : ndarray of float32, or list of such arrays and None, optional
        Images averaged with squared weights.
    out_dq : ndarray of uint32, shape (ny, nx), optional
        Combined data-quality flags.
    exptime : float
        Exposure time of the earlier images in seconds.
    begin_ctx_id : int
        Number of the first image in the context image, from 0.
    max_ctx_id : int, optional
        Largest number that is expected; planes are made for it.
    disable_ctx : bool
        Keep no context.
    max_pixels : int, optional
        Largest number of output pixels; without it, as many as 8 GiB hold.

    Raises
    ------
    ParameterError
        If a value is not allowed, or given arrays contradict each other.
    UnknownComponentError
        If there is no such kernel.
    ShapeError
        If arrays differ in shape.
    ArrayTypeError
        If an array holds no numbers, or flags are not integers of 32 bits or less.
    OutOfMemoryError
        If there is not enough memory.

    Notes
    -----
    Threads may share an object: images are added one after the other.
    """

    def __init__(
        self, kernel: str | Kernel = "square", fillval: float | str | None = None,
        fillval2: float | str | None = None, out_shape: tuple[int, int] | None = None, out_img: Any = None,
        out_wht: Any = None, out_ctx: Any = None, out_img2: Any = None, out_dq: Any = None,
        exptime: float = 0.0, begin_ctx_id: int = 0, max_ctx_id: int | None = None, disable_ctx: bool = False,
        *, max_pixels: int | None = None,
    ) -> None:  # fmt: skip
        self._lock = threading.Lock()
        self._kernel, self._record = kernel_of(kernel)
        self._ctx_id: int | None = None
        last = -1
        if not truth("disable_ctx", disable_ctx):
            self._ctx_id, last = context_range(begin_ctx_id, max_ctx_id)
        with refuse_memory_error("the output"):
            self._out = Output(
                fillval=fillval, fillval2=fillval2, planes=last // CTX_PLANE_BITS + 1, img=out_img, wht=out_wht,
                ctx=out_ctx, img2=out_img2, dq=out_dq, max_pixels=max_pixels,
            )  # fmt: skip
            self._exptime = self._out.check_exptime(exptime)
            self._added = False
            shape = self._out.common_shape(out_shape)
            if shape is not None:
                self._out.allocate(shape)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the lock, which cannot be copied."""
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make a lock of its own."""
        self.__dict__.update(state, _lock=threading.Lock())

    fillval = property(lambda self: self._out.fillval, doc="Value of output pixels without weight, as text.")
    fillval2 = property(lambda self: self._out.fillval2, doc="The same for `out_img2`.")
    kernel = property(lambda self: self._kernel, doc="Name of the kernel.")
    ctx_id = property(
        lambda self: self._ctx_id, doc="Number of the next image, from 0; None without context."
    )
    out_img = property(lambda self: self._out.img, doc="Weighted mean, float32.")
    out_wht = property(lambda self: self._out.wht, doc="Total weight, float32.")
    out_ctx = property(lambda self: self._out.ctx, doc="Context, int32, shape (planes, ny, nx).")
    out_img2 = property(
        lambda self: self._out.img2, doc="List of images averaged with squared weights, or None."
    )
    out_dq = property(lambda self: self._out.dq, doc="Combined flags, uint32, or None.")
    total_exptime = property(lambda self: self._exptime, doc="Exposure time of all images in seconds.")

    def add_image(
        self, data: Any, exptime: float, pixmap: Any, data2: Any = None, dq: Any = None,
        scale: Any = _NOT_GIVEN, iscale: float = 1.0, pixel_scale_ratio: float | None = 1.0,
        weight_map: Any = None, wht_scale: float = 1.0, pixfrac: float = 1.0, in_units: str = "cps",
        xmin: int | None = None, xmax: int | None = None, ymin: int | None = None, ymax: int | None = None,
    ) -> tuple[int, int]:  # fmt: skip
        """Drizzle an image onto the output.

        Parameters
        ----------
        data : ndarray, shape (ny, nx)
            The image; masked pixels count as NaN, and NaN contributes nothing.
        exptime : float
            Exposure time in seconds.
        pixmap : ndarray of float, shape (ny, nx, 2)
            Output position (x, y) of every pixel centre.
        data2 : ndarray or list of ndarray and None, optional
            Images to be averaged with squared weights (variances): the same number for every image.
        dq : ndarray of int, shape (ny, nx), optional
            Flags, combined by OR where the pixel contributes.
        scale : float, optional
            Deprecated: sets `iscale` to its square and `pixel_scale_ratio`.
        iscale : float
            Factor on the data (its square on `data2`).
        pixel_scale_ratio : float or None
            Size of an output pixel over that of an input pixel, for kernels of a fixed size; None: from the
            first cell of the map, as the `drizzle` package takes it.
        weight_map : ndarray, shape (ny, nx), optional
            Weights; 1 by default.  Masked ones are 0.
        wht_scale : float
            Factor on the weights.
        pixfrac : float
            Side of the shrunken pixel, at most 10; 0.001 or less makes the kernel a point.
        in_units : {"cps", "counts"}
            Counts are divided by `exptime`.
        xmin, xmax, ymin, ymax : int or None
            First and last column and row to use, from 0; None, and 0 for `xmax` and `ymax`, mean: no limit.

        Returns
        -------
        nskip, nmiss : int
            Rows and pixels of that rectangle that contribute nothing.

        Raises
        ------
        ParameterError
            If a value is not allowed.
        ShapeError
            If arrays differ in shape.
        ArrayTypeError
            If an array does not hold numbers, or `dq` not integers of 32 bits or less.
        OutOfMemoryError
            If there is not enough memory.
        """
        with self._lock, refuse_memory_error("add_image"):
            data = image_of("data", data)
            pixmap = map_of(pixmap, data.shape)
            exptime = check_exptime(exptime)
            counts = check_units(in_units) == "counts"
            check_positions(pixmap)
            if scale is not _NOT_GIVEN:
                deprecated(
                    "scale", "'iscale' and 'pixel_scale_ratio' (iscale=scale**2, pixel_scale_ratio=scale)"
                )
                pixel_scale_ratio = scale_of("scale", scale)
                iscale = pixel_scale_ratio**2
            ratio = first_cell_scale(pixmap) if pixel_scale_ratio is None else pixel_scale_ratio
            flags = None if dq is None else check_flags("dq", dq, data.shape)
            second = self._out.second(data2, data.shape, first=not self._added)
            factor = positive("wht_scale", wht_scale)
            weight = None if weight_map is None else weights_of(weight_map, data.shape, factor)
            region = region_of(pixmap, (xmin, xmax, ymin, ymax))
            cut = region.slices
            chip = ChipInput(
                data=(data[cut],),
                weight=None if weight is None else weight[cut],
                weight_scale=factor,
                number=(self._ctx_id or 0) % CTX_PLANE_BITS + 1,
                pixmap=region.pixmap,
                scale=scale_of("pixel_scale_ratio", ratio),
                intensity=positive("iscale", iscale) / (exptime if counts else 1.0),
                variances=[_nothing(region.pixmap.shape) if a is None else a[cut] for a in second],
                dq=None if flags is None else flags[cut],
            )
            size = check_pixfrac(pixfrac)
            warn_about_kernel(self._record, size, pixfrac)
            if self._out.img is None:
                self._out.allocate(covering_shape(pixmap), source="pixmap")
            plane = (self._ctx_id or 0) // CTX_PLANE_BITS
            self._out.prepare(None if data2 is None else len(second), plane, with_flags=flags is not None)
            kernel = component("kernel", "point") if size <= POINT_BELOW else self._record
            found = add_image(self._out, chip, kernel, size, plane)
            self._out.fill()
            self._exptime += exptime
            self._added = True
            if self._ctx_id is not None:
                self._ctx_id += 1
            return found


def _nothing(shape: tuple[int, int]) -> Any:
    """Return an image of zeros that takes no memory."""
    return np.broadcast_to(np.float64(0.0), shape)


def blot_image(
    data: Any, pixmap: Any, pix_ratio: Any = _NOT_GIVEN, exptime: Any = _NOT_GIVEN,
    output_pixel_shape: Any = _NOT_GIVEN, out_img: Any = None, fillval: Any = 0.0,
    iscale: float = 1.0, interp: Any = "poly5", sinscl: Any = _NOT_GIVEN, *, max_pixels: int | None = None,
) -> np.ndarray[Any, np.dtype[np.float32]]:  # fmt: skip
    """Resample an image by interpolation.

    Parameters
    ----------
    data : ndarray, shape (ny, nx)
        The image; masked pixels count as NaN.
    pixmap : ndarray of float, shape (h, w, 2)
        Position (x, y) on `data` of every output pixel.
    pix_ratio : float, optional
        Deprecated: divides `iscale` by its square.
    exptime : float, optional
        Deprecated: multiplies `iscale`.
    output_pixel_shape : tuple of int, optional
        Deprecated: (w, h), which `pixmap` tells.
    out_img : ndarray of float32, shape (h, w), optional
        Array for the result; one of another type is left alone.
    fillval : float
        Value of pixels that lie off the image, or whose position is not finite.
    iscale : float
        Factor on the interpolated values.
    interp : str or Interpolator
        "nearest", "linear", "poly3", "poly5", "lanczos3", "lanczos5", or another interpolator that is
        registered.  "lan3" and "lan5" are deprecated names.
    sinscl : float, optional
        Deprecated: scale of the "sinc" interpolator, without effect on others.
    max_pixels : int, optional
        Largest number of output pixels; without it, as many as 8 GiB hold.

    Returns
    -------
    out_img : ndarray of float32, shape (h, w)
        The resampled image.

    Raises
    ------
    ParameterError
        If a value is not allowed or there is no such interpolator.
    ShapeError
        If arrays have wrong shapes.
    ArrayTypeError
        If an array does not hold numbers.
    OutOfMemoryError
        If there is not enough memory.
    """
    with refuse_memory_error("blot_image"):
        image = image_of("data", data)
        pixmap = map_of(pixmap)
        grid = PixelMap.from_pixmap(pixmap)
        factor = _blot_factor(iscale, pix_ratio, exptime)
        if output_pixel_shape is not _NOT_GIVEN:
            deprecated("output_pixel_shape", "the shape of 'pixmap'")
            _check_output_shape(pixmap.shape[1::-1], output_pixel_shape)
        out = None if out_img is None else _blot_output(out_img, grid.shape)
        fill = 0.0 if fillval is None else _blot_fill(fillval)
        component_, options = interpolator_of(interp), {}
        if sinscl is not _NOT_GIVEN:
            deprecated("sinscl", "an interpolator without it")
            options = blot_options(component_, positive("sinscl", sinscl))
        check_room("The output", grid.shape, 4, max_pixels)
        blot = blot_chip(image, grid, component_, factor=factor, fill=fill, options=options)
        if out is None:
            return blot
        out[...] = blot
        return out  # type: ignore[no-any-return]


def _check_output_shape(shape: tuple[int, int], given: Any) -> None:
    """Refuse another shape (columns, rows) than that of the map."""
    values = array_of("output_pixel_shape", given)
    if values.ndim != 1 or values.tolist() != list(shape):
        msg = f"Pixel map dimensions {shape} != output dimensions: 'output_pixel_shape' is {brief(given)}."
        raise ShapeError(msg)


def _blot_output(out_img: Any, shape: tuple[int, int]) -> Any:
    """Return the array for the result; None if its type is another."""
    array = array_of("out_img", out_img)
    if array.shape != shape:
        msg = f"'out_img' shape {array.shape} is not consistent with 'pixmap' shape {shape}."
        raise ShapeError(msg)
    return image_like("out_img", array) if array.dtype == np.float32 else None


def _blot_fill(fillval: Any) -> float:
    """Return the fill value; NaN and infinities are values too."""
    if isinstance(fillval, float | np.floating) and not np.isfinite(fillval):
        return float(fillval)
    fill = number("fillval", fillval, "a number")
    if abs(fill) > LARGEST_SINGLE:
        msg = f"Argument 'fillval' must be a number that float32 can hold; got {fillval!r}."
        raise ParameterError(msg)
    return fill


def _blot_factor(iscale: float, pix_ratio: Any, exptime: Any) -> float:
    """Return the factor on interpolated values."""
    factor = positive("iscale", iscale)
    if pix_ratio is not _NOT_GIVEN:
        deprecated("pix_ratio", "'iscale' (iscale=1 / pix_ratio**2)")
        factor /= scale_of("pix_ratio", pix_ratio) ** 2
    if exptime is not _NOT_GIVEN:
        deprecated("exptime", "'iscale' (iscale=exptime)")
        factor *= positive("exptime", exptime, "s")
    return factor
