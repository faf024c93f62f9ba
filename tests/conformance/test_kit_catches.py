"""Planted faults: each fails in the check that is meant for it, and the message says expected, got and where."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from planted import WIDER, faults

from drizframe.hooks import CosmicRayDetector, Instrument, Kernel
from drizframe.model import SkyValue
from drizframe.stock.combine.median import MEDIAN
from drizframe.stock.cosmic_rays.deriv import DERIV
from drizframe.stock.instruments.acs import ACS
from drizframe.stock.interpolators.linear import LINEAR
from drizframe.stock.kernels.gaussian import GAUSSIAN
from drizframe.stock.kernels.square import SQUARE
from drizframe.stock.kernels.turbo import TURBO
from drizframe.stock.sky.localmin import LOCALMIN
from drizframe.testing import CheckFailure, checks_for, examples, stock_sample
from drizframe.testing.checking import Check, forall
from drizframe.testing.conformance import Bound, conformance

pytestmark = pytest.mark.usefixtures("steady")

EXAMPLES = 25


def altered(record: Any, name: str, reference: Any, **changes: Any) -> Any:
    """Return a stock record with another function, and no compiled half."""
    function = (
        {"footprint": reference, "reference": reference, "block": None}
        if isinstance(record, Kernel)
        else {"reference": reference}
    )
    traits = record.traits - {"picklable"}  # functions of a test do not pickle
    return dataclasses.replace(
        record, **{"name": name, "fast": None, "traits": traits, **function, **changes}
    )


def failing(record: Any, sample: Any = None) -> set[str]:
    """Return the checks that fail, but not for lack of a fault."""
    return set(faults(record, sample=sample, count=EXAMPLES))


def message(record: Any, name: str, sample: Any = None) -> CheckFailure:
    """Return the failure of one check."""
    found = next(c for c in checks_for(record) if c.name == name)
    with examples(EXAMPLES), pytest.raises(CheckFailure) as caught:
        found.run(record, sample)
    return caught.value


def caught(record: Any, name: str, *also: str, sample: Any = None) -> str:
    """Assert that a fault fails in the check meant for it (and in `also`), and return the text."""
    assert failing(record, sample) - WIDER == {name, *also}
    failure = message(record, name, sample)
    text = str(failure)
    for part in ("expected:", "got:", "where:"):
        assert part in text
    assert failure.where
    assert record.name in text
    return text


# -- kernels -----------------------------------------------------------------------------------------------------------


def turbo(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    return TURBO.reference(x, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale)


def test_planted_faults_are_not_made_smaller():
    calls = []

    def body(values):
        calls.append(values)
        assert len(values) < 3

    with examples(EXAMPLES), pytest.raises(AssertionError):
        forall(body, values=st.lists(st.integers(), min_size=1))
    first = next(k for k, values in enumerate(calls) if len(values) >= 3)
    assert len(calls) - first <= 3  # found, and shown once more


def test_a_sound_copy_passes():
    assert failing(altered(TURBO, "mine.turbo", turbo)) == set()


def test_kernel_that_leaks_one_percent():
    def leaky(*args, **kwargs):
        return 0.99 * turbo(*args, **kwargs)

    text = caught(altered(TURBO, "mine.leaky", leaky), "check_conserves_flux")
    assert "expected: 1.0" in text
    assert "0.99" in text


def test_kernel_that_promises_more_flux_than_it_keeps():
    record = dataclasses.replace(GAUSSIAN, name="mine.bold", flux_error=GAUSSIAN.flux_error / 3)
    assert "within flux_error = 0.04" in caught(record, "check_flux_error")


def test_kernel_shifted_by_half_a_pixel():
    def shifted(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        return turbo(x + 0.5, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale)

    def support(pixfrac, scale):
        return 0.5 * pixfrac / scale + 0.5

    record = altered(
        TURBO, "mine.shifted", shifted, support=support, traits={"conserves_flux", "non_negative", "linear"}
    )
    assert "got:      0.5" in caught(record, "check_centred")


def test_kernel_that_is_wrong_only_where_the_weight_is_0():
    def speck(*args, **kwargs):
        weights = turbo(*args, **kwargs)
        return np.where(weights == 0.0, 1e-300, weights)

    record = altered(TURBO, "mine.speck", speck)
    assert "1e-300" in caught(record, "check_nothing_outside_footprint")


def test_kernel_that_writes_outside_of_its_footprint():
    def clipped(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        wide = (shape[0] + 8, shape[1] + 8)
        whole = turbo(x, y, corners, x0 - 4, y0 - 4, wide, pixfrac=pixfrac, scale=scale)
        weights = whole[:, 4:-4, 4:-4].copy()
        weights[:, :, 0] += whole[:, 4:-4, :4].sum(
            axis=2
        )  # what lies left of the window lands on its first column
        return weights

    text = caught(altered(TURBO, "mine.clipped", clipped), "check_window_independence")
    assert "whatever the window" in text


def test_twin_that_differs_in_one_row():
    def twin(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        weights = turbo(x, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale)
        odd = (y0[:, None] + np.arange(shape[0])) == np.floor(y + 0.5)[:, None]
        return np.where(odd[:, :, None], weights * (1 + 1e-9), weights)

    record = altered(TURBO, "mine.twin", turbo, fast=twin, traits={"non_negative", "linear"})
    assert "fast equals reference" in caught(record, "check_reference_equals_fast")


def test_twin_with_other_zeros():
    def twin(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        weights = SQUARE.reference(x, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale)
        inside = turbo(x, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale) > 0.0
        return np.where(inside & (weights == 0.0), 1e-300, weights)

    def square(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        return SQUARE.reference(x, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale)

    assert "1e-300" in str(
        message(altered(SQUARE, "mine.zeros", square, fast=twin), "check_reference_equals_fast")
    )


class Scratch:
    """A kernel that keeps its intermediate result in one place for all threads."""

    def __init__(self):
        self.buffer = None

    def __call__(self, x, y, corners, x0, y0, shape, *, pixfrac, scale):
        self.buffer = turbo(x, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale)
        self.buffer = self.buffer * 1.0
        return self.buffer


SCRATCH = Scratch()


def test_component_that_is_not_safe_in_threads():
    record = altered(TURBO, "mine.scratch", SCRATCH, traits={"non_negative", "conserves_flux"})
    assert "another thread calls it" in caught(record, "check_threads")


def test_kernel_that_edits_its_arguments():
    def editing(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        if x.flags.writeable:
            y += 0.0
            x *= -1.0
            return turbo(-x, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale)
        return turbo(x, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale)

    assert "argument 'x'" in str(message(altered(TURBO, "mine.editing", editing), "check_inputs_untouched"))


# -- others ------------------------------------------------------------------------------------------------------------


def test_interpolator_with_swapped_axes():
    def swapped(image, x, y, *, fill):
        ny, nx = image.shape
        inside = (x >= 0) & (x < nx) & (y >= 0) & (y < ny)
        return np.where(
            inside,
            LINEAR.reference(np.resize(image.T, image.shape) if nx != ny else image.T, x, y, fill=fill),
            fill,
        )

    record = altered(LINEAR, "mine.swapped", swapped)
    caught(record, "check_axes", "check_whole_pixel_shifts", "check_cuts")


def test_combiner_that_reads_masked_pixels():
    def careless(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
        return np.nan_to_num(np.median(np.nan_to_num(stack), axis=0)).astype(np.float32)

    text = caught(altered(MEDIAN, "mine.careless", careless, traits={"order_free"}), "check_ignores_masked")
    assert "masked" in text


def test_sky_method_with_the_wrong_sign():
    def wrong(chips, statistic, *, overlaps, options):
        found = LOCALMIN.reference(chips, statistic, overlaps=overlaps, options=options)
        return {
            k: SkyValue(subtracted=-v.subtracted, level=v.level, method=v.method) for k, v in found.items()
        }

    record = altered(LOCALMIN, "mine.wrong", wrong, traits={"order_free"})
    assert "rises with what is added" in caught(record, "check_sign")


def test_detector_that_edits_its_input():
    def editing(sci, blot, deriv, noise, depth, dq, options):
        codes = DERIV.reference(sci, blot, deriv, noise, depth, dq, options)
        if sci.flags.writeable:
            sci[codes != 0] = blot[codes != 0]
        return codes

    record = altered(DERIV, "mine.editing", editing, traits=set())
    text = message(dataclasses.replace(record, traits=frozenset({"needs_blot"})), "check_inputs_untouched")
    assert "'sci'" in text.where


def test_detector_that_finds_nothing():
    def blind(sci, blot, deriv, noise, depth, dq, options):
        return np.zeros(sci.shape, dtype=np.uint8)

    record = CosmicRayDetector(
        name="mine.blind", summary="Sees nothing.", reference=blind, traits={"needs_blot"}
    )
    caught(record, "check_finds_outlier")


def swap(exposure):
    return exposure.with_chips(
        [dataclasses.replace(c, gain=c.readnoise, readnoise=c.gain) for c in exposure.chips]
    )


def test_instrument_that_swaps_gain_and_read_noise():
    def swapping(primary, science, *, options, **where):
        exposure = ACS.reference(primary, science, options=options, **where)
        given = options.gain is not None or options.gain_keyword
        return exposure if given else swap(exposure)

    record = Instrument(name="mine.swapping", summary="Swaps.", reference=swapping, matches=ACS.matches)
    text = caught(record, "check_facts", sample=stock_sample(ACS))
    assert "expected: 2.0" in text
    assert "got:      5.25" in text
    assert "gain" in text


def test_record_that_does_not_pickle():
    def local(*args, **kwargs):
        return turbo(*args, **kwargs)

    record = altered(TURBO, "mine.local", local, traits={"picklable"})
    assert "pickl" in caught(record, "check_picklable")


# -- the decorator -----------------------------------------------------------------------------------------------------


def test_expected_failures_are_strict():
    def passes(record):
        pass

    check = Check(name="check_x", function=passes, families=frozenset(), traits=frozenset())
    with pytest.raises(CheckFailure, match="expected to fail"):
        Bound(check, TURBO, None, "known")()


def test_expected_failures_must_name_a_check_of_the_record():
    with pytest.raises(Exception, match="names check_flux, which it does not get"):
        conformance(TURBO, expected_failures={"check_flux": "typing error"})


@conformance(TURBO)
def test_decorator_makes_an_item_of_each_check(check, request):
    assert request.node.callspec.id == f"turbo-{check.check.name}"
    if check.check.name == "check_same_signature":
        check()


def test_manager_fixture_sees_nothing_installed(drizframe_pm):
    assert all(p.distribution == "drizframe" for p in drizframe_pm.plugins())


# -- the command -------------------------------------------------------------------------------------------------------

BROKEN = altered(TURBO, "mine.broken", lambda *args, **kwargs: 0.99 * turbo(*args, **kwargs))
HERE = [altered(TURBO, "mine.sound", turbo)]


def validate(*arguments):
    from typer.testing import CliRunner

    from drizframe.cli.app import app

    return CliRunner().invoke(app, ["validate", *arguments], env={"COLUMNS": "200"})


@pytest.fixture
def as_module(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "planted_module", sys.modules[__name__])


def test_validate_reports_a_sound_component():
    result = validate("kernel/point", "-n", "3")
    assert result.exit_code == 0, result.output
    assert "check_conserves_flux" in result.output
    assert " passed" in result.output


def test_validate_fails_with_the_text_of_the_failure(as_module):
    result = validate("planted_module:BROKEN", "-n", "3")
    assert result.exit_code == 1
    assert "expected: 1.0" in result.output
    assert "where:" in result.output


def test_validate_takes_announced_failures(as_module):
    assert (
        validate("planted_module:BROKEN", "-n", "3", "--expect", "check_conserves_flux=known").exit_code == 0
    )
    result = validate("planted_module:HERE", "-n", "3", "--expect", "check_conserves_flux=known")
    assert result.exit_code == 1
    assert "unexpected pass" in result.output


@pytest.mark.parametrize(("target", "words"), [
    ("kernel/lanczos4", "No kernel named 'lanczos4'"), ("nomodule:THING", "cannot be loaded"),
    ("kernels/square", "no family 'kernels'"),
])  # fmt: skip
def test_validate_says_what_is_wrong_with_a_name(target, words):
    result = validate(target)
    assert result.exit_code != 0
    assert words in str(result.exception)


def test_importing_drizframe_does_not_import_the_kit():
    import subprocess
    import sys

    code = "import sys, drizframe.cli; drizframe.run; sys.exit(bool({'drizframe.testing', 'hypothesis'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
