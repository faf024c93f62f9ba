"""Sky method ``match``: differences between exposures, from the pixels that they share."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence

from drizframe.hooks import SkyChip, SkyMethod, SkyOptions, hookimpl
from drizframe.model import Overlap, SkyValue
from drizframe.stock.sky._levels import Statistic, sky_value
from drizframe.stock.sky._matching import matched_offsets

__all__ = ["MATCH", "match"]


def match(
    chips: Sequence[SkyChip],
    statistic: Statistic,
    *,
    overlaps: Callable[[], Sequence[Overlap]],
    options: SkyOptions,
) -> dict[Hashable, SkyValue]:
    """Level the exposures to each other; the lowest gets 0.

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
        A `SkyValue` for the key of every chip; 0, with a warning, for an exposure that shares no usable
        pixels.

    Notes
    -----
    The equations are those of `drizframe.stock.sky._matching.solve`.  The values are differences, so they are
    no measure of the noise that the sky makes.
    """
    offsets = matched_offsets(chips, statistic, overlaps(), options, alone="its sky is set to 0")
    if offsets:
        options.warn(
            "skymethod 'match' gives differences only: the noise models of median, cosmic rays and "
            "inverse-variance "
            "weights take them for the whole sky. Use 'globalmin+match' for measured levels."
        )
    return {
        chip.key: sky_value(offsets[chip.exposure] / chip.conversion, "match")
        if chip.exposure in offsets
        else sky_value(0.0, "none")
        for chip in chips
    }


MATCH = SkyMethod(
    name="match",
    summary="Differences of the sky between exposures, from common pixels.",
    reference=match,
    minimum=2,
    fallback="localmin",
    traits=frozenset({"picklable"}),
)


@hookimpl
def drizframe_sky_methods() -> Iterator[SkyMethod]:
    """Yield the method."""
    yield MATCH
