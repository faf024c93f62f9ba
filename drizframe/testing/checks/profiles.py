"""Checks of profiles: that the support holds them, and that a kernel's weights sum to 1 on average."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from drizframe.hooks import Interpolator, Kernel
from drizframe.testing.checking import check
from drizframe.testing.checks.kernels import case_of, forms
from drizframe.testing.failure import compare, require
from drizframe.testing.strategies import affine_map

__all__: list[str] = []

Array = np.ndarray[Any, Any]
#: What a profile may have on the border of its support, as a fraction of its peak.
BORDER = 0.05
#: How far the mean sum of the weights of a pixel may be from 1.
FLUX = 0.05
#: Offsets along the border, and phases along an axis.
POINTS, PHASES = 257, 16


def _has_profile(record: Any) -> bool:
    return getattr(record, "profile", None) is not None


def border_fraction(
    profile: Callable[[Array, Array], Any], support: float
) -> tuple[float, tuple[float, float]]:
    """Return the largest value on the border of the support over that inside of it, and where it is."""
    along = np.linspace(-support, support, POINTS)
    edge = np.full(POINTS, support * (1 - 1e-9))
    dx, dy = np.concatenate([along, along, edge, -edge]), np.concatenate([edge, -edge, along, along])
    border = np.abs(np.asarray(profile(dx, dy), dtype=np.float64))
    inside = np.abs(np.asarray(profile(*np.meshgrid(along, along)), dtype=np.float64))
    k = int(border.argmax())
    peak = max(float(inside.max()), float(border[k]))
    return (float(border[k]) / peak if peak else 0.0), (float(dx[k]), float(dy[k]))


def _require_held(
    what: str, profile: Callable[[Array, Array], Any], support: float, inputs: dict[str, Any]
) -> None:
    share, place = border_fraction(profile, support)
    require(
        share <= BORDER,
        f"{what} is nearly 0 on the border of its support, where it is cut off",
        expected=f"at most {BORDER:.0%} of its peak; take a larger support",
        got=f"{share:.1%}",
        where=f"offset (dx, dy) = ({place[0]:.3g}, {place[1]:.3g}), support {support:g}",
        inputs=inputs,
    )


@check("kernel", applies=_has_profile, name="check_support_holds_profile")
def check_kernel_support_holds_profile(kernel: Kernel) -> None:
    """On the border of its support the profile is at most 5 % of its peak."""
    assert kernel.support is not None  # noqa: S101  (checked when the record was made)
    function: Any = kernel.profile
    for pixfrac in (1.0, 0.6, 0.3):
        support = float(kernel.support(pixfrac))
        profile = partial(function, pixfrac=pixfrac)
        _require_held(repr(kernel), profile, support, {"pixfrac": pixfrac})  # fmt: skip


@check("interpolator", applies=_has_profile, name="check_support_holds_profile")
def check_interpolator_support_holds_profile(record: Interpolator) -> None:
    """On the border of its support the profile is at most 5 % of its peak."""
    assert record.support is not None  # noqa: S101  (checked when the record was made)
    _require_held(repr(record), record.profile, record.support, {})  # type: ignore[arg-type]


@check("kernel")
def check_integral(kernel: Kernel) -> None:
    """Over all positions within a pixel, the weights of a pixel sum to 1 within 5 % on average."""
    phases = (np.arange(PHASES) + 0.5) / PHASES
    for pixfrac in (1.0, 0.6):
        cases = [
            case_of(kernel, affine_map((1, 1), shift=(32.0 + a, 32.0 + b)), pixfrac)
            for a in phases
            for b in phases
        ]
        for kind, weigh in forms(kernel, pixfrac, 1.0).items():
            total = float(np.mean([weigh(c).sum() for c in cases]))
            compare(
                f"{kernel!r} ({kind}) keeps flux on average: the mean sum of the weights of a pixel is 1",
                total,
                1.0,
                atol=FLUX,
                where=f"mean over {len(cases)} sub-pixel positions",
                inputs={"pixfrac": pixfrac, "scale": 1.0},
            )
