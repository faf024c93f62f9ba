"""The maps from chips to frames of a run: made when they are asked for, and dropped when they become many."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from drizframe.grids.mapping import pixel_map
from drizframe.model import ChipUnit, Exposure, Frame, PixelMap

__all__ = ["Maps"]

#: What a map holds besides its table: bounds of its parts.
OTHER = 3 * 2**13


class Maps:
    """Maps of a run by frame and chip; a map that was dropped is made again, with the same bits.

    Parameters
    ----------
    exposures : sequence of Exposure
        In input order.
    frames : mapping of str to Frame
        ``"separate"`` and ``"final"``.
    stepsize, blot_stepsize : float or str
        See `pixel_map`.
    wcsmap : class, callable or object, optional
        Replaces the map from chips to frames.
    limit : int
        Bytes of the maps that are kept.
    """

    def __init__(
        self, exposures: Sequence[Exposure], frames: Mapping[str, Frame], *,
        stepsize: Any, blot_stepsize: Any, wcsmap: Any = None, limit: int,
    ) -> None:  # fmt: skip
        self._exposures, self._frames = tuple(exposures), dict(frames)
        self._steps = {"separate": stepsize, "final": stepsize, "blot": blot_stepsize}
        self._wcsmap, self._limit = wcsmap, limit
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, ChipUnit], PixelMap] = {}
        self._drawn: list[tuple[str, ChipUnit]] = []  # the same, to draw lots from
        self._lot = random.Random(0)  # noqa: S311  (nothing secret)
        self._used = 0
        self._error: float | None = None
        self.made = self._all = 0

    def __getitem__(self, key: tuple[str, ChipUnit]) -> PixelMap:
        """Return the map of a chip; ``"blot"`` is one onto the separate frame."""
        key = self._same(*key)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                return found
        made = self._make(*key)
        with self._lock:
            found = self._kept.setdefault(key, made)  # two that made it at once go on with one
            if found is made:
                self._drawn.append(key)
                self.made += 1
                self._used += _size(made)
                self._all += _size(made)
            while self._used > self._limit and len(self._kept) > 1:
                self._used -= _size(self._kept.pop(self._victim(key)))
        return found

    @property
    def recipe(self) -> dict[str, Any]:
        """What these maps are made with, besides exposures and frames: keywords of this class."""
        return {
            "stepsize": self._steps["separate"],
            "blot_stepsize": self._steps["blot"],
            "wcsmap": self._wcsmap,
            "limit": self._limit,
        }

    @property
    def nbytes(self) -> int:
        """Bytes of the maps that are kept now."""
        return self._used

    @property
    def total(self) -> int:
        """Bytes of all maps that were made, those that were dropped too."""
        return self._all

    def _victim(self, new: tuple[str, ChipUnit]) -> tuple[str, ChipUnit]:
        """Choose a map to drop, by lot: of chips that are asked for in turn, the one used least lately is the next to be wanted."""
        drawn = self._drawn
        place = self._lot.randrange(len(drawn))
        if drawn[place] == new:
            place -= 1
        drawn[place], drawn[-1] = drawn[-1], drawn[place]
        return drawn.pop()

    def _same(self, which: str, unit: ChipUnit) -> tuple[str, ChipUnit]:
        """Return whose map it is, where one serves for several."""
        if which == "final" and self._frames["final"] is self._frames["separate"]:
            which = "separate"
        if which == "blot" and (self._wcsmap is not None or self._steps["blot"] == self._steps["separate"]):
            which = "separate"
        return which, unit

    def _make(self, which: str, unit: ChipUnit) -> PixelMap:
        exposure = self._exposures[unit.exposure]
        return pixel_map(
            exposure.chips[unit.chip], self._frames["separate" if which == "blot" else which],
            stepsize=self._steps[which], wcsmap=self._wcsmap, name=exposure.name,
        )  # fmt: skip

    def table_error(self) -> float:
        """Return the largest error of the coordinate tables, in frame pixels; it is measured when this is asked first."""
        if self._error is None:
            units = [ChipUnit(i, k) for i, e in enumerate(self._exposures) for k in range(len(e.chips))]
            self._error = max(
                (self[which, u].table_error() for u in units for which in self.kinds()), default=0.0
            )
        return self._error

    def kinds(self) -> list[str]:
        """Return the names of maps that differ."""
        any_unit = ChipUnit(0, 0)
        return list(dict.fromkeys(self._same(which, any_unit)[0] for which in self._steps))


def _size(pixels: PixelMap) -> int:
    """Return the bytes of a map, about."""
    return OTHER + sum(a.nbytes for a in (pixels.nodes, pixels.pixmap) if a is not None)
