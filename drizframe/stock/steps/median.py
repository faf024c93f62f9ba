"""The clean image: masks from the weights, and the combination of all singly drizzled images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import ParameterError
from drizframe.hooks import CombineOptions, Need, Step, hookimpl, options_from
from drizframe.hooks.plugins.sections import options_of
from drizframe.model import Plane

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.hooks import Asked, Combiner, Job, Registry, TileJob
    from drizframe.model import Exposure, ExposureUnit

__all__ = ["MEDIAN", "THRESHOLDS", "check_combination", "combine_options", "weight_threshold"]

Floats = np.ndarray[Any, np.dtype[np.float64]]

#: Rows of a block of a sum that runs over a whole image; fixed, so that the result depends on nothing else.
BLOCK = 64
#: Weights below this do not count as exposed.
EXPOSED = np.float32(1e-8)


def combine_options(parameters: Parameters, plugin: Any = None) -> CombineOptions:
    """Return what the parameters say to a combiner."""
    return options_from(CombineOptions, parameters, "combine_", plugin=plugin)


def check_combination(parameters: Parameters, n: int, combiner: Combiner, options: CombineOptions) -> None:
    """Refuse a combination that leaves no value.

    Parameters
    ----------
    parameters : Parameters
        `combine_nlow` and `combine_nhigh`.
    n : int
        Number of exposures of the run.
    combiner : Combiner
        The combiner that `combine_type` names.
    options : CombineOptions
        What it is given.

    Raises
    ------
    ParameterError
        If the combiner needs more exposures than there are.
    """
    least = combiner.least(options)
    if n < least:
        msg = (
            f"combine_type={combiner.name!r} with combine_nlow={parameters.combine_nlow!r} and "
            f"combine_nhigh={parameters.combine_nhigh!r} needs at least {least} exposures but there are {n}. "
            f"Lower combine_nlow and combine_nhigh, or switch the median step off."
        )
        raise ParameterError(msg)


def weight_threshold(weight: np.ndarray[Any, Any], maskpt: float) -> float:
    """Return the weight below which a pixel of a singly drizzled image is bad.

    Parameters
    ----------
    weight : ndarray of float32, shape (h, w)
        Weight image of the exposure on its footprint.
    maskpt : float
        Fraction of the mean weight (`combine_maskpt`).

    Returns
    -------
    float
        `maskpt` times the mean, rounded to float32, of the weights of at least 1e-8; 0 (nothing is masked) if
        there are none or a weight is not a number.

    Notes
    -----
    The sum runs in float64 over blocks of 64 rows, in order.
    """
    total, count = 0.0, 0
    for row in range(0, weight.shape[0], BLOCK):
        block = np.asarray(weight[row : row + BLOCK], dtype=np.float32)
        used = block[~(block < EXPOSED)]  # keeps values that are not numbers, so that the sum shows them
        total += float(used.sum(dtype=np.float64))
        count += used.size
    mean = np.float32(total / count) if count else np.float32(0)
    return float(mean) * maskpt if np.isfinite(mean) else 0.0


def _run_threshold(job: Job) -> Mapping[str, Any]:
    return {"single.threshold": weight_threshold(job.read("single.wht"), job.parameters.combine_maskpt)}


def _background(job: Job, unit: ExposureUnit, exposure: Exposure) -> float:
    """Return the smallest sky over the chips of an exposure, in electrons; 0 without a sky."""
    chips = [u for u in job.units("chip") if u.exposure == unit.exposure]
    levels = []
    for u in chips:
        sky = job.read("sky", u)
        if sky is not None:
            levels.append(sky.level * exposure.chips[u.chip].conversion)
    return min(levels, default=0.0)


def _facts(job: Job) -> dict[str, Floats]:
    """Return exposure time, background and read noise of every exposure."""
    units = job.units("exposure")
    exposures = job.exposures
    exptime = np.array([e.chips[0].exptime for e in exposures], dtype=np.float64)
    if exposures[0].chips[0].physical:
        integrated = _integrated_noise(job)
        background, readnoise = np.zeros(exptime.size), integrated * _image_factor(integrated)
    else:
        background = np.array([_background(job, u, e) for u, e in zip(units, exposures, strict=True)])
        readnoise = np.array([np.sqrt(np.mean([c.readnoise**2 for c in e.chips])) for e in exposures])
    return {"exptime": exptime, "background": background, "readnoise": readnoise}


def _integrated_noise(job: Job) -> Floats:
    """Return the noise of the background of every exposure, in its own unit times seconds."""
    found = []
    for unit, exposure in zip(job.units("exposure"), job.exposures, strict=True):
        levels = [job.read("noise.level", u) for u in job.units("chip") if u.exposure == unit.exposure]
        noise = np.sqrt(np.mean([(level or 0.0) ** 2 for level in levels]))
        found.append(noise * exposure.chips[0].exptime)
    return np.array(found, dtype=np.float64)


def _image_factor(integrated: Floats) -> float:
    """Return the factor that turns images in units of flux or surface brightness into something like electrons.

    Notes
    -----
    A combiner takes the variance of a value for its number of electrons.  An electron is worth at most the noise of the
    background (see `drizframe.stock.steps.noise_level`), so the images are given in that, and the noise of the background as
    read noise.
    """
    usual = float(np.median(integrated))
    return 1.0 / usual if usual > 0 else 1.0


def _scaled(options: CombineOptions, factor: float) -> CombineOptions:
    """Return options whose limits are in the unit of images that were multiplied by `factor`."""
    limits = {n: getattr(options, n) for n in ("lthresh", "hthresh")}
    return dataclasses.replace(options, **{n: v * factor for n, v in limits.items() if v is not None})


def _run_median(job: TileJob) -> Mapping[str, Any]:
    parameters, window = job.parameters, job.window
    combiner: Combiner = job.component("combiner", parameters.combine_type)
    options = combine_options(parameters, job.plugin_options(combiner))
    wide = window.grown(combiner.border(options), within=job.frame("separate").shape)
    units = job.units("exposure")
    stack = np.empty((len(units), *wide.shape), dtype=np.float32)
    weight = np.empty_like(stack)
    bad = np.zeros(stack.shape, dtype=bool)
    for k, unit in enumerate(units):
        stack[k], weight[k] = job.read("single.sci", unit, wide), job.read("single.wht", unit, wide)
        threshold = job.read("single.threshold", unit) if parameters.median_newmasks else None
        if threshold is not None:
            np.less(weight[k], np.float64(threshold), out=bad[k])
    facts = _facts(job)
    factor = _image_factor(_integrated_noise(job)) if job.exposures[0].chips[0].physical else 1.0
    if factor != 1.0:
        stack, options = stack * np.float32(factor), _scaled(options, factor)
    combined = job.call(combiner)(stack, bad, weight=weight, n_total=len(units), options=options, **facts)
    if factor != 1.0:
        combined = combined / np.float32(factor)
    return {"median": np.ascontiguousarray(combined[window.relative_to(wide).slices], dtype=np.float32)}


def _border(asked: Asked) -> int:
    """Return how far around a tile the combiner looks that the parameters name."""
    combiner: Combiner = asked.registry.get("combiner", asked.parameters.combine_type)
    return combiner.border(combine_options(asked.parameters, asked.options_of(combiner)))


def _check(parameters: Parameters, exposures: Sequence[Exposure], registry: Registry) -> None:
    """Refuse while planning what could not be combined."""
    combiner: Combiner = registry.get("combiner", parameters.combine_type)
    options = combine_options(parameters, options_of(combiner, parameters))
    check_combination(parameters, len(exposures), combiner, options)


def _enabled(parameters: Parameters, exposures: Sequence[Exposure]) -> bool:
    return bool(parameters.median) and len(exposures) > 1


def _masks_enabled(parameters: Parameters, exposures: Sequence[Exposure]) -> bool:
    return _enabled(parameters, exposures) and bool(parameters.median_newmasks)


THRESHOLDS = Step(
    name="median_thresholds",
    summary="Find, for each singly drizzled image, the weight below which pixels do not enter the median.",
    needs=(Need("single.wht"),),
    makes=(
        Plane(
            name="single.threshold",
            meaning="weight below which a pixel is left out of the median",
            on="exposure",
            kind="value",
            value=float,
        ),
    ),
    over="exposure",
    run=_run_threshold,
    enabled=_masks_enabled,
)

MEDIAN = Step(
    name="median",
    summary="Combine the singly drizzled images into an image without cosmic rays.",
    needs=(
        Need("single.sci", of="touching", border=_border),
        Need("single.wht", of="touching", border=_border),
        Need("single.threshold", of="all", optional=True),
        Need("sky", of="all", optional=True),
        Need("noise.level", of="all", optional=True),
    ),
    makes=(
        Plane(
            name="median",
            meaning="clean image, electrons/s",
            on="frame",
            grid="separate",
            dtype="float32",
        ),
    ),
    over="tile",
    grid="separate",
    run=_run_median,
    enabled=_enabled,
    check=_check,
)


@hookimpl
def drizframe_step_median() -> Step:
    """Return the stock median step."""
    return MEDIAN


@hookimpl
def drizframe_extra_steps() -> Iterator[Step]:
    """Yield the step that finds the weight thresholds."""
    yield THRESHOLDS
