"""How the arrays are laid out that components get: what the records promise, and the kit asks components to take."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import drizframe
from drizframe.hooks import Step
from drizframe.stock.combine.median import MEDIAN
from drizframe.stock.cosmic_rays.deriv import DERIV
from drizframe.stock.sky.localmin import LOCALMIN
from drizframe.stock.sky.mean import MEAN
from drizframe.stock.weights.ivm import IVM
from drizframe.testing.samples import sample_exposures


def odd(image, dtype):
    """Return a read-only, big-endian view with strides."""
    wide = np.zeros((2 * image.shape[0], 3 * image.shape[1]), dtype=np.dtype(dtype).newbyteorder(">"))
    view = wide[::2, ::3]
    view[...] = image
    view.flags.writeable = False
    return view


class OddSource:
    """Pixels as a FITS file in big-endian order would give them."""

    def __init__(self, source):
        self.source = source

    def __call__(self, kind):
        if kind == "ivm":
            return odd(np.ones((40, 44)), "f8")
        image = self.source(kind)
        return None if image is None else odd(image, {"dq": "i4"}.get(kind, "f8"))


def exposures():
    made = sample_exposures()
    return [e.with_chips([dataclasses.replace(c, load=OddSource(c.load)) for c in e.chips]) for e in made]


def probes(seen):
    """Return records of every family that write down what they get."""

    def look(name, array):
        if array is not None:
            a = np.asarray(array)
            seen.setdefault(name, set()).add(
                (a.dtype.str, bool(a.flags.c_contiguous), bool(a.flags.writeable))
            )

    def statistic(values, options):
        look("statistic values", values)
        return MEAN.reference(values, options)

    def method(chips, function, *, overlaps, options):
        look("sky pixels", chips[0].pixels())
        for overlap in overlaps():
            look("sky pixels of a region", chips[0].pixels(overlap.first_region))
        return LOCALMIN.reference(chips, function, overlaps=overlaps, options=options)

    def combine(stack, bad, **facts):
        look("stack", stack)
        look("bad", bad)
        look("stack weight", facts["weight"])
        return MEDIAN.reference(stack, bad, **facts)

    def weigh(chip, mask, sky, ratio, options):
        look("mask", mask)
        look("err", chip.plane("err"))
        look("ivm", options.ivm)
        return IVM.reference(chip, mask, sky, ratio, options)

    def detect(sci, blot, deriv, noise, depth, dq, options):
        for name, array in {"sci": sci, "blot": blot, "deriv": deriv, "noise": noise, "depth": depth}.items():
            look(name, array)
        look("dq", dq)
        return DERIV.reference(sci, blot, deriv, noise, depth, dq, options)

    def mine(record, function, **changes):
        return dataclasses.replace(
            record, name=f"probe.{record.name}", reference=function, fast=None, **changes
        )

    return {
        "skystat": mine(MEAN, statistic),
        "skymethod": mine(LOCALMIN, method),
        "combine_type": mine(MEDIAN, combine),
        "final_wht_type": mine(IVM, weigh),
        "cr_detector": mine(DERIV, detect, traits=DERIV.traits | {"needs_depth"}),
    }


def seen_in_a_run(**more):
    seen = {}
    drizframe.run(exposures(), **probes(seen), num_cores=1, tile_size=32, **more)
    return seen


def test_arrays_are_native_of_the_promised_type_whatever_the_input():
    seen = seen_in_a_run()
    types = {
        "statistic values": {"<f4"}, "sky pixels": {"<f4"}, "sky pixels of a region": {"<f4"},
        "stack": {"<f4"}, "bad": {"|b1"}, "stack weight": {"<f4"},
        "mask": {"|u1"}, "err": {"<f8"}, "ivm": {"<f8"},
        "sci": {"<f4"}, "blot": {"<f4"}, "deriv": {"<f4"}, "noise": {"<f4"}, "depth": {"<i4"}, "dq": {"<i4"},
    }  # fmt: skip
    native = {k: {np.dtype(t).newbyteorder("=").str for t in v} for k, v in types.items()}
    assert {k: {t for t, _, _ in v} for k, v in seen.items()} == native


def test_shared_arrays_are_read_only():
    seen = seen_in_a_run()
    for name in ("stack", "bad", "stack weight", "dq", "ivm", "statistic values"):
        assert not any(writeable for _, _, writeable in seen[name]), name


class Filters:
    """A plugin whose step changes planes that come with the exposures, and leaves them in an odd layout."""

    @drizframe.hookimpl
    def drizframe_extra_steps(self):
        def run(job):
            return {"dq": odd(job.read("dq"), "i4"), "ivm": odd(job.read("ivm"), "f4")}

        yield Step(
            name="probe.filter",
            summary="Leave odd layouts.",
            needs=("dq", "ivm"),
            makes=("dq", "ivm"),
            over="chip",
            run=run,
        )


@pytest.fixture
def filters():
    plugin = Filters()
    drizframe.register(plugin)
    yield
    drizframe.unregister(plugin)


def test_a_filter_step_can_hand_on_any_layout_of_flags_and_maps(filters):
    seen = seen_in_a_run()
    for name in ("dq", "ivm"):
        (found,) = seen[name]
        assert found[0].startswith(">")
        assert not found[2]
