"""Combiners: one image out of a stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from drizframe.hooks.guard import ask, image_of, whole_of
from drizframe.hooks.records.base import Component, none, one
from drizframe.hooks.records.signatures import Calls

__all__ = ["CombineOptions", "Combiner"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CombineOptions:
    """Options of a `Combiner`.

    Parameters
    ----------
    nlow, nhigh : int
        Number of lowest and highest good values to leave out.
    lthresh, hthresh : float or None
        Values below `lthresh` or not below `hthresh` are bad; electrons per second.
    nsigma : tuple of float
        The two sigmas of minmed.
    grow : int
        Growth of minmed in pixels.
    plugin : pydantic.BaseModel or None
        Values of the record's `options_model`; None if it has none.
    """

    nlow: int = 0
    nhigh: int = 0
    lthresh: float | None = None
    hthresh: float | None = None
    nsigma: tuple[float, float] = (4.0, 3.0)
    grow: int = 1
    plugin: Any = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Combiner(Component):
    """One image out of a stack.

    ``reference(stack, bad, *, weight, exptime, background, readnoise, n_total, options) -> image``: `stack`
    (n, h, w) float32 in electrons/s; `bad` (n, h, w) bool; `weight` (n, h, w) float32; `exptime`,
    `background`, `readnoise` (n,) float64 in s, electrons, electrons; `options` a `CombineOptions`; `image`
    (h, w) float32.  The arrays are read-only, and of any strides and byte order; `n_total` is the number of exposures
    of the run; `image` is a new array.  A stack holds all exposures, unless the record promises ``"sparse"``: then those are
    left out that have no good value in the part of the frame (the last one never is), however few remain.

    Parameters
    ----------
    halo : callable
        ``halo(options) -> int``: pixels around the tile that a result can depend on.
    minimum : callable
        ``minimum(options) -> int``: exposures needed at least.
    """

    family: ClassVar[str] = "combiner"
    loops: ClassVar[bool] = True
    CALLS: ClassVar[Calls] = {
        "reference": "stack, bad, *, weight, exptime, background, readnoise, n_total, options",
        "halo": "options",
        "minimum": "options",
    }

    halo: Callable[[Any], int] = field(default=none)
    minimum: Callable[[Any], int] = field(default=one)

    def checked(self, answer: Any, arguments: Sequence[Any]) -> Any:
        """Return the combined image: numbers, of the shape of one image of the stack."""
        return image_of(self, answer, arguments[0].shape[1:], what="an image")

    def border(self, options: CombineOptions) -> int:
        """Return the pixels around a tile that a result can depend on."""
        return whole_of(self, ask(self, self.halo, options), "a whole number from halo(options)")

    def least(self, options: CombineOptions) -> int:
        """Return how many exposures are needed."""
        return whole_of(self, ask(self, self.minimum, options), "a whole number from minimum(options)")
