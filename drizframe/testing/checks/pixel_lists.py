"""Checks of kernels and interpolators: a pixel gets the same bits whatever other pixels are in the call."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from drizframe.hooks import Interpolator, Kernel
from drizframe.testing.checking import check
from drizframe.testing.checks.interpolators import functions
from drizframe.testing.checks.kernels import case_of, forms
from drizframe.testing.failure import compare
from drizframe.testing.strategies import affine_map

__all__: list[str] = []

Array = np.ndarray[Any, Any]
#: Rows and columns of the chip: more than 1000 pixels, and a number that no block of 2, 4, 8 … divides.
CHIP = (33, 37)


def parts(count: int) -> Iterator[tuple[str, Array]]:
    """Yield some choices of pixels of a list, with what to call them in a message."""
    everything = np.arange(count)
    yield "in reverse order", everything[::-1]
    yield "in random order", np.random.default_rng(17).permutation(count)
    yield "every third one", everything[::3]
    for size in (2, 3, 7, 101):
        yield f"{size} of {count} pixels", everything[count // 3 : count // 3 + size]
    for k in (0, 1, count // 2, count - 1):
        yield f"pixel {k} alone", everything[k : k + 1]


def _compare(what: str, weigh: Callable[[Array], Array], count: int, inputs: dict[str, Any]) -> None:
    """Compare the call with all pixels with calls with some."""
    whole = weigh(np.arange(count))
    for label, chosen in parts(count):
        compare(
            f"{what} gives a pixel the same bits whatever other pixels are in the call",
            weigh(chosen),
            whole[chosen],
            where=f"{label}, against all {count} in one call",
            inputs=inputs,
        )


@check("kernel", name="check_list_independence")
def check_kernel_list_independence(kernel: Kernel) -> None:
    """The weights of a pixel have the same bits whatever other pixels are in the call, and in which order."""
    pixmap = affine_map(CHIP, angle=23.0, shift=(20.3, 30.7))
    for pixfrac in (1.0, 0.6):
        case = case_of(kernel, pixmap, pixfrac)
        for kind, weigh in forms(kernel, pixfrac, case.scale).items():

            def some(chosen: Array, c: Any = case, f: Any = weigh) -> Array:
                cut = {n: None if a is None else a[chosen] for n, a in c.arrays().items()}
                got: Array = f(dataclasses.replace(c, **cut))
                return got

            inputs = {"map": pixmap.extra, "chip": CHIP, "pixfrac": pixfrac}
            _compare(f"{kernel!r} ({kind})", some, len(case.x), inputs)


@check("interpolator", name="check_list_independence")
def check_interpolator_list_independence(record: Interpolator) -> None:
    """A value has the same bits whatever other positions are in the call, and in which order."""
    rng = np.random.default_rng(23)
    image = rng.normal(5.0, 2.0, (21, 26))
    y, x = (rng.uniform(0.0, n, CHIP[0] * CHIP[1]) for n in image.shape)
    for dtype in ("f4", "f8"):
        typed = image.astype(dtype)
        for kind, function in functions(record).items():
            _compare(
                f"{record!r} ({kind})",
                lambda chosen, i=typed, f=function: f(i, x[chosen], y[chosen]),  # type: ignore[misc]
                len(x),
                {"image": typed, "positions": f"{len(x)} random ones"},
            )
