"""Defects of the reference, written down so that everything around them can be compared."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from drizframe.engine import geometry, scales
from drizframe.engine.job import RunJob
from drizframe.grids import mapping, overlaps, sky_systems
from drizframe.grids.wcs import cd_matrix, column_scale
from drizframe.hooks import Interpolator, Kernel
from drizframe.stock.interpolators._stencil import everett, gather, interpolate, reflected
from drizframe.stock.steps import median

#: The reference's table of the damped sinc function: float32, entries 0.01 pixel apart.
SPACING = float(np.float32(0.01))
LENGTH = 512


def _table() -> np.ndarray:
    phase = (np.pi * np.arange(LENGTH) * SPACING).astype(np.float32).astype(np.float64)
    phase[0] = 1.0
    values = np.sin(phase) / phase * np.sin(phase / 3) / (phase / 3)
    values[phase >= 3 * np.pi] = 0.0
    values[0] = 1.0
    return values.astype(np.float32).astype(np.float64)


TABLE = _table()


def _nint(v):
    return np.where(v >= 0, np.floor(v + 0.5), -np.floor(0.5 - v))


def _axis(v, start, count, pixfrac, scale):
    pixels = start[:, None] + np.arange(count, dtype=np.float64)
    reach = 3 * pixfrac / scale
    inside = (pixels >= _nint(v - reach)[:, None]) & (pixels <= _nint(v + reach)[:, None])
    entry = _nint(np.abs(v[:, None] - pixels) * scale / (SPACING * pixfrac)).astype(np.intp) + 1
    return np.where(inside, TABLE[np.minimum(entry, LENGTH - 1)], 0.0)


def _weights(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    along = _axis(y, y0, shape[0], pixfrac, scale)
    return along[:, :, None] * _axis(x, x0, shape[1], pixfrac, scale)[:, None, :]


#: Trap 10-9: every value is taken from the next entry of the table, and pixfrac stretches the kernel.
LANCZOS3 = Kernel(
    name="lanczos3",
    summary="The reference's lanczos3, defect included.",
    footprint=_weights,
    support=lambda pixfrac, scale: 3 * pixfrac / scale + 0.5,
)


def _value(image, x, y):
    ny, nx = image.shape
    ix, iy = x.astype(np.int64), y.astype(np.int64)
    px, py = x - ix, y - iy

    def row(j, chosen):
        i = ix[chosen]
        samples = [
            reflected(lambda c, s: gather(image, j[s], c), i + k, nx - 1) for k in (-2, -1, 0, 1, 2, 3)
        ]
        return everett(samples, px[chosen])

    rows = [reflected(row, iy + k, ny - 1) for k in (-2, -1, 0, 1, 2)]
    sixth = np.where(iy + 3 < ny, iy + 3, max(ny - 4, 0))
    return everett([*rows, row(sixth, slice(None))], py)


def _poly5(image, x, y, *, fill):
    return interpolate(_value, image, x, y, fill)


#: Trap 13-3: where the sixth row of the stencil is off the top, row ny - 4 takes its place.
POLY5 = Interpolator(
    name="poly5", summary="The reference's poly5, defect included.", reference=_poly5, reach=4
)


@contextlib.contextmanager
def swapped_footprints():
    """Take columns for rows in the footprints of chips, as the reference's sky matching does."""
    right = overlaps.chip_footprint

    def wrong(chip):
        swapped: Any = SimpleNamespace(shape=chip.shape[::-1], wcs=chip.wcs, extver=chip.extver)
        return right(swapped)

    overlaps.chip_footprint = wrong
    try:
        yield
    finally:
        overlaps.chip_footprint = right


@contextlib.contextmanager
def time_of_other_chips():
    """Divide the background of the median by 1 s, the time of chips that the reference did not process with `group`."""
    right = median._background
    median._background = lambda job, i: right(job, i) * job.exposures[i].exptime
    try:
        yield
    finally:
        median._background = right


@contextlib.contextmanager
def column_scales():
    """Take squares for areas, as the reference does without a polynomial.

    When it drizzles, the side of a pixel is the length of the first column of CD; when it blots, the root of the
    determinant, so that what it blots from skewed pixels is low by the ratio of the two.
    """
    right, of_job = geometry.scale_ratio, RunJob.scale_ratio

    def wrong(chip, frame, *, coeffs=True):
        side = column_scale(cd_matrix(chip.wcs))
        return frame.scale / side if chip.wcs.sip is None else right(chip, frame, coeffs=coeffs)

    def of_blot(job, unit, which):
        chip = job.chip_of(unit)
        if job._step.name != "blot" or chip.wcs.sip is not None:
            return of_job(job, unit, which)
        return job.frame(which).scale / (3600.0 * np.sqrt(abs(np.linalg.det(cd_matrix(chip.wcs)))))

    geometry.scale_ratio, RunJob.scale_ratio = wrong, of_blot
    try:
        yield
    finally:
        geometry.scale_ratio, RunJob.scale_ratio = right, of_job


@contextlib.contextmanager
def one_sky_system():
    """Take equal numbers for equal positions, whatever RADESYS says."""
    modules = (mapping, overlaps, sky_systems)
    right = sky_systems.conversion
    for module in modules:
        module.conversion = lambda source, target: None
    try:
        yield
    finally:
        for module in modules:
            module.conversion = right


@contextlib.contextmanager
def gain_of_the_last_chip():
    """Bring the mosaic in counts to the gain of the last chip, not of the first exposure (traps 02-6, 10-14).

    The pixels of STIS are not square: `column_scales` goes with it.
    """
    right = scales._one_gain

    def wrong(exposures, bus, *, warn):
        last = exposures[-1].chips[-1].gain
        return [
            e.with_chips([replace(c, mosaic_gain=last) for c in e.chips])
            for e in right(exposures, bus, warn=warn)
        ]

    scales._one_gain = wrong
    try:
        with column_scales():
            yield
    finally:
        scales._one_gain = right
