"""Further planted faults, over all families but kernels and interpolators: each fails in the check that is meant for it."""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
import pytest
from planted import WIDER, executor, faults

from drizframe.hooks import (
    Combiner,
    CosmicRayDetector,
    GatheringSink,
    Instrument,
    Reader,
    SkyMethod,
    SkyStatistic,
    Weighting,
    Writer,
)
from drizframe.model import SkyValue, Window
from drizframe.stock.combine.median import MEDIAN
from drizframe.stock.cosmic_rays.deriv import DERIV
from drizframe.stock.instruments.acs import ACS
from drizframe.stock.io.fits_reader import FITS
from drizframe.stock.sky.localmin import LOCALMIN
from drizframe.stock.sky.mean import MEAN
from drizframe.stock.weights.exp import EXP
from drizframe.testing import WriterSample, run_checks, stock_sample

pytestmark = pytest.mark.usefixtures("steady")

EXAMPLES = 12


def caught(record, name, *also, sample=None):
    """Assert that a fault fails in the check meant for it (and in `also` at most), and return the text."""
    found = faults(record, sample=sample, count=EXAMPLES)
    assert name in found, f"not caught; failed: {sorted(found)}"
    assert set(found) - WIDER <= {name, *also}, {k: v.splitlines()[:4] for k, v in found.items()}
    for text in found.values():
        for part in ("expected:", "got:", "where:"):
            assert part in text, text
        assert record.name in text, text
    return found[name]


# -- combiners ---------------------------------------------------------------------------------------------------------


def combiner(function, **more):
    return Combiner(name="mine", summary="For a test.", reference=function, **more)


def good_of(stack, bad):
    return ~bad & np.isfinite(stack)


def combined_mean(stack, bad):
    good = good_of(stack, bad)
    total = np.where(good, stack, 0).sum(axis=0, dtype=np.float64)
    return (total / np.maximum(good.sum(axis=0), 1)).astype(np.float32)


def test_a_sound_combiner_passes():
    def sound(stack, bad, **facts):
        return combined_mean(stack, bad)

    assert faults(combiner(sound), count=EXAMPLES) == {}


def test_combiner_that_depends_on_the_order_although_it_promises_not_to():
    def first_good(stack, bad, **facts):
        good = good_of(stack, bad)
        chosen = np.take_along_axis(np.where(good, stack, 0), good.argmax(axis=0)[None], axis=0)[0]
        return chosen.astype(np.float32)

    text = caught(combiner(first_good, traits={"order_free"}), "check_order_free")
    assert "does not depend on the order of the exposures" in text


def test_combiner_that_divides_by_all_exposures_instead_of_the_good_ones():
    def diluted(stack, bad, *, n_total, **facts):
        return (np.where(good_of(stack, bad), stack, 0).sum(axis=0) / n_total).astype(np.float32)

    caught(combiner(diluted), "check_constant")


def test_combiner_with_a_halo_too_small():
    def smooth(stack, bad, **facts):
        image = combined_mean(stack, bad)
        padded = np.pad(image, 1, mode="edge")
        return np.maximum(image, padded[1:-1, 2:])

    assert "halo = 0" in caught(combiner(smooth), "check_halo")


def test_combiner_that_needs_more_exposures_than_it_says():
    def second_lowest(stack, bad, **facts):
        values = np.sort(np.where(good_of(stack, bad), stack, np.inf), axis=0)[1]
        return np.where(np.isfinite(values), values, 0).astype(np.float32)

    text = caught(
        combiner(second_lowest), "check_minimum", "check_shape_and_type", "check_inputs_untouched",
        "check_any_layout", "check_ignores_masked", "check_constant",
    )  # fmt: skip
    assert "works with 1 exposures" in text
    assert "IndexError" in text
    assert "second_lowest" in text


def test_combiner_of_double_precision():
    def double(stack, bad, **facts):
        return combined_mean(stack, bad).astype(np.float64)

    assert "got:      float64" in caught(combiner(double), "check_shape_and_type")


def test_combiner_that_leaves_holes():
    def holes(stack, bad, **facts):
        return np.where(good_of(stack, bad).any(axis=0), combined_mean(stack, bad), np.float32(np.nan))

    assert "0 where no value is good" in caught(combiner(holes), "check_all_bad", "check_shape_and_type")


