"""Detectors of cosmic rays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from drizframe.hooks.guard import ask, image_of, whole_of
from drizframe.hooks.records.base import Component, one
from drizframe.hooks.records.signatures import Calls

__all__ = ["CosmicRayDetector", "CosmicRayOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CosmicRayOptions:
    """Options of a `CosmicRayDetector`.

    Parameters
    ----------
    snr : tuple of float
        The two signal-to-noise limits.
    scale : tuple of float
        The two factors of the derivative.
    grow : int
        Side of the box by which flags grow; 1 grows nothing.
    ctegrow : int
        Length of the charge-transfer tail in pixels.
    cte_direction : int
        +1: tails towards lower y; -1: towards higher y; 0: none.
    plugin : pydantic.BaseModel or None
        Values of the record's `options_model`; None if it has none.
    """

    snr: tuple[float, float] = (3.5, 3.0)
    scale: tuple[float, float] = (1.2, 0.7)
    grow: int = 1
    ctegrow: int = 0
    cte_direction: int = 0
    plugin: Any = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CosmicRayDetector(Component):
    """Cosmic rays of one chip.

    ``reference(sci, blot, deriv, noise, depth, dq, options) -> codes``: all (ny, nx); `sci`, `blot`, the
    derivative `deriv` of that and `noise` float32 in electrons; `blot` and `deriv` are None without a median,
    which a detector with the trait ``needs_blot`` never sees; `depth` int32, number of exposures behind each
    pixel, or None unless the detector has the trait ``needs_depth``; `dq` integer or None; `options` a
    `CosmicRayOptions`.  `codes` uint8: 0 good, else the reason (1 test, 2 grown, 4 charge-transfer tail; a
    plugin may use 8 and up).  The arrays are not to be written to, and of any strides and byte order; `dq` is of any
    integer type.

    Parameters
    ----------
    halo : callable
        ``halo(options) -> int``: pixels around a pixel that its code can depend on.  In a run it is called for some rows of a
        chip, with these around them; one that does not say its halo, for whole chips.  The conformance kit takes that for 1.
    """

    family: ClassVar[str] = "cosmic-ray detector"
    loops: ClassVar[bool] = True
    CALLS: ClassVar[Calls] = {
        "reference": "sci, blot, deriv, noise, depth, dq, options",
        "halo": "options",
    }

    halo: Callable[[Any], int] = field(default=one)

    def border(self, options: Any) -> int | None:
        """Return the number of pixels around a pixel that its code can depend on, see `halo`; None if it does not say."""
        if self.halo is one:
            return None
        return whole_of(self, ask(self, self.halo, options), "a whole number from halo(options)")

    def checked(self, answer: Any, arguments: Sequence[Any]) -> Any:
        """Return the reason codes: integers, of the shape of the chip."""
        return image_of(self, answer, arguments[0].shape, what="reason codes", kinds="iu")
