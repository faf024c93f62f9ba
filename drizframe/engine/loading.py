"""Planes that come with the inputs: loaded when a step wants them, and again where there was no room to keep them."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe.engine.context import RunContext
from drizframe.engine.flags import cleared_bits, reset_bits
from drizframe.engine.plan import Plan
from drizframe.model import Chip, ChipUnit, PlaneKey, Window
from drizframe.model.sources import stored

__all__ = ["LOADED", "check_inputs", "input_plane", "keep_input"]

Array = np.ndarray[Any, Any]

#: Planes that the source of a chip gives.
LOADED = ("sci", "err", "dq", "ivm")


def input_plane(context: RunContext, key: PlaneKey, window: Window | None = None) -> Array | None:
    """Return a plane of an input, or a part of it, as steps see it; keep the whole in the store while there is room.

    Parameters
    ----------
    context : RunContext
        The run.
    key : PlaneKey
        One of `LOADED`, of a chip.
    window : Window, optional
        Rows and columns that are wanted.

    Returns
    -------
    ndarray or None
        Read-only: science image in float32, flags without those that do not count; None if the input has none.
    """
    assert isinstance(key.unit, ChipUnit)  # noqa: S101  (inputs have planes of chips)
    chip, store = context.plan.exposures[key.unit.exposure].chips[key.unit.chip], context.store
    if window is not None and not store.room_for(4 * chip.shape[0] * chip.shape[1], key):
        part = chip.rows(key.name, window.y0, window.y1)  # the file is its own scratch
        if part is not None:
            return _as_given(context, key.name, part[:, window.x0 : window.x1])
    image = keep_input(context, key, chip)
    return image if window is None or image is None else image[window.slices]


def keep_input(context: RunContext, key: PlaneKey, loads: Chip) -> Array | None:
    """Load a plane of an input into the store, as steps see it, and return it.

    Parameters
    ----------
    context : RunContext
        The run.
    key : PlaneKey
        One of `LOADED`, of a chip.
    loads : Chip
        That chip, or one that has its images at hand.
    """
    assert isinstance(key.unit, ChipUnit)  # noqa: S101  (inputs have planes of chips)
    image: Array | None = loads.data() if key.name == "sci" else loads.plane(key.name)
    if image is None:
        return None
    image = _as_given(context, key.name, image)
    chip = context.plan.exposures[key.unit.exposure].chips[key.unit.chip]
    # whether rows can be had is asked now, in the name of whoever reads, and only where memory may become short
    again = (context.apart or not context.ample) and chip.rows(key.name, 0, 1) is not None
    context.store.put(key, image, again=again)
    return image


def check_inputs(plan: Plan) -> None:
    """Let sources that can tell say whether the files that they read are still those whose headers were read.

    Parameters
    ----------
    plan : Plan
        Of a run whose work is done: what was read once is not read again, and would not be missed.

    Raises
    ------
    InputError
        If a file was replaced or changed meanwhile.
    """
    for exposure in plan.exposures:
        for chip in exposure.chips:
            check = getattr(stored(chip.load), "check", None)
            if callable(check):
                check()


def _as_given(context: RunContext, name: str, image: Array) -> Array:
    """Return an image of the exposure, or a part of it, as steps see it."""
    if name == "dq":
        image = reset_bits(image, cleared_bits(context.plan.parameters))
    image = image.view()  # the array itself may be the caller's, who goes on with it
    image.flags.writeable = False
    return image
