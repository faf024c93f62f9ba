"""The forms in which a kernel is written, turned into one: a function that gives weights on windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from drizframe._fast import Backend, remedy, resolved
from drizframe.errors import BackendError, PluginError
from drizframe.hooks import Component, Kernel, ask, choose, guarded
from drizframe.pixels import point_functions as points
from drizframe.pixels import profiles
from drizframe.pixels.reach import footprint_of_pixel

__all__ = ["Form", "form_of", "loops_compiled", "nearest", "point_failure"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.intp]]
WeightFunction = Callable[..., Array]

#: What the author of a profile can do that no table is good enough for.
ADVICE = "Write the kernel as a footprint, which integrates over output pixels itself."


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """How a kernel gives its weights.

    Parameters
    ----------
    weigh : callable
        With the arguments and result of a footprint.
    code : tuple or None
        The compiled body for a block of pixels and its constants, which give the same weights; None: there is none.
    point : tuple or None
        The capsule of a point function and its support in frame pixels, for compiled loops; None: it is none.
    """

    weigh: WeightFunction
    code: tuple[Any, Any] | None = None
    point: tuple[Any, float] | None = None


def form_of(
    kernel: Kernel, pixfrac: float, scale: float, *, backend: Backend, call: Callable[[Component], Any] | None
) -> Form:
    """Return how a kernel gives its weights, however it is written.

    Parameters
    ----------
    kernel : Kernel
        Written as footprint, profile or point function.
    pixfrac, scale : float
        With which it will be called.
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
        function: WeightFunction = call(kernel) if call is not None else choose(kernel, backend)[0]
        fused = (
            resolved(backend) != "reference"
            and kernel.block is not None
            and getattr(function, "__wrapped__", function) is kernel.fast
        )
        return Form(function, ask(kernel, kernel.block, pixfrac, scale) if fused else None)
    fast = loops_compiled(kernel, backend) == "cython"
    if kernel.profile is not None:
        return _from_profile(kernel, pixfrac, scale, fast=fast)
    return _from_point(kernel, pixfrac, scale, fast=fast)


def loops_compiled(component: Component, backend: str) -> str:
    """Return which loops drive a profile or a point function, "cython" or "reference".

    Raises
    ------
    BackendError
        If compiled ones are asked for and are not there.
    """
    there = profiles.compiled is not None and points.compiled is not None
    backend = resolved(backend)
    if backend == "cython" and not there:
        msg = (
            f"{component.family.capitalize()} {component.name!r} needs the compiled loops for profiles and point "
            f"functions, which are not there. {remedy()}"
        )
        raise BackendError(msg)
    return "cython" if there and backend != "reference" else "reference"


def _from_profile(kernel: Kernel, pixfrac: float, scale: float, *, fast: bool) -> Form:
    assert kernel.profile is not None and kernel.support is not None  # noqa: S101, PT018  (checked by the record)
    profile, support = guarded(kernel, kernel.profile), footprint_of_pixel(kernel, pixfrac, 1.0)[1]
    table = profiles.tabulate(kernel, support, ADVICE, pixfrac=pixfrac)

    def weigh(
        x: Array, y: Array, corners: Array | None, x0: Integers, y0: Integers, shape: tuple[int, int], *,
        pixfrac: float, scale: float,
    ) -> Array:  # fmt: skip
        if fast:
            return table.weigh(x, y, x0, y0, shape, scale)
        return profiles.exact(profile, support, x, y, x0, y0, shape, pixfrac=pixfrac, scale=scale)

    return Form(weigh, profiles.code_of(table, scale) if fast else None)


def _from_point(kernel: Kernel, pixfrac: float, scale: float, *, fast: bool) -> Form:
    assert kernel.support is not None  # noqa: S101  (checked by the record)
    capsule = points.capsule_of(kernel.point)
    radius = footprint_of_pixel(kernel, pixfrac, scale)[1]
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
            raise point_failure(kernel, radius, status, x[failed], y[failed])
        return weights

    return Form(weigh, point=(capsule, radius) if fast else None)


def point_failure(kernel: Kernel, radius: float, status: int, x: float, y: float) -> PluginError:
    """Say what the point function of a kernel did wrong, from its status at a pixel."""
    return points.failure(kernel, status, x, y, f"support(pixfrac, scale) = {radius:g} frame pixels")


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
