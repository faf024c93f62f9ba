"""The job for tests of steps: what the engine's job gives and refuses, without a run."""

from __future__ import annotations

import numpy as np
import pytest

from drizframe.errors import HookError, ParameterError, PluginError, RunError, ShapeError
from drizframe.hooks import Combiner, Need, PluginManager, Step
from drizframe.model import (
    RUN,
    ChipUnit,
    ExposureUnit,
    FrameUnit,
    PixelMap,
    Plane,
    PlaneKey,
    SkyValue,
    Window,
)
from drizframe.stock.steps.median import MEDIAN
from drizframe.stock.steps.separate import SEPARATE
from drizframe.testing import FakeJob
from drizframe.testing.samples import sample_exposures

CHIP = (40, 44)
ONES = np.ones(CHIP, np.float32)
LEVEL = Plane(name="mine.level", meaning="a level", on="chip", kind="value", value=float)


def step(run=lambda job: {}, **fields):
    fields = {"needs": ("sci", "sky"), "makes": ("sci",), "over": "chip", **fields}
    return Step(name="mine.step", summary="For a test.", run=run, **fields)


def test_a_step_gets_what_was_given_and_its_answer_comes_back_by_name():
    job = FakeJob(step(lambda job: {"sci": 2 * job.read("sci")}), {"sci": ONES, "sky": SkyValue(1.0, 1.0)})
    np.testing.assert_array_equal(job.run()["sci"], 2 * ONES)
    assert job.read("sky").level == 1.0
    assert job.reads == [PlaneKey("sci", ChipUnit(0, 0)), PlaneKey("sky", ChipUnit(0, 0))]


def test_images_that_are_not_given_come_from_the_exposures():
    exposures = sample_exposures(2)
    job = FakeJob(step(), exposures=exposures, unit=ChipUnit(1, 0))
    np.testing.assert_array_equal(job.read("sci"), exposures[1].chips[0].data())
    assert job.exposure.name == "sample1"
    assert job.chip.shape == CHIP


def test_what_is_read_cannot_be_written_to_and_what_was_given_still_can():
    given = ONES.copy()
    job = FakeJob(step(), {"sci": given})
    assert not job.read("sci").flags.writeable
    assert given.flags.writeable


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda job: job.read("err"), "reads plane 'err' but does not declare it"),
        (lambda job: list(job.each("err")), "reads plane 'err' but does not declare it"),
        (lambda job: job.read("sci", ChipUnit(1, 0)), r"Declare Need\('sci', of='all'\)"),
        (lambda job: job.window, "works over 'chip': its job has no 'window'"),
        (lambda job: job.drizzle([], None), "its job has no 'drizzle'. Only steps over tiles drizzle"),
    ],
)
def test_what_the_engine_refuses_is_refused(read, words):
    with pytest.raises(HookError, match=words):
        read(FakeJob(step()))


def test_a_plane_that_is_needed_and_not_given_names_who_makes_it():
    with pytest.raises(
        RunError, match="'single.sci' of sample0, which was not made. Step 'separate' makes it"
    ):
        FakeJob(MEDIAN).run()
    optional = FakeJob(step(needs=("sci", "mask.static")))
    assert optional.read("mask.static") is None


def test_planes_of_several_units_come_in_order():
    planes = {("sky", ChipUnit(i, 0)): SkyValue(float(i), float(i)) for i in (2, 0)}
    job = FakeJob(step(over="run", needs=(Need("sky", of="all", optional=True),), makes=()), planes)
    assert [(unit.exposure, sky.level) for unit, sky in job.each("sky")] == [(0, 0.0), (2, 2.0)]
    assert job.units("exposure") == tuple(ExposureUnit(i) for i in range(3))


def test_an_answer_is_checked_as_in_a_run():
    with pytest.raises(PluginError, match=r"'sci' with shape \(39, 44\); it must have \(40, 44\)"):
        FakeJob(step(lambda job: {"sci": job.read("sci")[1:]})).run()
    with pytest.raises(
        PluginError, match="Step 'mine.step' of .* failed on sample0, chip 1: ZeroDivisionError"
    ):
        FakeJob(step(lambda job: 1 / 0)).run()


def test_planes_of_other_units_come_back_by_their_keys():
    def run(job):
        return {PlaneKey("mine.level", unit): 1.0 for unit in job.units("chip")}

    made = FakeJob(step(run, over="run", makes=(LEVEL,))).run()
    assert made == {PlaneKey("mine.level", ChipUnit(i, 0)): 1.0 for i in range(3)}


def test_notes_warnings_and_components_are_remembered():
    def run(job):
        job.note("one")
        job.note("two", warn=True)
        stack = np.stack([ONES, ONES])
        mean = job.call(job.component("combiner", job.parameters.combine_type))
        return {"sci": mean(stack, stack < 0, weight=stack, n_total=2)}

    def lowest(stack, bad, **facts):
        return stack.min(axis=0)

    mine = Combiner(name="mine", summary="Lowest.", reference=lowest)
    job = FakeJob(step(run), combine_type=mine)
    job.run()
    assert (job.notes, job.warnings) == (["one", "two"], ["two"])
    assert job.backends == {"combiner mine": "reference"}


