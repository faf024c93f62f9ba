"""One result, to the bit: whatever the tiles, the number of tasks at a time, where they work, the memory, and whether it was resumed."""

from __future__ import annotations

import contextlib
import itertools

import numpy as np
import pytest

import drizframe
from drizframe.simulate import dither, random_scene, simulate

#: Parameters that make every step work on more than one tile or band.
COMMON = {
    "keep": "all",
    "layers": "variance",
    "final_wht_type": "ERR",
    "final_scale": 0.035,
    "final_pixfrac": 0.8,
}
TILES, THREADS, LIMITS = (17, 64, 256, 1000, 100_000), (1, 2, 8), ("7MB", "150MB", "400MB", "8GB")
EXECUTORS = ("serial", "threads", "processes")


def ways():
    """Yield settings: each tile size with each number of threads, each limit with each executor."""
    for tile, count in itertools.product(TILES, THREADS):
        yield {"tile_size": tile, "num_cores": count}
    for limit, executor in itertools.product(LIMITS, EXECUTORS):
        yield {"max_memory": limit, "executor": executor, "num_cores": 2, "tile_size": 100}
    yield {"executor": "processes", "num_cores": 3, "tile_size": 33}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    scene = random_scene(3, stars=40, galaxies=4, size=20.0)
    return simulate("acs_wfc", scene, dither(4), seed=7, shape=(150, 280), cosmic_rays=0.02).write(folder)


def digest(result):
    named = {n: np.asarray(getattr(result, n)) for n in ("sci", "wht", "ctx", "median")}
    named |= {f"{n} {k}": m for n, masks in result.cosmic_rays.items() for k, m in enumerate(masks)}
    return {name: (a.dtype.str, a.shape, a.tobytes()) for name, a in named.items()}, result.sky


@pytest.fixture(scope="module")
def wanted(files):
    return digest(drizframe.run(files, executor="serial", num_cores=1, tile_size=128, **COMMON))


@pytest.mark.parametrize("way", list(ways()), ids=lambda w: " ".join(map(str, w.values())))
def test_every_way_gives_the_same_bits(files, wanted, way):
    assert digest(drizframe.run(files, **COMMON, **way)) == wanted


class Stops:
    """Ends a run before a step."""

    def __init__(self, step):
        self.step = step

    def drizframe_before_step(self, event):
        if event.step == self.step:
            raise KeyboardInterrupt


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("step", ["median", "final"])
def test_a_resumed_run_gives_the_same_bits(files, wanted, tmp_path, executor, step):
    options = {
        **COMMON,
        "resume": True,
        "workdir": str(tmp_path),
        "tile_size": 64,
        "num_cores": 2,
        "max_memory": "20MB",
    }
    with contextlib.suppress(KeyboardInterrupt):
        drizframe.run(files, listeners=[Stops(step)], executor="threads", **options)
    result = drizframe.run(files, executor=executor, **options)
    assert result.reused > 0
    assert digest(result) == wanted
