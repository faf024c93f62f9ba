"""From planes in the store to the mosaic that the user gets."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe.engine.job import RunContext
from drizframe.engine.plan import Plan
from drizframe.model import Chip, FrameUnit, Mosaic, PlaneKey
from drizframe.model.bunit import product_unit as unit_of_product

__all__ = ["make_mosaic", "product_unit"]


def product_unit(plan: Plan) -> str:
    """Return the unit of the final image as ``BUNIT`` spells it.

    Notes
    -----
    The accumulators hold electrons per second, or the flux or surface brightness of the inputs.  Only ``proc_unit='native'``
    with detectors that count gives counts; a rate gets "/S" (trap 02-5: also for detectors that count).
    """
    chip: Chip = plan.exposures[0].chips[0]
    counts = plan.parameters.proc_unit == "native"
    return unit_of_product(chip.native_unit, chip.bunit, units=plan.parameters.final_units, counts=counts)


def make_mosaic(context: RunContext) -> Mosaic | None:
    """Return the final image, or None if the final step did not run."""
    plan, store = context.plan, context.store
    sci: np.ndarray[Any, Any] | None = store.get(PlaneKey("mosaic.sci", FrameUnit("final")))
    if sci is None:
        return None
    wht, ctx, var = (store.get(PlaneKey(f"mosaic.{n}", FrameUnit("final"))) for n in ("wht", "ctx", "var"))
    if not np.any(wht):
        values = plan.parameters.final_fillval is None and np.isfinite(sci).any()
        left = (
            " Its values are those of pixels of weight 0; final_fillval='nan' leaves them out."
            if values
            else ""
        )
        context.bus.note(
            "No pixel of the mosaic has a weight: the frame lies off the exposures, or all their pixels are masked "
            "or without weight. Look at final_ra, final_dec, final_crpix, final_refimage, final_bits and the ERR or "
            f"IVM images.{left}",
            warn=True,
        )
    total = plan.total_exptime
    if plan.parameters.final_units == "counts":
        sci = sci * np.float32(total)
        var = None if var is None else var * np.float32(total) ** 2
    return Mosaic(
        sci=sci, wht=wht, ctx=ctx, var=var, frame=plan.frames["final"], unit=product_unit(plan), exptime=total
    )
