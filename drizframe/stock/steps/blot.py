"""Step 5: blot the median back onto every chip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.hooks import Need, Step, hookimpl
from drizframe.model import Exposure, Plane, SkyValue, Window
from drizframe.stock.steps._pieces import ROWS

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.hooks import ChipJob, Interpolator

__all__ = ["BLOT", "added_sky", "drizframe_step_blot", "run_blot"]

Image = np.ndarray[Any, np.dtype[np.float32]]


def added_sky(parameters: Parameters, sky: SkyValue | None) -> float:
    """Return what is added to the blot, in the native units of the chip.

    Parameters
    ----------
    parameters : Parameters
        `blot_addsky`: the sky that was subtracted, nothing if there was none; otherwise `blot_skyval`.
    sky : SkyValue or None
        Sky of the chip.
    """
    if not parameters.blot_addsky:
        return float(parameters.blot_skyval)
    return 0.0 if sky is None or sky.subtracted is None else float(sky.subtracted)


def interpolator_options(job: ChipJob, interpolator: Interpolator) -> dict[str, Any]:
    """Return the keywords that an interpolator takes."""
    options: dict[str, Any] = {}
    if "sinscl" in interpolator.accepts:
        options["sinscl"] = job.parameters.blot_sinscl
    if interpolator.options_model is not None:
        options["plugin"] = job.plugin_options(interpolator)
    return options


def run_blot(job: ChipJob) -> dict[str, Image]:
    """Blot the median onto one chip.

    Notes
    -----
    ``blot = interpolated median x exposure time / s² / conversion + sky``, s the pixel scale of the separate
    frame over the undistorted one of the chip: native units of the chip, with its sky.  Outside the frame it
    is the sky.  In surface brightness, s is 1.  Uncovered pixels of the median are zeros and are interpolated like others.
    """
    unit, chip = job.unit, job.chip
    interpolator: Any = job.component("interpolator", job.parameters.blot_interp)
    ratio = 1.0 if chip.brightness else job.scale_ratio(unit, "separate")

    def median(window: Window) -> Any:
        return job.read("median", window=window)

    blot = job.blot(
        median, unit, interpolator=interpolator, factor=chip.exptime / (ratio * ratio * chip.conversion),
        options=interpolator_options(job, interpolator),
        shape=job.frame("separate").shape,
    )  # fmt: skip
    with np.errstate(over="ignore", invalid="ignore"):
        sky = np.float32(added_sky(job.parameters, job.read("sky")))
        if sky:
            blot += sky
    return {"blot": blot}


def work(asked: Any, shape: tuple[int, int]) -> float:
    """Return the bytes of positions and values of some rows."""
    del asked
    return 100.0 * min(64, shape[0]) * shape[1]


def enabled(parameters: Parameters, exposures: Sequence[Exposure]) -> bool:
    """Whether the step runs: parameter `blot`."""
    return bool(parameters.blot)


BLOT = Step(
    name="blot",
    summary="Resample the median onto every chip.",
    parameters=("blot*",),
    needs=(Need("median", of="under"), Need("sky", optional=True)),
    makes=(
        Plane(
            name="blot",
            meaning="the median on the chip, unit of the chip, with sky",
            on="chip",
            dtype="float32",
        ),
    ),
    over="chip",
    run=run_blot,
    rows=ROWS,
    work=work,
    enabled=enabled,
)


@hookimpl
def drizframe_step_blot() -> Step:
    """Return the step."""
    return BLOT
