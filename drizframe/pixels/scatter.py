"""Weighted sums: what becomes of the weights that a kernel gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe._fast import load

__all__ = ["compiled", "scatter"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.intp]]
Flags = np.ndarray[Any, np.dtype[np.uint32]]

compiled: Any = load("scatter")


def scatter(
    weights: Array, index: Integers, x0: Integers, y0: Integers,
    data: Array, variances: Array, pixel_weight: Array, flags: Flags,
    bit: int, skip_zero: bool, weight: Array, total: Array, squared: Array,
    last: Array, context: np.ndarray[Any, np.dtype[np.int32]] | None, out_flags: Flags | None,
) -> int:  # fmt: skip
    """Add pixels to the sums of a window, one after the other.

    Parameters
    ----------
    weights : ndarray of float64, shape (n, h, w)
        Shares g of each pixel's weight on its window of output pixels.
    index : ndarray of int, shape (n,)
        Position of each pixel in the block.
    x0, y0 : ndarray of int, shape (n,)
        First column and row of each window, counted in the sums; windows lie inside them.
    data : ndarray of float64, shape (layers, m)
        Values d of the block's pixels.
    variances : ndarray of float64, shape (variances, m)
        Variances v.
    pixel_weight : ndarray of float64, shape (m,)
        Weights of the block's pixels, finite; 0 where the science value is not finite.
    flags : ndarray of uint32, shape (m,)
        Data-quality flags; not read if `out_flags` is None.
    bit : int
        The context bit to set, as an unsigned 32-bit number.
    skip_zero : bool
        Whether pairs of weight 0 leave no trace at all.
    weight, total, squared, last, context, out_flags : ndarray
        The sums of an `Accumulator` (one plane of `context`), which are changed.

    Returns
    -------
    touched : int
        Number of pixels that have any g ≠ 0.

    Notes
    -----
    With ω = g · (weight of the pixel): if ω ≠ 0, ``Σw += ω``, ``Σwd += ω d``, ``Σw²v += ω² v`` and the flags
    are combined by OR; if ω > 0 the context bit is set; if ω = 0 although g ≠ 0, the science value is
    remembered as the last one that came without weight.
    """
    g = weights.ravel()
    pixel = np.repeat(index, weights.shape[1] * weights.shape[2])
    place = (
        (y0[:, None, None] + np.arange(weights.shape[1])[:, None]) * weight.shape[1]
        + x0[:, None, None] + np.arange(weights.shape[2])
    ).ravel()  # fmt: skip
    omega = g * pixel_weight[pixel]
    _remember(last, data[0], g, omega, pixel, place, skip_zero=skip_zero)
    counts = omega != 0.0
    omega, pixel, place = omega[counts], pixel[counts], place[counts]
    np.add.at(weight.reshape(-1), place, omega)
    for k, d in enumerate(data):
        np.add.at(total[k].reshape(-1), place, omega * d[pixel])
    for k, v in enumerate(variances):
        np.add.at(squared[k].reshape(-1), place, omega * omega * v[pixel])
    if context is not None:
        np.bitwise_or.at(context.reshape(-1).view(np.uint32), place[omega > 0.0], np.uint32(bit))
    if out_flags is not None:
        np.bitwise_or.at(out_flags.reshape(-1), place, flags[pixel])
    return int(np.count_nonzero((weights != 0.0).any(axis=(1, 2))))


def _remember(
    last: Array, science: Array, g: Array, omega: Array, pixel: Integers, place: Integers, *, skip_zero: bool
) -> None:
    """Keep the last finite science value that came with weight 0."""
    if skip_zero:
        return
    values = science[pixel]
    idle = (omega == 0.0) & (g != 0.0) & np.isfinite(values)
    for where, value in zip(
        place[idle], values[idle], strict=True
    ):  # in order: a later one replaces an earlier one
        last.reshape(-1)[where] = value
