"""Step 3: every exposure drizzled by itself onto its part of the separate frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.bits import good_mask
from drizframe.hooks import BandJob, Need, Step, TileJob, hookimpl
from drizframe.model import Chip, ChipInput, Plane

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.model import Exposure, SkyValue

__all__ = ["SEPARATE", "SEPARATE_WEIGHTS", "to_electron_rate"]

Image = np.ndarray[Any, Any]


def to_electron_rate(chip: Chip) -> float:
    """Return the factor from the native unit of a chip to electrons per second."""
    return chip.effective_gain / (1.0 if chip.rate else chip.exptime)


def run_weights(job: BandJob) -> Mapping[str, Any]:
    """Weight of every pixel of a chip: exposure time (squared for "expsq") times the mask of good pixels."""
    chip, parameters = job.chip, job.parameters
    good = np.ones(job.window.shape, dtype=np.uint8)
    dq, static = job.read("dq"), job.read("mask.static")
    if dq is not None:
        good = good * good_mask(dq, parameters.driz_sep_bits)
    if static is not None:
        good = good * (static != 0)
    seconds = chip.exptime**2 if parameters.driz_sep_wt_scl == "expsq" else chip.exptime
    return {"single.mask": np.where(good != 0, np.float32(seconds), np.float32(0.0))}


def run(job: TileJob) -> Mapping[str, Any]:
    """Drizzle the chips of an exposure onto a tile of its footprint."""
    parameters = job.parameters
    drizzled = job.drizzle(
        _inputs(job), job.component("kernel", parameters.driz_sep_kernel),
        pixfrac=parameters.driz_sep_pixfrac, fillval=parameters.driz_sep_fillval, maskval=0.0,
    )  # fmt: skip
    return {"single.sci": drizzled.sci, "single.wht": drizzled.wht}


def _inputs(job: TileJob) -> Iterator[ChipInput]:
    """Yield the chips that touch the tile, in order."""
    parameters = job.parameters
    kernel = job.component("kernel", parameters.driz_sep_kernel)
    scale = parameters.driz_sep_wt_scl
    for unit in job.touching(kernel, parameters.driz_sep_pixfrac):
        chip, part = job.chip_of(unit), job.rows(unit, kernel, parameters.driz_sep_pixfrac)
        yield ChipInput(
            data=[job.read("sci", unit, part)], weight=job.read("single.mask", unit, part), rows=(part.y0, part.y1),
            weight_scale=1.0 if isinstance(scale, str) else float(scale), number=unit.chip + 1,
            pixmap=job.pixel_map(unit, "separate"), scale=job.scale_ratio(unit, "separate"),
            offset=_level(job.read("sky", unit)), factor=to_electron_rate(chip),
            intensity=1.0 if chip.brightness else None,
        )  # fmt: skip


def _level(sky: SkyValue | None) -> float:
    """Return what is subtracted from a chip, in its native unit."""
    return 0.0 if sky is None or sky.subtracted is None else sky.subtracted


def _enabled(parameters: Parameters, exposures: Sequence[Exposure]) -> bool:
    return bool(parameters.driz_separate)


SEPARATE_WEIGHTS = Step(
    name="separate_weights",
    summary="Weight the good pixels of every chip by exposure time.",
    parameters=("driz_sep_*",),
    needs=(Need("dq", optional=True), Need("mask.static", optional=True)),
    makes=(Plane(name="single.mask", meaning="weight of the separate step, s", on="chip", dtype="float32"),),
    over="band",
    run=run_weights,
    work=8.0,
    enabled=_enabled,
)

SEPARATE = Step(
    name="separate",
    summary="Drizzle every exposure by itself onto the separate frame.",
    parameters=("driz_sep_*",),
    needs=(
        Need("sci", of="touching"),
        Need("sky", of="touching", optional=True),
        Need("single.mask", of="touching"),
    ),
    makes=(
        Plane(
            name="single.sci",
            meaning="the exposure on the separate frame, electrons/s",
            on="exposure",
            dtype="float32",
        ),
        Plane(name="single.wht", meaning="weight of that", on="exposure", dtype="float32"),
    ),
    over="tile",
    grid="exposure",
    run=run,
    work=32.0,
    enabled=_enabled,
)


@hookimpl
def drizframe_step_separate() -> Step:
    """Return the stock step."""
    return SEPARATE


@hookimpl
def drizframe_extra_steps() -> Iterator[Step]:
    """Yield the step that makes the weights."""
    yield SEPARATE_WEIGHTS
