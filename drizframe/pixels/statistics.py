"""Statistics of the values of an image: moments with clipping, median, mode.

The primitive behind the static mask and the sky.  It takes the same roundings as the program whose numbers
users know: values are float32, mean and standard deviation are rounded to float32, limits of a clip are
float64.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from drizframe._fast import Backend, load, remedy, resolved
from drizframe.errors import BackendError, InputError, ParameterError
from drizframe.pixels import _statistics

__all__ = ["ImageStatistics", "compiled", "image_statistics", "order_of_one"]

Values = np.ndarray[Any, np.dtype[np.float32]]

#: Spacing of float32 at 1.
_EPSILON = 2.0**-23
#: Histograms are not made of bins narrower than this.
_NARROW = 10.0 * _EPSILON


class _Loops(Protocol):
    """What the compiled module and the NumPy reference both offer."""

    def moments(self, values: Values, lo: float, hi: float) -> tuple[int, float, float, float]: ...
    def squared_deviations(self, values: Values, lo: float, hi: float, mean: float) -> float: ...
    def histogram(
        self, values: Values, origin: float, factor: float, edge: float, closed: bool, nbins: int
    ) -> np.ndarray[Any, np.dtype[np.int64]]: ...
    def middle(self, values: Values, lo: float, hi: float, count: int) -> tuple[float, float]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageStatistics:
    """What `image_statistics` finds; all in the unit of the values.

    Parameters
    ----------
    npix : int
        Values that are left after the last clip.
    mean, stddev : float
        Their mean and standard deviation (n - 1), of float32 precision; `stddev` is 0 for a single value.
    min, max : float
        Their extrema; a limit of the clip stands in where the very first value lies beyond it.
    lo, hi : float
        Limits of the last clip.
    median : numpy.float32 or None
        Their median; None if it was not wanted.
    mode : float or None
        Peak of the histogram, `numpy.float64` where it was interpolated; None if it was not wanted.
    nbins : int
        Bins of that histogram; 0 if no mode was wanted, 1 if the values do not vary.
    """

    npix: int
    mean: float
    stddev: float
    min: float
    max: float
    lo: float
    hi: float
    median: np.float32 | None = None
    mode: float | None = None
    nbins: int = 0


class _Clipped(NamedTuple):
    npix: int
    mean: float
    stddev: float
    vmin: float
    vmax: float
    lo: float
    hi: float


def compiled() -> bool:
    """Whether the compiled loops are there."""
    return load("statistics") is not None


def order_of_one(values: Any) -> float:
    """Return the power of two that brings the scatter of values to the order of one; 1 where they do not vary.

    Numbers of physical units may be so small (1e-18 erg/s/cm2/Angstrom) that bins and squares of float32 fail.

    Parameters
    ----------
    values : ndarray of float32, any shape
        Values; a factor of two changes none of their digits.
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        return 1.0
    spread = float(np.median(np.abs(flat - np.median(flat)))) or float(np.std(flat))
    return 2.0 ** -math.floor(math.log2(spread)) if spread > 0 else 1.0


def _loops(backend: Backend) -> _Loops:
    """Return the loops to use."""
    chosen = resolved(backend)
    fast: Any = None if chosen == "reference" else load("statistics")
    if fast is None and chosen == "cython":
        msg = f"The compiled statistics are not there, but backend='cython' asks for them. {remedy()}"
        raise BackendError(msg)
    loops: _Loops = _statistics if fast is None else fast
    return loops


def _check(lower: float | None, upper: float | None, nclip: int, positive: dict[str, float]) -> None:
    """Refuse arguments that are wrong whatever the values are."""
    if nclip < 0:
        msg = f"nclip is {nclip!r}; the number of clips is 0 or more."
        raise ParameterError(msg)
    for name, value in positive.items():
        if not value > 0:
            msg = f"{name} is {value!r}; it must be above 0."
            raise ParameterError(msg)
    if lower is not None and upper is not None and lower > upper:
        msg = f"The lower limit {lower!r} is above the upper limit {upper!r}. Exchange them."
        raise ParameterError(msg)


def _finite(values: Any) -> Values:
    """Return the finite values as contiguous float32, flattened in row order."""
    flat = np.ascontiguousarray(values, dtype=np.float32).ravel()
    finite = np.isfinite(flat)
    if not finite.all():
        flat = flat[finite]
    if not flat.size:
        msg = "There are no finite values to take statistics of. Check masks and limits."
        raise InputError(msg)
    return flat


def _limits(values: Values, lower: float | None, upper: float | None) -> tuple[float, float]:
    """Return the limits that hold before any clip."""
    smallest, largest = float(values.min()), float(values.max())
    lo = smallest if lower is None else float(lower)
    hi = largest if upper is None else float(upper)
    if lo > largest or hi < smallest:
        msg = (
            f"No value lies between {lo!r} and {hi!r}: the values run from {smallest!r} to {largest!r}. "
            "Move the limits."
        )
        raise InputError(msg)
    return lo, hi


def _moments(loops: _Loops, values: Values, lo: float, hi: float) -> _Clipped:
    """Mean, standard deviation and extrema of the values within [lo, hi].

    Notes
    -----
    The reference program starts its search for extrema at the first value of the image; where that lies
    beyond a limit, the limit is taken for the extremum on that side (trap 04-6).
    """
    npix, total, vmin, vmax = loops.moments(values, lo, hi)
    if not npix:
        msg = f"No value lies between {lo!r} and {hi!r}. Use a wider clip or wider limits."
        raise InputError(msg)
    mean = float(np.float32(total / npix))
    squares = loops.squared_deviations(values, lo, hi, mean)
    stddev = float(np.float32(math.sqrt(squares / (npix - 1)))) if npix > 1 else 0.0
    if values[0] < np.float32(lo):
        vmin = float(np.float32(lo))
    elif values[0] > np.float32(hi):
        vmax = float(np.float32(hi))
    return _Clipped(npix, mean, stddev, vmin, vmax, lo, hi)


