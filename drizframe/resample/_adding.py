"""Adding one image to the output of a `Drizzle`: in one compiled pass, or step by step."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe._fast import load
from drizframe.hooks import Kernel
from drizframe.model import Accumulator, ChipInput
from drizframe.pixels.blocks import Spreader, spreader_of
from drizframe.pixels.bounds import block_bounds
from drizframe.pixels.drizzle import check_finite, check_fit, drizzle_chip
from drizframe.resample._output import Output
from drizframe.resample._region import touched_part

__all__ = ["add_image"]

#: Everything in one pass, for kernels that have a compiled body.
one_pass: Any = load("drizzle_image")
#: Images averaged with squared weights that the pass can take.
MANY = 64


def add_image(out: Output, chip: ChipInput, kernel: Kernel, pixfrac: float, plane: int) -> tuple[int, int]:
    """Continue the output with one image.

    Parameters
    ----------
    out : Output
        Images of the output, which are changed.
    chip : ChipInput
        The image, with a full map.
    kernel : Kernel
        How its pixels spread.
    pixfrac : float
        Side of the shrunken pixel, 0 or above.
    plane : int
        Plane of the context, if there is one.

    Returns
    -------
    skipped, missed : int
        Rows and pixels that gave nothing.
    """
    spreader = spreader_of(chip, kernel, pixfrac, "auto", None)
    if one_pass is None or spreader.code is None or len(chip.variances) > MANY:
        return step_by_step(out, chip, kernel, pixfrac, plane, spreader)
    return in_one_pass(out, chip, kernel, pixfrac, plane, spreader)


def in_one_pass(
    out: Output, chip: ChipInput, kernel: Kernel, pixfrac: float, plane: int, spreader: Spreader
) -> tuple[int, int]:
    """Do as `step_by_step`, in compiled loops and with the same bits."""
    check_fit(chip, kernel, pixfrac)
    pixmap, factor = chip.pixmap, chip.multiplier
    touched, rows, finite = one_pass.drizzle_image(
        spreader.code, pixmap.pixmap, pixmap.start, spreader.half, spreader.margin, spreader.corners == "choose",
        block_bounds(pixmap, spreader.half), _numbers(chip.data[0]),
        None if chip.weight is None else _numbers(chip.weight), chip.dq, [_numbers(v) for v in chip.variances],
        factor, factor**2, chip.weight_scale, 1 << (chip.number - 1) % 32, out.img, out.wht,
        None if out.ctx is None else out.ctx[plane], None if chip.dq is None else out.dq,
        (out.img2 or [])[: len(chip.variances)],
    )  # fmt: skip
    check_finite(finite, chip, kernel)
    ny, nx = pixmap.shape
    return ny - rows, ny * nx - touched


def step_by_step(
    out: Output, chip: ChipInput, kernel: Kernel, pixfrac: float, plane: int, spreader: Spreader
) -> tuple[int, int]:
    """Turn the part of the output that pixels can touch into sums, continue them, and divide."""
    window, skipped = touched_part(chip.pixmap, spreader.half, spreader.margin, out.img.shape)
    acc = Accumulator(
        window=window, variances=len(chip.variances), planes=int(out.ctx is not None), dq=chip.dq is not None
    )
    out.load(acc, plane)
    counts = drizzle_chip(acc, chip, kernel, pixfrac=pixfrac, skip_zero=True)
    out.store(acc, plane)
    return skipped, counts.missed


def _numbers(image: Any) -> Any:
    """Return an image in native float32 or float64, as it is if it is that."""
    if image.dtype.kind == "f" and image.dtype.itemsize <= 4:
        return image.astype(np.float32, copy=False)
    return image.astype(np.float64, copy=False)