OWN = {}


def test_combiner_that_returns_its_own_array():
    def kept(stack, bad, **facts):
        image = OWN.setdefault(stack.shape[1:], np.zeros(stack.shape[1:], np.float32))
        image[...] = combined_mean(stack, bad)
        return image

    # every check that compares two results compares an array with itself
    assert "a new result each time" in caught(combiner(kept), "check_threads", "check_ignores_masked")


def test_combiner_that_is_not_linear_although_it_promises_to_be():
    record = dataclasses.replace(MEDIAN, name="mine", fast=None, traits={"linear"})
    assert "linear in the stack" in caught(record, "check_linear")


# -- sky statistics ----------------------------------------------------------------------------------------------------


def statistic(function):
    return SkyStatistic(name="mine", summary="For a test.", reference=function)


def test_statistic_whose_number_of_pixels_is_no_whole_number():
    def single(values, options):
        value, n = MEAN.reference(values, options)
        return value, np.float32(n)

    text = caught(statistic(single), "check_value_and_count")
    assert "a whole number" in text
    assert "float32" in text


def test_statistic_that_gives_none_for_no_data():
    def none(values, options):
        value, n = MEAN.reference(values, options)
        return (value, n) if n else (None, 0)

    text = caught(statistic(none), "check_value_and_count")
    assert "None of type NoneType" in text
    assert "no values at all" in text


def test_statistic_that_forgets_the_number():
    def bare(values, options):
        return MEAN.reference(values, options)[0]

    assert "expected: (value, n)" in caught(
        statistic(bare), "check_value_and_count", "check_shift", "check_any_layout"
    )


def test_statistic_that_sorts_its_values_in_place():
    def sorting(values, options):
        if values.flags.writeable:
            values.sort()
        return MEAN.reference(values, options)

    assert "must not change its inputs" in caught(statistic(sorting), "check_any_layout")


# -- sky methods -------------------------------------------------------------------------------------------------------


def method(change, **more):
    def changed(chips, statistic, *, overlaps, options):
        return change(chips, LOCALMIN.reference(chips, statistic, overlaps=overlaps, options=options))

    return SkyMethod(name="mine", summary="For a test.", reference=changed, **more)


def test_sky_method_that_forgets_a_chip():
    def forget(chips, found):
        return {c.key: found[c.key] for c in chips[:-1]}

    text = caught(
        method(forget),
        "check_keys_complete",
        "check_one_exposure",
        "check_sign",
        "check_any_layout",
        "check_threads",
    )
    assert "got:      [(0, 0), (1, 0), (1, 1)]" in text


def test_sky_method_that_edits_pixels():
    def edit(chips, found):
        for chip in chips:
            values = chip.pixels()
            if values.flags.writeable:
                values -= found[chip.key].level
        return found

    text = caught(method(edit), "check_inputs_untouched")
    assert "pixels of chip (0, 0)" in text


def test_sky_method_that_writes_to_pixels_as_if_they_were_its_own():
    def edit(chips, found):
        for chip in chips:
            chip.pixels()[:] = 0
        return found

    text = caught(method(edit), "check_any_layout", "check_inputs_untouched")
    assert "read-only" in text
    assert f"of {__file__}" in text


def test_sky_method_that_edits_a_region():
    def edit(chips, statistic, *, overlaps, options):
        for overlap in overlaps():
            region = np.asarray(overlap.first_region)
            if region.flags.writeable:
                region[0] = False
        return LOCALMIN.reference(chips, statistic, overlaps=overlaps, options=options)

    record = SkyMethod(name="mine", summary="For a test.", reference=edit)
    assert "region" in caught(record, "check_inputs_untouched")


def test_sky_method_that_wants_regions_to_be_arrays():
    def needs_arrays(chips, statistic, *, overlaps, options):
        for overlap in overlaps():
            assert overlap.first_region.sum()
        return LOCALMIN.reference(chips, statistic, overlaps=overlaps, options=options)

    record = SkyMethod(name="mine", summary="For a test.", reference=needs_arrays)
    text = caught(record, "check_any_layout")
    assert "AttributeError" in text
    assert "(in needs_arrays)" in text


