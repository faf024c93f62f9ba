"""How far a kernel spreads one pixel of a chip over the frame."""

from __future__ import annotations

import math
from typing import Any

from drizframe.errors import PluginError
from drizframe.hooks import Kernel, ask
from drizframe.model import axes_of

__all__ = ["POINT_BELOW", "footprint_of_pixel"]

#: A drop of this size or smaller is a point (documented for `driz_sep_pixfrac` and `final_pixfrac`).
POINT_BELOW = 0.001


def footprint_of_pixel(kernel: Kernel, pixfrac: float, scale: float) -> tuple[float, float]:
    """Return half the side of the region of the chip that is mapped about a pixel's centre, and a margin about that.

    Parameters
    ----------
    kernel : Kernel
        Any kernel; with a very small pixfrac each is a point.
    pixfrac : float
        Side of the shrunken pixel, in pixels of the chip.
    scale : float or PixelScale
        Size of chip pixels in frame pixels.

    Returns
    -------
    half : float
        In chip pixels; the corners of that square are mapped to the frame (0: only the centre).
    margin : float
        In frame pixels; how far beyond the mapped positions weights can lie.

    Raises
    ------
    PluginError
        If the support of the kernel is no width.
    """
    if pixfrac <= POINT_BELOW:
        return 0.0, 0.0
    if kernel.needs_corners:
        return 0.5 * pixfrac, 0.0
    if kernel.profile is not None:
        width = ask(kernel, kernel.support, pixfrac)
        return 0.0, _width(kernel, width, f"pixfrac={pixfrac:g}") / min(axes_of(scale))
    width = ask(kernel, kernel.support, pixfrac, scale)
    return 0.0, _width(kernel, width, f"pixfrac={pixfrac:g}, scale={scale:g}")


def _width(kernel: Kernel, answer: Any, given: str) -> float:
    """Refuse a support that is no width."""
    try:
        width = float(answer)
    except (TypeError, ValueError):
        width = math.nan
    if not 0.0 <= width < math.inf:
        msg = f"The support of {kernel.label} is {answer!r} for {given}; it must be a finite number of 0 or more."
        raise PluginError(msg, kernel)
    return width