def test_a_tile_is_the_whole_footprint_unless_one_is_named():
    weights = {("single.mask", ChipUnit(i, 0)): ONES for i in range(3)}
    job = FakeJob(SEPARATE, weights, unit=ExposureUnit(1))
    whole = job.run()
    assert whole["single.sci"].shape == job.footprint(ExposureUnit(1)).shape == job.window.shape
    window = Window(job.window.y0 + 5, job.window.y0 + 20, job.window.x0 + 3, job.window.x0 + 9)
    part = FakeJob(SEPARATE, weights, unit=ExposureUnit(1), window=window).run()
    cut = whole["single.sci"][window.relative_to(job.window).slices]
    np.testing.assert_array_equal(part["single.sci"], cut)


def test_grids_can_be_given():
    job = FakeJob(
        step(over="tile", grid="final", needs=(Need("sci", of="touching"),), makes=("mosaic.sci",)),
        frames={"final": (50, 60)}, maps=lambda unit, which: PixelMap.from_function(lambda x, y: (x, y), CHIP), ratio=0.5,
    )  # fmt: skip
    assert job.unit == FrameUnit("final")
    assert job.window == Window(0, 50, 0, 60)
    assert job.scale_ratio(ChipUnit(0, 0), "final") == 0.5
    with pytest.raises(HookError, match="asks for the 'separate' frame; give it to FakeJob"):
        job.frame("separate")


def test_images_of_exposures_have_the_shape_of_the_footprint_or_of_the_frame():
    record = step(over="tile", grid="separate", needs=(Need("single.sci", of="touching"),), makes=("median",))
    job = FakeJob(record)
    foot, frame = job.footprint(ExposureUnit(1)), job.frame("separate").shape
    image = np.random.default_rng(1).normal(size=frame).astype(np.float32)
    image[: foot.y0], image[foot.y1 :], image[:, : foot.x0], image[:, foot.x1 :] = 0, 0, 0, 0
    for given in (image, image[foot.slices]):
        got = FakeJob(record, {("single.sci", ExposureUnit(1)): given}).read("single.sci", ExposureUnit(1))
        np.testing.assert_array_equal(got, image)


@pytest.mark.parametrize(
    ("planes", "error", "words"),
    [
        ({"scy": ONES}, HookError, "FakeJob is given plane 'scy', which nobody declares. Did you mean 's"),
        (
            {"sci": ONES[1:]},
            ShapeError,
            r"'sci' of sample0, chip 1 with shape \(39, 44\).*must be \(40, 44\)",
        ),
        ({("sci", ChipUnit(7, 0)): ONES}, HookError, "it is a plane of a chip. Name the unit"),
        ({("sci", RUN): ONES}, HookError, "it is a plane of a chip. Name the unit"),
    ],
)
def test_planes_that_do_not_fit_are_refused(planes, error, words):
    with pytest.raises(error, match=words):
        FakeJob(step(), planes)


def test_planes_of_other_plugins_are_declared():
    record = step(needs=("sci", "other.level"))
    with pytest.raises(HookError, match="needs plane 'other.level', which nobody declares"):
        FakeJob(record)
    other = Plane(name="other.level", meaning="a level", on="chip", kind="value")
    assert FakeJob(record, {"other.level": 3}, declared=[other]).read("other.level") == 3


def test_a_unit_that_is_not_there_is_refused():
    with pytest.raises(HookError, match="none of this run of 3 exposures"):
        FakeJob(step(), unit=ChipUnit(3, 0))


@pytest.mark.parametrize("name", [s.name for s in PluginManager(installed=False).steps()])
def test_every_step_of_drizframe_can_have_one(name):
    record = next(s for s in PluginManager(installed=False).steps() if s.name == name)
    job = FakeJob(record)
    assert job.parameters.combine_type == "minmed"
    assert job.unit is not None


BANDS = step(over="band", run=lambda job: {"sci": job.read("sci")})


@pytest.mark.parametrize(
    ("record", "window", "error", "words"),
    [
        (
            BANDS,
            Window(0, 400, 0, 44),
            ShapeError,
            r"which is not within sample0, chip 1: Window\(y0=0, y1=40, x0=0, x1=44\)",
        ),
        (BANDS, Window(3, 3, 0, 44), ShapeError, "which is not within sample0, chip 1"),
        (BANDS, Window(-1, 4, 0, 44), ShapeError, "which is not within sample0, chip 1"),
        (BANDS, Window(0, 4, 0, 4), ShapeError, "a band has all columns of the chip, x0=0, x1=44"),
        (BANDS, (0, 4, 0, 44), HookError, r"give a drizframe.Window\(y0, y1, x0, x1\)"),
        (step(), Window(0, 4, 0, 44), HookError, "works over 'chip': only tiles and bands have a window"),
        (
            step(over="tile", grid="separate", makes=("median",)),
            Window(0, 4000, 0, 9),
            ShapeError,
            "is not within",
        ),
    ],
)
def test_a_window_that_no_run_would_give_is_refused(record, window, error, words):
    with pytest.raises(error, match=words):
        FakeJob(record, window=window)


def test_parameters_of_the_step_come_as_in_a_run():
    with pytest.raises(ParameterError, match=r"options=\{'sigma': 3\}.*plugins=\{'mine': \{\.\.\.\}\}"):
        FakeJob(step(), options={"sigma": 3})
