"""Sky method ``globalmin``: all exposures have the sky of the darkest chip of all."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

from drizframe.hooks import SkyChip, SkyMethod, SkyOptions, hookimpl
from drizframe.model import Overlap, SkyValue
from drizframe.stock.sky._levels import (
    Statistic,
    chip_values,
    exposure_minima,
    exposure_name,
    sky_value,
    without_data,
)

__all__ = ["GLOBALMIN", "darkest", "globalmin"]


def darkest(chips: Sequence[SkyChip], values: Sequence[Any], options: SkyOptions) -> Any:
    """Return the lowest surface brightness of all chips, None if none has data.

    Exposures without data are left out, with a warning.
    """
    lowest = exposure_minima(chips, values)
    for exposure in without_data(chips, lowest):
        options.warn(
            f"{exposure_name(chips, exposure)}: not enough usable pixels for the sky; it does not count "
            "for the "
            f"common minimum. Check skylower, skyupper, sky_bits and the masks."
        )
    return min(lowest.values(), default=None)


def globalmin(
    chips: Sequence[SkyChip],
    statistic: Statistic,
    *,
    overlaps: Callable[[], Sequence[Overlap]],
    options: SkyOptions,
) -> dict[Hashable, SkyValue]:
    """Give all chips of all exposures the surface brightness of the darkest chip.

    Parameters
    ----------
    chips : sequence of SkyChip
        All chips of the run.
    statistic : callable
        ``statistic(values) -> (value, n)``.
    overlaps : callable
        Not used.
    options : SkyOptions
        Services of the engine.

    Returns
    -------
    dict
        A `SkyValue` for the key of every chip; 0 if no exposure has data.

    Notes
    -----
    ``value(c) = min over all chips k of (conversion(k) * s(k)) / conversion(c)`` with the statistic s.
    """
    level = darkest(chips, chip_values(chips, statistic, options), options)
    if level is None:
        return {chip.key: sky_value(0.0, "none") for chip in chips}
    return {chip.key: sky_value(level / chip.conversion, "globalmin") for chip in chips}


GLOBALMIN = SkyMethod(
    name="globalmin",
    summary="The darkest chip of all gives the sky of every exposure.",
    reference=globalmin,
    traits=frozenset({"picklable", "order_free"}),
)


@hookimpl
def drizframe_sky_methods() -> Iterator[SkyMethod]:
    """Yield the method."""
    yield GLOBALMIN
