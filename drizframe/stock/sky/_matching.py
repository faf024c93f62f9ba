"""Sky differences between exposures from the pixels that they share."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drizframe.hooks import SkyChip, SkyOptions
from drizframe.model import Overlap
from drizframe.stock.sky._levels import Statistic, exposure_name

__all__ = ["Pair", "matched_offsets", "pair_averages", "solve"]

#: Singular values below this fraction of the largest count as 0.
CUTOFF = 1e-12


@dataclass(slots=True)
class Pair:
    """Sums over the common regions of two exposures; index 0 is the earlier one.

    Parameters
    ----------
    weight : list of int
        Pixels that were left, per exposure.
    total : list of float
        Sum of weight times surface brightness, per exposure.
    area : float
        Area on the sky, steradian.
    """

    weight: list[int]
    total: list[Any]
    area: float = 0.0

    @property
    def valid(self) -> bool:
        """Whether both exposures have data in common regions."""
        return self.weight[0] > 0 and self.weight[1] > 0 and self.area > 0

    @property
    def averages(self) -> tuple[Any, Any]:
        """Mean surface brightness of either exposure; float32 if the statistic is."""
        return self.total[0] / self.weight[0], self.total[1] / self.weight[1]

    @property
    def mean_weight(self) -> float:
        """Mean number of pixels."""
        return (self.weight[0] + self.weight[1]) / 2


def pair_averages(
    chips: Mapping[Hashable, SkyChip], overlaps: Sequence[Overlap], statistic: Statistic, options: SkyOptions
) -> dict[tuple[int, int], Pair]:
    """Measure both chips of every overlap, and add up those of the same two exposures.

    Parameters
    ----------
    chips : mapping of key to SkyChip
        All chips of the run.
    overlaps : sequence of Overlap
        Common regions of chips of different exposures.
    statistic : callable
        ``statistic(values) -> (value, n)``.
    options : SkyOptions
        Services of the engine.

    Returns
    -------
    dict of (int, int) to Pair
        By indices of the exposures.
    """

    def measure(overlap: Overlap) -> list[tuple[Any, int]]:
        first = statistic(chips[overlap.first].pixels(overlap.first_region))
        return [first, statistic(chips[overlap.second].pixels(overlap.second_region))]

    pairs: dict[tuple[int, int], Pair] = {}
    for overlap, measured in zip(overlaps, options.map(measure, overlaps), strict=True):
        ends = (chips[overlap.first], chips[overlap.second])
        pair = pairs.setdefault((ends[0].exposure, ends[1].exposure), Pair([0, 0], [0.0, 0.0]))
        pair.area += overlap.area
        for side, (chip, (value, count)) in enumerate(zip(ends, measured, strict=True)):
            if count and not math.isnan(value):
                pair.weight[side] += count
                pair.total[side] += count * (chip.conversion * value)
    return pairs


def _groups(pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return the sets of exposures that pairs connect, each sorted, in order of their first members."""
    root: dict[int, int] = {}

    def find(e: int) -> int:
        while root.setdefault(e, e) != e:
            e = root[e]
        return e

    for i, j in pairs:
        a, b = find(i), find(j)
        root[max(a, b)] = min(a, b)
    groups: dict[int, list[int]] = {}
    for e in sorted(root):
        groups.setdefault(find(e), []).append(e)
    return list(groups.values())


def solve(pairs: Mapping[tuple[int, int], Pair]) -> dict[int, float]:
    """Offsets that explain the differences of all valid pairs best.

    Parameters
    ----------
    pairs : mapping of (int, int) to Pair
        Measured pairs of exposures.

    Returns
    -------
    dict of int to numpy.float64
        Surface brightness by exposure; only exposures of valid pairs.

    Notes
    -----
    For every valid pair, with w the mean of both numbers of pixels: ``w (d(i) - d(j)) = w (sky(i) -
    sky(j))``, solved by the Moore-Penrose inverse, so that the offsets of a connected group sum to 0; all are
    shifted together so that the lowest is 0.
    """
    valid = {key: pair for key, pair in pairs.items() if pair.valid}
    exposures = sorted({e for key in valid for e in key})
    column = {e: k for k, e in enumerate(exposures)}
    matrix, right = np.zeros((len(valid), len(exposures))), np.zeros(len(valid))
    for row, ((i, j), pair) in enumerate(valid.items()):
        first, second = pair.averages
        matrix[row, column[i]], matrix[row, column[j]] = pair.mean_weight, -pair.mean_weight
        right[row] = pair.mean_weight * float(first - second)
    if not valid:
        return {}
    offsets = np.linalg.pinv(matrix, rcond=CUTOFF) @ right
    offsets = offsets - min(0.0, offsets.min())
    return {e: offsets[k] for e, k in column.items()}


def _tell(
    chips: Sequence[SkyChip], pairs: Mapping[tuple[int, int], Pair], options: SkyOptions, alone: str
) -> None:
    """Warn about exposures that match nothing, and about groups that are not connected."""
    groups = _groups([key for key, pair in pairs.items() if pair.valid])
    matched = {e for group in groups for e in group}
    for e in dict.fromkeys(chip.exposure for chip in chips):
        if e not in matched:
            options.warn(f"{exposure_name(chips, e)} shares no usable pixels with another exposure; {alone}.")
    if len(groups) > 1:
        listed = "; ".join(", ".join(exposure_name(chips, e) for e in group) for group in groups)
        options.warn(
            f"The exposures form {len(groups)} groups that share no pixels: {listed}. "
            "Each is matched in itself; "
            f"the levels of different groups are arbitrary to each other."
        )


def matched_offsets(
    chips: Sequence[SkyChip],
    statistic: Statistic,
    overlaps: Sequence[Overlap],
    options: SkyOptions,
    *,
    alone: str,
) -> dict[int, float]:
    """Measure and solve; see `solve`.  `alone` says what happens to exposures that match nothing."""
    pairs = pair_averages({chip.key: chip for chip in chips}, overlaps, statistic, options)
    _tell(chips, pairs, options, alone)
    return solve(pairs)
