"""Says what cannot be right about cosmic rays: too many pixels, stars, or sources that are off by one vector in two exposures.

The stars of the median are found first; each chip is looked at as soon as its cosmic rays are there, while it is in memory; and
what was seen of all chips is judged at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import MaskWarning
from drizframe.hooks import Need, Step, hookimpl
from drizframe.model import FrameUnit, Plane, PlaneKey, Window
from drizframe.stock.steps._flags import Flags, look_at
from drizframe.stock.steps._offsets import common_offset, how_many
from drizframe.stock.steps._peaks import peaks
from drizframe.stock.steps._pieces import ROWS

if TYPE_CHECKING:
    from drizframe.hooks import Asked, ChipJob, Job
    from drizframe.model import ChipUnit

__all__ = ["COSMIC_RAY_ALARM", "COSMIC_RAY_FLAGS", "COSMIC_RAY_STARS"]

Image = np.ndarray[Any, Any]

#: Planes: stars of the median, and what is wrong with the flags of a chip.
STARS, FLAGS = "cosmic_ray_alarm.stars", "cosmic_ray_alarm.flags"
#: Share of the good pixels of an exposure from which flags are no cosmic rays.
MOST_RAYS = 0.05
#: Share of the stars whose cores are flagged in most of their exposures from which the comparison is wrong, and how many at least.
MOST_STARS, FEWEST_STARS = 0.3, 3
#: Exposures whose flagged sources are compared with each other's.
MOST_PAIRED = 8


def _cause(found: Sequence[Flags], *, given: bool, flagged: bool = False) -> str:
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


def _run_stars(job: Job) -> Mapping[Any, Any]:
    stars = PlaneKey(STARS, FrameUnit("separate"))
    if job.read("median", window=Window(0, 1, 0, 1)) is None:
        return {stars: np.empty((0, 2))}
    return {stars: peaks(lambda rows: job.read("median", window=rows), job.frame("separate").shape)}


def _run_flags(job: ChipJob) -> Mapping[Any, Any]:
    found = look_at(job, job.unit, job.read(STARS))
    return {} if found is None else {FLAGS: found}


def _run_alarm(job: Job) -> Mapping[Any, Any]:
    found: dict[ChipUnit, Flags] = dict(job.each(FLAGS))
    given = not any(f.found for f in found.values())
    texts = []
    many: dict[str, list[Flags]] = {}
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


def _stars_flagged(job: Job, found: Mapping[ChipUnit, Flags]) -> str:
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


def _misaligned(job: Job, found: Mapping[ChipUnit, Flags]) -> str:
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


def _work(asked: Asked, shape: tuple[int, int]) -> float:
    """Return the bytes that some rows take beside what is read."""
    del asked
    return 24.0 * min(shape[0], ROWS) * shape[1]


def _comparing(asked: Asked, shape: tuple[int, int]) -> float:
    """Return the bytes of the differences between all sources of two exposures."""
    del shape
    return 160.0 * max((how_many(e.size) * len(e.chips) for e in asked.exposures), default=0) ** 2


COSMIC_RAY_STARS = Step(
    name="cosmic_ray_stars",
    summary="Find the brightest stars of the median, whose cores are no cosmic rays.",
    parameters=(),
    needs=("median",),
    makes=(
        Plane(
            name=STARS,
            meaning="positions of bright stars",
            on="frame",
            grid="separate",
            kind="value",
            value=np.ndarray,
        ),
    ),
    over="run",
    run=_run_stars,
    rows=ROWS,
    work=_work,
)

COSMIC_RAY_FLAGS = Step(
    name="cosmic_ray_flags",
    summary="Count the flags of each chip, and find what may be their cause.",
    parameters=("final_bits",),
    needs=(Need(STARS, of="under"), "mask.cr", "mask.cr.given", "blot", "sci", "sky", "dq", "mask.static"),
    makes=(
        Plane(
            name=FLAGS,
            meaning="what is wrong with the flags, in numbers",
            on="chip",
            kind="value",
            value=Flags,
        ),
    ),
    over="chip",
    run=_run_flags,
    rows=ROWS,
    work=_work,
)

COSMIC_RAY_ALARM = Step(
    name="cosmic_ray_alarm",
    summary="Tell flags that cannot be cosmic rays: too many pixels of an exposure, or the cores of stars.",
    parameters=(),
    needs=(Need(FLAGS, of="all", optional=True),),
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
    run=_run_alarm,
    work=_comparing,
    after=("final_weights",),  # these are made while the chip is in memory
)


@hookimpl
def drizframe_extra_steps() -> Iterator[Step]:
    """Yield the steps, those that look first."""
    yield COSMIC_RAY_STARS
    yield COSMIC_RAY_FLAGS
    yield COSMIC_RAY_ALARM
