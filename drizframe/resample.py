"""Drizzle and blot on arrays, with the interface of STScI's `drizzle` 3.0.

`Drizzle` and `blot_image` take the same arguments, keep the same state and give the same numbers wherever the pixel map
is finite and the image stays inside the output.  At borders every overlap counts, and positions, data or weights that
are not finite contribute nothing.
"""

from __future__ import annotations

import math
import numbers
import operator
import warnings
from typing import Any

import numpy as np

from drizframe._resampling import (
    Region,
    check_flags,
    fill_text,
    fill_value,
    first_cell_scale,
    image_like,
    positive,
    region_of,
)
from drizframe.engine.blotting import blot_chip
from drizframe.engine.drizzling import POINT_BELOW, drizzle_chip
from drizframe.errors import DrizframeWarning, ParameterError, ShapeError
from drizframe.hooks import Component, Kernel
from drizframe.model import Accumulator, ChipInput, PixelMap
from drizframe.utils import calc_pixmap, decode_context, estimate_pixel_scale_ratio

__all__ = ["Drizzle", "blot_image", "calc_pixmap", "decode_context", "estimate_pixel_scale_ratio"]

Image = np.ndarray[Any, np.dtype[np.float32]]
Context = np.ndarray[Any, np.dtype[np.int32]]
Flags = np.ndarray[Any, np.dtype[np.uint32]]

#: Bits of a context plane.
PLANE_BITS = 32
_NOT_GIVEN: Any = object()
_KERNELS = ("square", "gaussian", "point", "turbo", "lanczos2", "lanczos3")
_CONSERVING = frozenset({"square", "point", "turbo"})
_NAMES = "out_img, out_img2, out_wht, out_ctx, out_dq"


def _component(family: str, name: Any) -> Any:
    """Return a component of the session's registry, or the record itself."""
    from drizframe.api import registry

    return registry().get(family, name)


