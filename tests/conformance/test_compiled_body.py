"""A kernel of a stranger with a compiled body, built as the how-to page says: with nothing but what is installed."""

from __future__ import annotations

import dataclasses
import importlib.util

import numpy as np
import pytest
from stranger import compiled_example, part_of_page

import drizframe
from drizframe.simulate import dither, random_scene, simulate
from drizframe.testing import examples, run_checks


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The module of the page."""
    target = compiled_example(tmp_path_factory.mktemp("stranger"))
    spec = importlib.util.spec_from_file_location("box_loop", target)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def box(compiled):
    """The kernel of the page, with its twin."""
    names = {"drizframe": drizframe, "np": np}
    code = part_of_page(r"A box as wide as the drop.*?```python\n(.*?)result = ")
    exec(code, names)  # noqa: S102  (of our own page)
    return dataclasses.replace(names["BOX"], fast=compiled.box, block=compiled.block)


def test_the_kit_finds_nothing_against_it(box):
    with examples(8):
        found = {o.check: o.text for o in run_checks(box)}
    assert "check_body_equals_fast" in found
    with examples(8):
        assert {o.check: o.text for o in run_checks(box) if not o.ok} == {}


def test_a_run_calls_the_body_and_gives_the_bits_of_the_function(box):
    asked = []

    def block(pixfrac, scale):
        asked.append(scale)
        return box.block(pixfrac, scale)

    scene = random_scene(3, stars=8, galaxies=1)
    files = simulate("acs_hrc", scene, dither(2, exptime=200, seed=3), seed=3, shape=(48, 40)).exposures()
    off = {
        "skysub": False,
        "static": False,
        "driz_separate": False,
        "median": False,
        "blot": False,
        "driz_cr": False,
    }
    images = [
        drizframe.run(files, final_kernel=kernel, final_pixfrac=0.7, **off).sci
        for kernel in (dataclasses.replace(box, block=block), dataclasses.replace(box, block=None))
    ]
    assert asked
    np.testing.assert_array_equal(*images)
