"""What planning costs as exposures become many, and the question which of their chips touch a tile.

python benchmarks/planning.py [NUMBER ...]

Exposures of 64 x 64 pixels lie in a row, each overlapping its neighbours; seconds are CPU seconds of this process.
"""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
import warnings

import numpy as np
from astropy.wcs import WCS

import drizframe
from drizframe import Exposure
from drizframe.config import make_parameters
from drizframe.engine.bus import Bus
from drizframe.engine.context import RunContext
from drizframe.engine.job import job_for
from drizframe.engine.plan import make_plan
from drizframe.engine.store import Store
from drizframe.model import FrameUnit

SIDE, SCALE = 64, 0.1 / 3600


def exposures(count, columns=None):
    """Make neighbours, each a third of a side beside the one before: in a row, or in rows of so many."""
    rng, made = np.random.default_rng(0), []
    for k in range(count):
        row, column = divmod(k, columns or count)
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [SIDE / 2, SIDE / 2]
        wcs.wcs.crval = [150.0 + column * SIDE / 3 * SCALE, 2.0 + row * SIDE / 3 * SCALE]
        wcs.wcs.cdelt, wcs.pixel_shape = [-SCALE, SCALE], (SIDE, SIDE)
        image = rng.normal(100, 10, (SIDE, SIDE)).astype(np.float32)
        made.append(Exposure.from_arrays(image, wcs, name=f"e{k}", exptime=100.0, unit="electrons"))
    return made


def main(*counts):
    """Print a line for each number."""
    registry = drizframe.registry()
    for count in counts or (64, 256, 1024):
        made, parameters = exposures(count), make_parameters(allow_sparse=True, tile_size=64)
        gc.collect()
        tracemalloc.start()
        plan = make_plan(made, parameters, registry)
        size = tracemalloc.get_traced_memory()[0] / count / 1024
        tracemalloc.stop()
        start = time.process_time()
        plan = make_plan(made, parameters, registry)
        planning = time.process_time() - start
        step = next(s for s in plan.steps if s.name == "final")
        tiles = plan.tiles(plan.frames["final"].shape)
        context = RunContext(plan=plan, registry=registry, store=Store(2**30), bus=Bus(registry.manager))
        kernel = registry.get("kernel", "square")
        found, start = 0, time.process_time()
        for window in tiles:
            found += len(list(job_for(context, step, FrameUnit("final"), window).touching(kernel, 1.0)))
        each = (time.process_time() - start) / len(tiles)
        print(
            f"{count} exposures: plan {planning:.2f} s, {1e3 * planning / count:.2f} ms and {size:.0f} kB an exposure; "
            f"{len(tiles)} tiles, {found / len(tiles):.1f} chips and {1e3 * each:.2f} ms a tile"
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(*map(int, sys.argv[1:]))
