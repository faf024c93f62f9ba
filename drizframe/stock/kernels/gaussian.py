"""The gaussian kernel: a circular Gaussian, sampled at the centres of output pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Kernel, hookimpl
from drizframe.model import axes_of
from drizframe.stock.kernels._ranges import Array, Integers, candidates, centres

__all__ = ["FWHM", "GAUSSIAN", "gaussian", "support"]

#: Full width at half maximum of a Gaussian over its sigma, to the digits that the reference uses.
FWHM = 2.3548


def support(pixfrac: float, scale: float) -> float:
    """Half the longer side of the sampled region in output pixels: 2.5 sigma, but no less than 1.2 input pixels."""
    return _half(pixfrac, min(axes_of(scale)))


def _half(pixfrac: float, scale: float) -> float:
    """Half the side of the sampled region along an axis of this scale."""
    return max(2.5 * pixfrac / (FWHM * scale), 1.2 / scale)


def gaussian(
    x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
    pixfrac: float, scale: float,
) -> Array:  # fmt: skip
    """Gaussian of unit integral about each pixel's centre.

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
    pixfrac : float
        Full width at half maximum in input pixels.
    scale : float
        Size of an output pixel over that of an input pixel.

    Returns
    -------
    weights : ndarray of float64, shape (n, h, w)
        ``(e / π) exp(-e dx²) exp(-e dy²)`` with ``e = 2.3548² s² / (2 f²)``, on the pixels ``nint(x - r) …
        nint(x + r)`` (a square, not a disc) with r = `support`.

    Notes
    -----
    The Gaussian is sampled, not integrated, so the weights of a pixel sum to about 1 only.  For pixels that are not
    square (`PixelScale`) s, e and r are those of the axis, and the factor before has the geometric mean of both e.
    """
    sx, sy = axes_of(scale)
    ex, ey = (FWHM * FWHM * (s * s) / (2.0 * (pixfrac * pixfrac)) for s in (sx, sy))
    mean = ex if ex == ey else float(np.sqrt(ex * ey))
    across = _factors(x, ex, _half(pixfrac, sx), x0, shape[1])
    along = (mean / np.pi) * _factors(y, ey, _half(pixfrac, sy), y0, shape[0])
    return along[:, :, None] * across[:, None, :]


def _factors(v: Array, e: float, r: float, start: Integers, count: int) -> Array:
    """One axis of the Gaussian on each pixel of the windows, shape (n, count)."""
    d = v[:, None] - centres(start, count)
    with np.errstate(under="ignore"):
        return np.where(candidates(v - r, v + r, start, count), np.exp(-e * (d * d)), 0.0)


GAUSSIAN = Kernel(
    name="gaussian",
    summary="A circular Gaussian whose full width at half maximum is pixfrac input pixels.",
    footprint=gaussian,
    fast=twin("gaussian.gaussian"),
    block=twin("gaussian.block"),
    support=support,
    traits=frozenset({"non_negative", "linear", "rotation_invariant", "picklable"}),
    cite="Fruchter & Hook 2002, PASP 114, 144",
    flux_error=0.12,  # measured: benchmarks/kernel_flux.py, docs/explanation/kernels.md
)


@hookimpl
def drizframe_kernels() -> Iterator[Kernel]:
    """Yield the kernel of this module."""
    yield GAUSSIAN
