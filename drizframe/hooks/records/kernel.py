"""Kernels: how an input pixel spreads over output pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from drizframe.errors import RecordError
from drizframe.hooks.records.base import Component
from drizframe.hooks.records.point_type import check_point
from drizframe.hooks.records.signatures import Calls

__all__ = ["Kernel"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Kernel(Component):
    """How an input pixel spreads over output pixels.

    Exactly one of `footprint`, `profile` and `point` is given.

    Parameters
    ----------
    footprint : callable
        ``footprint(x, y, corners, x0, y0, shape, *, pixfrac, scale) -> weights``.  `x`, `y` (n,) are the
        positions of pixel centres on the frame; `corners` (n, 4, 2) those of the corners of the shrunken
        pixel, in order (-,+), (+,+), (+,-), (-,-) of the input axes, or None unless `needs_corners`; the
        weights (n, h, w), float64, belong to the output pixels ``x0[k] + i``, ``y0[k] + j`` of a window of
        `shape` ``(h, w)`` that covers at least the part of the support that matters.  A weight is the share
        of the input pixel's weight that the output pixel gets; 0 means: not touched.
    profile : callable
        ``profile(dx, dy, *, pixfrac) -> weight`` with offsets in input pixels (integral 1 over the plane).
    point : object
        A `scipy.LowLevelCallable` called for each input pixel.
    support : callable
        ``support(pixfrac, scale) -> float``: half the width, in output pixels, of the region that a pixel can
        touch about its centre.  Needed unless `needs_corners` (then the corners bound it).  For a profile:
        ``support(pixfrac)`` in input pixels.  `scale` is a float everywhere; where input pixels are not square it
        is a `PixelScale`, which tells the sizes along the axes too, and its own value is the root of the ratio of
        areas.
    needs_corners : bool
        Whether `footprint` wants the corners.
    flux_error : float
        How far the weights of one pixel are from a sum of 1, at most over its sub-pixel phases, where both pixel
        scales are equal and pixfrac is 1; 0: they sum to 1.
    block : callable, optional
        ``block(pixfrac, scale) -> (capsule, constants)``: the compiled body of `fast` for a block of pixels, which
        saves the memory for the weights of all (``kernel_loop.pxd`` in `drizframe.get_include` says what it is).  It must give the
        same weights as `fast`, and is only used where `fast` is.
    """

    family: ClassVar[str] = "kernel"
    takes_options: ClassVar[bool] = False
    loops: ClassVar[bool] = True
    CALLS: ClassVar[Calls] = {
        "footprint": "x, y, corners, x0, y0, shape, *, pixfrac, scale",
        "profile": "dx, dy, *, pixfrac",
        "support": "pixfrac, scale",
        "block": "pixfrac, scale",
    }

    footprint: Callable[..., Any] | None = None
    profile: Callable[..., Any] | None = None
    point: Any = None
    support: Callable[..., float] | None = None
    needs_corners: bool = False
    flux_error: float = 0.0
    block: Callable[[float, float], tuple[Any, Any]] | None = None

    def _check(self) -> None:
        given = [n for n in ("footprint", "profile", "point") if getattr(self, n) is not None]
        if len(given) != 1:
            msg = f"{self.label} gives {given or 'none'} of footprint, profile and point. Give exactly one."
            raise RecordError(msg)
        if self.footprint is None:
            extra = [n for n in ("fast", "supports", "block") if getattr(self, n) is not None]
            extra += ["needs_corners"] if self.needs_corners else []
            if extra:
                msg = (
                    f"{self.label} is written as a {given[0]} function, which goes without {' and '.join(extra)}: "
                    f"drizframe makes the compiled half, and a point function gets the derivatives of the map."
                )
                raise RecordError(msg)
        if self.point is not None:
            check_point(self.label, self.point)
        if not self.needs_corners and self.support is None:
            give = {
                "profile": "support(pixfrac), in input pixels",
                "point": "support(pixfrac, scale), in frame pixels",
            }
            advice = give.get(given[0], "support(pixfrac, scale), in frame pixels, or set needs_corners")
            msg = f"{self.label} has no support. Give {advice}."
            raise RecordError(msg)
        if self.reference is None:
            object.__setattr__(self, "reference", getattr(self, given[0]))

    def _calls(self) -> Calls:
        if self.footprint is not None:
            return {**self.CALLS, "reference": self.CALLS["footprint"]}
        return {**self.CALLS, "support": "pixfrac"} if self.profile is not None else self.CALLS