def test_sky_method_that_needs_two_exposures_and_does_not_say_so():
    def two(chips, found):
        assert len({c.exposure for c in chips}) > 1, "one exposure only"
        return found

    assert "one exposure only" in caught(method(two), "check_one_exposure")


def test_sky_method_that_gives_no_number_without_data():
    def nothing(chips, found):
        return {
            k: dataclasses.replace(v, level=float("nan")) if v.method == "none" else v
            for k, v in found.items()
        }

    assert "chips without data" in caught(method(nothing), "check_keys_complete")


def test_sky_method_that_forgets_the_conversion():
    def careless(chips, found):
        lowest = min(c.conversion * found[c.key].level for c in chips)
        return {c.key: SkyValue(subtracted=lowest, level=lowest, method="mine") for c in chips}

    caught(method(careless), "check_sign")


# -- weightings --------------------------------------------------------------------------------------------------------


def weighting(function):
    return Weighting(name="MINE", summary="For a test.", reference=function)


def test_weighting_that_gives_nan():
    def bad(chip, mask, sky, ratio, options):
        with np.errstate(all="ignore"):
            return (np.float32(chip.exptime) * mask / mask).astype(np.float32), 1.0

    assert "finite weights" in caught(weighting(bad), "check_shape_and_type", "check_masked_have_no_weight")


def test_weighting_that_ignores_the_mask():
    def blind(chip, mask, sky, ratio, options):
        return np.full(mask.shape, np.float32(chip.exptime)), 1.0

    assert "masked pixels have weight 0" in caught(weighting(blind), "check_masked_have_no_weight")


def test_weighting_that_gives_the_map_alone():
    def alone(chip, mask, sky, ratio, options):
        return EXP.reference(chip, mask, sky, ratio, options)[0]

    text = caught(
        weighting(alone), "check_shape_and_type", "check_masked_have_no_weight", "check_inputs_untouched",
        "check_any_layout", "check_threads",
    )  # fmt: skip
    assert "got:      ndarray" in text


def test_weighting_that_edits_the_flat_field():
    def editing(chip, mask, sky, ratio, options):
        weight, scale = EXP.reference(chip, mask, sky, ratio, options)
        if options.flat is not None and options.flat.flags.writeable:
            options.flat[options.flat < 0.6] = 0.0
        return weight, scale

    assert "'flat'" in caught(weighting(editing), "check_inputs_untouched")


def test_weighting_that_takes_big_endian_bytes_as_they_are():
    def careless(chip, mask, sky, ratio, options):
        ivm = options.ivm
        if ivm is None:
            return EXP.reference(chip, mask, sky, ratio, options)
        values = np.frombuffer(ivm.tobytes(), dtype=ivm.dtype.newbyteorder("=")).reshape(ivm.shape)
        with np.errstate(all="ignore"):
            return np.where((mask != 0) & np.isfinite(values), np.abs(values), 0).astype(np.float32), 1.0

    assert "big-endian arrays, with ivm" in caught(weighting(careless), "check_any_layout")


# -- detectors ---------------------------------------------------------------------------------------------------------


def detector(function, **more):
    more = {"traits": {"needs_blot"}, **more}
    return CosmicRayDetector(name="mine", summary="For a test.", reference=function, **more)


def simple(sci, blot, noise):
    return sci - blot > 5 * noise


@pytest.mark.parametrize("dtype", [bool, np.int64])
def test_detector_whose_codes_have_another_type(dtype):
    def other(sci, blot, deriv, noise, depth, dq, options):
        return simple(sci, blot, noise).astype(dtype)

    assert f"got:      {np.dtype(dtype)}" in caught(detector(other), "check_codes")


def test_detector_with_a_halo_too_small():
    def grown(sci, blot, deriv, noise, depth, dq, options):
        hit = simple(sci, blot, noise)
        for shift in range(1, 4):
            hit[:, :-shift] |= simple(sci, blot, noise)[:, shift:]
        return hit.astype(np.uint8)

    text = caught(detector(grown, halo=lambda options: 2), "check_halo", "check_not_a_number")
    assert "halo = 2" in text


