"""Checks of kernels and interpolators at positions that happen often and are drawn never: whole and half pixels, edges."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from drizframe.hooks import Interpolator, Kernel
from drizframe.testing.checking import check
from drizframe.testing.checks.interpolators import FILL, functions
from drizframe.testing.checks.kernels import case_of, forms
from drizframe.testing.failure import compare
from drizframe.testing.strategies import affine_map

__all__: list[str] = []

Array = np.ndarray[Any, Any]
#: How far beside a special position is looked, in pixels.
BESIDE = 2.0**-20
#: How much may change on the way, as a fraction of the peak: weights, and values, which come of many weights that may be
#: looked up in a table, each on its own side of a tie.
CHANGE, CHANGE_OF_VALUES = 1e-4, 2e-3
#: Shifts of the chip: whole, half and quarter pixels on one axis, on the other, and on both.
SPECIAL = ((32.0, 32.0), (32.5, 32.0), (32.0, 32.5), (32.5, 32.5), (32.25, 32.0), (32.3, 32.5), (32.0, 32.3))
#: A float32 pixel that is read as float64 is the same number: what may differ is how sums are rounded.
SINGLE = 4 * float(np.finfo(np.float32).eps)
#: Rows and columns of an image that is larger than any drawn one.
LARGE = (70, 83)


def beside(values: Callable[[float, float], Array]) -> tuple[Array, Array]:
    """Return the least and the largest of what comes a little beside a position, on its four sides.

    On a tie a value may jump; it is then that of one side.  At no position is it something of its own.
    """
    found = [values(a * BESIDE, b * BESIDE) for a in (-1, 1) for b in (-1, 1)]
    return np.minimum.reduce(found), np.maximum.reduce(found)


def _between(
    what: str, got: Array, low: Array, high: Array, inputs: dict[str, Any], where: str, change: float = CHANGE
) -> None:
    """Compare values with the range of those beside them."""
    slack = change * float(np.abs(np.stack([low, high])).max(initial=0.0))
    compare(what, got, np.clip(got, low, high), atol=slack, where=where, inputs=inputs)


@check("kernel", name="check_special_positions")
def check_kernel_special_positions(kernel: Kernel) -> None:
    """At whole, half and quarter pixels the weights are those a little beside them, on one side or between both."""
    for pixfrac, scale in ((1.0, 1.0), (0.6, 1.0), (1.0, 0.5)):
        for shift in SPECIAL:
            case = case_of(kernel, affine_map((2, 3), scale=scale, shift=shift), pixfrac)
            for kind, weigh in forms(kernel, pixfrac, scale).items():

                def moved(dx: float, dy: float, c: Any = case, f: Any = weigh) -> Array:
                    corners = None if c.corners is None else c.corners + np.array([dx, dy])
                    got: Array = f(dataclasses.replace(c, x=c.x + dx, y=c.y + dy, corners=corners))
                    return got

                _between(
                    f"{kernel!r} ({kind}) gives special positions the weights of those a little beside them",
                    weigh(case),
                    *beside(moved),
                    inputs=case.inputs(),
                    where=f"first pixel at (x, y) = {shift}",
                )


@check("interpolator", name="check_special_positions")
def check_interpolator_special_positions(record: Interpolator) -> None:
    """At whole and half pixels, the last included, values are those a little beside them, on one side or between both."""
    image = np.random.default_rng(29).normal(50.0, 9.0, (14, 16))
    ny, nx = image.shape
    steps = [np.concatenate([np.arange(1, 2 * n - 1) / 2, [n - 0.75, n - 0.25]]) for n in (ny, nx)]
    y, x = (g.ravel() for g in np.meshgrid(*steps, indexing="ij"))
    special = {"whole and half pixels": (x, y), "half rows": (x + 0.2, y), "half columns": (x, y + 0.2)}
    for kind, function in functions(record).items():
        for label, (px, py) in special.items():
            px, py = np.minimum(px, nx - 0.01), np.minimum(py, ny - 0.01)  # noqa: PLW2901
            _between(
                f"{record!r} ({kind}) gives special positions the values of those a little beside them",
                function(image, px, py),
                *beside(lambda dx, dy, f=function, px=px, py=py: f(image, px + dx, py + dy)),  # type: ignore[misc]
                inputs={"image": image, "x": px, "y": py},
                where=label,
                change=CHANGE_OF_VALUES,
            )


@check("interpolator")
def check_single_precision(record: Interpolator) -> None:
    """A float32 image, as the engine hands out, gives the values of the same image in float64, whatever its size."""
    rng = np.random.default_rng(31)
    for shape in ((1, 1), (1, 7), (7, 1), (2, 2), (15, 12)):
        image = rng.normal(100.0, 20.0, shape).astype(np.float32)
        y, x = (np.concatenate([rng.uniform(0.0, n, 40), [0.0, n - 1.0, n - 0.25]]) for n in shape)
        for kind, function in functions(record).items():
            want = function(image.astype(np.float64), x, y)
            compare(
                f"{record!r} ({kind}) gives the same for float32 as for float64",
                function(image, x, y),
                want,
                atol=SINGLE * float(np.abs(image).max()),
                where="position",
                inputs={"image": image, "x": x, "y": y, "fill": FILL},
            )


@check("interpolator", name="check_cuts")
def check_interpolator_cuts(record: Interpolator) -> None:
    """A cut of a large image, with `reach` pixels around, gives what the whole gives: the engine hands out cuts."""
    image = np.random.default_rng(37).normal(50.0, 9.0, LARGE).astype(np.float32)
    r = int(record.reach) + 1
    rng = np.random.default_rng(41)
    boxes = [(r + 3, r + 5, 1, 1), (LARGE[0] // 2, LARGE[1] // 2, 9, 6), (r, r, 3, 20)]
    for kind, function in functions(record).items():
        for top, left, rows, columns in boxes:
            rows, columns = min(rows, LARGE[0] - top - r - 1), min(columns, LARGE[1] - left - r - 1)  # noqa: PLW2901
            if min(rows, columns) < 1:
                continue  # an interpolator that reaches over all of the image
            y, x = top + rng.uniform(0, rows, 30), left + rng.uniform(0, columns, 30)
            cut = image[top - r : top + rows + r + 1, left - r : left + columns + r + 1]
            compare(
                f"{record!r} ({kind}) gives the same for a cut of an image with reach = {record.reach} around",
                function(cut, x - (left - r), y - (top - r)),
                function(image, x, y),
                rtol=1e-9,
                atol=1e-9 * float(np.abs(image).max()),
                where=f"cut of {rows} rows and {columns} columns from row {top}, column {left} of {LARGE}",
                inputs={"image": cut, "x": x - (left - r), "y": y - (top - r)},
            )
