"""Warnings have kinds that can be silenced one by one; the result of a run has them all the same. Records have an error."""

from __future__ import annotations

import types
import warnings

import numpy as np
import pytest

import drizframe
from drizframe import errors
from drizframe.errors import (
    DrizframeWarning,
    FrameWarning,
    HookError,
    InputWarning,
    MaskWarning,
    OutputWarning,
    ParameterWarning,
    PluginError,
    PluginWarning,
    RecordError,
    SkyWarning,
)
from drizframe.hooks import hookimpl
from drizframe.testing import sample_exposures

KINDS = [InputWarning, ParameterWarning, FrameWarning, SkyWarning, MaskWarning, OutputWarning, PluginWarning]
QUICK = {"static": False, "driz_cr": False, "median": False, "blot": False, "driz_separate": False}


def twice(name):
    """A plugin that replaces the sky."""

    def run(job):
        return {drizframe.PlaneKey("sky", u): drizframe.SkyValue(0.0, 0.0) for u in job.units("chip")}

    def drizframe_step_sky():
        return drizframe.Step(name="sky", summary=name, needs=(), makes=("sky",), over="run", run=run)

    return types.SimpleNamespace(drizframe_step_sky=hookimpl(drizframe_step_sky))


def inputs():
    same = sample_exposures(1)
    return drizframe.run([*same, *same], skysub=False, **QUICK)


def parameters():
    return drizframe.run(sample_exposures(2), writer="fits-mef", skysub=False, **QUICK)


def frames():
    return drizframe.run(
        sample_exposures(2),
        final_outnx=20,
        final_outny=20,
        final_ra=150.0,
        final_dec=2.01,
        skysub=False,
        **QUICK,
    )


def sky():
    return drizframe.run(sample_exposures(2), skylower=1e9, **QUICK)


def masks():
    images = sample_exposures(3)
    rng = np.random.default_rng(1)
    noisy = []
    for e in images:
        image = e.chips[0].data() + 400 * (rng.random((40, 44)) < 0.3).astype(np.float32)
        noisy.append(
            drizframe.Exposure.from_arrays(
                image, e.chips[0].wcs, name=e.name, exptime=100.0, unit="electrons", readnoise=3.0
            )
        )
    return drizframe.run(noisy, skysub=False)


def plugins():
    names = [drizframe.register(twice(name), name) for name in ("one", "two")]
    try:
        return drizframe.run(sample_exposures(2), **QUICK)
    finally:
        for name in names:
            drizframe.unregister(name)


RUNS = {
    InputWarning: inputs, ParameterWarning: parameters, FrameWarning: frames, SkyWarning: sky, MaskWarning: masks,
    PluginWarning: plugins,
}  # fmt: skip


def test_the_kinds_are_the_leaves_of_our_warning():
    assert set(DrizframeWarning.__subclasses__()) == set(KINDS)
    assert {k.__name__ for k in KINDS} <= set(errors.__all__)
    for kind in KINDS:
        assert issubclass(kind, UserWarning)
        assert f" {kind.__name__} " in errors.__doc__


@pytest.mark.parametrize("kind", RUNS, ids=lambda k: k.__name__)
def test_one_kind_can_be_silenced_and_the_result_keeps_it(kind):
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        result = RUNS[kind]()
    texts = {str(w.message) for w in shown if w.category is kind}
    assert texts
    assert texts <= set(result.warnings)
    with warnings.catch_warnings(record=True) as left:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", kind)
        again = RUNS[kind]()
    assert not [w for w in left if issubclass(w.category, kind)]
    assert again.warnings == result.warnings


def test_a_warning_of_a_component_keeps_its_kind():
    def warns(stack, bad, **facts):
        warnings.warn("heard", MaskWarning, stacklevel=1)
        warnings.warn("plain", UserWarning, stacklevel=1)
        return stack[0]

    combiner = drizframe.Combiner(name="warns", summary="W.", reference=warns)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        result = drizframe.run(
            sample_exposures(), combine_type=combiner, skysub=False, driz_cr=False, num_cores=2
        )
    kinds = {str(w.message): w.category for w in shown}
    assert (kinds["heard"], kinds["plain"]) == (MaskWarning, DrizframeWarning)
    assert {"heard", "plain"} <= set(result.warnings)


def test_a_step_says_of_which_kind_its_warning_is():
    def run(job):
        job.note("doubtful", warn=SkyWarning)
        return {}

    step = drizframe.Step(name="mine.x", summary="X.", needs=("sci",), makes=("sci",), over="chip", run=run)
    plugin = types.SimpleNamespace(drizframe_extra_steps=hookimpl(lambda: [step]))
    name = drizframe.register(plugin, "mine")
    try:
        with pytest.warns(SkyWarning, match="doubtful"):
            drizframe.run(sample_exposures(2), skysub=False, **QUICK)
    finally:
        drizframe.unregister(name)


@pytest.mark.parametrize(
    "make",
    [
        lambda: drizframe.Need("sci", of="mine"),
        lambda: drizframe.Plane(name="mine.x", meaning="", on="chip"),
        lambda: drizframe.Combiner(name="a b", summary="A.", reference=min),
        lambda: drizframe.Combiner(name="a", summary="A.", reference=3),
        lambda: drizframe.Writer(name="a", summary="A.", open=lambda product: None, endings=("npz",)),
    ],
)
def test_a_fault_in_a_record_has_its_own_error(make):
    with pytest.raises(RecordError) as caught:
        make()
    assert isinstance(caught.value, HookError | PluginError)


def test_a_hook_that_makes_a_faulty_record_is_named_with_the_same_error():
    @hookimpl
    def drizframe_step_sky():
        return drizframe.Step(name="sky", summary="S.", needs=3, makes=(), over="run", run=lambda job: {})

    name = drizframe.register(types.SimpleNamespace(drizframe_step_sky=drizframe_step_sky), "faulty")
    try:
        with pytest.raises(RecordError, match="Plugin 'faulty' .*needs = 3"):
            drizframe.run(sample_exposures(2), **QUICK)
    finally:
        drizframe.unregister(name)
