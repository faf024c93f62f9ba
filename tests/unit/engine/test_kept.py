"""Planes that stay: what a run keeps for its result, and of what it makes files."""

from __future__ import annotations

import numpy as np
import pytest

import drizframe
from drizframe.errors import DrizframeWarning, UnknownComponentError
from drizframe.hooks import Step, hookimpl
from drizframe.model import Plane
from drizframe.testing.samples import sample_exposures

SETTINGS = {"skysub": False, "static": False, "driz_cr": False, "median": False, "blot": False}


def declared(on, kind="image", **fields):
    dtype = {"dtype": "float32"} if kind == "image" else {}
    return Plane(name=f"mine.{on}", meaning="for a test", on=on, kind=kind, **{**dtype, **fields})


def maker(plane, value, over, **fields):
    def run(job):
        return {plane.name: value(job)}

    return Step(
        name=f"make.{plane.on}", summary="M.", needs=("sci",), makes=(plane,), over=over, run=run, **fields
    )


def steps(*, stays):
    """One step for each kind of unit that a plane can belong to."""
    yield maker(declared("chip", stays=stays), lambda job: np.array(job.read("sci")), "chip")
    yield maker(declared("exposure", "value", stays=stays), lambda job: job.unit.exposure, "exposure")
    frame = declared("frame", grid="final", stays=stays)
    yield maker(frame, lambda job: np.ones(job.window.shape, np.float32), "tile", grid="final")
    yield maker(declared("run", "value", stays=stays), lambda job: len(job.exposures), "run")


@pytest.fixture
def run_with():
    names = []

    def run(found, *more, **parameters):
        class Plugin:
            @hookimpl
            def drizframe_extra_steps(self):
                yield from found

        names.append(drizframe.register(Plugin()))
        try:
            return drizframe.run(sample_exposures(), *more, **{**SETTINGS, **parameters})
        finally:
            drizframe.unregister(names.pop())

    return run


def check(result):
    planes = result.planes
    assert set(planes) == {"mine.chip", "mine.exposure", "mine.frame", "mine.run"}
    assert planes["mine.run"] == 3
    assert planes["mine.exposure"] == {"sample0": 0, "sample1": 1, "sample2": 2}
    assert planes["mine.frame"].shape == result.sci.shape
    for exposure in result.exposures:
        (image,) = planes["mine.chip"][exposure.name]
        np.testing.assert_array_equal(image, exposure.chips[0].data())


def test_planes_that_a_plugin_declares_to_stay_are_in_the_result(run_with):
    check(run_with(steps(stays=True)))


def test_planes_of_plugins_that_the_user_names_are_in_the_result(run_with):
    result = run_with(steps(stays=False), keep="mine.chip,mine.exposure,mine.frame,mine.run")
    check(result)
    assert not [text for text in result.warnings if "writes nothing" in text]


def test_planes_that_nobody_wants_are_forgotten(run_with):
    assert not run_with(steps(stays=False)).planes
    assert not drizframe.run(sample_exposures(), **SETTINGS).planes


def test_a_plane_of_some_chips_has_none_for_the_others(run_with):
    plane = declared("chip", stays=True)

    def run(job):
        return {plane.name: np.array(job.read("sci"))} if job.unit.exposure == 1 else {}

    result = run_with([Step(name="one", summary="O.", needs=("sci",), makes=(plane,), over="chip", run=run)])
    assert list(result.planes[plane.name]) == ["sample1"]


def test_any_plane_of_the_run_can_be_kept_and_those_with_files_are_written(run_with, tmp_path):
    with pytest.warns(
        DrizframeWarning, match="keep names 'mine.chip', of which no file is made: Result.planes holds it"
    ):
        result = run_with(
            steps(stays=False),
            tmp_path / "out",
            keep="mine.chip,median",
            median=True,
            driz_cr=False,
        )
    assert set(result.planes) == {"mine.chip"}
    assert (tmp_path / "out_med.fits").is_file()


def test_without_an_output_planes_with_files_are_in_the_result_too(run_with):
    result = drizframe.run(sample_exposures(), keep="median,blot", driz_cr=False)
    np.testing.assert_array_equal(result.planes["median"], result.median)
    assert [len(images) for images in result.planes["blot"].values()] == [1, 1, 1]


def test_a_plane_that_nobody_declares_is_refused_with_those_that_there_are(run_with):
    with pytest.raises(UnknownComponentError, match=r"'mine.chp'.*mine.chip.*Did you mean 'mine.chip'"):
        run_with(steps(stays=False), keep="mine.chp")


def test_of_a_plane_that_nobody_declares_all_planes_are_told(run_with):
    with pytest.raises(UnknownComponentError) as caught:
        run_with(steps(stays=False), keep="count.nex")
    assert {"all", "median", "mine.chip", "sky", "single.sci"} <= set(caught.value.choices)


@pytest.mark.parametrize("name", ["mine.median", "other.single.sci", "quite_different"])
def test_a_plane_with_a_name_of_its_own_may_be_for_nobody(run_with, name):
    plane = Plane(name=name, meaning="for a test", on="run", kind="value")
    run_with(
        [Step(name="x.y", summary="M.", needs=(), makes=(plane,), over="run", run=lambda job: {name: 1})]
    )


@pytest.mark.parametrize(("name", "near"), [("medan", "median"), ("single.scy", "single.sci")])
def test_a_plane_that_looks_like_a_slip_of_the_pen_says_how_to_name_one_of_your_own(run_with, name, near):
    plane = Plane(name=name, meaning="for a test", on="run", kind="value")
    step = Step(name="x.y", summary="M.", needs=(), makes=(plane,), over="run", run=lambda job: {name: 1})
    with pytest.raises(
        drizframe.errors.HookError, match=f"Did you mean '{near}'.*your own and a dot in front, 'mine.{name}'"
    ):
        run_with([step])


def test_a_writer_without_an_output_is_told():
    with pytest.warns(
        DrizframeWarning, match="writer='fits-mef' writes nothing, for there is no output.*Result.write"
    ):
        drizframe.run(sample_exposures(), writer="fits-mef", **SETTINGS)
