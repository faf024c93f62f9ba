"""Planted faults that need a particular input to show: long lists, odd positions, wide images, many tasks."""

from __future__ import annotations

import threading
from concurrent.futures import Executor as Pool
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from planted import executor, faults
from pydantic import BaseModel

from drizframe.errors import HookError
from drizframe.headers import generic_exposure
from drizframe.hooks import (
    Combiner,
    CosmicRayDetector,
    Executor,
    Instrument,
    Interpolator,
    Kernel,
    SkyMethod,
    SkyStatistic,
    Step,
)
from drizframe.model import Plane, SkyValue
from drizframe.stock.interpolators.linear import LINEAR
from drizframe.stock.kernels.turbo import TURBO
from drizframe.testing import InstrumentSample, StepSample, checks_for, examples, run_checks
from drizframe.testing.conformance import Bound, conformance
from drizframe.testing.samples import sample_exposures

pytestmark = pytest.mark.usefixtures("steady")

EXAMPLES = 25


def caught(record, name, sample=None, count=EXAMPLES):
    """Assert that a fault fails in the check meant for it, and return the text."""
    found = next(c for c in checks_for(record) if c.name == name)
    with examples(count), pytest.raises(AssertionError) as failure:
        found.run(record, sample)
    text = str(failure.value)
    for part in ("expected:", "got:", "where:", record.name):
        assert part in text, text
    return text


# -- kernels and interpolators -----------------------------------------------------------------------------------------


