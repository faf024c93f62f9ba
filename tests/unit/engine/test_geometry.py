"""Chips that touch a tile, and exposures that no other overlaps, among many."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS

import drizframe
from drizframe import Exposure
from drizframe.config import make_parameters
from drizframe.engine.bus import Bus
from drizframe.engine.context import COVERAGES, RunContext
from drizframe.engine.job import job_for
from drizframe.engine.plan import make_plan
from drizframe.engine.store import Store
from drizframe.model import FrameUnit
from drizframe.pixels.bounds import touches
from drizframe.pixels.reach import footprint_of_pixel

SIDE, SCALE = 24, 0.1 / 3600


def exposure(name, x, y=0.0):
    """An exposure x and y pixels away from the middle."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [SIDE / 2, SIDE / 2]
    wcs.wcs.crval, wcs.wcs.cdelt = [150.0 + x * SCALE, y * SCALE], [-SCALE, SCALE]
    wcs.pixel_shape = (SIDE, SIDE)
    return Exposure.from_arrays(
        np.ones((SIDE, SIDE), np.float32), wcs, name=name, exptime=10.0, unit="electrons"
    )


def planned(exposures, **parameters):
    registry = drizframe.registry()
    plan = make_plan(exposures, make_parameters(allow_sparse=True, tile_size=16, **parameters), registry)
    return plan, RunContext(plan=plan, registry=registry, store=Store(2**20), bus=Bus(registry.manager))


@pytest.mark.parametrize("kernel", ["square", "point", "lanczos3", "gaussian"])
@pytest.mark.parametrize("pixfrac", [0.0, 0.7, 1.0])
def test_the_index_leaves_out_no_chip_that_touches_a_tile(kernel, pixfrac):
    rng = np.random.default_rng(5)
    plan, context = planned([exposure(f"e{k}", *rng.uniform(-80, 80, 2)) for k in range(12)])
    step = next(s for s in plan.steps if s.name == "final")
    record = context.registry.get("kernel", kernel)
    some = 0
    for window in plan.tiles(plan.frames["final"].shape):
        found = list(job_for(context, step, FrameUnit("final"), window).touching(record, pixfrac))
        support = {u: footprint_of_pixel(record, pixfrac, plan.ratios["final", u]) for u in plan.chips}
        wanted = [
            u for u in plan.chips
            if touches(plan.maps["final", u], window, *support[u])
        ]  # fmt: skip
        assert found == wanted
        some += 0 < len(found) < len(plan.chips)
    assert some > 20


def test_exposures_that_touch_no_other_are_lonely():
    row = [
        exposure("a", 0),
        exposure("b", 20),
        exposure("alone", 100),
        exposure("c", 30),
        exposure("far", -90),
    ]
    assert planned(row)[0].lonely == ("alone", "far")
    assert planned(row[:1], median=False, blot=False, driz_cr=False)[0].lonely == ()
    assert planned([row[0], row[2]])[0].lonely == ("a", "alone")


def test_the_same_tile_is_not_indexed_twice_and_kernels_of_tasks_do_not_pile_up():
    _, context = planned([exposure("a", 0), exposure("b", 5)])
    square = context.registry.get("kernel", "square")
    first = context.coverage("final", square, 1.0)
    assert context.coverage("final", square, 1.0) is first
    for k in range(3 * COVERAGES):
        context.coverage("final", square, 0.5 + k / 100)
    assert len(context.covered) <= COVERAGES
