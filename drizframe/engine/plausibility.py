"""Exposures that hold no image of the sky, found before the work begins: told by name, and kept from spoiling the others."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from drizframe.config import Parameters, good_mask
from drizframe.engine.bus import Bus
from drizframe.engine.flags import cleared_bits, reset_bits
from drizframe.engine.hearing import hearing
from drizframe.engine.pool import WITHIN, results_of
from drizframe.engine.seen import Seen
from drizframe.errors import DrizframeWarning, InputWarning
from drizframe.model import Chip, Exposure
from drizframe.model.plausible import constant_value, unused_pixels
from drizframe.model.sources import HiddenSource

__all__ = ["look_over"]

#: Bytes a pixel of a chip that is looked at, with room for as much again.
BYTES = 64
#: Why an exposure without one is left out.
_NO_GOOD_PIXEL = "it has no good pixel (every pixel is flagged or not finite)"

Bools = np.ndarray[Any, np.dtype[np.bool_]]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What the pixels of a chip show: whether one is good, the value if all hold one, and which are unused."""

    good: bool
    constant: float | None = None
    unused: Bools | None = None
    values: tuple[float, ...] = ()
    share: float = 0.0


def _good(chip: Chip, parameters: Parameters) -> Bools | None:
    """Return the pixels without a flag that counts; None if there are no flags."""
    dq = chip.plane("dq")
    if dq is None:
        return None
    flags = reset_bits(dq, cleared_bits(parameters))
    found: Bools = good_mask(flags, parameters.final_bits).view(bool)
    return found


def _look(chip: Chip, parameters: Parameters) -> _Look:
    """Look at the pixels of a chip."""
    unflagged = _good(chip, parameters)
    image = chip.data()
    good = np.isfinite(image)
    if unflagged is not None:
        good &= unflagged
    if not good.any():
        return _Look(good=False)
    constant = constant_value(image, good)
    if constant is not None:
        return _Look(good=True, constant=constant)
    region, values = unused_pixels(image, good)
    share = 0.0 if region is None else float(region.sum() / good.sum())
    return _Look(good=True, unused=region, values=values, share=share)


def _looks(chips: Sequence[Chip], parameters: Parameters, bus: Bus, seen: Seen | None) -> list[_Look]:
    """Look at chips, several at a time if there is memory for that; what is told of them comes in their order."""
    most = max((math.prod(c.shape) for c in chips), default=0)
    limit = int(parameters.max_memory * 2**20) - (0 if seen is None else seen.limit)
    workers = max(1, min(parameters.num_cores or os.cpu_count() or 1, limit // (BYTES * most + 1)))

    def look(chip: Chip) -> tuple[_Look, list[tuple[str, type[DrizframeWarning]]]]:
        told: list[tuple[str, type[DrizframeWarning]]] = []
        with hearing(lambda text, kind: told.append((text, kind))):
            return _look(chip if seen is None else seen.chip(chip), parameters), told

    found = []
    for one, told in map(look, chips) if workers == 1 else results_of(WITHIN, look, chips, workers):
        found.append(one)
        for text, kind in told:
            bus.note(text, warn=kind)
    return found


def look_over(
    exposures: Sequence[Exposure], parameters: Parameters, bus: Bus, seen: Seen | None = None
) -> list[Exposure]:
    """Leave out what holds one value while others vary, and pixels that were filled with one number.

    Parameters
    ----------
    exposures : sequence of Exposure
        What is to be combined, in input order.
    parameters : Parameters
        Flags that count.
    bus : Bus
        Gets a warning by name for each exposure that is not as it should be.
    seen : Seen, optional
        Gets the images, for the run.

    Returns
    -------
    list of Exposure
        Those that can be used; pixels that no sky fell on are NaN in them.
    """
    found = iter(_looks([c for e in exposures for c in e.chips], parameters, bus, seen))
    looks = [[next(found) for _ in e.chips] for e in exposures]
    varying = any(k.good and k.constant is None for of_exposure in looks for k in of_exposure)
    made = []
    for exposure, of_exposure in zip(exposures, looks, strict=True):
        if not any(k.good for k in of_exposure):
            bus.note(f"Exposure {exposure.name!r} is left out: {_NO_GOOD_PIXEL}.", warn=InputWarning)
            continue
        if varying and any(k.constant is not None for k in of_exposure):
            left = _without_constant(exposure, of_exposure, bus)
            if left is None:
                continue
            exposure, of_exposure = left  # noqa: PLW2901  (the same exposure)
        made.append(_without_unused(exposure, of_exposure, bus))
    if not varying and made:
        bus.note("No exposure varies: all good pixels of each chip hold one value.")
    return made


def _without_constant(
    exposure: Exposure, looks: Sequence[_Look], bus: Bus
) -> tuple[Exposure, list[_Look]] | None:
    """Return an exposure without its chips that hold one value; None if no good one is left."""
    kept = [(c, k) for c, k in zip(exposure.chips, looks, strict=True) if k.constant is None]
    why = "hold one value, {:g}: there is no image of the sky. Look at the file, or leave it out"
    if not any(k.good for _, k in kept):
        value = next(k.constant for k in looks if k.constant is not None)
        bus.note(
            f"Exposure {exposure.name!r} is left out: all its good pixels {why.format(value)}.",
            warn=InputWarning,
        )
        return None
    for chip, look in zip(exposure.chips, looks, strict=True):
        if look.constant is not None:
            text = f"Chip {chip.extver} of exposure {exposure.name!r} is left out: all its good pixels "
            bus.note(text + why.format(look.constant) + ".", warn=InputWarning)
    return exposure.with_chips([c for c, _ in kept]), [k for _, k in kept]


def _without_unused(exposure: Exposure, looks: Sequence[_Look], bus: Bus) -> Exposure:
    """Return an exposure with NaN where no sky fell on a pixel."""
    if all(k.unused is None for k in looks):
        return exposure
    chips = []
    for chip, look in zip(exposure.chips, looks, strict=True):
        if look.unused is None:
            chips.append(chip)
            continue
        chips.append(dataclasses.replace(chip, load=HiddenSource.hiding(chip.load, look.unused)))
        values = " or ".join(f"{v:g}" for v in look.values)
        bus.note(
            f"{exposure.name}, chip {chip.extver}: {100 * look.share:.1f} % of the good pixels, in regions at the border, hold "
            f"exactly {values}. No sky fell on them, it seems: they count neither for the sky nor in the mosaic. Flag them in DQ "
            "or set them to NaN to say so yourself.",
            warn=InputWarning,
        )
    return exposure.with_chips(chips)
