"""Cosmic rays: pixels that differ from the blotted median by more than noise and gradient explain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe._fast import twin
from drizframe.errors import ShapeError
from drizframe.hooks import CosmicRayDetector, hookimpl

if TYPE_CHECKING:
    from drizframe.hooks import CosmicRayOptions

__all__ = ["DERIV", "GROWN", "TAIL", "TEST", "deriv"]

#: Bits of a reason code: fails the test; flagged by the growth of others; in the tail of others.
TEST, GROWN, TAIL = 1, 2, 4

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Image = np.ndarray[Any, np.dtype[np.float32]]


def _largest_near(mask: Mask, side: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the largest value of the box of `side` pixels around each pixel; beyond the edges nothing is flagged."""
    from scipy import ndimage  # 0.3 s to import, and the compiled twin does without

    found: np.ndarray[Any, np.dtype[np.uint8]] = ndimage.maximum_filter(
        mask.astype(np.uint8), size=side, mode="constant", cval=0
    )
    return found


def rejected(sci: Image, blot: Image, deriv: Image, noise: Image, options: CosmicRayOptions) -> Mask:
    """Return the pixels that fail the test.

    A pixel passes a limit if ``|S - B| <= k D + snr noise``, all in float32; not a number never passes.  It
    is rejected if it fails the second limit and one pixel of its 3x3 neighbourhood, itself included, fails
    the first.
    """
    delta = np.abs(sci - blot)
    first, second = (
        delta <= np.float32(k) * deriv + np.float32(snr) * noise
        for k, snr in zip(options.scale, options.snr, strict=True)
    )
    near = _largest_near(~first, 3)
    mask: Mask = ~second & (near > 0)
    return mask


def spread(mask: Mask, side: int) -> Mask:
    """Return the pixels whose box of `side` pixels holds a flag.

    The box reaches from ``-(side // 2)`` to ``(side + 1) // 2 - 1`` on both axes, so it is not centred if
    `side` is even.
    """
    if side <= 1:
        return mask
    found = _largest_near(mask, side)
    return np.asarray(found > 0)


def tail(mask: Mask, length: int, direction: int) -> Mask:
    """Return the pixels within `length` rows of a flag on the side where charge-transfer tails run.

    `direction` +1: below a flag (lower y); -1: above; 0: nowhere.  Edges are mirrored (the edge pixel
    repeats).
    """
    found = np.zeros_like(mask)
    if length <= 0 or direction == 0 or not mask.size:
        return found
    ny = mask.shape[0]
    padded = np.pad(mask, ((length, length), (0, 0)), mode="symmetric")
    for step in range(1, length + 1):
        start = length + (step if direction > 0 else -step)
        found |= padded[start : start + ny]
    return found


def deriv(
    sci: np.ndarray[Any, Any],
    blot: np.ndarray[Any, Any],
    deriv: np.ndarray[Any, Any],
    noise: np.ndarray[Any, Any],
    depth: np.ndarray[Any, Any] | None,
    dq: np.ndarray[Any, Any] | None,
    options: CosmicRayOptions,
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Flag pixels that differ from the blotted median by more than noise and gradient explain.

    Parameters
    ----------
    sci : ndarray of float32, shape (ny, nx)
        The chip, electrons, with sky.
    blot : ndarray of float32, shape (ny, nx)
        The blotted median, electrons, with sky.
    deriv : ndarray of float32, shape (ny, nx)
        Largest difference of `blot` to its neighbours.
    noise : ndarray of float32, shape (ny, nx)
        One sigma.
    depth, dq
        Not used by this detector.
    options : CosmicRayOptions
        `snr`, `scale`, `grow` (side of a box; 0 counts as 1), `ctegrow`, `cte_direction`.

    Returns
    -------
    ndarray of uint8, shape (ny, nx)
        0 good; 1 fails the test; else a sum of 2 (grown) and 4 (charge-transfer tail).  Tails start from the
        mask before growth.

    Raises
    ------
    ShapeError
        If the images differ in shape.
    """
    images = [np.asarray(image, dtype=np.float32) for image in (sci, blot, deriv, noise)]
    if images[0].ndim != 2 or len({image.shape for image in images}) > 1:
        msg = f"sci, blot, deriv and noise have shapes {[i.shape for i in images]}. Give images of one shape."
        raise ShapeError(msg)
    with np.errstate(invalid="ignore", over="ignore"):  # what is not a number fails the test, as it should
        mask = rejected(images[0], images[1], images[2], images[3], options)
    grown = np.where(spread(mask, options.grow), GROWN, 0)
    tails = np.where(tail(mask, options.ctegrow, options.cte_direction), TAIL, 0)
    return np.where(mask, TEST, grown | tails).astype(np.uint8)


def _halo(options: CosmicRayOptions) -> int:
    """Pixels around a pixel that its code can depend on."""
    return 1 + max(options.grow // 2, options.ctegrow if options.cte_direction else 0)


DERIV = CosmicRayDetector(
    name="deriv",
    summary="Pixels that differ from the blotted median by more than noise and gradient explain.",
    reference=deriv,
    fast=twin("cosmic_rays.deriv"),
    halo=_halo,
    traits=frozenset({"needs_blot", "picklable"}),
    tolerance=0.0,
)


@hookimpl
def drizframe_cosmic_ray_detectors() -> Iterator[CosmicRayDetector]:
    """Yield the detector of this module."""
    yield DERIV
