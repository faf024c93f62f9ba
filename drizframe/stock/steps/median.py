"""The clean image: masks from the weights, and the combination of all singly drizzled images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import ParameterError
from drizframe.hooks import CombineOptions, Need, Step, hookimpl, options_from
from drizframe.hooks.plugins.sections import options_of
from drizframe.model import RUN, ChipUnit, Plane, Window

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.hooks import Asked, Combiner, Job, Registry, TileJob
    from drizframe.model import Exposure

__all__ = [
    "MEDIAN", "MEMBERS", "THRESHOLDS", "Members", "check_combination", "combine_options", "members_of",
    "weight_threshold",
]  # fmt: skip

Floats = np.ndarray[Any, np.dtype[np.float64]]

#: Rows of a block of a sum that runs over a whole image; fixed, so that the result depends on nothing else.
BLOCK = 64
#: Pixels of all images of a stack: more are combined in pieces, of this side at least.
MOST, LEAST = 1 << 22, 32
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
    return _threshold((weight[row : row + BLOCK] for row in range(0, weight.shape[0], BLOCK)), maskpt)


def _threshold(blocks: Iterable[np.ndarray[Any, Any]], maskpt: float) -> float:
    """Return the threshold of an image that comes 64 rows at a time; see `weight_threshold`."""
    total, count = 0.0, 0
    for rows in blocks:
        block = np.asarray(rows, dtype=np.float32)
        used = block[~(block < EXPOSED)]  # keeps values that are not numbers, so that the sum shows them
        total += float(used.sum(dtype=np.float64))
        count += used.size
    mean = np.float32(total / count) if count else np.float32(0)
    return float(mean) * maskpt if np.isfinite(mean) else 0.0


def _run_threshold(job: Job) -> Mapping[str, Any]:
    area = job.footprint(job.unit)
    windows = (Window(y, min(y + BLOCK, area.y1), area.x0, area.x1) for y in range(area.y0, area.y1, BLOCK))
    blocks = (job.read("single.wht", window=w) for w in windows)
    return {"single.threshold": _threshold(blocks, job.parameters.combine_maskpt)}


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """What the combination must know of all exposures of a run.

    Parameters
    ----------
    exptime, background, readnoise : ndarray of float64, shape (n,)
        Of each exposure, in s, electrons, electrons.
    factor : float
        Turns images in units of flux or surface brightness into something like electrons; 1 for others.
    thresholds : tuple of float or None
        Weight below which pixels of each exposure are bad; None: none is.
    always : frozenset of int
        Exposures that count on every tile, also where they have no pixel: without a threshold their zeros are values, and the
        last one may be asked for what nobody has.
    """

    exptime: Floats
    background: Floats
    readnoise: Floats
    factor: float = 1.0
    thresholds: tuple[float | None, ...] = ()
    always: frozenset[int] = frozenset()

    def facts(self, numbers: Sequence[int]) -> dict[str, Floats]:
        """Return exposure time, background and read noise of some exposures."""
        chosen = np.array(numbers, dtype=np.intp)
        return {name: getattr(self, name)[chosen] for name in ("exptime", "background", "readnoise")}


def members_of(job: Job) -> Members:
    """Gather what the combination must know of all exposures."""
    exposures = job.exposures
    exptime = np.array([e.chips[0].exptime for e in exposures], dtype=np.float64)
    factor = 1.0
    if exposures[0].chips[0].physical:
        integrated = _integrated_noise(job)
        factor = _image_factor(integrated)
        background, readnoise = np.zeros(exptime.size), integrated * factor
    else:
        background = np.array([_background(job, i) for i in range(len(exposures))])
        readnoise = np.array([np.sqrt(np.mean([c.readnoise**2 for c in e.chips])) for e in exposures])
    masked = job.parameters.median_newmasks
    thresholds = tuple(job.read("single.threshold", u) if masked else None for u in job.units("exposure"))
    always = frozenset(k for k, t in enumerate(thresholds) if t is None or not t > 0.0)
    return Members(exptime, background, readnoise, factor, thresholds, always | {len(exposures) - 1})


def _background(job: Job, i: int) -> float:
    """Return the smallest sky over the chips of an exposure, in electrons; 0 without a sky."""
    levels = []
    for k, chip in enumerate(job.exposures[i].chips):
        sky = job.read("sky", ChipUnit(i, k))
        if sky is not None:
            levels.append(sky.level * chip.conversion)
    return min(levels, default=0.0)


def _integrated_noise(job: Job) -> Floats:
    """Return the noise of the background of every exposure, in its own unit times seconds."""
    found = []
    for i, exposure in enumerate(job.exposures):
        levels = [job.read("noise.level", ChipUnit(i, k)) for k in range(len(exposure.chips))]
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


def _work(asked: Asked, shape: tuple[int, int]) -> float:
    """Return the bytes of the stacks of a piece, and of what a combiner makes of them."""
    count, pixels = len(asked.exposures), shape[0] * shape[1]
    return 18.0 * min(count * pixels, max(MOST, count * LEAST * LEAST)) + 8.0 * pixels


def _run_members(job: Job) -> Mapping[str, Any]:
    return {"median.members": members_of(job)}


def _run_median(job: TileJob) -> Mapping[str, Any]:
    members = job.read("median.members", RUN)
    combination = _Combination(job, members_of(job) if members is None else members)
    image = np.empty(job.window.shape, dtype=np.float32)
    combination.fill(image, job.window, range(len(job.exposures)))
    return {"median": image}


class _Combination:
    """The combination of a tile, in pieces that are small enough for all images of their exposures."""

    def __init__(self, job: TileJob, members: Members) -> None:
        self.job, self.members = job, members
        self.combiner: Combiner = job.component("combiner", job.parameters.combine_type)
        options = combine_options(job.parameters, job.plugin_options(self.combiner))
        self.border = self.combiner.border(options)
        self.options = options if members.factor == 1.0 else _scaled(options, members.factor)
        self.units = job.units("exposure")

    def fill(self, image: np.ndarray[Any, Any], window: Window, numbers: Sequence[int]) -> None:
        """Combine a window of the tile; `numbers` holds the exposures that may touch it."""
        wide = window.grown(self.border, within=self.job.frame("separate").shape)
        chosen = [k for k in numbers if self._counts(k, wide)]
        if len(chosen) * wide.shape[0] * wide.shape[1] > MOST and max(window.shape) > LEAST:
            for half in _halves(window):
                self.fill(image, half, chosen)
            return
        combined = self._combined(wide, chosen)
        image[window.relative_to(self.job.window).slices] = combined[window.relative_to(wide).slices]

    def _counts(self, number: int, wide: Window) -> bool:
        """Whether an exposure may have a say in a window."""
        if number in self.members.always or "sparse" not in self.combiner.traits:
            return True
        return not self.job.footprint(self.units[number]).intersection(wide).empty

    def _combined(self, wide: Window, chosen: Sequence[int]) -> Any:
        """Combine the images of exposures in a window."""
        job, members = self.job, self.members
        stack = np.empty((len(chosen), *wide.shape), dtype=np.float32)
        weight = np.empty_like(stack)
        bad = np.zeros(stack.shape, dtype=bool)
        for k, number in enumerate(chosen):
            unit, threshold = self.units[number], members.thresholds[number]
            stack[k], weight[k] = job.read("single.sci", unit, wide), job.read("single.wht", unit, wide)
            if threshold is not None:
                np.less(weight[k], np.float64(threshold), out=bad[k])
        if members.factor != 1.0:
            stack *= np.float32(members.factor)
        combined = job.call(self.combiner)(
            stack, bad, weight=weight, n_total=len(self.units), options=self.options, **members.facts(chosen)
        )
        return combined if members.factor == 1.0 else combined / np.float32(members.factor)


def _halves(window: Window) -> tuple[Window, Window]:
    """Cut a window across its longer side."""
    y0, y1, x0, x1 = window.y0, window.y1, window.x0, window.x1
    if y1 - y0 >= x1 - x0:
        y = (y0 + y1) // 2
        return Window(y0, y, x0, x1), Window(y, y1, x0, x1)
    x = (x0 + x1) // 2
    return Window(y0, y1, x0, x), Window(y0, y1, x, x1)


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
    parameters=("median*", "combine_*"),
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
    rows=BLOCK,
    enabled=_masks_enabled,
)

#: What is asked once in a run, by the step before; by the median itself if a plugin has left that out.
_OF_EXPOSURES = tuple(
    Need(name, of="all", optional=True) for name in ("single.threshold", "sky", "noise.level")
)

MEMBERS = Step(
    name="median_members",
    summary="Gather what the median must know of all exposures.",
    parameters=("median*", "combine_*"),
    needs=_OF_EXPOSURES,
    makes=(
        Plane(
            name="median.members",
            meaning="times, backgrounds, read noise and thresholds of all exposures",
            on="run",
            kind="value",
            value=Members,
        ),
    ),
    over="run",
    run=_run_members,
    enabled=_enabled,
)

MEDIAN = Step(
    name="median",
    summary="Combine the singly drizzled images into an image without cosmic rays.",
    parameters=("median*", "combine_*"),
    needs=(
        Need("single.sci", of="touching", border=_border),
        Need("single.wht", of="touching", border=_border),
        Need("median.members", optional=True),
        *_OF_EXPOSURES,
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
    work=_work,
    enabled=_enabled,
    check=_check,
)


@hookimpl
def drizframe_step_median() -> Step:
    """Return the stock median step."""
    return MEDIAN


@hookimpl
def drizframe_extra_steps() -> Iterator[Step]:
    """Yield the steps before it."""
    yield THRESHOLDS
    yield MEMBERS
