"""Planted faults of steps: the kit catches each in the check that is meant for it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from drizframe.hooks import Need, Step
from drizframe.model import ChipUnit, Plane, PlaneKey
from drizframe.testing import StepSample, examples, run_checks
from drizframe.testing.samples import sample_exposures

pytestmark = pytest.mark.usefixtures("steady")

ALL_CHECKS = ("check_declares_what_it_makes", "check_tile_independence", "check_inputs_untouched",
              "check_results_are_its_own", "check_reads_what_it_declares")  # fmt: skip


def caught(record, name, *also, sample=None):
    """Assert that a fault fails in the check meant for it (and in `also` at most), and return the text."""
    found = {o.check: o.text for o in run_checks(record, sample=sample) if not o.ok}
    assert name in found, f"not caught; failed: {sorted(found)}"
    assert set(found) <= {name, *also}, {k: v.splitlines()[:4] for k, v in found.items()}
    return found[name]


def step(run, **more):
    made = Plane(name="mine", meaning="for a test", on="frame", grid="separate")
    more = {"needs": ("median",), "makes": (made,), "over": "tile", "grid": "separate", **more}
    return Step(name="mine.step", summary="For a test.", run=run, **more)


SAMPLE = StepSample(exposures=sample_exposures, parameters={"driz_cr_corr": True})


def test_step_whose_result_depends_on_the_position_in_the_tile():
    def ramp(job):
        image = job.read("median", window=job.window)
        return {"mine": image + np.arange(image.shape[1], dtype=np.float32)}

    text = caught(step(ramp), "check_tile_independence", sample=SAMPLE)
    assert "whatever the tiles" in text
    assert "tile_size" in text


def test_step_whose_result_depends_on_the_size_of_the_tile():
    def local_mean(job):
        image = np.array(job.read("median", window=job.window))
        return {"mine": image - np.float32(image.mean())}

    caught(step(local_mean), "check_tile_independence", sample=SAMPLE)


def test_step_that_makes_an_undeclared_plane():
    def generous(job):
        image = np.array(job.read("median", window=job.window))
        return {"mine": image, "extra": image}

    text = caught(
        step(generous), "check_declares_what_it_makes", *ALL_CHECKS, sample=SAMPLE,
    )  # fmt: skip
    assert "['extra', 'mine']" in text


def test_step_that_reads_an_undeclared_plane():
    def curious(job):
        job.read("sky", None)
        return {"mine": np.array(job.read("median", window=job.window))}

    text = caught(
        step(curious), "check_reads_what_it_declares", *ALL_CHECKS, sample=SAMPLE,
    )  # fmt: skip
    assert "sky" in text


def test_step_that_edits_what_it_reads():
    def editing(job):
        image = job.read("median", window=job.window)
        if image.flags.writeable:
            image *= 2
        return {"mine": np.array(image)}

    assert "plane 'median'" in caught(step(editing), "check_inputs_untouched", sample=SAMPLE)


def test_step_that_is_random():
    def noisy(job):
        image = np.array(job.read("median", window=job.window))
        return {"mine": image + np.random.default_rng().normal(size=image.shape).astype(np.float32)}

    caught(step(noisy), "check_tile_independence", sample=SAMPLE)


def chip_step(run, **more):
    made = Plane(name="mine", meaning="for a test", on="chip", dtype="uint8")
    return Step(
        name="mine.step", summary="For a test.", run=run,
        **{"needs": ("sci",), "makes": (made,), "over": "chip", **more},
    )  # fmt: skip


def test_sound_steps_on_chips_and_bands_pass():
    def bright(job):
        return {"mine": (job.read("sci") > 25).astype(np.uint8)}

    for over in ("chip", "band"):
        with examples(5):
            outcomes = run_checks(chip_step(bright, over=over), sample=SAMPLE)
        assert {o.check: o.state for o in outcomes} == dict.fromkeys(ALL_CHECKS, "passed")


def test_step_that_reads_another_unit_than_it_declares():
    def curious(job):
        other = ChipUnit((job.unit.exposure + 1) % 3, 0)
        return {"mine": (job.read("sci") > job.read("sci", other)).astype(np.uint8)}

    text = caught(chip_step(curious), "check_reads_what_it_declares", *ALL_CHECKS, sample=SAMPLE)
    assert "of the units that it declares" in text
    assert "of='own'" in text
    with examples(5):
        sound = run_checks(chip_step(curious, needs=(Need("sci", of="all"),)), sample=SAMPLE)
    assert {o.state for o in sound} == {"passed"}


def far_apart():
    """Exposures the third of which lies beside the others, on the same frame."""
    made = sample_exposures()
    wcs = made[2].chips[0].wcs.deepcopy()
    wcs.wcs.crpix = wcs.wcs.crpix - [60.0, 0.0]
    return [*made[:2], made[2].with_chips([dataclasses.replace(made[2].chips[0], wcs=wcs)])]


def test_step_that_reads_chips_that_do_not_touch_its_tile():
    def total(job):
        level = np.float32(sum(float(job.read("sci", u).mean()) for u in job.units("chip")))
        return {"mine": np.full(job.window.shape, level)}

    record = step(total, needs=("median", Need("sci", of="touching")))
    sample = StepSample(exposures=far_apart, parameters={"tile_size": 16})
    text = caught(record, "check_reads_what_it_declares", *ALL_CHECKS, sample=sample)
    assert "of='touching'" in text


def test_step_that_reads_farther_than_its_border():
    def smooth(job):
        wide = job.window.grown(2, within=job.frame("separate").shape)
        return {"mine": np.array(job.read("median", window=wide)[job.window.relative_to(wide).slices])}

    text = caught(
        step(smooth, needs=(Need("median", border=1),)), "check_reads_what_it_declares", *ALL_CHECKS,
        sample=StepSample(exposures=sample_exposures, parameters={"tile_size": 16}),
    )  # fmt: skip
    assert "no farther around its tile" in text
    assert "border=1" in text


def test_step_whose_border_is_too_small_for_what_it_computes():
    def smooth(job):
        image = np.asarray(job.read("median"))
        blurred = (image + np.roll(image, 1, axis=1) + np.roll(image, -1, axis=1)) / np.float32(3)
        wide = job.window.grown(1, within=job.frame("separate").shape)
        return {
            "mine": blurred
            if image.shape == job.window.shape
            else blurred[job.window.relative_to(wide).slices]
        }

    caught(step(smooth), "check_tile_independence", sample=SAMPLE)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda image: (image > 25).astype(np.uint8)[:-1], "with shape (39, 44); it must have (40, 44)"),
        (lambda image: image, "with type float32; it must hold integers"),
        (lambda image: (image > 25) * 300, "must fit into uint8"),
        (lambda image: 1, "as int 1; it must be an array of shape (40, 44)"),
    ],
)
def test_step_that_makes_something_else_than_it_declares(answer, words):
    record = chip_step(lambda job: {"mine": answer(job.read("sci"))})
    text = caught(record, "check_declares_what_it_makes", *ALL_CHECKS, sample=SAMPLE)
    assert "makes what it declares" in text
    assert words in text


def test_step_that_makes_planes_of_other_units():
    def generous(job):
        good = np.ones(job.chip.shape, np.uint8)
        return {PlaneKey("mine", unit): good for unit in job.units("chip")}

    text = caught(chip_step(generous), "check_declares_what_it_makes", *ALL_CHECKS, sample=SAMPLE)
    assert "A step makes planes of its own unit" in text


def test_step_whose_numbers_have_another_type_for_another_chip():
    def odd(job):
        return {"mine": np.asarray(job.read("sci"), dtype=np.float64 if job.unit.exposure else np.float32)}

    made = Plane(name="mine", meaning="for a test", on="chip")
    text = caught(chip_step(odd, makes=(made,)), "check_declares_what_it_makes", sample=SAMPLE)
    assert "numbers of one type" in text


def test_step_whose_result_depends_on_the_band():
    def rows(job):
        image = job.read("sci")
        return {"mine": (image > np.median(image)).astype(np.uint8)}

    text = caught(chip_step(rows, over="band"), "check_tile_independence", sample=SAMPLE)
    assert "bands" in text


def test_a_step_that_needs_another_of_its_plugin_is_tried_with_it():
    level = Plane(name="mine.level", meaning="median of the chip", on="chip", kind="value", value=float)
    first = Step(
        name="mine.measure", summary="M.", needs=("sci",), makes=(level,), over="chip",
        run=lambda job: {"mine.level": float(np.nanmedian(job.read("sci")))},
    )  # fmt: skip
    second = Step(
        name="mine.flatten", summary="F.", needs=("sci", Need("mine.level")), makes=("sci",), over="band",
        run=lambda job: {"sci": job.read("sci") - np.float32(job.read("mine.level"))},
    )  # fmt: skip
    sample = StepSample(exposures=sample_exposures, steps=(first,))
    with examples(3):
        assert [o.state for o in run_checks(second, sample=sample) if not o.ok] == []