class Drizzle:
    """Combine images onto one grid by drizzling.

    Parameters
    ----------
    kernel : str or Kernel
        "square", "turbo", "point", "gaussian", "lanczos2", "lanczos3"; or a record of a plugin.  Gaussian and Lanczos
        conserve neither flux nor weight.
    fillval, fillval2 : float, str or None
        Value of output pixels without weight, in `out_img` and `out_img2`.  None or "INDEF": arrays that were given keep
        their values there, new ones hold NaN.
    out_shape : tuple of int, optional
        Rows and columns of the output.
    out_img, out_wht : ndarray of float32, shape (ny, nx), optional
        Weighted mean and total weight of earlier images, which are continued.  An array of the right type is changed in
        place, another is copied.
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

    Raises
    ------
    ParameterError
        If a value is not allowed, or given arrays contradict each other.
    ShapeError
        If arrays differ in shape.
    ArrayTypeError
        If flags are not integers of 32 bits or less.
    """

    def __init__(
        self, kernel: str | Kernel = "square", fillval: float | str | None = None,
        fillval2: float | str | None = None, out_shape: tuple[int, int] | None = None, out_img: Any = None,
        out_wht: Any = None, out_ctx: Any = None, out_img2: Any = None, out_dq: Any = None, exptime: float = 0.0,
        begin_ctx_id: int = 0, max_ctx_id: int | None = None, disable_ctx: bool = False,
    ) -> None:  # fmt: skip
        self._kernel, self._record = _kernel(kernel)
        self._disable_ctx = bool(disable_ctx)
        self._ctx_id = self._last = 0
        if not self._disable_ctx:
            self._ctx_id, self._last = _context_range(begin_ctx_id, max_ctx_id)
        if not exptime >= 0.0:
            msg = "Exposure time must be non-negative."
            raise ParameterError(msg)
        self._exptime = exptime
        self._fillval = fill_text(fillval, given=out_img is not None)
        self._fillval2 = fill_text(fillval2, given=out_img2 is not None)
        self._out_img: Image | None = image_like("out_img", out_img)
        self._out_wht: Image | None = image_like("out_wht", out_wht)
        self._out_ctx: Context | None = None if self._disable_ctx else _context(out_ctx)
        self._out_dq: Flags | None = None if out_dq is None else check_flags("out_dq", out_dq)
        listed = isinstance(out_img2, list | tuple)
        self._out_img2: list[Image | None] | None = None
        if out_img2 is not None:
            self._out_img2 = [image_like("out_img2", a) for a in (out_img2 if listed else [out_img2])]
        self._added = False
        self._check_state()
        shape = self._common_shape(out_shape)
        if shape is not None:
            self._allocate(shape)

    fillval = property(lambda self: self._fillval, doc="Value of output pixels without weight, as text.")
    fillval2 = property(lambda self: self._fillval2, doc="The same for `out_img2`.")
    kernel = property(lambda self: self._kernel, doc="Name of the kernel.")
    ctx_id = property(
        lambda self: None if self._disable_ctx else self._ctx_id, doc="Number of the next image, from 0; or None."
    )
    out_img = property(lambda self: self._out_img, doc="Weighted mean, float32.")
    out_wht = property(lambda self: self._out_wht, doc="Total weight, float32.")
    out_ctx = property(lambda self: self._out_ctx, doc="Context, int32, shape (planes, ny, nx).")
    out_img2 = property(lambda self: self._out_img2, doc="List of images averaged with squared weights, or None.")
    out_dq = property(lambda self: self._out_dq, doc="Combined flags, uint32, or None.")
    total_exptime = property(lambda self: self._exptime, doc="Exposure time of all images in seconds.")

    def add_image(
        self, data: Any, exptime: float, pixmap: Any, data2: Any = None, dq: Any = None, scale: Any = _NOT_GIVEN,
        iscale: float = 1.0, pixel_scale_ratio: float | None = 1.0, weight_map: Any = None, wht_scale: float = 1.0,
        pixfrac: float = 1.0, in_units: str = "cps", xmin: int | None = None, xmax: int | None = None,
        ymin: int | None = None, ymax: int | None = None,
    ) -> tuple[int, int]:  # fmt: skip
        """Drizzle an image onto the output.

        Parameters
        ----------
        data : ndarray, shape (ny, nx)
            The image.
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
            Size of an output pixel over that of an input pixel, for kernels of a fixed size; None: from the first cell
            of the map, as the `drizzle` package takes it.
        weight_map : ndarray, shape (ny, nx), optional
            Weights; 1 by default.
        wht_scale : float
            Factor on the weights.
        pixfrac : float
            Side of the shrunken pixel; 0.001 or less makes the kernel a point.
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
            If `dq` does not hold integers of 32 bits or less.
        """
        data, pixmap = np.asarray(data), np.asarray(pixmap, dtype=np.float64)
        if not exptime > 0.0 or not math.isfinite(exptime):
            msg = "'exptime' *must* be a strictly positive number."
            raise ParameterError(msg)
        if in_units not in {"cps", "counts"}:
            msg = f"Unknown unit type {in_units!r}. Choose 'cps' or 'counts'."
            raise ParameterError(msg)
        _check_images(data, pixmap)
        if scale is not _NOT_GIVEN:
            _deprecated("scale", "'iscale' and 'pixel_scale_ratio' (iscale=scale**2, pixel_scale_ratio=scale)")
            iscale, pixel_scale_ratio = positive("scale", scale) ** 2, scale
        ratio = first_cell_scale(pixmap) if pixel_scale_ratio is None else pixel_scale_ratio
        flags = None if dq is None else check_flags("dq", dq, data.shape)
        second = self._second(data2, data.shape)
        if weight_map is not None and np.shape(weight_map) != data.shape:
            msg = "'weight_map' shape is not consistent with 'data' shape."
            raise ShapeError(msg)
        factor = positive("iscale", iscale) / (exptime if in_units == "counts" else 1.0)
        self._warn_kernel(pixfrac)
        region = region_of(pixmap, (xmin, xmax, ymin, ymax))
        cut = region.slices
        chip = ChipInput(
            data=(data[cut],), weight=None if weight_map is None else np.asarray(weight_map)[cut],
            weight_scale=positive("wht_scale", wht_scale), number=self._ctx_id % PLANE_BITS + 1, pixmap=region.pixmap,
            scale=positive("pixel_scale_ratio", ratio), intensity=factor,
            variances=[np.zeros((1, 1)).repeat(region.shape[0], 0).repeat(region.shape[1], 1) if a is None else a[cut]
                       for a in second],
            dq=None if flags is None else flags[cut],
        )  # fmt: skip
        if self._out_img is None:
            self._allocate(_covering_shape(pixmap))
        self._prepare(len(second), data2 is not None, flags is not None)
        counts = self._add(chip, region, max(float(pixfrac), 0.0))
        self._fill()
        self._exptime += exptime
        self._added = True
        if not self._disable_ctx:
            self._ctx_id += 1
        return counts

    # -- what must hold --------------------------------------------------------------------------------------------

    def _check_state(self) -> None:
        """Refuse output arrays that contradict each other or the exposure time."""
        given = [a for a in (self._out_img, self._out_wht, self._out_ctx) if a is not None]
        if self._exptime > 0.0 and not given:
            msg = (
                "Exposure time must be 0.0 for the first resampling (when no output resampled images have been "
                "provided)."
            )
            raise ParameterError(msg)
        used = [a for a in (self._out_wht, self._out_ctx) if a is not None and a.any()]
        if self._exptime == 0.0 and used:
            msg = (
                "Inconsistent exposure time and context and/or weight images: Exposure time cannot be 0 when context "
                "and/or weight arrays are non-zero."
            )
            raise ParameterError(msg)

    def _common_shape(self, out_shape: Any) -> tuple[int, int] | None:
        """Return the shape of the output, None if nothing tells it."""
        arrays = [self._out_img, self._out_wht, self._out_dq, *(self._out_img2 or ())]
        shapes = {a.shape for a in arrays if a is not None}
        if self._out_ctx is not None:
            shapes.add(self._out_ctx.shape[1:])
        if out_shape is not None:
            shapes.add(_shape(out_shape))
        if len(shapes) > 1:
            msg = (
                f"Inconsistent data shapes specified: 'out_shape' and/or {_NAMES} have different shapes: "
                f"{sorted(shapes)}."
            )
            raise ShapeError(msg)
        if self._out_ctx is not None and self._out_wht is not None and shapes:
            touched = (self._out_ctx != 0).any(axis=0)
            if not np.array_equal(touched, self._out_wht > 0.0):
                msg = (
                    "Inconsistent values of supplied 'out_wht' and 'out_ctx' arrays. Pixels with non-zero context "
                    "values must have positive weights and vice-versa."
                )
                raise ParameterError(msg)
        known = [self._out_img, self._out_wht, self._out_ctx, self._out_dq]
        if out_shape is None and all(a is None for a in known):
            if shapes and self._out_img2 is not None:
                shape = shapes.pop()
                self._out_img2 = [self._new_second(shape) if a is None else a for a in self._out_img2]
            return None
        return shapes.pop()

    def _allocate(self, shape: tuple[int, int]) -> None:
        """Make the output arrays that are not there."""
        known = {a.shape for a in self._out_img2 or () if a is not None}
        if known - {shape}:
            msg = f"Inconsistent data shapes specified: the output has shape {shape} but out_img2 has {known.pop()}."
            raise ShapeError(msg)
        if self._out_img is None:
            self._out_img = np.full(shape, fill_value(self._fillval, np.nan), dtype=np.float32)
        if self._out_wht is None:
            self._out_wht = np.zeros(shape, dtype=np.float32)
        if self._out_ctx is None and not self._disable_ctx:
            self._out_ctx = np.zeros((self._last // PLANE_BITS + 1, *shape), dtype=np.int32)
        if self._out_img2 is not None:
            self._out_img2 = [self._new_second(shape) if a is None else a for a in self._out_img2]

    def _new_second(self, shape: tuple[int, int]) -> Image:
        return np.full(shape, fill_value(self._fillval2, np.nan), dtype=np.float32)

    def _second(self, data2: Any, shape: tuple[int, ...]) -> list[np.ndarray[Any, Any] | None]:
        """Return the images to be averaged with squared weights; an empty one counts as None."""
        listed = isinstance(data2, list | tuple)
        images = [] if data2 is None else list(data2) if listed else [data2]
        arrays = [None if a is None or np.size(a) == 0 else np.asarray(a) for a in images]
        if any(a is not None and a.shape != shape for a in arrays):
            msg = f"'data2' {'shape(s) is' if listed else 'shape is'} not consistent with 'data' shape."
            raise ShapeError(msg)
        expected = None if self._out_img2 is None else len(self._out_img2)
        if expected is None and data2 is not None and not self._added:
            expected = len(arrays)
        if (0 if expected is None else expected) != len(arrays) or (data2 is None) != (expected is None):
            msg = (
                f"Mismatch between the number of 'out_img2' images previously set and the number of inputs: "
                f"{expected or 0} and {len(arrays)}."
            )
            raise ShapeError(msg)
        return arrays

    def _warn_kernel(self, pixfrac: float) -> None:
        """Tell what the user may not expect of the kernel."""
        name = self._kernel.lower()
        if math.isnan(pixfrac):
            msg = f"'pixfrac' is {pixfrac!r}; give a number above 0."
            raise ParameterError(msg)
        if self._record is None and name not in _CONSERVING:
            _warn(f"Kernel '{name}' is not a flux-conserving kernel.")
        if pixfrac <= POINT_BELOW:
            _warn(f"Kernel reset to 'point' due to input 'pixfrac' being too small ({pixfrac!r}).")
        elif name.startswith("lanczos") and abs(pixfrac - 1.0) > 1e-5:
            _warn("A Lanczos kernel ignores 'pixfrac' and takes 1.")

    # -- the work --------------------------------------------------------------------------------------------------

    def _prepare(self, seconds: int, with_second: bool, with_flags: bool) -> None:
        """Make the arrays that this image needs."""
        assert self._out_img is not None  # noqa: S101  (allocated before)
        shape = self._out_img.shape
        if with_second and self._out_img2 is None:
            self._out_img2 = [self._new_second(shape) for _ in range(seconds)]
        if with_flags and self._out_dq is None:
            self._out_dq = np.zeros(shape, dtype=np.uint32)
        planes = self._ctx_id // PLANE_BITS + 1
        if self._out_ctx is not None and len(self._out_ctx) < planes:
            more = np.zeros((planes - len(self._out_ctx), *shape), dtype=np.int32)
            self._out_ctx = np.concatenate([self._out_ctx, more])

    def _add(self, chip: ChipInput, region: Region, pixfrac: float) -> tuple[int, int]:
        """Continue the output with the sums of one image."""
        assert self._out_img is not None and self._out_wht is not None  # noqa: PT018, S101  (allocated before)
        kernel = _component("kernel", self._record if self._record is not None else self._kernel.lower())
        if pixfrac <= POINT_BELOW:
            kernel = _component("kernel", "point")
        window, skipped = region.reach(kernel, pixfrac, chip.scale, self._out_img.shape)
        if window.empty:
            return skipped, region.shape[0] * region.shape[1]
        with_dq = chip.dq is not None
        acc = Accumulator(
            window=window, variances=len(chip.variances), planes=int(not self._disable_ctx), dq=with_dq
        )
        self._load(acc)
        counts = drizzle_chip(acc, chip, kernel, pixfrac=pixfrac, skip_zero=True)
        self._store(acc)
        return skipped, counts.missed

    def _load(self, acc: Accumulator) -> None:
        """Turn the output so far into sums; products of two float32 numbers are exact in float64."""
        cut = acc.window.slices
        acc.weight[...] = self._out_wht[cut]  # type: ignore[index]
        some = acc.weight != 0.0
        np.multiply(acc.weight, self._out_img[cut], where=some, out=acc.total[0])  # type: ignore[index]
        for k in range(acc.variances):
            image = self._out_img2[k]  # type: ignore[index]
            np.multiply(acc.weight * acc.weight, image[cut], where=some, out=acc.squared[k])  # type: ignore[index]
        if acc.planes:
            acc.context[0] = self._out_ctx[self._ctx_id // PLANE_BITS][cut]  # type: ignore[index]
        if acc.dq:
            acc.flags[some] = self._out_dq[cut][some]  # type: ignore[index]

    def _store(self, acc: Accumulator) -> None:
        """Turn the sums back into the output; pixels without weight keep what they hold."""
        cut = acc.window.slices
        some = acc.weight != 0.0
        weight = acc.weight[some]
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            self._out_img[cut][some] = acc.total[0][some] / weight  # type: ignore[index]
            self._out_wht[cut] = acc.weight  # type: ignore[index]
            for k in range(acc.variances):
                self._out_img2[k][cut][some] = acc.squared[k][some] / (weight * weight)  # type: ignore[index]
        if acc.planes:
            self._out_ctx[self._ctx_id // PLANE_BITS][cut] = acc.context[0]  # type: ignore[index]
        if acc.dq:
            self._out_dq[cut][some] = acc.flags[some]  # type: ignore[index]

    def _fill(self) -> None:
        """Write the fill values where there is no weight."""
        pairs = [(self._fillval, self._out_img), *((self._fillval2, a) for a in self._out_img2 or ())]
        for text, image in pairs:
            value = fill_value(text, None)
            if value is not None and image is not None:
                image[self._out_wht == 0.0] = value


def blot_image(
    data: Any, pixmap: Any, pix_ratio: Any = _NOT_GIVEN, exptime: Any = _NOT_GIVEN,
    output_pixel_shape: Any = _NOT_GIVEN, out_img: Any = None, fillval: float | None = 0.0, iscale: float = 1.0,
    interp: Any = "poly5",
) -> Image:  # fmt: skip
    """Resample an image by interpolation.

    Parameters
    ----------
    data : ndarray, shape (ny, nx)
        The image.
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
        "nearest", "linear", "poly3", "poly5", "lanczos3", "lanczos5", or another interpolator that is registered.

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
    """
    pixmap = np.asarray(pixmap, dtype=np.float64)
    grid = PixelMap.from_pixmap(pixmap)
    factor = _blot_factor(iscale, pix_ratio, exptime)
    if output_pixel_shape is not _NOT_GIVEN:
        _deprecated("output_pixel_shape", "the shape of 'pixmap'")
        if np.atleast_1d(output_pixel_shape).tolist() != list(pixmap.shape[1::-1]):
            msg = f"Pixel map dimensions {pixmap.shape[1::-1]} != output dimensions {output_pixel_shape!r}."
            raise ShapeError(msg)
    if out_img is not None and np.shape(out_img) != grid.shape:
        msg = f"'out_img' shape {np.shape(out_img)} is not consistent with 'pixmap' shape {grid.shape}."
        raise ShapeError(msg)
    if not (fillval is None or isinstance(fillval, numbers.Real)):
        msg = f"Argument 'fillval' is not a number: {fillval!r}."
        raise ParameterError(msg)
    fill = 0.0 if fillval is None else float(fillval)
    blot = blot_chip(data, grid, _component("interpolator", interp), factor=factor, fill=fill)
    if isinstance(out_img, np.ndarray) and out_img.dtype == np.float32:
        out_img[...] = blot
        return out_img
    return blot


def _blot_factor(iscale: float, pix_ratio: Any, exptime: Any) -> float:
    """Return the factor on interpolated values."""
    factor = positive("iscale", iscale)
    if pix_ratio is not _NOT_GIVEN:
        _deprecated("pix_ratio", "'iscale' (iscale=1 / pix_ratio**2)")
        factor /= positive("pix_ratio", pix_ratio) ** 2
    if exptime is not _NOT_GIVEN:
        _deprecated("exptime", "'iscale' (iscale=exptime)")
        factor *= positive("exptime", exptime)
    return factor


def _deprecated(name: str, instead: str) -> None:
    warnings.warn(
        f"Argument '{name}' has been deprecated. Use {instead} instead.", DeprecationWarning, stacklevel=3
    )


def _warn(message: str) -> None:
    warnings.warn(message, DrizframeWarning, stacklevel=4)


def _kernel(kernel: Any) -> tuple[str, Kernel | None]:
    """Return the name of a kernel, and its record if that was given."""
    if isinstance(kernel, Component):
        return kernel.name, _component("kernel", kernel)
    if not isinstance(kernel, str) or kernel.lower() not in _KERNELS:
        msg = f"Kernel {kernel!r} is not supported."
        raise ParameterError(msg)
    return kernel, None


def _context_range(begin: int, largest: int | None) -> tuple[int, int]:
    """Return the number of the first image and the largest number expected."""
    if begin < 0:
        msg = f"Invalid context image ID {begin!r}; 'begin_ctx_id' must be 0 or more."
        raise ParameterError(msg)
    if largest is not None and largest < begin:
        msg = "'max_ctx_id' cannot be smaller than 'begin_ctx_id'."
        raise ParameterError(msg)
    return int(begin), int(begin if largest is None else largest)


def _context(out_ctx: Any) -> Context | None:
    """Return a given context with an axis for planes."""
    if out_ctx is None:
        return None
    array: Context = np.asarray(out_ctx, dtype=np.int32)
    if array.ndim not in (2, 3):
        msg = "'out_ctx' must be either a 2D or 3D array."
        raise ShapeError(msg)
    return array[None] if array.ndim == 2 else array


def _shape(out_shape: Any) -> tuple[int, int]:
    """Return rows and columns as integers."""
    try:
        ny, nx = (operator.index(n) for n in out_shape)
    except (TypeError, ValueError):
        ny, nx = 0, 0
    if ny < 1 or nx < 1:
        msg = f"'out_shape' is {out_shape!r}; give two numbers of pixels (rows, columns) of 1 or more."
        raise ShapeError(msg)
    return ny, nx


def _check_images(data: Any, pixmap: Any) -> None:
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


def _covering_shape(pixmap: Any) -> tuple[int, int]:
    """Return rows and columns of an output that is as large as the mapped image."""
    good = pixmap[np.isfinite(pixmap).all(axis=2)]
    low, high = np.floor(good.min(axis=0)), np.ceil(good.max(axis=0))
    nx, ny = (high - low + 1.0).tolist()
    return int(ny), int(nx)

