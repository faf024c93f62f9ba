"""Median, or the minimum where the median is too far above it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe._fast import twin
from drizframe.hooks import Combiner, hookimpl
from drizframe.stock.combine._stack import (
    Image,
    Mask,
    good_values,
    mean_of_sorted,
    median_of_sorted,
    sort_good,
)

if TYPE_CHECKING:
    from drizframe.hooks import CombineOptions

__all__ = ["MINMED", "minmed"]

Float = np.ndarray[Any, np.dtype[np.float64]]


def background_rates(background: np.ndarray[Any, Any], exptime: np.ndarray[Any, Any]) -> Float:
    """Return background over exposure time, electrons per second; times that are not positive count as 1."""
    time = np.asarray(exptime, dtype=np.float64)
    rates: Float = np.asarray(background, dtype=np.float64) / np.where(time > 0, time, 1.0)
    return rates


def noise(
    median: Image, weight: np.ndarray[Any, Any], good: Mask, rates: Float, readnoise: np.ndarray[Any, Any]
) -> tuple[Image, Float]:
    """Return the total weight W and sigma = √(med·W + Σ W_k B_k/t_k + Σ_good R_k²).

    All weights enter W, those of bad values too; only good values bring read noise.  Sums run over the images
    in order: W in float32, the others in float64.
    """
    total = np.zeros(median.shape, dtype=np.float32)
    sky = np.zeros(median.shape)
    variance = np.zeros(median.shape)
    for k, rate in enumerate(rates):
        image = np.asarray(weight[k], dtype=np.float32)
        total += image
        sky += image.astype(np.float64) * rate
        variance += np.where(good[k], np.float64(readnoise[k]) ** 2, 0.0)
    return total, np.sqrt(np.fmax(median * total + sky + variance, 0.0))


def decide(median: Image, minimum: Image, total: Image, sigma: Float, options: CombineOptions) -> Mask:
    """Return where the minimum is taken: it lies more than n sigma below the median.

    n is the second of `nsigma` in boxes of ``2 grow + 1`` pixels around pixels that fail with the first, else
    the first.
    """
    first, second = (np.float64(n) for n in options.nsigma)
    high, low = (median * total).astype(np.float64), minimum * total
    flag: Mask = low < high - first * sigma
    if not options.grow:
        return flag
    from scipy import ndimage  # 0.3 s to import, and the compiled twin does without

    near = ndimage.maximum_filter(flag.astype(np.uint8), size=2 * options.grow + 1, mode="constant", cval=0)
    grown: Mask = low < high - np.where(near, second, first) * sigma
    return grown


def median_or_minimum(
    stack: np.ndarray[Any, Any], bad: np.ndarray[Any, Any], *, weight: np.ndarray[Any, Any],
    exptime: np.ndarray[Any, Any], background: np.ndarray[Any, Any], readnoise: np.ndarray[Any, Any],
    n_total: int, options: CombineOptions,
) -> tuple[Image, Mask]:  # fmt: skip
    """Return the image (see `minmed`), and where no value is good."""
    values, good = good_values(stack, bad)
    ordered, count = sort_good(values, good)
    two = n_total <= 2
    median = mean_of_sorted(ordered, count, 0, 0) if two else median_of_sorted(ordered, count, 0, 1)
    minimum = np.where(count > 0, ordered[0], np.float32(0))
    with np.errstate(invalid="ignore", over="ignore"):  # weights may be infinite; then the median is kept
        total, sigma = noise(median, weight, good, background_rates(background, exptime), readnoise)
        take = decide(median, minimum, total, sigma, options)
    return np.where(take, minimum, median), count == 0


def minmed(
    stack: np.ndarray[Any, Any],
    bad: np.ndarray[Any, Any],
    *,
    weight: np.ndarray[Any, Any],
    exptime: np.ndarray[Any, Any],
    background: np.ndarray[Any, Any],
    readnoise: np.ndarray[Any, Any],
    n_total: int,
    options: CombineOptions,
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Median of the good values without the highest, or their minimum where that lies far below.

    Parameters
    ----------
    stack : ndarray of float32, shape (n, h, w)
        Singly drizzled images, electrons per second.
    bad : ndarray of bool, shape (n, h, w)
        Values not to use; values that are not finite are never used.
    weight : ndarray of float32, shape (n, h, w)
        Weight images, seconds.
    exptime : ndarray of float64, shape (n,)
        Exposure times, seconds.
    background : ndarray of float64, shape (n,)
        Background of each exposure, electrons per pixel.
    readnoise : ndarray of float64, shape (n,)
        Read noise, electrons.
    n_total : int
        Exposures of the run; with two, the mean takes the place of the median.
    options : CombineOptions
        `nsigma` and `grow`.

    Returns
    -------
    ndarray of float32, shape (h, w)
        The minimum where ``min·W < med·W - n sigma``, else the median; 0 where nothing is good.

    Raises
    ------
    ShapeError
        If `stack` and `bad` do not fit.

    Notes
    -----
    sigma² = med·W + Σ W_k B_k/t_k + Σ_good R_k²: the Poisson noise of median and background and the read
    noise, all for the sum of the exposures.  Throwing away the highest value biases the result low, by
    design.
    """
    image, _ = median_or_minimum(
        stack, bad, weight=weight, exptime=exptime, background=background, readnoise=readnoise,
        n_total=n_total, options=options,
    )  # fmt: skip
    return image


def growth(options: CombineOptions) -> int:
    """Return the halo: pixels by which decisions grow."""
    return int(options.grow)


def two_exposures(options: CombineOptions) -> int:
    """Return the number of exposures that are needed; nlow and nhigh do not enter."""
    return 2


MINMED = Combiner(
    name="minmed",
    summary="Median of the good values, or their minimum where the median lies too many sigma above it.",
    reference=minmed,
    fast=twin("combine.minmed"),
    halo=growth,
    minimum=two_exposures,
    traits=frozenset({"picklable", "sparse"}),
    tolerance=0.0,
)


@hookimpl
def drizframe_combiners() -> Iterator[Combiner]:
    """Yield the combiner of this module."""
    yield MINMED
