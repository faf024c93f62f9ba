"""Looks at what a run made, and says what cannot be right: empty medians, exposures without weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import MaskWarning
from drizframe.hooks import Step, hookimpl
from drizframe.model import ChipUnit, Window
from drizframe.stock.steps._pieces import ROWS, pieces

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.hooks import Asked, ExposureJob, Job
    from drizframe.model import Exposure

__all__ = ["FINAL_ALARM", "MEDIAN_ALARM", "SEPARATE_ALARM"]

Image = np.ndarray[Any, Any]


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

FINAL_ALARM = Step(
    name="final_alarm",
    summary="Name exposures without any weight in the final step.",
    parameters=(),
    needs=("final.mask",),
    makes=(),
    over="exposure",
    run=_weightless("final.mask", "the mosaic"),
    rows=ROWS,
    after=("cosmic_ray_alarm",),
    enabled=_final_enabled,
)


@hookimpl
def drizframe_extra_steps() -> Iterator[Step]:
    """Yield the steps that look."""
    yield SEPARATE_ALARM
    yield MEDIAN_ALARM
    yield FINAL_ALARM
