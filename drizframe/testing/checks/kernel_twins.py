"""Checks of the compiled halves of kernels: twins, tables and bodies for one pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from drizframe._fast import load
from drizframe.hooks import Kernel
from drizframe.model import PixelMap
from drizframe.testing.checking import check
from drizframe.testing.checking import forall as _forall
from drizframe.testing.checks.kernels import DROPS, case_of, forms
from drizframe.testing.failure import CheckFailure, compare
from drizframe.testing.strategies import pixmaps, shapes

__all__: list[str] = []


def _profile_peak(kernel: Kernel, pixfrac: float, scale: float) -> float:
    """Return the largest weight that a profile can give: what the error of its table is a fraction of."""
    if kernel.profile is None or kernel.support is None:
        return 0.0
    half = float(kernel.support(pixfrac))
    offsets = np.linspace(-half, half, 65)
    dx, dy = np.meshgrid(offsets, offsets)
    return float(np.abs(kernel.profile(dx, dy, pixfrac=pixfrac)).max()) * scale**2


@check(
    "kernel", applies=lambda k: k.fast is not None or k.footprint is None, name="check_reference_equals_fast"
)
def check_kernel_reference_equals_fast(kernel: Kernel) -> None:
    """Compiled and NumPy weights agree to the record's tolerance; zeros are zeros in both."""
    table = kernel.profile is not None

    def one(pixmap: PixelMap, pixfrac: float) -> None:
        case = case_of(kernel, pixmap, pixfrac)
        found = forms(kernel, pixfrac, case.scale)
        want, got = found["reference"](case), found["fast"](case)
        peak = max(float(np.abs(want).max(initial=0.0)), _profile_peak(kernel, pixfrac, case.scale))
        compare(
            f"{kernel!r}: fast equals reference",
            got,
            want,
            rtol=kernel.tolerance,
            # a table is as exact as a fraction of the peak; the smallest exponentials lose digits
            atol=max(kernel.tolerance, 1e-6) * peak if table else 1e-300,
            zeros=not table,
            inputs=case.inputs(),
        )

    _forall(
        one, pixmap=pixmaps(shapes=shapes(rows=st.integers(1, 4), columns=st.integers(1, 4))), pixfrac=DROPS
    )


@check("kernel", applies=lambda k: k.block is not None and k.fast is not None, name="check_body_equals_fast")
def check_kernel_body_equals_fast(kernel: Kernel) -> None:
    """The compiled body for one pixel, which the drizzle loop calls, gives the weights of the fast twin."""
    assert kernel.block is not None  # noqa: S101  (the check applies only then)

    def one(pixmap: PixelMap, pixfrac: float) -> None:
        case = case_of(kernel, pixmap, pixfrac)
        code = kernel.block(pixfrac, case.scale)  # type: ignore[misc]
        where = (case.x, case.y, case.corners, case.x0, case.y0, case.shape)
        compare(
            f"{kernel!r}: block gives what fast gives",
            drizzle_block.weights_of(code, *where),
            forms(kernel, pixfrac, case.scale)["fast"](case),
            rtol=kernel.tolerance,
            zeros=True,
            inputs=case.inputs(),
        )

    drizzle_block: Any = load("drizzle_block")
    if drizzle_block is None:
        raise CheckFailure(
            f"{kernel!r} has a compiled body, which needs drizframe's compiled loops",
            expected="drizframe._fast.drizzle_block", got="no such module", where="block",
        )  # fmt: skip
    _forall(
        one, pixmap=pixmaps(shapes=shapes(rows=st.integers(1, 4), columns=st.integers(1, 4))), pixfrac=DROPS
    )
