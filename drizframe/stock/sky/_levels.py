"""What the methods share: surface brightness of chips and exposures, and the values made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from drizframe.hooks import SkyChip, SkyOptions
from drizframe.model import SkyValue

__all__ = ["Statistic", "chip_values", "exposure_minima", "exposure_name", "sky_value"]

#: ``statistic(values) -> (value, n)``
Statistic = Callable[[Any], tuple[Any, int]]


def exposure_name(chips: Sequence[SkyChip], exposure: int) -> str:
    """Return the name of an exposure, for messages."""
    return next(chip.name.partition("[")[0] for chip in chips if chip.exposure == exposure)


def chip_values(chips: Sequence[SkyChip], statistic: Statistic, options: SkyOptions) -> list[Any]:
    """Return the statistic of every chip in the unit of its image, NaN where it has not enough data."""
    return options.map(lambda chip: statistic(chip.pixels())[0], chips)


def exposure_minima(chips: Sequence[SkyChip], values: Sequence[Any]) -> dict[int, Any]:
    """Return the lowest surface brightness of every exposure that has data.

    Parameters
    ----------
    chips : sequence of SkyChip
        All chips of the run.
    values : sequence of float
        Their statistics; NaN: no data.

    Notes
    -----
    A value of type float32 keeps its type through the conversion, as in the reference program.
    """
    lowest: dict[int, Any] = {}
    for chip, value in zip(chips, values, strict=True):
        if math.isnan(value):
            continue
        brightness = chip.conversion * value
        if chip.exposure not in lowest or brightness < lowest[chip.exposure]:
            lowest[chip.exposure] = brightness
    return lowest


def without_data(chips: Sequence[SkyChip], found: Mapping[int, Any]) -> list[int]:
    """Return the exposures that are not in `found`, in order."""
    return [e for e in dict.fromkeys(chip.exposure for chip in chips) if e not in found]


def sky_value(value: Any, method: str) -> SkyValue:
    """Return a value that is both subtracted and the level of the noise.

    Parameters
    ----------
    value : float
        In the unit of the image; float32 becomes a plain float of the same value, float64 scalars of NumPy
        stay, because they make the subtraction one of float64.
    method : str
        The method that gave it.
    """
    plain = float(value) if isinstance(value, np.float32) else value
    return SkyValue(subtracted=plain, level=float(plain), method=method)
