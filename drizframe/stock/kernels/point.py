"""The point kernel: all of an input pixel goes to the nearest output pixel."""

from __future__ import annotations

from collections.abc import Iterator

from drizframe._fast import twin
from drizframe.hooks import Kernel, hookimpl
from drizframe.stock.kernels._ranges import Array, Integers, candidates

__all__ = ["POINT", "no_width", "point"]


def no_width(pixfrac: float, scale: float) -> float:
    """Return 0: a point has no width."""
    return 0.0


def point(
    x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
    pixfrac: float, scale: float,
) -> Array:  # fmt: skip
    """Weight 1 on the output pixel that is nearest to the centre.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Centres on the frame.
    corners : None
        Not used.
    x0, y0 : ndarray of int, shape (n,)
        First column and row of each pixel's window.
    shape : tuple of int, (h, w)
        Rows and columns of the windows.
    pixfrac, scale : float
        Not used.

    Returns
    -------
    weights : ndarray of float64, shape (n, h, w)
        1 for the nearest pixel, else 0.  A centre on an edge goes to the pixel away from zero.
    """
    nearest = candidates(y, y, y0, shape[0])[:, :, None] & candidates(x, x, x0, shape[1])[:, None, :]
    return nearest.astype(float)


POINT = Kernel(
    name="point",
    summary="All of an input pixel goes to the nearest output pixel.",
    footprint=point,
    fast=twin("point.point"),
    block=twin("point.block"),
    tolerance=0.0,
    support=no_width,
    traits=frozenset({"conserves_flux", "non_negative", "linear", "picklable"}),
    cite="Fruchter & Hook 2002, PASP 114, 144",
)


@hookimpl
def drizframe_kernels() -> Iterator[Kernel]:
    """Yield the kernel of this module."""
    yield POINT