def test_detector_that_one_pixel_of_nan_disturbs_everywhere():
    def median(sci, blot, deriv, noise, depth, dq, options):
        return (sci - blot - np.median(sci - blot) > 5 * noise).astype(np.uint8)

    caught(detector(median), "check_not_a_number", "check_halo")


def test_detector_that_wants_the_depth_without_saying_so():
    def deep(sci, blot, deriv, noise, depth, dq, options):
        return (simple(sci, blot, noise) & (depth.astype(int) > 0)).astype(np.uint8)

    text = caught(
        detector(deep), "check_codes", "check_inputs_untouched", "check_any_layout", "check_finds_outlier",
        "check_halo", "check_not_a_number",
    )  # fmt: skip
    assert "'NoneType' object has no attribute 'astype'" in text
    assert "(in deep)" in text


def test_detector_that_trusts_the_type_of_flags():
    def signed(sci, blot, deriv, noise, depth, dq, options):
        codes = simple(sci, blot, noise).astype(np.uint8)
        return codes if dq is None or dq.dtype.str[1:] == "i2" else codes * np.uint8(0)

    record = detector(signed)
    text = caught(record, "check_any_layout")
    assert "flags of type" in text


def test_detector_that_turns_the_image():
    def turned(sci, blot, deriv, noise, depth, dq, options):
        return simple(sci, blot, noise)[::-1].astype(np.uint8)

    caught(detector(turned), "check_finds_outlier", "check_halo", "check_not_a_number")


def test_detector_that_says_it_needs_no_median_but_does():
    def fails(sci, blot, deriv, noise, depth, dq, options):
        return simple(sci, blot, noise).astype(np.uint8)

    text = caught(
        detector(fails, traits=set()), "check_codes", "check_inputs_untouched", "check_any_layout",
        "check_halo", "check_not_a_number",
    )  # fmt: skip
    assert "TypeError" in text


def test_stock_detector_still_passes():
    assert faults(DERIV, count=EXAMPLES) == {}


# -- executors ---------------------------------------------------------------------------------------------------------


def test_executor_that_gives_the_result_of_another_task():
    kept = [0]

    def late(number, task):
        kept.append(task())
        return kept[-2]

    caught(executor(late), "check_results_in_order", "check_errors_propagate", "check_nested")


def test_executor_that_runs_tasks_twice():
    def twice(number, task):
        task()
        return task()

    assert "2 calls of task 0" in caught(executor(twice), "check_every_task_once")


def test_executor_that_loses_a_task():
    others = (
        "check_results_in_order",
        "check_errors_propagate",
        "check_interrupt_gets_through",
        "check_nested",
    )
    text = caught(
        executor(lambda number, task: None if number == 0 else task()), "check_every_task_once", *others
    )
    assert "0 calls of task 0" in text
    assert "2 tasks, 1 workers" in text


def test_executor_that_gives_the_error_as_a_result():
    def as_result(number, task):
        try:
            return task()
        except ArithmeticError as error:
            return error

    assert "no error, results" in caught(executor(as_result), "check_errors_propagate")


# -- instruments -------------------------------------------------------------------------------------------------------


def instrument(reference):
    return Instrument(name="mine", summary="For a test.", reference=reference, matches=ACS.matches)


def test_instrument_that_loses_the_exposure_time():
    def timeless(primary, science, *, options, **where):
        exposure = ACS.reference(primary, science, options=options, **where)
        if options.exptime is not None or options.exptime_keyword:
            return exposure
        chips = [dataclasses.replace(c, exptime=1.0) for c in exposure.chips]
        return dataclasses.replace(exposure.with_chips(chips), exptime=1.0)

    text = caught(instrument(timeless), "check_facts", sample=stock_sample(ACS))
    assert "expected: 340.0" in text
    assert "chip 1, exptime" in text


@pytest.mark.parametrize("which", ["primary header", "science header 2"])
def test_instrument_that_changes_a_header(which):
    def tidy(primary, science, *, options, **where):
        header = primary if which == "primary header" else science[2]
        header["TIDIED"] = True
        return ACS.reference(primary, science, options=options, **where)

    text = caught(instrument(tidy), "check_headers_untouched", sample=stock_sample(ACS))
    assert f"must not change the {which}" in text
    assert "TIDIED" in text