def kernel(change, **more):
    """Return a kernel that is turbo's, changed by ``change(weights, x, y, shape, pixfrac, scale)``."""

    def footprint(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        weights = TURBO.reference(x, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale)
        return change(weights, x, y, shape, pixfrac, scale)

    return Kernel(name="mine", summary="For a test.", footprint=footprint, support=TURBO.support, **more)


def interpolator(change, **more):
    """Return an interpolator that is linear, changed by ``change(values, image, x, y)``."""

    def reference(image, x, y, *, fill=0.0):
        values = LINEAR.reference(image, x, y, fill=fill)
        ny, nx = image.shape
        inside = (x >= 0) & (x < nx) & (y >= 0) & (y < ny)
        return np.where(inside, change(values, image, x, y), fill)

    return Interpolator(name="mine", summary="For a test.", reference=reference, **more)


@pytest.mark.parametrize("change", [
    lambda w, x, *rest: w * (1 + 1e-3 * len(x)),
    lambda w, x, *rest: w * (1.01 if len(x) == 1 else 1.0),
    lambda w, x, *rest: w * (1.01 if len(x) > 1000 else 1.0),
    lambda w, x, *rest: w * (1 + 1e-3 * np.sin(x.mean())),
    lambda w, *rest: np.concatenate([w[:-1], w[-1:] * 1.01]),
])  # fmt: skip
def test_kernel_that_looks_at_the_other_pixels_of_the_call(change):
    assert "whatever other pixels" in caught(kernel(change), "check_list_independence")


@pytest.mark.parametrize("change", [
    lambda v, image, x, y: v * (1 + 1e-4 * len(x)),
    lambda v, image, x, y: v * (1.01 if len(x) == 1 else 1.0),
    lambda v, image, x, y: v + 1e-3 * np.arange(len(x)),
])  # fmt: skip
def test_interpolator_that_looks_at_the_other_positions_of_the_call(change):
    assert "whatever other pixels" in caught(interpolator(change), "check_list_independence")


def where(condition, factor=1.01):
    """Return what a pixel's weights are multiplied with."""
    return np.where(condition, factor, 1.0)[:, None, None]


@pytest.mark.parametrize("change", [
    lambda w, x, y, shape, pixfrac, scale: w * (1.01 if pixfrac < 0.2 else 1.0),
    lambda w, x, y, shape, pixfrac, scale: w * (1.01 if pixfrac > 2.0 else 1.0),
    lambda w, x, y, shape, pixfrac, scale: w * (1.01 if scale < 0.3 else 1.0),
    lambda w, x, y, shape, pixfrac, scale: w * (1.01 if scale > 2.5 else 1.0),
    lambda w, x, y, *rest: w * where(x == np.round(x)),
    lambda w, x, y, *rest: w * where(y - np.floor(y) == 0.5),
])  # fmt: skip
def test_kernel_that_loses_flux_for_some_sizes_and_positions(change):
    caught(kernel(change, traits={"conserves_flux"}), "check_conserves_flux", count=60)


@pytest.mark.parametrize("change", [
    lambda w, x, *rest: w * where(x < 0),
    lambda w, x, *rest: w * where(x > 1000),
    lambda w, x, y, *rest: w * where(y > 2000),
])  # fmt: skip
def test_kernel_that_depends_on_the_place_on_the_frame(change):
    assert "shifts by whole pixels" in caught(kernel(change), "check_whole_pixel_shifts")


@pytest.mark.parametrize("axis", [0, 1])
def test_kernel_that_is_wrong_in_windows_of_one_row_or_column(axis):
    def change(w, x, y, shape, pixfrac, scale):
        return w * 1.01 if shape[axis] == 1 else w

    caught(kernel(change), "check_window_independence")


@pytest.mark.parametrize("change", [
    lambda w, x, *rest: w * where(x == np.round(x)),
    lambda w, x, y, *rest: w * where(y - np.floor(y) == 0.5),
])  # fmt: skip
def test_kernel_without_promises_that_is_wrong_on_whole_or_half_pixels(change):
    assert "a little beside" in caught(kernel(change), "check_special_positions")


@pytest.mark.parametrize("change", [
    lambda v, image, x, y: v * np.where(x == np.floor(x), 1.01, 1.0),
    lambda v, image, x, y: v * np.where(y - np.floor(y) == 0.5, 1.01, 1.0),
])  # fmt: skip
def test_interpolator_that_is_wrong_on_whole_or_half_pixels(change):
    assert "a little beside" in caught(interpolator(change), "check_special_positions")


@pytest.mark.parametrize("change", [
    lambda v, image, x, y: v * np.where(y >= image.shape[0] - 1, 1.01, 1.0),
    lambda v, image, x, y: v * np.where(x > image.shape[1] - 1, 1.01, 1.0),
])  # fmt: skip
def test_interpolator_that_is_wrong_in_the_last_row_or_column(change):
    assert "constant image" in caught(interpolator(change), "check_constant")


def test_interpolator_that_is_wrong_in_single_precision():
    record = interpolator(lambda v, image, x, y: v * 1.5 if image.dtype == np.float32 else v)
    assert "float32" in caught(record, "check_single_precision")


def test_interpolator_that_fails_for_an_image_of_one_row():
    def change(v, image, x, y):
        return v if min(image.shape) > 1 else v / 2

    caught(interpolator(change), "check_constant")


def test_interpolator_that_looks_at_the_size_of_the_image():
    record = interpolator(lambda v, image, x, y: v * (1 + 1e-4 * (image.shape[0] > 30)))
    assert "for a cut" in caught(record, "check_cuts")


def test_interpolator_that_a_far_pixel_without_a_number_disturbs():
    caught(interpolator(lambda v, image, x, y: v + 0 * np.sum(image)), "check_reach")


# -- profiles ----------------------------------------------------------------------------------------------------------


def bell(cut, *, norm=1.0):
    """Return a kernel whose profile is that of stock's gaussian, with a support of so many input pixels."""

    def profile(dx, dy, *, pixfrac):
        e = 2.3548**2 / (2 * pixfrac**2)
        return norm * e / np.pi * np.exp(-e * (dx**2 + dy**2))

    return Kernel(name="mine", summary="For a test.", profile=profile, support=lambda pixfrac: cut)


def cone(radius):
    def profile(dx, dy, *, pixfrac):
        return 3 / np.pi * np.clip(1 - np.hypot(dx, dy), 0, None)

    return Kernel(name="mine", summary="For a test.", profile=profile, support=lambda pixfrac: radius)


PROFILE_CHECKS = ("check_support_holds_profile", "check_integral")


@pytest.mark.parametrize("record", [bell(1.2), cone(1.0)])
def test_sound_profiles_pass(record):
    with examples(EXAMPLES):
        for check in checks_for(record):
            if check.name in PROFILE_CHECKS:
                check.run(record)


@pytest.mark.parametrize("record", [bell(0.6), bell(0.7), cone(0.5)])
def test_profile_that_is_cut_off_high(record):
    text = caught(record, "check_support_holds_profile")
    assert "take a larger support" in text


@pytest.mark.parametrize("record", [
    bell(1.2, norm=0.9), bell(1.2, norm=2.0),
    kernel(lambda w, *rest: 1.1 * w),
])  # fmt: skip
def test_kernel_that_is_not_normalised(record):
    assert "keeps flux on average" in caught(record, "check_integral")


def test_interpolator_profile_that_is_cut_off_high():
    record = Interpolator(
        name="mine", summary="For a test.", profile=lambda dx, dy: np.exp(-(dx**2 + dy**2) / 2), support=1.5
    )
    caught(record, "check_support_holds_profile")


# -- combiners ---------------------------------------------------------------------------------------------------------


def combiner(change, **more):
    """Return a combiner that is a mean of the good values, changed by ``change(image, stack, bad, n_total)``."""

    def reference(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
        good = ~bad & np.isfinite(stack)
        total = np.where(good, stack, 0).sum(axis=0, dtype=np.float64)
        image = (total / np.maximum(good.sum(axis=0), 1)).astype(np.float32)
        return np.asarray(change(image, stack, bad, n_total), dtype=np.float32)

    return Combiner(name="mine", summary="For a test.", reference=reference, **more)


def test_a_sound_combiner_passes():
    assert_sound(combiner(lambda image, *rest: image, traits={"order_free"}))


def assert_sound(record, sample=None):
    assert faults(record, sample=sample, count=EXAMPLES) == {}


@pytest.mark.parametrize("change", [
    lambda image, stack, *rest: image * 1.01 if len(stack) > 10 else image,
    lambda image, stack, *rest: image * 1.01 if len(stack) == 1 else image,
    lambda image, stack, *rest: image * 1.01 if len(stack) == 2 else image,
    lambda image, *rest: np.maximum(image, 0),
    lambda image, *rest: np.minimum(image, 1e4),
])  # fmt: skip
def test_combiner_that_is_wrong_for_some_numbers_of_exposures_or_values(change):
    assert "constant" in caught(combiner(change), "check_constant")


@pytest.mark.parametrize("change", [
    lambda image, stack, bad, n_total: np.where((bad | ~np.isfinite(stack)).all(axis=0), np.nan, image),
    lambda image, stack, bad, n_total: np.where(bad.all(axis=0), -1, image),
    lambda image, stack, bad, n_total: np.where((~np.isfinite(stack)).all(axis=0), 7, image),
])  # fmt: skip
def test_combiner_that_gives_something_where_nothing_is_good(change):
    assert "gives 0 where no value is good" in caught(combiner(change), "check_all_bad")


@pytest.mark.parametrize("change", [
    lambda image, stack, bad, n_total: image * (1 + len(stack) / n_total),
    lambda image, stack, *rest: image + stack[0],
    lambda image, stack, bad, n_total: np.where(bad.mean(axis=0) > 0.4, image + 1, image),
])  # fmt: skip
def test_combiner_that_promises_to_do_without_exposures_and_does_not(change):
    caught(combiner(change, traits={"sparse"}), "check_sparse")


def test_combiner_that_is_random():
    rng = np.random.default_rng(1)
    record = combiner(lambda image, *rest: image * (1 + 1e-3 * rng.normal(size=image.shape)))
    assert "each time" in caught(record, "check_same_again")


def test_combiner_that_divides_by_the_exposures_of_the_run_that_are_not_there():
    with np.errstate(divide="ignore"):
        record = combiner(lambda image, stack, bad, n_total: image / np.float32(n_total == len(stack)))
        assert "finite" in caught(record, "check_same_again")


@pytest.mark.parametrize("change", [
    lambda image, *rest: image * 1.01 if image.shape[1] > 50 else image,
    lambda image, *rest: image + (0.01 * image.mean() if image.size > 400 else 0.0),
])  # fmt: skip
def test_combiner_that_depends_on_the_tile(change):
    assert "columns of an image" in caught(combiner(change), "check_halo")


# -- detectors ---------------------------------------------------------------------------------------------------------


def detector(change=None, *, needs=("needs_blot",), **more):
    """Return a detector of 5 sigma, changed by ``change(hit, sci, depth)``."""

    def reference(sci, blot, deriv, noise, depth, dq, options):
        hit = sci - blot > 5 * noise
        return (hit if change is None else change(hit, sci, depth)).astype(np.uint8)

    return CosmicRayDetector(
        name="mine", summary="For a test.", reference=reference, traits=set(needs), **more
    )


@pytest.mark.parametrize("change", [
    lambda hit, sci, depth: hit & (sci > np.nanmean(sci) + 20),
    lambda hit, sci, depth: hit & (np.arange(len(hit)) % 2 == 0)[:, None],
    lambda hit, sci, depth: hit & (hit.shape[1] < 90),
])  # fmt: skip
def test_detector_that_depends_on_the_tile(change):
    caught(detector(change), "check_halo")


def test_a_detector_that_needs_the_depth_gets_it():
    assert_sound(detector(lambda hit, sci, depth: hit & (depth > 0), needs=("needs_blot", "needs_depth")))


# -- sky ---------------------------------------------------------------------------------------------------------------


def method(change, level=None):
    """Return a method that takes each chip's mean, changed by ``change(value, chip)``."""

    def reference(chips, statistic, *, overlaps, options):
        found = {}
        for c in chips:
            value, n = statistic(c.pixels())
            value = float(change(float(value), c)) if n else 0.0
            found[c.key] = SkyValue(
                subtracted=value, level=value if level is None else level(value), method="mine"
            )
        return found

    return SkyMethod(name="mine", summary="For a test.", reference=reference)


def test_a_sound_sky_method_passes():
    assert_sound(method(lambda value, chip: value))


@pytest.mark.parametrize("change", [
    lambda value, chip: value + 100,
    lambda value, chip: abs(value),
    lambda value, chip: max(value, 0.0),
    lambda value, chip: 0.985 * value,
    lambda value, chip: value * (0.99 if chip.exposure == 1 else 1.0),
    lambda value, chip: value * chip.conversion,
    lambda value, chip: value + np.sin(value),
])  # fmt: skip
def test_sky_method_that_is_wrong_for_constant_images(change):
    assert "constant images" in caught(method(change), "check_constant_sky")


@pytest.mark.parametrize("level", [lambda value: -5.0, abs, lambda value: 2 * value])
def test_sky_method_with_a_wrong_level(level):
    assert "level, " in caught(method(lambda value, chip: value, level), "check_constant_sky")


def statistic(value_of):
    def reference(values, options):
        return (float(value_of(values)), values.size) if values.size else (float("nan"), 0)

    return SkyStatistic(name="mine", summary="For a test.", reference=reference)


def test_a_sound_statistic_passes():
    assert_sound(statistic(lambda values: np.quantile(values, 0.25)))


def test_a_statistic_that_wants_ten_values_passes():
    def reference(values, options):
        return (float(np.median(values)), values.size) if values.size >= 10 else (float("nan"), 0)

    assert_sound(SkyStatistic(name="mine", summary="For a test.", reference=reference))


@pytest.mark.parametrize("value_of", [
    lambda values: np.mean(np.abs(values)),
    lambda values: max(np.median(values), 0.0),
    lambda values: 2 * np.median(values) if values.size == 1 else np.median(values),
    lambda values: 1.5 * np.median(values) if values.size > 1000 else np.median(values),
    lambda values: np.median(values) - (0.5 if np.ptp(values) == 0 else 0.0),
    lambda values: np.median(values) / (values.size - 1),
])  # fmt: skip
def test_statistic_that_is_wrong_for_few_many_or_negative_values(value_of):
    with np.errstate(all="ignore"):
        caught(statistic(value_of), "check_few_and_negative")


# -- executors ---------------------------------------------------------------------------------------------------------


def test_a_sound_executor_passes():
    assert_sound(Executor(name="mine", summary="For a test.", open=ThreadPoolExecutor))


def wrong_if_many(number, task):
    return task() if number < 40 else task() - 1


def few_workers(workers):
    if workers > 6:
        raise RuntimeError(workers)
    return ThreadPoolExecutor(workers)


def skips_the_third(number, task):
    return None if number == 2 else task()


def gives_none(number, task):
    task()


@pytest.mark.parametrize("do", [wrong_if_many, skips_the_third, gives_none])
def test_executor_that_does_not_give_every_result_in_order(do):
    caught(executor(do), "check_results_in_order")


def test_executor_that_fails_with_many_workers():
    caught(Executor(name="mine", summary="For a test.", open=few_workers), "check_results_in_order")


def swallowing(*numbers, kinds=Exception):
    """Return how a pool swallows errors of some tasks."""

    def do(number, task):
        try:
            return task()
        except kinds:
            if number not in numbers:
                raise
            return None

    return do


def renames(number, task):
    try:
        return task()
    except Exception as error:
        raise RuntimeError(str(error)) from error


@pytest.mark.parametrize("do", [
    swallowing(0), swallowing(19), swallowing(4, kinds=KeyError), renames,
])  # fmt: skip
def test_executor_that_swallows_or_renames_errors(do):
    caught(executor(do), "check_errors_propagate")


def test_executor_that_swallows_an_interrupt():
    record = executor(swallowing(4, kinds=KeyboardInterrupt))
    caught(record, "check_interrupt_gets_through")


def test_executor_that_is_not_re_entrant():
    class Alone(ThreadPoolExecutor):
        busy = False

        def __enter__(self):
            return self

        def submit(self, fn, /, *args):
            if Alone.busy and threading.current_thread().name.startswith("alone"):
                raise RuntimeError("nested")
            Alone.busy = True
            return super().submit(fn, *args)

        def shutdown(self, wait=True, **more):
            super().shutdown(wait, **more)
            Alone.busy = False

    record = Executor(name="mine", summary="For a test.", open=lambda n: Alone(n, thread_name_prefix="alone"))
    assert "nested" in caught(record, "check_nested")


def test_executor_that_never_comes_back_when_it_is_nested(monkeypatch):
    monkeypatch.setattr("drizframe.testing.checks.executors.STUCK", 0.3)
    shared = ThreadPoolExecutor(1)

    class Shared(Pool):
        def submit(self, fn, /, *args):
            return shared.submit(fn, *args)

        def shutdown(self, wait=True, **more):
            pass

    record = Executor(name="mine", summary="For a test.", open=lambda n: Shared())
    try:
        assert "nothing after" in caught(record, "check_nested")
    finally:
        shared.shutdown(
            wait=False, cancel_futures=True
        )  # its thread waits for a task that never begins, as would Python's end


# -- instruments -------------------------------------------------------------------------------------------------------

HEADERS = InstrumentSample(
    primary={"INSTRUME": "MINE", "EXPTIME": 100.0, "GAIN": 2.0, "RDNOISE": 5.0},
    science={1: {"BUNIT": "COUNTS"}},
    facts={"gain": 2.0, "readnoise": 5.0, "exptime": 100.0},
)


def instrument(matches):
    return Instrument(name="mine", summary="For a test.", matches=matches, reference=generic_exposure)


def test_a_sound_instrument_passes():
    assert_sound(instrument(lambda header: header.get("INSTRUME") == "MINE"), HEADERS)


@pytest.mark.parametrize("matches", [
    lambda header: True,
    lambda header: header.get("INSTRUME") != "ACS",
    lambda header: "INSTRUME" in header,
    lambda header: header.get("EXPTIME", 0) > 0,
])  # fmt: skip
def test_instrument_that_takes_headers_of_others(matches):
    assert "of its own instrument only" in caught(instrument(matches), "check_matches_no_other", HEADERS)


# -- steps -------------------------------------------------------------------------------------------------------------


def step(run, **more):
    made = Plane(name="mine", meaning="for a test", on="chip")
    more = {"needs": ("sci",), "makes": (made,), "over": "chip", **more}
    return Step(name="mine.step", summary="For a test.", run=run, **more)


SAMPLE = StepSample(exposures=sample_exposures)


def test_steps_are_checked_without_a_sample():
    record = step(lambda job: {"mine": job.read("sci") + 1})
    with examples(EXAMPLES):
        assert {o.state for o in run_checks(record)} == {"passed"}


def test_a_step_that_the_small_run_leaves_out_is_not_checked():
    record = step(lambda job: {"mine": job.read("sci") + 1}, enabled=lambda parameters: parameters.build)
    assert {o.state for o in run_checks(record)} == {"no sample"}


def test_step_that_depends_on_the_number_of_workers():
    record = step(lambda job: {"mine": job.read("sci") * np.float32(1 + 0.01 * job.parameters.num_cores)})
    assert "number of workers" in caught(record, "check_tile_independence", SAMPLE)


def test_step_that_uses_a_buffer_again():
    buffer = np.zeros((40, 44), np.float32)

    def again(job):
        buffer[:] = job.read("sci") + 1
        return {"mine": buffer[:]}

    assert "a new array each time" in caught(step(again), "check_results_are_its_own", SAMPLE)


# -- parameters without default ----------------------------------------------------------------------------------------


class Needed(BaseModel):
    must: int


def test_parameters_without_default_can_be_given():
    record = combiner(lambda image, *rest: image, options_model=Needed)
    (text,) = {o.text for o in run_checks(record)}
    assert "must be given" in text
    assert "options={'must': …}" in text
    assert {o.state for o in run_checks(record)} == {"no sample"}
    with examples(5):
        assert {o.state for o in run_checks(record, options={"must": 3})} == {"passed"}
    with pytest.raises(HookError, match="wrong"):
        list(run_checks(record, options={"must": "x"}))
    with pytest.raises(HookError, match="no options_model"):
        list(run_checks(combiner(lambda image, *rest: image), options={"must": 3}))


def test_parameters_of_a_step_can_be_given():
    record = step(
        lambda job: {"mine": job.read("sci") * np.float32(job.plugin_options().must)}, options_model=Needed
    )
    assert {o.state for o in run_checks(record)} == {"no sample"}
    assert {o.state for o in run_checks(record, options={"must": 2})} == {"passed"}


def test_a_test_of_a_record_that_needs_parameters_is_skipped_with_the_reason():
    record = combiner(lambda image, *rest: image, options_model=Needed)
    (first, *_) = checks_for(record)
    with pytest.raises(pytest.skip.Exception, match="must must be given"):
        Bound(first, record, None, None)()
    Bound(first, record, None, None, {"must": 3})(max_examples=5)


@conformance(combiner(lambda image, *rest: image, options_model=Needed), options={"must": 3})
def test_options_of_the_decorator(check):
    check(max_examples=5)


# -- what was found last -----------------------------------------------------------------------------------------------


def test_interpolator_that_takes_no_number_as_fill():
    def reference(image, x, y, *, fill=0.0):
        return LINEAR.reference(image, x, y, fill=0.0 if np.isnan(fill) else fill)

    record = Interpolator(name="mine", summary="For a test.", reference=reference)
    assert "gives fill outside" in caught(record, "check_shape_and_type")


def test_statistic_that_is_wrong_for_many_values():
    record = statistic(lambda values: np.median(values) * (1.1 if values.size > 1000 else 1.0))
    assert "rises by 64" in caught(record, "check_shift")


def test_sky_method_that_works_with_some_numbers_of_exposures_only():
    def change(value, chip):
        return value

    sound = method(change).reference

    def reference(chips, statistic, *, overlaps, options):
        if len({c.exposure for c in chips}) == 2:
            raise ValueError("two exposures")
        return sound(chips, statistic, overlaps=overlaps, options=options)

    record = SkyMethod(name="mine", summary="For a test.", reference=reference)
    found = next(c for c in checks_for(record) if c.name == "check_one_exposure")
    with pytest.raises(AssertionError, match="two exposures"):
        found.run(record)
