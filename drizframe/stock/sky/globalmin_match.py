"""Sky method ``globalmin+match``: differences from common pixels, and one level for all."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence

from drizframe.hooks import SkyChip, SkyMethod, SkyOptions, hookimpl
from drizframe.model import Overlap, SkyValue
from drizframe.stock.sky._levels import Statistic, chip_values, sky_value
from drizframe.stock.sky._matching import matched_offsets
from drizframe.stock.sky.globalmin import darkest

__all__ = ["GLOBALMIN_MATCH", "globalmin_match"]


def globalmin_match(
    chips: Sequence[SkyChip],
    statistic: Statistic,
    *,
    overlaps: Callable[[], Sequence[Overlap]],
    options: SkyOptions,
) -> dict[Hashable, SkyValue]:
    """Level the exposures to each other, then subtract the darkest sky that is left from all.

    Parameters
    ----------
    chips : sequence of SkyChip
        All chips of the run.
    statistic : callable
        ``statistic(values) -> (value, n)``.
    overlaps : callable
        Gives the common regions of chips of different exposures.
    options : SkyOptions
        Services of the engine.

    Returns
    -------
    dict
        A `SkyValue` for the key of every chip.  An exposure that shares no usable pixels gets the common
        level only.

    Notes
    -----
    With the offsets d of `drizframe.stock.sky._matching.solve` and the statistic s:
    ``value(c) = (d + min over all chips k of conversion(k) * (s(k) - d / conversion(k))) / conversion(c)``.
    """
    offsets = matched_offsets(chips, statistic, overlaps(), options, alone="it gets the common level only")
    shift = {chip.key: offsets.get(chip.exposure, 0.0) / chip.conversion for chip in chips}
    measured = chip_values(chips, statistic, options)
    left = [v if math.isnan(v) else v - shift[chip.key] for chip, v in zip(chips, measured, strict=True)]
    level = darkest(chips, left, options)
    return {
        chip.key: _value(chip, shift[chip.key], level, matched=chip.exposure in offsets) for chip in chips
    }


def _value(chip: SkyChip, shift: float, level: float | None, *, matched: bool) -> SkyValue:
    """Return the sum of the two parts, named after those that were found."""
    if level is None:
        return sky_value(shift, "match" if matched else "none")
    return sky_value(shift + level / chip.conversion, "globalmin+match" if matched else "globalmin")


GLOBALMIN_MATCH = SkyMethod(
    name="globalmin+match",
    summary="Differences of the sky from common pixels, plus the darkest sky of all.",
    reference=globalmin_match,
    minimum=2,
    fallback="globalmin",
    traits=frozenset({"picklable"}),
)


@hookimpl
def drizframe_sky_methods() -> Iterator[SkyMethod]:
    """Yield the method."""
    yield GLOBALMIN_MATCH
