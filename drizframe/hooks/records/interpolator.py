"""Interpolators: the value of an image at any position."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from drizframe.errors import RecordError
from drizframe.hooks.records.base import Component
from drizframe.hooks.records.fields import check_fields, texts, whole
from drizframe.hooks.records.point_type import check_point
from drizframe.hooks.records.signatures import Calls

__all__ = ["Interpolator"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Interpolator(Component):
    """Value of an image at any position.

    Exactly one of `reference`, `profile` and `point` is given.

    Parameters
    ----------
    reference : callable
        ``reference(image, x, y, *, fill, **options) -> values``: `image` (ny, nx) float32 or float64; `x`, `y`
        (n,) float64 positions, any value including NaN and infinities; `values` (n,) float64, `fill` where a
        position is not finite or lies outside ``0 <= x < nx``, ``0 <= y < ny``.  Beyond the domain's edges the
        component defines what it needs; elsewhere a shift of image and positions by whole pixels must not
        change a value, because the engine hands out cuts of large images.
    profile : callable
        ``profile(dx, dy) -> weight`` with the offsets of pixels from the position, in pixels.  The value is
        ``Σ w S / Σ w`` over the pixels S within the support.
    point : object
        A `scipy.LowLevelCallable` called for each position, of the C type of a kernel's (with the derivatives of
        the identity and pixfrac = scale = 1), which gives the weights of pixels.  The value is ``Σ w S``.
    support : float
        For a profile or a point function: largest offset of a pixel along an axis, in pixels.  Pixels beyond an
        edge of the image have the value of the edge pixel.
    reach : int
        Pixels around the position (on each side) that a value can depend on; for a profile or a point function it
        follows from the support.
    accepts : frozenset of str
        Names of stock options that `reference` takes as keywords (``"sinscl"``).  With an `options_model`, its
        validated section comes as the keyword `plugin`.
    """

    family: ClassVar[str] = "interpolator"
    loops: ClassVar[bool] = True
    CALLS: ClassVar[Calls] = {"reference": "image, x, y, *, fill", "profile": "dx, dy"}

    profile: Callable[..., Any] | None = None
    point: Any = None
    support: float | None = None
    reach: int = 1
    accepts: frozenset[str] = frozenset()

    def _check_types(self) -> None:
        Component._check_types(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        check_fields(self.label, self, reach=whole(0), accepts=texts(frozenset))
        if unknown := sorted(self.accepts - {"sinscl"}):
            msg = f"{self.label} accepts {unknown}, which are no stock options. The only one is 'sinscl'; options_model is for your own."
            raise RecordError(msg)

    def _calls(self) -> Calls:
        plugin = ["plugin"] if self.options_model is not None else []
        return {
            **self.CALLS,
            "reference": ", ".join(["image, x, y, *, fill", *sorted(self.accepts), *plugin]),
        }

    def _check(self) -> None:
        ways = [n for n in ("profile", "point") if getattr(self, n) is not None]
        given = ways if self.reference is None else ["reference", *ways]
        if len(given) != 1:
            msg = (
                f"{self.label} gives {' and '.join(given) or 'none'} of reference, profile and point. "
                f"Give exactly one."
            )
            raise RecordError(msg)
        if not ways:
            Component._check(self)  # noqa: SLF001  (super() does not work in a class with slots)
            return
        if self.point is not None:
            check_point(self.label, self.point)
        self._check_weights()

    def _check_weights(self) -> None:
        """Refuse what a profile or a point function cannot have."""
        extra = [n for n in ("fast", "supports", "options_model") if getattr(self, n) is not None]
        if extra or self.accepts:
            msg = (
                f"{self.label} is written as weights of pixels, which go without {' and '.join(extra or ['accepts'])}: "
                f"drizframe makes the compiled half, and no options are passed. Make a record for each setting."
            )
            raise RecordError(msg)
        support = self.support
        number = isinstance(support, int | float) and not isinstance(support, bool)
        if not (number and 0.5 <= support < 1000):  # type: ignore[operator]
            msg = (
                f"{self.label} has the support {support!r}. Give the largest offset of a pixel from the position, "
                f"in pixels, as a number of 0.5 or more."
            )
            raise RecordError(msg)
        object.__setattr__(self, "support", float(support))  # type: ignore[arg-type]
        object.__setattr__(self, "reach", math.ceil(self.support))  # type: ignore[arg-type]
