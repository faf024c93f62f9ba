"""One result, to the bit, whatever the tiles, threads, memory and order of evaluation."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from least import least_memory
from shipped import COMPILED, by_name

import drizframe
from drizframe.simulate import acs_wfc, dither, random_scene, simulate


@pytest.fixture(scope="module")
def exposures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("acs")
    scene = random_scene(3, stars=60, galaxies=3)
    pointings = dither(3, roll=20.0, roll_step=2.0, exptime=(300, 400, 500), seed=3)
    simulate(acs_wfc(), scene, pointings, seed=3, cosmic_rays=8, shape=(150, 170)).write(folder)
    return sorted(str(p) for p in folder.glob("*_flt.fits"))


def digest(result):
    parts = [result.sci, result.wht, result.ctx, result.median]
    parts += [m for name in sorted(result.cosmic_rays) for m in result.cosmic_rays[name]]
    return [hashlib.sha256(np.ascontiguousarray(p).tobytes()).hexdigest() for p in parts]


@pytest.fixture(scope="module")
def whole(exposures):
    return digest(drizframe.run(exposures, tile_size=100_000, num_cores=1))


@pytest.mark.parametrize(
    "how",
    [{"tile_size": 64, "num_cores": 1}, {"tile_size": 64, "num_cores": 4}, {"tile_size": 1000, "num_cores": 4},
     {"tile_size": 97, "num_cores": 2, "executor": "serial"}, {"tile_size": 64, "num_cores": 4, "max_memory": "least"},
     {"combine_bufsize": 0.01}],
    ids=str,
)  # fmt: skip
def test_bits_do_not_depend_on_how_it_is_computed(exposures, whole, how):
    if how.get("max_memory") == "least":
        how = {**how, "max_memory": least_memory(exposures, **how)}
    assert digest(drizframe.run(exposures, **how)) == whole


@pytest.mark.parametrize("kernel", sorted(by_name("kernel")))
def test_every_kernel_gives_the_same_bits_in_small_tiles(exposures, kernel):
    more = {
        "final_kernel": kernel,
        "driz_sep_kernel": kernel,
        "median": False,
        "blot": False,
        "driz_cr": False,
    }
    small = drizframe.run(exposures, tile_size=50, num_cores=4, **more)
    large = drizframe.run(exposures, tile_size=100_000, num_cores=1, **more)
    np.testing.assert_array_equal(small.sci, large.sci)
    np.testing.assert_array_equal(small.wht, large.wht)


@COMPILED
def test_reference_and_compiled_agree(exposures):
    compiled, reference = drizframe.run(exposures), drizframe.run(exposures, backend="reference")
    assert set(reference.backends.values()) == {"reference"}
    assert compiled.backends["kernel square"] == "cython"
    np.testing.assert_allclose(compiled.sci, reference.sci, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(compiled.wht, reference.wht, rtol=1e-6)
    for name, masks in compiled.cosmic_rays.items():
        for a, b in zip(masks, reference.cosmic_rays[name], strict=True):
            np.testing.assert_array_equal(a, b)
