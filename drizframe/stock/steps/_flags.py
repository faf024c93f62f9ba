"""What is wrong with the cosmic-ray flags of a chip, in numbers: how many, which stars, and what differs from the blotted median."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.bits import good_mask
from drizframe.model import Window
from drizframe.stock.steps._offsets import brightest, flagged_peaks, how_many
from drizframe.stock.steps._peaks import chip_positions
from drizframe.stock.steps._pieces import pieces

if TYPE_CHECKING:
    from drizframe.hooks import Job
    from drizframe.model import ChipUnit, SkyValue

__all__ = ["Flags", "look_at"]

Image = np.ndarray[Any, Any]

#: Pixels of a chip that are looked at for the likely cause.
SAMPLE = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class Flags:
    """What is wrong with the flags of a chip, in numbers."""

    good: int
    flagged: int
    #: For each star: -1 not on a good pixel of this chip, 0 not flagged, 1 flagged.
    stars: np.ndarray[Any, np.dtype[np.int8]]
    #: Median of the exposure less the comparison image, its scatter, and the sky of the chip, in native units.
    offset: float
    scatter: float
    sky: float
    #: How many times as bright each star is as in the comparison image; not a number where it does not stand out there.
    ratios: np.ndarray[Any, np.dtype[np.float64]]
    #: The brightest flagged sources, shape (n, 5): position on the frame, chip, position on it.
    sources: np.ndarray[Any, np.dtype[np.float64]]
    #: Whether some of them were found in this run; otherwise all were given to it.
    found: bool


def _rays(job: Job, unit: ChipUnit, rows: Window) -> Image | None:
    """Return the cosmic rays of some rows of a chip: those that were found, and those that were given."""
    masks = [m for m in (job.read(n, unit, rows) for n in ("mask.cr", "mask.cr.given")) if m is not None]
    return None if not masks else np.logical_or.reduce([m == 0 for m in masks])


def _good(job: Job, unit: ChipUnit, rows: Window, sci: Image) -> Image:
    """Return the pixels of some rows that would have a weight but for cosmic rays."""
    good: Image = np.isfinite(sci)
    dq, static = job.read("dq", unit, rows), job.read("mask.static", unit, rows)
    if dq is not None:
        good &= good_mask(dq, job.parameters.final_bits).astype(bool)
    if static is not None:
        good &= static != 0
    return good


class _Look:
    """Counts the flags of a chip, and finds what may be their cause, some rows at a time."""

    def __init__(self, job: Job, unit: ChipUnit, stars: Image) -> None:
        self.job, self.unit = job, unit
        self.shape = job.exposures[unit.exposure].chips[unit.chip].shape
        value: SkyValue | None = job.read("sky", unit)
        self.sky = 0.0 if value is None or value.subtracted is None else float(value.subtracted)
        self.states = np.full(len(stars), -1, dtype=np.int8)
        self.ratios = np.full(len(stars), np.nan)
        nowhere = np.zeros(len(stars), dtype=np.int64)
        self.x, self.y, self.inside = nowhere, nowhere, np.zeros(len(stars), dtype=bool)
        if len(stars):
            self.x, self.y, self.inside = chip_positions(job.pixel_map(unit, "separate"), stars)
        self.good = self.flagged = 0
        self.rest: list[Image] = []
        self.found: list[Image] = []

    def take(self, rows: Window) -> bool:
        """Look at some rows; False if the chip has no flags."""
        near = rows.grown(1, within=self.shape)
        rays, sci = _rays(self.job, self.unit, near), self.job.read("sci", self.unit, near)
        if rays is None:
            return False
        blot = self.job.read("blot", self.unit, near)
        good = _good(self.job, self.unit, near, sci)
        rays &= good
        self._take_sources(near, rows, rays, sci if blot is None else sci - blot)
        cut = rows.relative_to(near).slices
        rays, good, sci, blot = rays[cut], good[cut], sci[cut], None if blot is None else blot[cut]
        self.good += int(good.sum())
        self.flagged += int(rays.sum())
        self._take_stars(rows, rays, good, sci, blot)
        if blot is not None:
            self._take_rest(rows, good, sci, blot)
        return True

    def _take_stars(self, rows: Window, rays: Image, good: Image, sci: Image, blot: Image | None) -> None:
        """Look at the stars that lie in some rows."""
        here = np.flatnonzero(self.inside & (self.y >= rows.y0) & (self.y < rows.y1))
        here = here[good[self.y[here] - rows.y0, self.x[here]]]
        at = self.y[here] - rows.y0, self.x[here]
        self.states[here] = rays[at]
        if blot is not None and here.size:
            above, there = (i[at].astype(np.float64) - self.sky for i in (sci, blot))
            self.ratios[here] = np.divide(above, there, out=np.full(here.size, np.nan), where=there > 0)

    def _take_rest(self, rows: Window, good: Image, sci: Image, blot: Image) -> None:
        """Take the difference from the comparison image at pixels spread over the chip."""
        step = max(1, self.shape[0] * self.shape[1] // SAMPLE)
        start = -(rows.y0 * self.shape[1]) % step
        chosen = good.ravel()[start::step]
        rest = (sci.ravel()[start::step] - blot.ravel()[start::step])[chosen]
        self.rest.append(rest[np.isfinite(rest)])

    def _take_sources(self, near: Window, rows: Window, rays: Image, excess: Image) -> None:
        """Take the flagged peaks of some rows."""
        x, y, height = flagged_peaks(excess, rays)
        y = y + near.y0
        kept = (y >= rows.y0) & (y < rows.y1)
        self.found.append(np.column_stack([x, y, height])[kept])

    def flags(self) -> Flags:
        """Return what was found in all rows."""
        rest = np.concatenate(self.rest) if self.rest else np.empty(0)
        offset = scatter = 0.0
        if rest.size:
            offset = float(np.median(rest))
            scatter = 1.4826 * float(np.median(np.abs(rest - offset)))
        return Flags(
            self.good, self.flagged, self.states, offset, scatter, self.sky, self.ratios, self._sources(),
            self.job.read("mask.cr", self.unit, Window(0, 1, 0, 1)) is not None,
        )  # fmt: skip

    def _sources(self) -> Image:
        """Return the brightest flagged sources of the chip."""
        number = how_many(self.job.exposures[self.unit.exposure].size)
        x, y = brightest(np.concatenate(self.found), number)
        pixmap = self.job.pixel_map(self.unit, "separate")
        found = []
        for column, row in zip(x, y, strict=True):
            fx, fy = pixmap.grid(np.array([column]), np.array([row]))
            found.append((fx[0, 0], fy[0, 0], float(self.unit.chip), column, row))
        return np.array(found, dtype=np.float64).reshape(-1, 5)


def look_at(job: Job, unit: ChipUnit, stars: Image) -> Flags | None:
    """Count the flags of a chip, and find what may be their cause.

    Parameters
    ----------
    job : Job
        Reads the chip, its masks and its blotted median.
    unit : ChipUnit
        The chip.
    stars : ndarray, shape (n, 2)
        Positions of bright stars on the separate frame.

    Returns
    -------
    Flags or None
        None if nothing looked for cosmic rays, and none were given.
    """
    look = _Look(job, unit, stars)
    for rows in pieces(look.shape):
        if not look.take(rows):
            return None
    return look.flags()
