"""Pixel maps between images by their world coordinates: exact, or interpolated between exact positions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from drizframe.errors import FrameWarning, ParameterError, WCSError
from drizframe.resample._arguments import brief, number

__all__ = ["check_order", "check_step", "exact_map", "interpolated_map", "transform_of", "world_of"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
#: ``transform(x, y) -> positions (..., 2)``.
Transform = Callable[[Floats, Floats], Floats]

#: Interpolation error in pixels above which a map is warned about, and which "auto" accepts.
TOLERATED, ACCEPTED = 1e-2, 1e-4
#: Steps that "auto" tries, coarsest first.
AUTO_STEPS = (32.0, 16.0, 8.0, 4.0, 2.0)
#: Cells across an image at least, and cells along an axis in whose centres the error is measured at most.
CELLS, MEASURED = 10, 24

#: Cells after which a cubic spline has forgotten a wrong value: by a factor of 3.7 with each.
FORGOTTEN = 24
#: Images of fewer pixels are mapped exactly.
SMALL = 1024


def check_step(stepsize: Any) -> float | str:
    """Return the distance of exact positions in pixels, 1 if all are exact, or "auto"."""
    if isinstance(stepsize, str) and stepsize == "auto":
        return "auto"
    step = number(
        "stepsize", stepsize, "a number of pixels, 1 or more (0 and 1: every position is exact), or 'auto'"
    )
    if step != 0.0 and step < 1.0:
        msg = (
            f"Argument 'stepsize' must be a number of pixels, 1 or more (0 and 1: every position is exact), or 'auto'; "
            f"got {brief(stepsize)}."
        )
        raise ParameterError(msg)
    return max(step, 1.0)


def check_order(order: Any) -> int:
    """Return the order of the interpolating spline, 1 or 3."""
    if not isinstance(order, int | np.integer) or isinstance(order, bool) or order not in (1, 3):
        msg = f"Interpolation order should be either 1 or 3: 'order' is {brief(order)}."
        raise ParameterError(msg)
    return int(order)


def transform_of(wcs_from: Any, wcs_to: Any) -> Transform:
    """Return the exact map between the pixels of two images.

    Raises
    ------
    WCSError
        If one of them is no WCS of an image.
    """
    to_world = _method("wcs_from", wcs_from, "pixel_to_world_values")
    to_pixel = _method("wcs_to", wcs_to, "world_to_pixel_values")

    def transform(x: Floats, y: Floats) -> Floats:
        world = _called("wcs_from", to_world, x, y)
        axes = world if isinstance(world, tuple | list) else (world,)
        return _positions("wcs_to", _called("wcs_to", to_pixel, *axes), x.shape)

    return transform


def world_of(name: str, wcs: Any) -> Transform:
    """Return the map from the pixels of an image to its two world axes."""
    to_world = _method(name, wcs, "pixel_to_world_values")
    return lambda x, y: _positions(name, _called(name, to_world, x, y), x.shape)


def _method(name: str, wcs: Any, method: str) -> Callable[..., Any]:
    found = getattr(wcs, method, None)
    if not callable(found):
        msg = (
            f"'{name}' is {brief(wcs)}, which is no WCS: it has no method {method}. Give a WCS of astropy or gwcs, or "
            "another object with pixel_to_world_values and world_to_pixel_values."
        )
        raise WCSError(msg)
    return found  # type: ignore[no-any-return]


def _called(name: str, function: Callable[..., Any], *axes: Any) -> Any:
    """Call a WCS; whatever it raises is named."""
    try:
        return function(*axes)
    except MemoryError:
        raise
    except Exception as error:  # a stranger's WCS can raise anything
        msg = f"'{name}' cannot map positions on two axes: {type(error).__name__}: {error}"
        raise WCSError(msg) from error


def _positions(name: str, mapped: Any, shape: tuple[int, ...]) -> Floats:
    """Return both axes as one array."""
    try:
        x, y = (np.asarray(axis, dtype=np.float64) for axis in mapped)
        stacked: Floats = np.stack([x.reshape(shape), y.reshape(shape)], axis=-1)
    except (TypeError, ValueError) as error:
        msg = f"'{name}' gave {brief(mapped)} for positions of shape {shape}; a WCS of an image gives two arrays of that shape."
        raise WCSError(msg) from error
    return stacked


def exact_map(transform: Transform, shape: tuple[int, int]) -> Floats:
    """Map every pixel centre."""
    y, x = np.indices(shape, dtype=np.float64)
    return transform(x, y)


def interpolated_map(
    transform: Transform, shape: tuple[int, int], step: float | str, order: int
) -> tuple[Floats, float]:
    """Map pixel centres by a spline through exact positions, and measure its error.

    Parameters
    ----------
    transform : callable
        The exact map.
    shape : tuple of int
        Rows and columns.
    step : float or "auto"
        Largest distance of exact positions in pixels; there are ten cells across the image at least.  "auto": as large
        as keeps the error below `ACCEPTED`.
    order : int
        Of the spline, 1 or 3.

    Returns
    -------
    pixmap : ndarray of float64, shape (ny, nx, 2)
        Positions; where the spline has none, because one nearby does not exist, the exact ones.
    error : float
        Largest distance from exact positions in centres of cells, in pixels; 0 if all are exact.
    """
    if np.prod(shape) < SMALL:
        return exact_map(transform, shape), 0.0
    for one in AUTO_STEPS if step == "auto" else (float(step),):
        nodes = [_nodes(n, one) for n in shape]
        if any(len(k) <= order for k in nodes) or np.prod([len(k) for k in nodes]) * 2 > np.prod(shape):
            break
        spline = _Spline(transform, nodes, order)
        error = spline.error()
        if step != "auto" or error < ACCEPTED:
            if error > TOLERATED:
                text = (
                    f"Interpolation with stepsize={one:g} and order={order} is off by up to {error:.2g} pixels. Give a "
                    "smaller stepsize, or 'auto'."
                )
                warnings.warn(text, FrameWarning, stacklevel=4)
            return spline.map(shape), error
    return exact_map(transform, shape), 0.0


def _nodes(n: int, step: float) -> Floats:
    """Positions along an axis of n pixels, the first and last pixel among them, no further apart than a step."""
    cells = max(int(np.ceil((n - 1) / step)), min(CELLS, n - 1))
    return np.linspace(0.0, n - 1.0, cells + 1)


class _Spline:
    """A spline through exact positions on a grid."""

    def __init__(self, transform: Transform, nodes: list[Floats], order: int) -> None:
        self.transform, self.nodes, self.order = transform, nodes, order
        y, x = np.meshgrid(*nodes, indexing="ij")
        self.values = transform(x, y)

    def at(self, y: Floats, x: Floats) -> Floats:
        """Interpolate on the product of two lists of coordinates."""
        from scipy.interpolate import make_interp_spline

        values = np.where(np.isfinite(self.values), self.values, 0.0)
        rows = make_interp_spline(self.nodes[1], values, k=self.order, axis=1)(x)
        found: Floats = make_interp_spline(self.nodes[0], rows, k=self.order, axis=0)(y)
        return found

    def lost(self, y: Floats, x: Floats) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
        """Whether nodes that do not exist spoil a position; None if there are none: a spline reaches some cells far."""
        bad = ~np.isfinite(self.values).all(axis=2)
        if not bad.any():
            return None
        j, i = (
            np.clip(np.searchsorted(k, p, "right") - 1, 0, len(k) - 2)
            for k, p in zip(self.nodes, (y, x), strict=True)
        )
        reach = 0 if self.order == 1 else FORGOTTEN
        near = np.zeros((len(self.nodes[0]) - 1, len(self.nodes[1]) - 1), dtype=bool)
        for a, b in zip(*np.nonzero(bad), strict=True):
            near[max(a - 1 - reach, 0) : a + 1 + reach, max(b - 1 - reach, 0) : b + 1 + reach] = True
        return near[np.ix_(j, i)]

    def map(self, shape: tuple[int, int]) -> Floats:
        """Interpolate at every pixel centre."""
        y, x = (np.arange(n, dtype=np.float64) for n in shape)
        pixmap = np.ascontiguousarray(self.at(y, x))
        lost = self.lost(y, x)
        if lost is not None:
            j, i = np.nonzero(lost)
            pixmap[j, i] = self.transform(x[i], y[j])
        return pixmap

    def error(self) -> float:
        """Measure the error in centres of cells, up to `MEASURED` along each axis, those at the edges among them."""
        y, x = (0.5 * (k[1:] + k[:-1]) for k in self.nodes)
        y, x = (c[np.unique(np.linspace(0, len(c) - 1, MEASURED).astype(int))] for c in (y, x))
        exact = self.transform(*np.meshgrid(x, y))
        distance = np.hypot(*np.moveaxis(self.at(y, x) - exact, -1, 0))
        lost = self.lost(y, x)
        if lost is not None:
            distance[lost] = np.nan
        return float(np.nanmax(distance)) if np.isfinite(distance).any() else 0.0
