"""Weightings: the weight map of a chip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from drizframe.hooks.guard import image_of, number_of, pair_of
from drizframe.hooks.records.base import Component, warn_user
from drizframe.hooks.records.signatures import Calls

__all__ = ["WeightOptions", "Weighting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightOptions:
    """Options of a `Weighting`.

    Parameters
    ----------
    wt_scl : str or float
        ``"exptime"``, ``"expsq"`` or a number.
    flat : ndarray or None
        Flat field of the chip on the same pixels, for IVM; None if it was not found.
    ivm : ndarray or None
        The user's inverse-variance map of the chip, for IVM.
    warn : callable
        ``warn(message)``: tells the user; the engine's names the exposure and writes to the log as well.
    plugin : pydantic.BaseModel or None
        Values of the record's `options_model`; None if it has none.
    """

    wt_scl: str | float = "exptime"
    flat: Any = None
    ivm: Any = None
    warn: Callable[[str], None] = field(default=warn_user)
    plugin: Any = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Weighting(Component):
    """Weight map of a chip.

    ``reference(chip, mask, sky, ratio, options) -> (map, scale)``: `chip` a `Chip`, `mask` (ny, nx) uint8 (1
    good), `sky` a `SkyValue`, `ratio` output over undistorted input pixel scale, `options` a `WeightOptions`;
    `map` (ny, nx) float32 with the mask applied, `scale` a factor that the drizzle step multiplies.  `mask` is in
    native byte order, and so are `Chip.data` and `Chip.plane`; the maps of `options` may be of any layout, type and byte
    order, because other steps and instruments make them; nothing may be written to.
    """

    family: ClassVar[str] = "weighting"
    CALLS: ClassVar[Calls] = {"reference": "chip, mask, sky, ratio, options"}

    def checked(self, answer: Any, arguments: Sequence[Any]) -> tuple[Any, float]:
        """Return the weight map, float32 and of the shape of the chip, and a finite factor."""
        weight, scale = pair_of(self, answer, "a weight map and a factor")
        image = image_of(self, weight, arguments[0].shape, what="a weight map").astype(np.float32, copy=False)
        return image, number_of(self, scale, "a finite factor as second result")
