"""Where the chips of a run lie on its frames: maps, pixel-scale ratios, footprints, exposures that nothing overlaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from drizframe.config import Parameters
from drizframe.grids.checks import table_notes
from drizframe.grids.coverage import Coverage, cover
from drizframe.grids.footprints import Footprint, footprint, union
from drizframe.grids.maps import Maps
from drizframe.grids.pixel_scales import scale_ratio
from drizframe.hooks import Kernel
from drizframe.model import ChipUnit, Exposure, ExposureUnit, Frame, PixelMap, Window
from drizframe.pixels.bounds import block_bounds
from drizframe.pixels.reach import footprint_of_pixel

__all__ = ["Geometry", "chip_coverage", "map_limit", "survey"]

#: Bytes of maps that are kept at least, and the part of max_memory that they may take.
KEPT, SHARE = 2**23, 8


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """What `survey` finds.

    Parameters
    ----------
    maps : Maps
        By frame and chip.
    ratios : mapping of (str, ChipUnit) to float
        Pixel-scale ratios, by frame and chip.
    footprints : mapping of ExposureUnit to Window
        The part of the separate frame that each exposure covers, with the support of the kernel.
    lonely : tuple of str
        Exposures whose part of the separate frame no other exposure touches.
    notes : tuple of (str, bool)
        What the user should know; True: as a warning.
    """

    maps: Maps
    ratios: Mapping[tuple[str, ChipUnit], float]
    footprints: Mapping[ExposureUnit, Window]
    lonely: tuple[str, ...] = ()
    notes: tuple[tuple[str, bool], ...] = ()


@dataclass(slots=True, eq=False)
class _Found:
    """What is gathered map by map."""

    ratios: dict[tuple[str, ChipUnit], float] = field(default_factory=dict)
    footprints: dict[ExposureUnit, Window] = field(default_factory=dict)
    bare: list[Window] = field(default_factory=list)


def map_limit(parameters: Parameters) -> int:
    """Return how many bytes of maps a run keeps."""
    return max(KEPT, int(parameters.max_memory * 2**20) // SHARE)


def survey(
    exposures: Sequence[Exposure],
    frames: Mapping[str, Frame],
    parameters: Parameters,
    kernel: Kernel,
    *,
    wcsmap: Any = None,
) -> Geometry:
    """Look at every map once, in time that grows with the number of exposures.

    Parameters
    ----------
    exposures : sequence of Exposure
        In input order.
    frames : mapping of str to Frame
        ``"separate"`` and ``"final"``.
    parameters : Parameters
        Of the run.
    kernel : Kernel
        That of the separate step, whose support widens the footprints.
    wcsmap : class, callable or object, optional
        Replaces the map from chips to frames.

    Raises
    ------
    InputError
        If no position of a chip can be projected onto a frame.
    """
    maps = Maps(
        exposures, frames, stepsize=parameters.stepsize, blot_stepsize=parameters.blot_stepsize,
        wcsmap=wcsmap, limit=map_limit(parameters),
    )  # fmt: skip
    found = _Found()
    notes = tuple(table_notes(_looked_at(exposures, frames, parameters, kernel, maps, found)))
    return Geometry(maps, found.ratios, found.footprints, _lonely(exposures, found.bare), notes)


def _looked_at(
    exposures: Sequence[Exposure],
    frames: Mapping[str, Frame],
    parameters: Parameters,
    kernel: Kernel,
    maps: Maps,
    found: _Found,
) -> Iterator[PixelMap]:
    """Yield every map, and gather what it tells before the next one is made."""
    pixfrac = parameters.driz_sep_pixfrac
    shape = frames["separate"].shape
    for i, exposure in enumerate(exposures):
        prints: list[Footprint] = []
        margin = 2.0
        for k, chip in enumerate(exposure.chips):
            unit = ChipUnit(i, k)
            ratios: dict[int, float] = {}  # as a rule, the frames are one
            for which, frame in frames.items():
                if id(frame) not in ratios:
                    ratios[id(frame)] = scale_ratio(chip, frame, coeffs=parameters.coeffs)
                found.ratios[which, unit] = ratios[id(frame)]
            for which in maps.kinds():
                yield (pixels := maps[which, unit])
                if which == "separate":
                    prints.append(footprint(pixels))
            # half a pixel of the chip is in its footprint already
            margin = max(margin, 1.0 + footprint_of_pixel(kernel, pixfrac, found.ratios["separate", unit])[1])
        found.footprints[ExposureUnit(i)] = union(p.window(shape, margin) for p in prints)
        found.bare.append(union(p.window(shape) for p in prints))


def _lonely(exposures: Sequence[Exposure], windows: Sequence[Window]) -> tuple[str, ...]:
    """Return the names of exposures whose window meets no other."""
    if len(exposures) < 2:
        return ()
    nothing = (np.inf, -np.inf, np.inf, -np.inf)
    # windows that share an edge have no pixel in common, so pixels are counted by their centres
    boxes = [nothing if w.empty else (w.x0, w.x1 - 1, w.y0, w.y1 - 1) for w in windows]
    index = cover(boxes)
    return tuple(
        e.name for i, (e, w) in enumerate(zip(exposures, windows, strict=True)) if index.near(w) in ([], [i])
    )


def chip_coverage(
    units: Sequence[ChipUnit],
    pixel_map: Callable[[ChipUnit], PixelMap],
    support: Callable[[ChipUnit], tuple[float, float]],
) -> Coverage:
    """Index chips by where a kernel can spread them on a frame.

    Parameters
    ----------
    units : sequence of ChipUnit
        The chips, in order.
    pixel_map : callable
        ``pixel_map(unit)``: the map of a chip onto the frame.
    support : callable
        ``support(unit) -> (half, margin)``: what `footprint_of_pixel` says for the chip.

    Returns
    -------
    Coverage
        It leaves out none of the chips that touch a window (`pixels.bounds.touches`); it may hold others.
    """
    boxes = np.empty((len(units), 4))
    for box, unit in zip(boxes, units, strict=True):
        half, margin = support(unit)
        bounds = block_bounds(pixel_map(unit), half).reshape(-1, 4)
        box[::2] = bounds[:, ::2].min(axis=0) - (margin + 1.0)
        box[1::2] = bounds[:, 1::2].max(axis=0) + (margin + 1.0)
    return cover(boxes)
