"""Checks of kernels by what becomes of an image that is drizzled with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from drizframe.hooks import Kernel
from drizframe.model import Accumulator, ChipInput, PixelMap, Window
from drizframe.pixels.drizzle import drizzle_chip, finish
from drizframe.testing.checking import check, forall, frozen_copy
from drizframe.testing.checks.kernels import DROPS, ROUNDING
from drizframe.testing.failure import compare
from drizframe.testing.strategies import images, pixmaps
from drizframe.testing.strategies import weights as weight_images

__all__: list[str] = []

Array = np.ndarray[Any, Any]


WINDOW = Window(24, 44, 24, 44)


def drizzled(
    kernel: Kernel,
    pixmap: PixelMap,
    data: Array,
    weight: Array | None,
    pixfrac: float,
    acc: Accumulator | None = None,
) -> Accumulator:
    """Drizzle one chip onto a window."""
    acc = Accumulator(window=WINDOW, planes=1) if acc is None else acc
    chip = ChipInput(
        data=[data], weight=weight, number=1, pixmap=pixmap, scale=float(pixmap.extra["scale"]), intensity=1.0
    )
    drizzle_chip(acc, chip, kernel, pixfrac=pixfrac)
    return acc


def on_chips(body: Callable[..., None], kernel: Kernel, **more: Any) -> None:
    """Call ``body(pixmap, pixfrac, …)`` for drawn maps of chips of 4 by 5 pixels."""
    assert kernel.reference is not None  # noqa: S101  (checked when the record was made)
    forall(body, pixmap=pixmaps(shapes=st.just((4, 5))), pixfrac=DROPS, **more)


CHIP = st.just((4, 5))


@check("kernel")
def check_zero_weight_adds_nothing(kernel: Kernel) -> None:
    """Pixels of weight 0 change no sum and no context, whatever their values."""

    def body(pixmap: PixelMap, pixfrac: float, data: Array, weight: Array) -> None:
        wild = np.where(weight == 0, np.float32(1e15), data.astype(np.float32))
        with_zero = drizzled(kernel, pixmap, wild, weight, pixfrac)
        calm = drizzled(kernel, pixmap, np.where(weight == 0, np.float32(0), data), weight, pixfrac)
        nothing = drizzled(kernel, pixmap, wild, np.zeros_like(weight), pixfrac)
        what = f"{kernel!r}: pixels of weight 0 add nothing"
        inputs = {"map": pixmap.extra, "pixfrac": pixfrac, "data": data, "weight": weight}
        for name in ("weight", "total", "context"):
            compare(what, getattr(with_zero, name), getattr(calm, name), where=f"sum {name!r}", inputs=inputs)
            compare(
                what,
                getattr(nothing, name),
                np.zeros_like(getattr(nothing, name)),
                where=f"sum {name!r}, all weights 0",
                inputs=inputs,
            )

    on_chips(body, kernel, data=images(shapes=CHIP), weight=weight_images(shapes=CHIP))


@check("kernel")
def check_no_overlap_changes_nothing(kernel: Kernel) -> None:
    """A chip that lies off the window changes nothing."""

    def body(pixmap: PixelMap, pixfrac: float, data: Array) -> None:
        far = Accumulator(window=Window(2000, 2010, 3000, 3012), planes=1)
        drizzled(kernel, pixmap, data, None, pixfrac, far)
        inputs = {"map": pixmap.extra, "pixfrac": pixfrac}
        for name in ("weight", "total", "context"):
            got = getattr(far, name)
            compare(
                f"{kernel!r}: a chip off the window changes nothing",
                got,
                np.zeros_like(got),
                where=f"sum {name!r}",
                inputs=inputs,
            )
        compare(
            f"{kernel!r}: a chip off the window changes nothing",
            far.last,
            np.full_like(far.last, np.nan),
            where="last value",
            inputs=inputs,
        )

    on_chips(body, kernel, data=images(shapes=CHIP))


@check("kernel", name="check_constant")
def check_kernel_constant(kernel: Kernel) -> None:
    """A constant image gives that constant wherever weight falls."""

    def body(pixmap: PixelMap, pixfrac: float, value: float, weight: Array) -> None:
        acc = drizzled(kernel, pixmap, np.full(pixmap.shape, value), weight, pixfrac)
        sci = finish(acc, maskval=np.nan, fillval=np.nan, dtype=np.float64).sci
        some = np.abs(acc.weight) > 1e-6 * float(np.abs(acc.weight).max(initial=0.0))
        got = np.where(some, sci, value)
        compare(
            f"{kernel!r}: a constant image gives that constant",
            got,
            np.full_like(got, value),
            rtol=1e-8,
            where="window pixel",
            inputs={"map": pixmap.extra, "pixfrac": pixfrac, "value": value, "weight": weight},
        )

    on_chips(body, kernel, value=st.floats(0.5, 1e4), weight=weight_images(shapes=CHIP))


@check("kernel", traits=["linear"], name="check_linear")
def check_kernel_linear(kernel: Kernel) -> None:
    """The sums are linear in the data, as promised; big-endian and read-only images are taken."""

    def body(pixmap: PixelMap, pixfrac: float, a: Array, b: Array, factor: float) -> None:
        both = drizzled(
            kernel, pixmap, a.astype(np.float64) + factor * b.astype(np.float64), None, pixfrac
        ).total
        one, two = (drizzled(kernel, pixmap, frozen_copy(i), None, pixfrac).total for i in (a, b))
        peak = float(np.abs(a).max() + abs(factor) * np.abs(b).max())
        compare(
            f"{kernel!r}: the sums are linear in the data",
            both,
            one + factor * two,
            rtol=ROUNDING,
            atol=ROUNDING * peak,
            where="sum 'total'",
            inputs={"map": pixmap.extra, "pixfrac": pixfrac, "a": a, "b": b, "factor": factor},
        )

    on_chips(
        body, kernel, a=images(shapes=CHIP), b=images(shapes=CHIP), factor=st.sampled_from([1.0, -2.0, 0.5])
    )
