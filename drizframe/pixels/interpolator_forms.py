"""The forms in which an interpolator is written, turned into one: a function that gives values at positions.

A profile or a point function gives weights of pixels.  Pixels beyond an edge have the value of the edge pixel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from drizframe._fast import Backend, load
from drizframe.errors import PluginError
from drizframe.hooks import Component, Interpolator, choose, guarded
from drizframe.pixels import point_functions as points
from drizframe.pixels import profiles
from drizframe.pixels.kernel_forms import loops_compiled

__all__ = ["ADVICE", "LEAST_SUM", "Backend", "by_points", "by_profile", "sums_of", "values_of"]

Array = np.ndarray[Any, Any]
Floats = np.ndarray[Any, np.dtype[np.float64]]
#: ``values(image, x, y, *, fill, **options)``, as `Interpolator.reference`.
Values = Callable[..., Floats]
#: Columns and rows (n, size) of pixels, their weights (n, size, size), and which of them count.
Weighed = tuple[Floats, Floats, Floats, np.ndarray[Any, np.dtype[np.bool_]]]

compiled: Any = load("interpolator_forms")

#: What the author of a profile can do that no table is good enough for.
ADVICE = "Write the interpolator as a function of image and positions (reference=)."
#: The weights of a profile sum to at least this fraction of its peak, wherever the position is in a pixel.
LEAST_SUM = 1e-3
#: Fractions of a pixel along an axis at which that is tried.
PHASES = 16
#: Positions that the NumPy loops handle at a time.
CHUNK = 8192


def values_of(
    interpolator: Interpolator, *, backend: Backend = "auto", call: Callable[[Component], Any] | None = None
) -> Values:
    """Return a function with the arguments and result of `Interpolator.reference`, however it is written.

    Parameters
    ----------
    interpolator : Interpolator
        Written as a function, a profile or a point function.
    backend : {"auto", "reference", "cython"}
        Whether compiled loops are used.
    call : callable, optional
        Gives the implementation of a component; by default according to `backend`.

    Raises
    ------
    PluginError
        If a profile cannot be tabulated or its weights vanish, or a point function has the wrong type.
    BackendError
        If compiled loops are asked for and are not there.
    """
    if interpolator.profile is None and interpolator.point is None:
        function: Values = call(interpolator) if call is not None else choose(interpolator, backend)[0]
        return function
    fast = loops_compiled(interpolator, backend) == "cython" and compiled is not None
    assert interpolator.support is not None  # noqa: S101  (checked by the record)
    if interpolator.profile is not None:
        return _from_profile(
            interpolator, guarded(interpolator, interpolator.profile), interpolator.support, fast=fast
        )
    return _from_point(interpolator, interpolator.support, fast=fast)


def _from_profile(
    interpolator: Interpolator, profile: Callable[..., Any], support: float, *, fast: bool
) -> Values:
    table = profiles.tabulate(interpolator, support, ADVICE)
    _check_sums(interpolator, profile, support)
    code = profiles.code_of(table, 1.0) if fast else None

    def values(image: Array, x: Floats, y: Floats, *, fill: float) -> Floats:
        if code is None:
            return by_profile(profile, image, x, y, support, fill)
        found: Floats = compiled.by_profile(code, _native(image), x, y, support, fill)
        return found

    return values


def sums_of(profile: Callable[..., Any], support: float) -> tuple[Floats, float]:
    """Return the sums of a profile's weights for 16 x 16 fractions (y, x) of a pixel, and the largest weight."""
    phase = np.arange(PHASES) / PHASES
    most = int(np.ceil(support))
    d = np.arange(-most, most + 2)[None, :] - phase[:, None]
    dy, dx = np.broadcast_arrays(d[:, None, :, None], d[None, :, None, :])
    weights = np.asarray(profile(dx.copy(), dy.copy()), dtype=np.float64)
    weights = np.where((np.abs(dx) <= support) & (np.abs(dy) <= support), weights, 0.0)
    return weights.sum(axis=(2, 3)), float(np.abs(weights).max())


def _check_sums(interpolator: Interpolator, profile: Callable[..., Any], support: float) -> None:
    """Refuse a profile whose weights vanish: values are divided by their sum."""
    sums, peak = sums_of(profile, support)
    j, i = np.unravel_index(np.argmin(np.abs(sums)), sums.shape)
    if not abs(sums[j, i]) > LEAST_SUM * peak:
        msg = (
            f"The profile of {interpolator.label} with support {support:g} gives weights whose sum is {sums[j, i]:g} at the "
            f"fraction (x, y) = ({i / PHASES:g}, {j / PHASES:g}) of a pixel. Values are divided by that sum: "
            f"make the support larger, or the profile such that it does not vanish."
        )
        raise PluginError(msg, interpolator)


