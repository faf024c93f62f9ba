"""Looks at what a run made, and says what cannot be right: empty medians, exposures without weight, stars taken for cosmic rays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.bits import good_mask
from drizframe.errors import MaskWarning
from drizframe.hooks import Step, hookimpl
from drizframe.model import ChipUnit, Plane, PlaneKey, Window
from drizframe.stock.steps._offsets import brightest, common_offset, flagged_peaks, how_many
from drizframe.stock.steps._peaks import chip_positions, peaks
from drizframe.stock.steps._pieces import ROWS, pieces

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.hooks import Asked, ExposureJob, Job
    from drizframe.model import Exposure, SkyValue

__all__ = ["COSMIC_RAY_ALARM", "FINAL_ALARM", "MEDIAN_ALARM", "SEPARATE_ALARM"]

Image = np.ndarray[Any, Any]

#: Share of the good pixels of an exposure from which flags are no cosmic rays.
MOST_RAYS = 0.05
#: Share of the stars whose cores are flagged in most of their exposures from which the comparison is wrong, and how many at least.
MOST_STARS, FEWEST_STARS = 0.3, 3
#: Pixels of a chip that are looked at for the likely cause.
SAMPLE = 100_000
#: Exposures whose flagged sources are compared with each other's.
MOST_PAIRED = 8


@dataclass(frozen=True, slots=True, eq=False)
class _Flags:
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

    def flags(self) -> _Flags:
        """Return what was found in all rows."""
        rest = np.concatenate(self.rest) if self.rest else np.empty(0)
        offset = scatter = 0.0
        if rest.size:
            offset = float(np.median(rest))
            scatter = 1.4826 * float(np.median(np.abs(rest - offset)))
        return _Flags(
            self.good, self.flagged, self.states, offset, scatter, self.sky, self.ratios, self._sources()
        )

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


def _look(job: Job, unit: ChipUnit, stars: Image) -> _Flags | None:
    """Count the flags of a chip; None if it has none."""
    look = _Look(job, unit, stars)
    for rows in pieces(look.shape):
        if not look.take(rows):
            return None
    return look.flags()


def _cause(found: Sequence[_Flags], *, given: bool, flagged: bool = False) -> str:
    """Name the likely cause, and what to do; by all stars, or by those that are flagged."""
    if given:
        return (
            "Likely: the masks that were given are of other exposures, or have 1 for cosmic rays instead of 0. "
            "Look at crmasks, or leave masks of an earlier run alone with use_crmasks=False."
        )
    offset, scatter, sky = (
        float(np.median([getattr(f, n) for f in found])) for n in ("offset", "scatter", "sky")
    )
    if abs(offset) > 3 * scatter and abs(offset) > 0.5 * abs(sky):
        return (
            f"Likely: the sky is not added back, for the exposures lie {offset:.4g} above the blotted median (their sky is {sky:.4g}). "
            "Set blot_addsky=True, or blot_skyval to the sky that is in the exposures."
        )
    ratios = np.concatenate([f.ratios[(f.stars == 1) | (not flagged)] for f in found])
    ratios = ratios[np.isfinite(ratios)]
    ratio = float(np.median(ratios)) if ratios.size > 1 else 1.0
    if not 0.5 < ratio < 2.0:  # a peak is up to 1.5 times as high as in an image that was resampled
        return (
            f"Likely: units or exposure times, for stars are {ratio:.3g} times as bright as in the blotted median. Look at BUNIT, "
            "EXPTIME, gain and exptime."
        )
    if abs(offset) > 0.3 * scatter:
        return (
            f"Likely: the sky, for the exposures lie {offset:.4g} off the blotted median, which is much beside their scatter of "
            f"{scatter:.4g}. Look at skysub, skyfile, skyuser and skymethod: skies that differ must be subtracted."
        )
    return (
        "Possible causes: the exposures are not aligned with each other, so that stars fall beside themselves; units or exposure "
        "times that do not fit; the sky is not added back (blot_addsky); limits too low for this sampling (driz_cr_snr, "
        "driz_cr_scale); or there are that many cosmic rays."
    )


def _run_cosmic_rays(job: Job) -> Mapping[Any, Any]:
    shape = job.frame("separate").shape
    read = None if job.read("median", window=Window(0, 1, 0, 1)) is None else _rows(job)
    stars = np.empty((0, 2)) if read is None else peaks(read, shape)
    units = list(job.units("chip"))
    looked = dict(zip(units, job.map(lambda unit: _look(job, unit, stars), units), strict=True))
    found = {u: f for u, f in looked.items() if f is not None}
    given = not any(job.read("mask.cr", u) is not None for u in found)
    texts = []
    many: dict[str, list[_Flags]] = {}
    for unit in job.units("exposure"):
        mine = [f for u, f in found.items() if u.exposure == unit.exposure]
        good, flagged = sum(f.good for f in mine), sum(f.flagged for f in mine)
        if good and flagged > MOST_RAYS * good:
            many[f"{job.exposures[unit.exposure].name} ({100 * flagged / good:.1f} %)"] = mine
    if many:
        names, cause = ", ".join(many), _cause([f for mine in many.values() for f in mine], given=given)
        texts.append(f"More than 5 % of the good pixels are flagged as cosmic rays: {names}. {cause}")
    aside = "" if given else _misaligned(job, found)
    if aside:
        texts.append(aside)
    text = _stars_flagged(job, found)
    if text:
        texts.append(text + _cause(list(found.values()), given=given, flagged=True))
    for text in texts:
        job.note(text, warn=MaskWarning)
    return {PlaneKey("cosmic_ray_alarm.texts"): tuple(texts)}


def _rows(job: Job) -> Any:
    return lambda window: job.read("median", window=window)


def _stars_flagged(job: Job, found: Mapping[ChipUnit, _Flags]) -> str:
    """Say how many stars are flagged in most of their exposures, if these are too many."""
    if not found:
        return ""
    by_exposure: dict[int, Image] = {}
    for unit, flags in found.items():
        key = unit.exposure
        by_exposure[key] = np.maximum(
            by_exposure.get(key, np.full(len(flags.stars), -1, dtype=np.int8)), flags.stars
        )
    states = np.array(list(by_exposure.values()))
    seen, flagged = (states >= 0).sum(axis=0), (states == 1).sum(axis=0)
    used = seen >= 2
    wrong = used & (2 * flagged > seen)
    total, bad = int(used.sum()), int(wrong.sum())
    if bad < min(FEWEST_STARS, total) or not bad or bad <= MOST_STARS * total:
        return ""
    names = ", ".join(job.exposures[i].name for i, s in by_exposure.items() if ((s == 1) & wrong).any())
    return f"The cores of {bad} of the {total} brightest stars are flagged as cosmic rays in most of their exposures ({names}). "


def _misaligned(job: Job, found: Mapping[ChipUnit, _Flags]) -> str:
    """Say which exposures have their flagged sources at a common offset from those of others."""
    sources: dict[int, Image] = {}
    for unit, flags in found.items():
        i = unit.exposure
        sources[i] = np.concatenate([sources[i], flags.sources]) if i in sources else flags.sources
    told = []
    for i, j in combinations(list(sources)[:MOST_PAIRED], 2):
        offset = common_offset(sources[i], sources[j], job.exposures[j].size)
        if offset is not None:
            count, x, y = offset
            told.append(
                f"{count} of {job.exposures[j].name} lie ({x:+.1f}, {y:+.1f}) pixels from those of {job.exposures[i].name}"
            )
    if not told:
        return ""
    return (
        f"Stars are flagged as cosmic rays, because exposures are not aligned with each other: of the brightest flagged sources "
        f"{', '.join(told)}. Align the exposures first; their WCS says where they are."
    )


def _run_median(job: Job) -> Mapping[Any, Any]:
    """Name the exposures on whose part of the frame the median is empty."""
    ny, nx = job.frame("separate").shape
    waiting = list(job.units("exposure"))
    for y in range(0, ny, ROWS):
        rows = Window(y, min(y + ROWS, ny), 0, nx)
        median = job.read("median", window=rows)
        if median is None or not waiting:
            break
        filled = np.isfinite(median) & (median != 0)
        if filled.any():
            waiting = [u for u in waiting if not (filled & (job.read("single.wht", u, rows) > 0)).any()]
    if waiting:
        job.note(
            f"The median image is empty on {', '.join(job.exposures[u.exposure].name for u in waiting)}: no value is left there, "
            "and every source would count as a cosmic ray. Look at driz_sep_bits, combine_maskpt, combine_nlow, combine_nhigh, "
            "combine_lthresh and combine_hthresh.",
            warn=MaskWarning,
        )
    return {}


def _chips_with(job: ExposureJob, plane: str) -> Iterator[ChipUnit]:
    """Yield the chips of an exposure that have a plane."""
    for k in range(len(job.exposure.chips)):
        unit = ChipUnit(job.unit.exposure, k)
        if job.read(plane, unit, Window(0, 1, 0, 1)) is not None:
            yield unit


def _weightless(plane: str, what: str) -> Any:
    """Return the function of a step that names exposures whose weights are all 0."""

    def run(job: ExposureJob) -> Mapping[Any, Any]:
        empty = [
            not any(job.read(plane, unit, rows).any() for rows in pieces(job.chip_of(unit).shape))
            for unit in _chips_with(job, plane)
        ]
        if empty and all(empty):
            job.note(
                f"{job.exposure.name}: all weights of {what} are 0, so it adds nothing to it. {_LOOK[plane]}",
                warn=MaskWarning,
            )
        return {}

    return run


_LOOK = {
    "single.mask": "Every pixel is flagged: look at driz_sep_bits and the static mask.",
    "final.mask": "Look at final_bits, at the static mask and the cosmic rays, and with ERR or IVM weights at those images.",
}


def _separate_enabled(parameters: Parameters, exposures: Sequence[Exposure]) -> bool:
    return bool(parameters.driz_separate)


def _median_enabled(parameters: Parameters, exposures: Sequence[Exposure]) -> bool:
    return bool(parameters.median and parameters.driz_separate) and len(exposures) > 1


def _final_enabled(parameters: Parameters, exposures: Sequence[Exposure]) -> bool:
    return bool(parameters.driz_combine)


def _work(asked: Asked, shape: tuple[int, int]) -> float:
    """Return the bytes that some rows take beside what is read."""
    del asked
    return 24.0 * min(shape[0], ROWS) * shape[1]


SEPARATE_ALARM = Step(
    name="separate_alarm",
    summary="Name exposures without any weight in the separate step.",
    parameters=(),
    needs=("single.mask",),
    makes=(),
    over="exposure",
    run=_weightless("single.mask", "its single image"),
    rows=ROWS,
    enabled=_separate_enabled,
)

MEDIAN_ALARM = Step(
    name="median_alarm",
    summary="Name exposures on which the median is empty.",
    parameters=(),
    needs=("median", "single.wht"),
    makes=(),
    over="run",
    run=_run_median,
    rows=ROWS,
    work=_work,
    enabled=_median_enabled,
)

COSMIC_RAY_ALARM = Step(
    name="cosmic_ray_alarm",
    summary="Tell flags that cannot be cosmic rays: too many pixels of an exposure, or the cores of stars.",
    parameters=("final_bits",),
    needs=("mask.cr", "mask.cr.given", "median", "blot", "sci", "sky", "dq", "mask.static"),
    makes=(
        Plane(
            name="cosmic_ray_alarm.texts",
            meaning="what is wrong, in words",
            on="run",
            kind="value",
            value=tuple,
            stays=True,
        ),
    ),
    over="run",
    run=_run_cosmic_rays,
    rows=ROWS,
    work=_work,
)

FINAL_ALARM = Step(
    name="final_alarm",
    summary="Name exposures without any weight in the final step.",
    parameters=(),
    needs=("final.mask",),
    makes=(),
    over="exposure",
    run=_weightless("final.mask", "the mosaic"),
    rows=ROWS,
    enabled=_final_enabled,
)


@hookimpl
def drizframe_extra_steps() -> Iterator[Step]:
    """Yield the steps that look."""
    yield SEPARATE_ALARM
    yield MEDIAN_ALARM
    yield COSMIC_RAY_ALARM
    yield FINAL_ALARM