def _clip(
    loops: _Loops, values: Values, lower: float, upper: float, nclip: int, lsig: float, usig: float
) -> _Clipped:
    """Clip `nclip` times about the mean.

    A clip that moves no limit is the last: all later ones would select the same values.
    """
    found = _moments(loops, values, lower, upper)
    for _ in range(nclip):
        lo = max(lower, found.mean - lsig * found.stddev)
        hi = min(upper, found.mean + usig * found.stddev)
        if (lo, hi) == (found.lo, found.hi):
            break
        found = _moments(loops, values, lo, hi)
    return found


def _median(loops: _Loops, values: Values, found: _Clipped) -> np.float32:
    """Return the mean, in float32, of the two middle values within the last limits."""
    low, high = loops.middle(values, found.lo, found.hi, found.npix)
    if low == high:
        return np.float32(low)
    return np.float32((np.float32(low) + np.float32(high)) / np.float32(2))


def _histogram(
    loops: _Loops, values: Values, found: _Clipped, width: float
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Histogram of all values between the extrema, with about `width` a bin.

    Notes
    -----
    With D = max - min and b bins of `width`, b = floor(D / width) + 1, a bin is in fact D / (b - 1) wide,
    slightly more. The upper edge is pulled in by one float32 step where rounding would put it into a bin of
    its own, and then counts.
    """
    extent = found.vmax - found.vmin
    if width < _NARROW or abs(extent) < _NARROW or width > extent:
        nbins, bin_width = 1, extent
    else:
        nbins = int(extent / width) + 1
        bin_width = extent / (nbins - 1)
    if bin_width <= 0:
        return np.array([found.npix], dtype=np.int64)
    origin, step = np.float32(found.vmin), np.float32(bin_width)
    factor = np.float32(1) / step
    edge = np.float32(origin + step * np.float32(nbins))
    closed = bool(int(factor * (edge - origin)) == nbins)
    if closed:
        edge = np.float32(edge * np.float32(1.0 - _EPSILON))
    return loops.histogram(values, float(origin), float(factor), float(edge), closed, nbins)


def _mode(counts: np.ndarray[Any, np.dtype[np.int64]], vmin: float, width: float) -> float:
    """Return the position of the highest bin, refined by its neighbours.

    Notes
    -----
    With bins p - 1, p, p + 1, d1 = b[p] - b[p-1] and d2 = b[p] - b[p+1]:
    ``mode = min + (p + 1/2 + (d1 - d2) / (d1 + d2) / 2) * width``.  `width` is the nominal one (trap 04-7).
    """
    nbins, peak = counts.size, int(np.argmax(counts))
    if nbins == 2 and counts[0] == counts[1]:
        return vmin + width
    if peak in (0, nbins - 1):
        return vmin + (peak + 0.5) * width
    rise, fall = counts[peak] - counts[peak - 1], counts[peak] - counts[peak + 1]
    if rise + fall == 0:
        return vmin + (peak + 0.5) * width
    return np.float64(vmin + (peak + 0.5 + 0.5 * (float(rise - fall) / float(rise + fall))) * width)


def image_statistics(
    values: Any, *, lower: float | None = None, upper: float | None = None, nclip: int = 0, lsig: float = 3.0,
    usig: float = 3.0, binwidth: float = 0.1, want: Collection[str] = ("median", "mode"),
    backend: Backend = "auto",
) -> ImageStatistics:  # fmt: skip
    """Statistics of the finite values of an image.

    Parameters
    ----------
    values : array-like of numbers, any shape
        Taken as float32 in row order; NaN and infinities are left out.
    lower, upper : float, optional
        Limits of usable values, inclusive.
    nclip : int
        Number of clips: each leaves out values more than `lsig` (`usig`) standard deviations below (above)
        the mean.
    lsig, usig : float
        Sigmas of a clip.
    binwidth : float
        Width of a bin of the histogram behind the mode, in standard deviations.
    want : collection of {"median", "mode"}
        What to compute besides the moments.
    backend : {"auto", "reference", "cython"}
        Which loops to use; they give the same bits.

    Returns
    -------
    ImageStatistics

    Raises
    ------
    ParameterError
        If an argument is wrong whatever the values are.
    InputError
        If no finite value lies within the limits.

    Notes
    -----
    Unlike the reference program, NaN is left out wherever it stands, and the median honours the limits
    without clips, too.
    """
    _check(lower, upper, nclip, {"lsig": lsig, "usig": usig, "binwidth": binwidth})
    unknown = set(want) - {"median", "mode"}
    if unknown:
        msg = f"want names {sorted(unknown)}; choose from 'median' and 'mode'."
        raise ParameterError(msg)
    loops = _loops(backend)
    flat = _finite(values)
    found = _clip(loops, flat, *_limits(flat, lower, upper), nclip, lsig, usig)
    median, mode, nbins = None, None, 0
    if "median" in want:
        median = _median(loops, flat, found)
    if "mode" in want:
        width = binwidth * found.stddev
        counts = _histogram(loops, flat, found, width)
        mode, nbins = _mode(counts, found.vmin, width), counts.size
    return ImageStatistics(
        npix=found.npix, mean=found.mean, stddev=found.stddev, min=found.vmin, max=found.vmax,
        lo=found.lo, hi=found.hi, median=median, mode=mode, nbins=nbins,
    )  # fmt: skip
