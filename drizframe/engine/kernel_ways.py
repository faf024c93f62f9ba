"""The ways to write a kernel, turned into one: a function that gives weights on windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from drizframe.engine import points, profiles
from drizframe.errors import BackendError, PluginError
from drizframe.hooks import Component, Kernel, choose

__all__ = ["footprint_of", "nearest"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.intp]]
Backend = Literal["auto", "reference", "cython"]
Weigh = Callable[..., Array]


def footprint_of(
    kernel: Kernel, pixfrac: float, scale: float, *, backend: Backend, call: Callable[[Component], Any] | None
) -> Weigh:
    """Return a function with the arguments and result of a footprint for a kernel, however it is written.

    Parameters
    ----------
    kernel : Kernel
        Written as footprint, profile or point function.
    pixfrac, scale : float
        With which the function will be called.
    backend : {"auto", "reference", "cython"}
        Whether compiled loops are used.
    call : callable or None
        Gives the implementation of a component; None: by `backend`.

    Raises
    ------
    PluginError
        If a profile cannot be tabulated, or a point function has the wrong type.
    BackendError
        If compiled loops are asked for and are not there.
    """
    if kernel.footprint is not None:
        function: Weigh = call(kernel) if call is not None else choose(kernel, backend)[0]
        return function
    if backend == "cython" and profiles.compiled is None:
        msg = (
            f"Kernel {kernel.name!r} needs the compiled loops for profiles and point functions, "
            f"which are not there. Install drizframe with a C compiler present, or use backend='auto'."
        )
        raise BackendError(msg)
    if kernel.profile is not None:
        return _from_profile(kernel, pixfrac, fast=backend != "reference")
    return _from_point(kernel, pixfrac, scale, fast=backend != "reference" and points.compiled is not None)


def _from_profile(kernel: Kernel, pixfrac: float, *, fast: bool) -> Weigh:
    assert kernel.profile is not None and kernel.support is not None  # noqa: S101, PT018  (checked by the record)
    profile, support = kernel.profile, float(kernel.support(pixfrac))
    table = profiles.tabulate(profile, support, pixfrac, kernel.name)

    def weigh(
        x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
        pixfrac: float, scale: float,
    ) -> Array:  # fmt: skip
        if fast:
            return table.weigh(x, y, x0, y0, shape, scale)
        return profiles.exact(profile, support, x, y, x0, y0, shape, pixfrac=pixfrac, scale=scale)

    return weigh


def _from_point(kernel: Kernel, pixfrac: float, scale: float, *, fast: bool) -> Weigh:
    if kernel.support is None:
        msg = f"Kernel {kernel.name!r} is a point function without support. Give support(pixfrac, scale)."
        raise PluginError(msg)
    capsule = points.capsule_of(kernel.point, kernel.name)
    radius = float(kernel.support(pixfrac, scale))
    function: Callable[..., tuple[Array, int, int]] = (
        points.compiled.call_points if fast else points.call_points
    )

    def weigh(
        x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
        pixfrac: float, scale: float,
    ) -> Array:  # fmt: skip
        assert corners is not None  # noqa: S101  (the driver gives them to point functions)
        jacobian = points.derivatives(corners)
        weights, status, failed = function(capsule, x, y, jacobian, x0, y0, shape, pixfrac, scale, radius)
        if status != 0:
            raise PluginError(_failure(kernel.name, status, x[failed], y[failed], radius))
        return weights

    return weigh


def _failure(name: str, status: int, x: float, y: float, radius: float) -> str:
    if status == points.BEYOND:
        return (
            f"The point function of kernel {name!r} gave weights outside of its support "
            f"({radius:g} frame pixels), or more than fit, for the pixel at ({x:g}, {y:g}). "
            f"Make support(pixfrac, scale) larger."
        )
    return f"The point function of kernel {name!r} returned {status} at ({x:g}, {y:g}); 0 means success."


def nearest(
    x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
    pixfrac: float, scale: float,
) -> Array:  # fmt: skip
    """Weight 1 on the output pixel nearest to the centre: what every kernel is for a very small pixfrac."""
    i = np.where(x >= 0.0, np.floor(x + 0.5), -np.floor(0.5 - x)) - x0
    j = np.where(y >= 0.0, np.floor(y + 0.5), -np.floor(0.5 - y)) - y0
    columns, rows = np.arange(shape[1]), np.arange(shape[0])
    weights: Array = ((j[:, None] == rows)[:, :, None] & (i[:, None] == columns)[:, None, :]).astype(float)
    return weights