def test_instrument_that_swaps_the_pixels_of_chips():
    def swapped(primary, science, *, source, **where):
        return ACS.reference(primary, science, source=lambda extver: source(3 - extver), **where)

    text = caught(instrument(swapped), "check_facts", sample=stock_sample(ACS))
    assert "pixels of chip 1" in text


# -- readers and writers -----------------------------------------------------------------------------------------------


def reader(change):
    def reading(path, **more):
        change(path)
        return FITS.reference(path, **more)

    return Reader(name="mine", summary="For a test.", reference=reading, matches=FITS.matches)


def test_reader_that_edits_its_file():
    def stamp(path):
        if path.exists():
            path.chmod(0o644)
            path.write_bytes(path.read_bytes() + b" ")

    text = caught(reader(stamp), "check_leaves_files_alone", sample=stock_sample(FITS))
    assert "changed" in text


def test_reader_that_leaves_a_file_behind():
    def index(path):
        path.with_suffix(".index").write_text("seen")

    text = caught(reader(index), "check_leaves_files_alone", sample=stock_sample(FITS))
    assert "jsample01_flt.index" in text


def test_reader_that_loses_a_chip():
    def one(path, **more):
        return [e.with_chips(e.chips[:1]) for e in FITS.reference(path, **more)]

    record = Reader(name="mine", summary="For a test.", reference=one, matches=FITS.matches)
    assert "1 chips" in caught(
        record, "check_reads_sample", "check_truncated_file", sample=stock_sample(FITS)
    )


class Npy(GatheringSink):
    """A sound sink: a file for each layer."""

    def close(self):
        for name, target in zip(self.product.layers, self.product.targets, strict=True):
            self.save(self.product.stage(target), self.images[name])
        return list(self.product.targets)

    def save(self, part, image):
        with part.open("wb") as stream:
            np.save(stream, image)


def writer(sink):
    return Writer(name="mine", summary="For a test.", open=sink, endings=("_{layer}.npy",))


def test_sound_writer_passes():
    assert not [o for o in run_checks(writer(Npy)) if not o.ok]


WRITER_CHECKS = (
    "check_failed_write",
    "check_files_are_listed",
    "check_nothing_left_on_failure",
    "check_replaces_at_the_end",
)


def test_writer_that_writes_beside_its_stage():
    class Beside(Npy):
        def close(self):
            for name, target in zip(self.product.layers, self.product.targets, strict=True):
                self.product.stage(target)
                self.save(target, self.images[name])
            return list(self.product.targets)

    assert "is still empty after close()" in caught(writer(Beside), *WRITER_CHECKS)


def test_writer_that_writes_beside_its_stage_too():
    class Both(Npy):
        def save(self, part, image):
            super().save(part.parent.parent / part.name, image)
            super().save(part, image)

    assert "leaves no file half-written" in caught(writer(Both), *WRITER_CHECKS)


def test_writer_that_deletes_the_old_file_first():
    class Eager(Npy):
        def __init__(self, product):
            for target in product.targets:
                target.unlink(missing_ok=True)
            super().__init__(product)

    text = caught(writer(Eager), "check_failed_write", "check_replaces_at_the_end")
    assert "over earlier files" in text


def test_writer_that_swallows_the_error():
    class Silent(Npy):
        def save(self, part, image):
            with contextlib.suppress(OSError):
                super().save(part, image)

    assert "no error" in caught(writer(Silent), "check_failed_write")


def test_writer_that_does_not_list_a_file():
    class Quiet(Npy):
        def close(self):
            return super().close()[:-1]

    caught(
        writer(Quiet), "check_files_are_listed", "check_failed_write", "check_nothing_left_on_failure",
        "check_replaces_at_the_end",
    )  # fmt: skip


def test_writer_that_forgets_where_windows_lie():
    class Careless(Npy):
        def write(self, plane, window, array):
            super().write(plane, Window(0, window.shape[0], 0, window.shape[1]), array)

    def back(paths):
        return {p.stem.rpartition("_")[2]: np.load(p) for p in paths}

    text = caught(writer(Careless), "check_writes_and_reads_back", sample=WriterSample(read=back))
    assert "in windows" in text
