"""Step 7: all exposures drizzled onto the final frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from drizframe.config.bits import good_mask
from drizframe.errors import InputError, InputWarning
from drizframe.hooks import ChipJob, Need, Step, TileJob, WeightOptions, hookimpl, options_from
from drizframe.model import Chip, ChipInput, Plane
from drizframe.stock.steps._pieces import ROWS, pieces

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.hooks import Asked
    from drizframe.model import Exposure

__all__ = ["FINAL", "FINAL_WEIGHTS", "product_factor"]

Image = np.ndarray[Any, Any]


def product_factor(chip: Chip, proc_unit: str) -> float:
    """Return the factor from the native unit of a chip to the unit of the mosaic, per second.

    Parameters
    ----------
    chip : Chip
        Gives gain and exposure time.
    proc_unit : {"native", "electrons"}
        Unit of the product.

    Notes
    -----
    Chips that count are divided by their own gain before they are drizzled, so chips of different gain fit
    together (traps 02-6, 10-14); an exposure that was taken with another gain than the first is brought to that.
    """
    electrons = chip.effective_gain / (1.0 if chip.rate else chip.exptime)
    if proc_unit == "native" and chip.native_unit.startswith("counts"):
        return electrons / (chip.gain if chip.mosaic_gain is None else chip.mosaic_gain)
    return electrons


def run_weights(job: ChipJob) -> Mapping[str, Any]:
    """Weight of every pixel of a chip, the factor that goes with it, and the variance if it is wanted."""
    chip, parameters = job.chip, job.parameters
    weighting = job.component("weighting", parameters.final_wht_type)
    ivm = job.read("ivm", job.unit)
    wants_flat = ivm is None and "needs_flat" in weighting.traits
    options = options_from(
        WeightOptions, parameters, "final_", ivm=ivm, flat=job.read("flat", job.unit) if wants_flat else None,
        warn=lambda message: job.note(f"{job.exposure.name}: {message}", warn=InputWarning),
        plugin=job.plugin_options(weighting),
    )  # fmt: skip
    weight, scale = job.call(weighting)(
        chip, _good(job), job.read("sky", job.unit), job.scale_ratio(job.unit, "final"), options
    )
    planes = {"final.mask": weight, "final.scale": scale}
    if "variance" in parameters.layers:
        planes["final.var"] = _variance(job)
    return planes


def _good(job: ChipJob) -> Image:
    """Return good pixels: by flags and static mask, and by cosmic rays if that leaves any (trap 08-9)."""
    shape = job.chip.shape
    good: Image = np.ones(shape, dtype=np.uint8)
    for rows in pieces(shape):
        part = good[rows.slices]
        dq, static = (job.read(name, job.unit, rows) for name in ("dq", "mask.static"))
        if dq is not None:
            part &= good_mask(dq, job.parameters.final_bits)
        if static is not None:
            part &= static != 0
    if good.any():
        for rows in pieces(shape):
            for rays in (job.read(name, job.unit, rows) for name in ("mask.cr", "mask.cr.given")):
                if rays is not None:
                    good[rows.slices] &= rays != 0
    return good


def _variance(job: ChipJob) -> Image:
    """Return the square of the error image, in squared native units."""
    error = job.read("err", job.unit)
    if error is None:
        msg = (
            f"layers='variance' needs the error image of every chip, but chip {job.chip.extver} of "
            f"{job.exposure.name!r} has none. Give inputs with ERR extensions, or leave the layer out."
        )
        raise InputError(msg)
    with np.errstate(over="ignore", invalid="ignore"):
        squared: Image = np.square(error, dtype=np.float32)
    return squared


def run(job: TileJob) -> Mapping[str, Any]:
    """Drizzle all chips onto a tile of the final frame."""
    parameters = job.parameters
    count = len(job.units("chip"))
    variance = "variance" in parameters.layers
    drizzled = job.drizzle(
        _inputs(job, variance=variance), job.component("kernel", parameters.final_kernel),
        pixfrac=parameters.final_pixfrac, fillval=parameters.final_fillval,
        maskval=np.nan if parameters.final_maskval is None else parameters.final_maskval,
        planes=(count - 1) // 32 + 1 if parameters.context else 0, variances=int(variance),
    )  # fmt: skip
    planes = {"mosaic.sci": drizzled.sci, "mosaic.wht": drizzled.wht}
    if drizzled.ctx is not None:
        planes["mosaic.ctx"] = drizzled.ctx
    if variance:
        planes["mosaic.var"] = drizzled.variances[0]
    return planes


def _inputs(job: TileJob, *, variance: bool) -> Iterator[ChipInput]:
    """Yield the chips that touch the tile, in order."""
    parameters = job.parameters
    kernel = job.component("kernel", parameters.final_kernel)
    for unit in job.touching(kernel, parameters.final_pixfrac):
        chip, sky = job.chip_of(unit), job.read("sky", unit)
        part = job.rows(unit, kernel, parameters.final_pixfrac)
        yield ChipInput(
            data=[job.read("sci", unit, part)], weight=job.read("final.mask", unit, part), rows=(part.y0, part.y1),
            weight_scale=job.read("final.scale", unit), number=job.chip_number(unit),
            pixmap=job.pixel_map(unit, "final"), scale=job.scale_ratio(unit, "final"),
            offset=0.0 if sky is None or sky.subtracted is None else sky.subtracted,
            factor=product_factor(chip, parameters.proc_unit), intensity=1.0 if chip.brightness else None,
            variances=[job.read("final.var", unit, part)] if variance else [],
        )  # fmt: skip


def _work(asked: Asked, shape: tuple[int, int]) -> float:
    """Return the bytes of masks, and of images that weightings read and make of them."""
    each = {"EXP": 3.0, "ERR": 7.0}.get(asked.parameters.final_wht_type, 28.0)
    return (each + (4.0 if _has_variance(asked.parameters) else 0.0)) * shape[0] * shape[1]


def _has_variance(parameters: Parameters) -> bool:
    return "variance" in parameters.layers


def _enabled(parameters: Parameters, exposures: Sequence[Exposure]) -> bool:
    return bool(parameters.driz_combine)


def _mosaic(
    name: str, meaning: str, product: str, kind: Literal["image", "cube"] = "image", dtype: str = "float32"
) -> Plane:
    return Plane(
        name=f"mosaic.{name}",
        meaning=meaning,
        on="frame",
        grid="final",
        kind=kind,
        dtype=dtype,
        product=product,
    )


FINAL_WEIGHTS = Step(
    name="final_weights",
    summary="Weight the good pixels of every chip.",
    parameters=("final_*",),
    needs=tuple(
        Need(name, optional=True)
        for name in ("dq", "err", "ivm", "flat", "mask.static", "mask.cr", "mask.cr.given", "sky")
    ),
    makes=(
        Plane(name="final.mask", meaning="weight of the final step", on="chip", dtype="float32"),
        Plane(name="final.scale", meaning="factor of that", on="chip", kind="value", value=float),
        Plane(
            name="final.var",
            meaning="square of the error image, squared unit of the chip",
            on="chip",
            dtype="float32",
            made=_has_variance,
        ),
    ),
    over="chip",
    run=run_weights,
    rows=ROWS,
    work=_work,
    enabled=_enabled,
)

FINAL = Step(
    name="final",
    summary="Drizzle all exposures onto the final frame.",
    parameters=("final_*",),
    needs=(
        Need("sci", of="touching"),
        Need("sky", of="touching", optional=True),
        Need("final.mask", of="touching"),
        Need("final.scale", of="touching"),
        Need("final.var", of="touching", optional=True),
    ),
    makes=(
        _mosaic("sci", "the final image", "SCI"),
        _mosaic("wht", "its weight map", "WHT"),
        _mosaic("ctx", "its context planes, one bit a chip", "CTX", kind="cube", dtype="int32"),
        _mosaic("var", "its variance", "VAR", kind="cube"),
    ),
    over="tile",
    grid="final",
    run=run,
    work=40.0,
    enabled=_enabled,
)


@hookimpl
def drizframe_step_final() -> Step:
    """Return the stock step."""
    return FINAL


@hookimpl
def drizframe_extra_steps() -> Iterator[Step]:
    """Yield the step that makes the weights."""
    yield FINAL_WEIGHTS