def by_profile(
    profile: Callable[..., Any], image: Array, x: Floats, y: Floats, support: float, fill: float
) -> Floats:
    """Interpolate with a profile itself, without a table: what the compiled loop approximates.

    Parameters
    ----------
    profile : callable
        ``profile(dx, dy) -> weight``, offsets of pixels from the position, in pixels.
    image : ndarray, shape (ny, nx)
        The image.
    x, y : ndarray of float64, shape (n,)
        Positions in pixels; any value.
    support : float
        Largest offset along an axis.
    fill : float
        Value outside the domain ``0 <= x < nx``, ``0 <= y < ny``.

    Returns
    -------
    values : ndarray of float64, shape (n,)
        ``Σ w S / Σ w`` over the pixels S within the support, in the unit of the image.
    """

    def weights(x: Floats, y: Floats) -> Weighed:
        i, dx = _within(x, support)
        j, dy = _within(y, support)
        near = (np.abs(dx) <= support)[:, None, :] & (np.abs(dy) <= support)[:, :, None]
        ax, ay = np.broadcast_arrays(dx[:, None, :], dy[:, :, None])
        return i, j, np.asarray(profile(ax.copy(), ay.copy()), dtype=np.float64), near

    return _by_chunks(image, x, y, fill, weights, divide=True)


def by_points(
    interpolator: Interpolator, image: Array, x: Floats, y: Floats, support: float, fill: float
) -> Floats:
    """Interpolate with a point function, called from Python: what the compiled loop does.

    Parameters
    ----------
    interpolator : Interpolator
        Whose `point` is called; see `drizframe.pixels.point_functions`.
    image, x, y, support, fill
        See `by_profile`.

    Returns
    -------
    values : ndarray of float64, shape (n,)
        ``Σ w S`` over the pixels that the function gives weights for.

    Raises
    ------
    PluginError
        If it fails, or gives weights outside of its support.
    """
    ask = points.Asking(points.capsule_of(interpolator.point))
    size = 2 * int(np.ceil(support)) + 1

    def weights(x: Floats, y: Floats) -> Weighed:
        i, _ = _within(x, support)
        j, _ = _within(y, support)
        w, given = np.zeros((len(x), size, size)), np.zeros((len(x), size, size), dtype=bool)
        for k in range(len(x)):
            status, left, low, part = ask(x[k], y[k], np.array([1.0, 0.0, 0.0, 1.0]), 1.0, 1.0)
            if status == 0 and part.size and _beyond(x[k], y[k], left, low, part.shape, support):
                status = points.BEYOND
            if status != 0:
                raise points.failure(interpolator, status, x[k], y[k], f"{support:g} pixels")
            b, a = low - int(j[k, 0]), left - int(i[k, 0])
            where = (k, slice(b, b + part.shape[0]), slice(a, a + part.shape[1]))
            w[where], given[where] = part, True
        return i, j, w, given

    return _by_chunks(image, x, y, fill, weights, divide=False)


def _from_point(interpolator: Interpolator, support: float, *, fast: bool) -> Values:
    capsule = points.capsule_of(interpolator.point)

    def values(image: Array, x: Floats, y: Floats, *, fill: float) -> Floats:
        if not fast:
            return by_points(interpolator, image, x, y, support, fill)
        found, status, failed = compiled.by_points(capsule, _native(image), x, y, support, fill)
        if failed >= 0:
            raise points.failure(interpolator, status, x[failed], y[failed], f"{support:g} pixels")
        return found  # type: ignore[no-any-return]

    return values


def _beyond(x: float, y: float, left: int, low: int, shape: tuple[int, ...], support: float) -> bool:
    """Whether a function gave weights to pixels farther than the support."""
    return bool(
        left < x - support or left + shape[1] - 1 > x + support
        or low < y - support or low + shape[0] - 1 > y + support
    )  # fmt: skip


def _within(position: Floats, support: float) -> tuple[Floats, Floats]:
    """Return pixels (n, size) that hold all within the support, and their offsets."""
    first = np.ceil(position - support)
    pixel = first[:, None] + np.arange(2 * int(np.ceil(support)) + 1, dtype=np.float64)
    return pixel, pixel - position[:, None]


def _by_chunks(
    image: Array, x: Floats, y: Floats, fill: float, weights: Callable[..., Weighed], *, divide: bool
) -> Floats:
    """Sum weighted pixels, of those that count, at positions inside the image."""
    image, (x, y) = np.asarray(image), (np.asarray(v, dtype=np.float64) for v in (x, y))
    ny, nx = image.shape
    values = np.full(x.shape, fill, dtype=np.float64)
    inside = np.flatnonzero((x >= 0.0) & (x < nx) & (y >= 0.0) & (y < ny))
    for start in range(0, inside.size, CHUNK):
        part = inside[start : start + CHUNK]
        i, j, w, counts = weights(x[part], y[part])
        column, row = (np.clip(p, 0, n - 1).astype(np.intp) for p, n in ((i, nx), (j, ny)))
        pixels = np.asarray(image[row[:, :, None], column[:, None, :]], dtype=np.float64)
        with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinities in the image propagate
            total = np.where(counts, w * pixels, 0.0).sum(axis=(1, 2))
            values[part] = total / np.where(counts, w, 0.0).sum(axis=(1, 2)) if divide else total
    return values


def _native(image: Array) -> Array:
    """Return the image in native float32 or float64."""
    array = np.asarray(image)
    if array.dtype in (np.float32, np.float64) and array.dtype.isnative:
        return array
    return array.astype(np.float32 if array.dtype.newbyteorder("=") == np.float32 else np.float64)
