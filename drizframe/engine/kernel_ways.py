"""The ways to write a kernel, turned into one: a function that gives weights on windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from drizframe.hooks import Component, Kernel
from drizframe.hooks.registry import choose

__all__ = ["footprint_of", "nearest"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.intp]]


def footprint_of(
    kernel: Kernel, pixfrac: float, scale: float, *,
    backend: Literal["auto", "reference", "cython"], call: Callable[[Component], Callable[..., Any]] | None,
) -> Callable[..., Array]:  # fmt: skip
    """Return ``weigh(x, y, corners, x0, y0, shape, *, pixfrac, scale) -> weights`` for a kernel, however it is written."""
    return call(kernel) if call is not None else choose(kernel, backend)[0]


def nearest(
    x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
    pixfrac: float, scale: float,
) -> Array:  # fmt: skip
    """Weight 1 on the output pixel nearest to the centre: what every kernel is for a very small pixfrac."""
    i = np.where(x >= 0.0, np.floor(x + 0.5), -np.floor(0.5 - x)) - x0
    j = np.where(y >= 0.0, np.floor(y + 0.5), -np.floor(0.5 - y)) - y0
    columns, rows = np.arange(shape[1]), np.arange(shape[0])
    return ((j[:, None] == rows)[:, :, None] & (i[:, None] == columns)[:, None, :]).astype(float)
