"""From planes in the store to the mosaic that the user gets."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe.engine.job import RunContext
from drizframe.engine.plan import Plan
from drizframe.errors import ConflictError
from drizframe.model import LAYERS, Chip, Extension, FrameUnit, Layer, Mosaic, Plane, PlaneKey
from drizframe.model.bunit import product_unit as unit_of_product

__all__ = ["layers_of", "make_mosaic", "product_unit"]


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


def layers_of(plan: Plan) -> dict[str, Extension]:
    """Return the layers that the mosaic of a run has, by name, in the order of the extensions of a file.

    Raises
    ------
    ConflictError
        If two planes want to be the same extension.
    """
    return {name: extension for name, (_, extension) in _parts(plan).items()}


def _parts(plan: Plan) -> dict[str, tuple[Plane, Extension]]:
    """Return the planes that steps make for the product, by the names of their layers: the usual ones first."""
    made = {name for step in plan.steps for name in step.planes}
    found: dict[str, tuple[Plane, Extension]] = {}
    for plane in plan.planes.values():
        extension = plane.extension
        if extension is None or plane.name not in made or not extension.wanted(plan.parameters):
            continue
        if extension.layer in found:
            other = found[extension.layer][0].name
            msg = f"Planes {other!r} and {plane.name!r} both want to be extension {extension.name!r} of the product. Give one another name."
            raise ConflictError(msg)
        found[extension.layer] = plane, extension
    usual = list(LAYERS)
    return dict(sorted(found.items(), key=lambda kv: usual.index(kv[0]) if kv[0] in usual else len(usual)))


def make_mosaic(context: RunContext) -> Mosaic | None:
    """Return the final image with all its layers, or None if the final step did not run."""
    plan, unit = context.plan, product_unit(context.plan)
    parts = _parts(plan)
    found = {name: context.store.get(PlaneKey(p.name, FrameUnit(p.grid))) for name, (p, _) in parts.items()}
    images = {name: image for name, image in found.items() if image is not None}
    if "sci" not in images:
        return None
    if not np.any(images["wht"]):
        values = plan.parameters.final_fillval is None and np.isfinite(images["sci"]).any()
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
    layers = {
        name: Layer(
            image=_scaled(plan, image, parts[name][1]),
            extension=parts[name][1],
            unit=parts[name][1].unit_of(unit),
        )
        for name, image in images.items()
    }
    return Mosaic(layers=layers, frame=plan.frames["final"], unit=unit, exptime=plan.total_exptime)


def _scaled(plan: Plan, image: np.ndarray[Any, Any], extension: Extension) -> np.ndarray[Any, Any]:
    """Return a layer in the unit of the product: without "per second" if that is wanted."""
    if plan.parameters.final_units != "counts" or extension.seconds == 0:
        return image
    factor = np.float32(plan.total_exptime) ** extension.seconds
    scaled: np.ndarray[Any, Any] = image * factor
    return scaled
