"""Drizzle: chips onto one window of a frame.

Every output pixel gets its contributions in the order of the calls, then of input rows, then of input
columns, as float64 sums, and no weight depends on the window.  So the result has the same bits however a
frame is cut into windows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from drizframe._fast import Backend
from drizframe.errors import ParameterError, PluginError, ShapeError
from drizframe.hooks import Kernel
from drizframe.model import Accumulator, ChipInput, Drizzled, Window
from drizframe.pixels.blocks import Block, Call, blocks, spreader_of

__all__ = ["Counts", "check_finite", "check_fit", "drizzle", "drizzle_chip", "finish"]


#: Pixels that are divided at a time: so many stay in the processor's cache.
STRIP = 1 << 14
#: Weights below this do not overflow in sums over any image.
_LARGE = 1e200


class Counts(NamedTuple):
    """How many pixels of a chip gave something to the window, and how many did not."""

    touched: int
    missed: int


def drizzle_chip(
    acc: Accumulator, chip: ChipInput, kernel: Kernel, *,
    pixfrac: float, backend: Backend = "auto", call: Call | None = None, skip_zero: bool = False,
) -> Counts:  # fmt: skip
    """Add one chip to the sums of a window.

    Parameters
    ----------
    acc : Accumulator
        The sums; they are changed.
    chip : ChipInput
        Images of the chip and its map.
    kernel : Kernel
        How pixels spread; a pixfrac of 0.001 or less makes it a point.
    pixfrac : float
        Side of the shrunken pixel over that of the pixel, 0 or above.
    backend : {"auto", "reference", "cython"}
        Whether compiled loops may be used.
    call : callable, optional
        Gives the implementation of a component (`Job.call`); by default the compiled one if `backend` allows
        it.
    skip_zero : bool
        Whether pairs of weight 0 leave no trace, as in the `drizzle` package.

    Returns
    -------
    Counts
        Pixels that touched the window, and the others.

    Raises
    ------
    ParameterError
        If pixfrac is not a number of 0 or more, or there is no context plane for the chip's number.
    ShapeError
        If the chip has other layers than the sums, or its map does not tell its pixels' corners.
    """
    _check(acc, chip, kernel, pixfrac)
    spreader = spreader_of(chip, kernel, pixfrac, backend, call)
    touched = 0
    for rows, columns in blocks(chip, acc.window, spreader):
        block = Block(acc, chip, spreader, rows, columns, skip_zero=skip_zero)
        touched += block.add()
    if spreader.code is not None:
        check_finite(bool(np.isfinite(acc.weight.sum())), chip, kernel)
    ny, nx = chip.pixmap.shape
    return Counts(touched, ny * nx - touched)


def check_finite(finite: bool, chip: ChipInput, kernel: Kernel) -> None:
    """Refuse sums of weights that are not finite, if it is the compiled body of the kernel that made them so."""
    if not finite and not _huge(chip):
        msg = f"The compiled body (block) of {kernel.label} gave weights that are not finite, or huge."
        raise PluginError(msg, kernel)


def _huge(chip: ChipInput) -> bool:
    """Whether the weights of a chip are so large that their sums may overflow, whatever the kernel."""
    largest = 1.0 if chip.weight is None else float(np.nanmax(np.abs(chip.weight), initial=0.0))
    return not largest * abs(float(chip.weight_scale)) < _LARGE


def drizzle(
    window: Window, chips: Iterable[ChipInput], kernel: Kernel, *,
    pixfrac: float, planes: int = 0, variances: int = 0,
    fillval: float | None = None, maskval: float = np.nan,
    backend: Backend = "auto", call: Call | None = None, dtype: Any = np.float32,
) -> Drizzled:  # fmt: skip
    """Drizzle several chips onto a window.

    Parameters
    ----------
    window : Window
        The part of the frame.
    chips : iterable of ChipInput
        In the order in which they are to be added; taken one at a time, so a generator keeps only one in
        memory.
    kernel, pixfrac, backend, call
        See `drizzle_chip`.
    planes : int
        Number of context planes; 0: no context.
    variances : int
        Number of variance images that every chip brings.
    fillval, maskval, dtype
        See `finish`.
    """
    acc = Accumulator(window=window, variances=variances, planes=planes)
    for chip in chips:
        drizzle_chip(acc, chip, kernel, pixfrac=pixfrac, backend=backend, call=call)
    return finish(acc, fillval=fillval, maskval=maskval, dtype=dtype)


def finish(
    acc: Accumulator, *, fillval: float | None = None, maskval: float = np.nan, dtype: Any = np.float32
) -> Drizzled:
    """Divide the sums.

    Parameters
    ----------
    acc : Accumulator
        The sums, unchanged.
    fillval : float or None
        Science value of all pixels of weight 0.  None: such a pixel keeps the last finite value that came
        with weight 0.
    maskval : float
        Without `fillval`: science value of pixels that nothing touched.
    dtype : numpy type
        float32 or float64.
    """
    h, w = acc.weight.shape
    made = Drizzled(
        sci=np.empty((h, w), dtype),
        wht=acc.weight.astype(dtype),
        ctx=acc.context.copy() if acc.planes else None,
        layers=tuple(np.empty((h, w), dtype) for _ in acc.total[1:]),
        variances=tuple(np.empty((h, w), dtype) for _ in acc.squared),
        dq=acc.flags.copy() if acc.dq else None,
    )
    strip = max(1, STRIP // max(w, 1))
    with np.errstate(all="ignore"):
        for row in range(0, h, strip):
            _finish_rows(acc, made, slice(row, row + strip), fillval, maskval)
    return made


def _finish_rows(
    acc: Accumulator, made: Drizzled, rows: slice, fillval: float | None, maskval: float
) -> None:
    """Divide the sums of some rows."""
    weight = acc.weight[rows]
    some = weight != 0.0
    idle = acc.last[rows].copy() if fillval is None else np.full(weight.shape, float(fillval))
    if fillval is None and not np.isnan(maskval):
        idle[np.isnan(idle)] = maskval
    made.sci[rows] = np.divide(acc.total[0][rows], weight, out=idle, where=some)
    for layer, total in zip(made.layers, acc.total[1:], strict=True):
        layer[rows] = np.where(some, total[rows] / weight, np.nan)
    for variance, squared in zip(made.variances, acc.squared, strict=True):
        variance[rows] = np.where(some, squared[rows] / (weight * weight), np.nan)


def _check(acc: Accumulator, chip: ChipInput, kernel: Kernel, pixfrac: float) -> None:
    for name, want, have in (
        ("images", acc.layers, len(chip.data)),
        ("variances", acc.variances, len(chip.variances)),
        ("sets of flags", int(acc.dq), int(chip.dq is not None)),
    ):
        if want != have:
            msg = (
                f"Chip number {chip.number} has {have} {name} but the sums hold {want}. "
                f"Give the same for all chips."
            )
            raise ShapeError(msg)
    if acc.planes > 1 and chip.number > 32 * acc.planes:
        need = (chip.number - 1) // 32 + 1
        msg = f"Chip number {chip.number} has no bit in {acc.planes} context planes. Give {need} planes."
        raise ParameterError(msg)
    check_fit(chip, kernel, pixfrac)


def check_fit(chip: ChipInput, kernel: Kernel, pixfrac: float) -> None:
    """Refuse a pixfrac that is none, and a map that does not tell what the kernel needs."""
    if not (np.isfinite(pixfrac) and pixfrac >= 0.0):
        msg = f"pixfrac is {pixfrac!r}; give a finite number of 0 or more."
        raise ParameterError(msg)
    if (
        (kernel.needs_corners or kernel.point is not None)
        and chip.pixmap.pixmap is not None
        and min(chip.pixmap.pixmap.shape[:2]) < 2
    ):
        msg = (
            f"A full map of shape {chip.pixmap.pixmap.shape[:2]} does not tell where the corners of its pixels lie, "
            f"which kernel {kernel.name!r} needs. "
            f"Give at least two rows and columns, or choose kernel 'turbo'."
        )
        raise ShapeError(msg)
