"""Drizzle and blot on arrays, with the interface of STScI's `drizzle` 3.0.

`Drizzle` and `blot_image` take the same arguments, keep the same state and give the same numbers wherever the
pixel map is finite and the image stays inside the output.  At borders every overlap counts, and positions,
data or weights that are not finite contribute nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe._resampling.checks import (
    check_exptime,
    check_flags,
    check_images,
    context_range,
    deprecated,
    kernel_of,
    positive,
    warn_about_kernel,
)
from drizframe._resampling.output import Output
from drizframe._resampling.region import Region, covering_shape, first_cell_scale, region_of
from drizframe.engine.blotting import blot_chip
from drizframe.engine.drizzling import POINT_BELOW, drizzle_chip
from drizframe.errors import ParameterError, ShapeError
from drizframe.hooks import Kernel
from drizframe.model import Accumulator, ChipInput, PixelMap
from drizframe.utils import calc_pixmap, decode_context, estimate_pixel_scale_ratio

__all__ = ["Drizzle", "blot_image", "calc_pixmap", "decode_context", "estimate_pixel_scale_ratio"]

#: Bits of a context plane.
PLANE_BITS = 32
_NOT_GIVEN: Any = object()


def _component(family: str, name: Any) -> Any:
    """Return a component of the session's registry, or the record itself."""
    from drizframe.api import registry

    return registry().get(family, name)


class Drizzle:
    """Combine images onto one grid by drizzling.

    Parameters
    ----------
    kernel : str or Kernel
        "square", "turbo", "point", "gaussian", "lanczos2", "lanczos3"; or a record of a plugin.  Gaussian and
        Lanczos conserve neither flux nor weight.
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
        out_wht: Any = None, out_ctx: Any = None, out_img2: Any = None, out_dq: Any = None,
        exptime: float = 0.0, begin_ctx_id: int = 0, max_ctx_id: int | None = None, disable_ctx: bool = False,
    ) -> None:  # fmt: skip
        self._kernel, self._record = kernel_of(kernel)
        self._ctx_id: int | None = None
        last = -1
        if not disable_ctx:
            self._ctx_id, last = context_range(begin_ctx_id, max_ctx_id)
        self._out = Output(
            fillval=fillval, fillval2=fillval2, planes=last // PLANE_BITS + 1, img=out_img, wht=out_wht,
            ctx=out_ctx, img2=out_img2, dq=out_dq,
        )  # fmt: skip
        self._exptime = exptime
        self._added = False
        self._out.check_exptime(exptime)
        shape = self._out.common_shape(out_shape)
        if shape is not None:
            self._out.allocate(shape)

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
            Size of an output pixel over that of an input pixel, for kernels of a fixed size; None: from the
            first cell of the map, as the `drizzle` package takes it.
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
        exptime = check_exptime(exptime)
        if in_units not in {"cps", "counts"}:
            msg = f"Unknown unit type {in_units!r}. Choose 'cps' or 'counts'."
            raise ParameterError(msg)
        check_images(data, pixmap)
        if scale is not _NOT_GIVEN:
            deprecated("scale", "'iscale' and 'pixel_scale_ratio' (iscale=scale**2, pixel_scale_ratio=scale)")
            iscale, pixel_scale_ratio = positive("scale", scale) ** 2, scale
        ratio = first_cell_scale(pixmap) if pixel_scale_ratio is None else pixel_scale_ratio
        flags = None if dq is None else check_flags("dq", dq, data.shape)
        second = self._out.second(data2, data.shape, first=not self._added)
        if weight_map is not None and np.shape(weight_map) != data.shape:
            msg = "'weight_map' shape is not consistent with 'data' shape."
            raise ShapeError(msg)
        region = region_of(pixmap, (xmin, xmax, ymin, ymax))
        cut = region.slices
        nothing = np.broadcast_to(np.float64(0.0), region.shape)
        chip = ChipInput(
            data=(data[cut],),
            weight=None if weight_map is None else np.asarray(weight_map)[cut],
            weight_scale=positive("wht_scale", wht_scale),
            number=(self._ctx_id or 0) % PLANE_BITS + 1,
            pixmap=region.pixmap,
            scale=positive("pixel_scale_ratio", ratio),
            intensity=positive("iscale", iscale) / (exptime if in_units == "counts" else 1.0),
            variances=[nothing if a is None else a[cut] for a in second],
            dq=None if flags is None else flags[cut],
        )
        pixfrac = warn_about_kernel(self._kernel.lower(), pixfrac)
        if self._out.img is None:
            self._out.allocate(covering_shape(pixmap))
        plane = (self._ctx_id or 0) // PLANE_BITS
        self._out.prepare(None if data2 is None else len(second), plane, with_flags=flags is not None)
        counts = self._add(chip, region, pixfrac, plane)
        self._out.fill()
        self._exptime += exptime
        self._added = True
        if self._ctx_id is not None:
            self._ctx_id += 1
        return counts

    def _add(self, chip: ChipInput, region: Region, pixfrac: float, plane: int) -> tuple[int, int]:
        """Continue the output with the sums of one image; return rows and pixels that gave nothing."""
        name = self._kernel.lower() if self._record is None else self._record
        kernel = _component("kernel", "point" if pixfrac <= POINT_BELOW else name)
        window, skipped = region.reach(kernel, pixfrac, chip.scale, self._out.img.shape)
        acc = Accumulator(
            window=window,
            variances=len(chip.variances),
            planes=int(self._ctx_id is not None),
            dq=chip.dq is not None,
        )
        self._out.load(acc, plane)
        counts = drizzle_chip(acc, chip, kernel, pixfrac=pixfrac, skip_zero=True)
        self._out.store(acc, plane)
        return skipped, counts.missed


def blot_image(
    data: Any, pixmap: Any, pix_ratio: Any = _NOT_GIVEN, exptime: Any = _NOT_GIVEN,
    output_pixel_shape: Any = _NOT_GIVEN, out_img: Any = None, fillval: Any = 0.0,
    iscale: float = 1.0, interp: Any = "poly5",
) -> np.ndarray[Any, np.dtype[np.float32]]:  # fmt: skip
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
        "nearest", "linear", "poly3", "poly5", "lanczos3", "lanczos5", or another interpolator that is
        registered.

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
        deprecated("output_pixel_shape", "the shape of 'pixmap'")
        if np.atleast_1d(output_pixel_shape).tolist() != list(pixmap.shape[1::-1]):
            msg = f"Pixel map dimensions {pixmap.shape[1::-1]} != output dimensions {output_pixel_shape!r}."
            raise ShapeError(msg)
    if out_img is not None and np.shape(out_img) != grid.shape:
        msg = f"'out_img' shape {np.shape(out_img)} is not consistent with 'pixmap' shape {grid.shape}."
        raise ShapeError(msg)
    if isinstance(fillval, str):
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
        deprecated("pix_ratio", "'iscale' (iscale=1 / pix_ratio**2)")
        factor /= positive("pix_ratio", pix_ratio) ** 2
    if exptime is not _NOT_GIVEN:
        deprecated("exptime", "'iscale' (iscale=exptime)")
        factor *= positive("exptime", exptime)
    return factor
