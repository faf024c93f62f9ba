"""Sky method ``localmin``: every exposure has the sky of its darkest chip."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

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

__all__ = ["LOCALMIN", "localmin"]


def localmin(
    chips: Sequence[SkyChip],
    statistic: Statistic,
    *,
    overlaps: Callable[[], Sequence[Overlap]],
    options: SkyOptions,
) -> dict[Hashable, SkyValue]:
    """Give all chips of an exposure the surface brightness of its darkest chip.

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
        A `SkyValue` for the key of every chip; an exposure without data gets 0, with a warning.

    Notes
    -----
    ``value(c) = min over chips k of (conversion(k) * s(k)) / conversion(c)`` with the statistic s.
    """
    lowest = exposure_minima(chips, chip_values(chips, statistic, options))
    for exposure in without_data(chips, lowest):
        options.warn(
            f"{exposure_name(chips, exposure)}: not enough usable pixels for the sky; it is set to 0. "
            f"Check skylower, skyupper, sky_bits and the masks."
        )
    return {
        chip.key: sky_value(lowest[chip.exposure] / chip.conversion, "localmin")
        if chip.exposure in lowest
        else sky_value(0.0, "none")
        for chip in chips
    }


LOCALMIN = SkyMethod(
    name="localmin",
    summary="The darkest chip gives the sky of its exposure.",
    reference=localmin,
    traits=frozenset({"picklable", "order_free"}),
)


@hookimpl
def drizframe_sky_methods() -> Iterator[SkyMethod]:
    """Yield the method."""
    yield LOCALMIN
