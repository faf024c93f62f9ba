"""Records that nobody registered, given directly as parameters, for every family that a parameter names."""

from __future__ import annotations

import numpy as np
import pytest

import drizframe
from drizframe.engine.plan import COMPONENT_PARAMETERS
from drizframe.errors import ParameterError, PluginError

calls = []


def spy(name):
    """A copy of a stock component under another name whose functions tell that they were called."""
    family, stock = STOCK[name]
    record = drizframe.registry().get(family, stock)

    def reference(*args, **kwargs):
        calls.append(name)
        return record.reference(*args, **kwargs)

    common = {"name": "mine", "summary": "A spy.", "reference": reference, "traits": record.traits}
    if family == "kernel":
        common.pop("reference")
        return drizframe.Kernel(
            **common, footprint=reference, support=record.support, needs_corners=record.needs_corners
        )
    if family == "executor":
        common["open"] = common.pop("reference")
    more = {"interpolator": ("reach", "accepts"), "combiner": ("halo", "minimum")}.get(family, ())
    return type(record)(**common, **{n: getattr(record, n) for n in more})


STOCK = {
    "skymethod": ("sky method", "localmin"),
    "skystat": ("sky statistic", "median"),
    "driz_sep_kernel": ("kernel", "turbo"),
    "combine_type": ("combiner", "minmed"),
    "blot_interp": ("interpolator", "poly5"),
    "cr_detector": ("cosmic-ray detector", "deriv"),
    "final_wht_type": ("weighting", "EXP"),
    "final_kernel": ("kernel", "square"),
    "executor": ("executor", "threads"),
}


def test_every_parameter_that_names_a_component_is_tried():
    writers = {"writer": "writer"}  # which open sinks, and have tests of their own
    assert {n: f for n, (f, _) in STOCK.items()} | writers == COMPONENT_PARAMETERS


@pytest.mark.parametrize("name", STOCK)
def test_a_record_is_used_without_being_registered(exposures, name, tmp_path):
    calls.clear()
    result = drizframe.run(exposures, tmp_path / "out", **{name: spy(name)})
    plain = drizframe.run(exposures, backend="reference")
    assert name in calls
    np.testing.assert_allclose(result.sci, plain.sci, rtol=1e-4)
    assert "mine" not in drizframe.registry().names(STOCK[name][0])


@pytest.mark.parametrize("name", STOCK)
def test_a_record_of_another_family_is_refused(exposures, name):
    other = spy("combine_type" if name != "combine_type" else "skystat")
    with pytest.raises(ParameterError, match=f"Parameter {name} = .*a {STOCK[name][0]} is wanted here"):
        drizframe.run(exposures, **{name: other})


@pytest.mark.parametrize("name", [n for n in STOCK if n != "executor"])
def test_a_record_that_raises_in_a_worker_is_named(exposures, name):
    record = spy(name)

    def broken(*args, **kwargs):
        raise ZeroDivisionError("out of order")

    field = "footprint" if record.family == "kernel" else "reference"
    fields = (
        {field: broken, "needs_corners": record.needs_corners}
        if record.family == "kernel"
        else {field: broken}
    )
    if record.family == "kernel":
        fields["support"] = record.support
    bad = type(record)(name="mine", summary="Broken.", traits=record.traits, **fields)
    message = f"{record.family.capitalize()} 'mine' of the parameter {name} failed in step .* ZeroDivisionError: out of"
    with pytest.raises(PluginError, match=message):
        drizframe.run(exposures, **{name: bad}, num_cores=2)
    drizframe.run(exposures)


WRONG_ANSWERS = {
    "combine_type": (lambda stack: stack[0, :-1], "must return an image: numbers of shape"),
    "cr_detector": (lambda sci: sci, "must return reason codes: integers of shape"),
    "final_wht_type": (lambda chip: np.ones(chip.shape), "must return a weight map and a factor"),
    "skystat": (lambda values: "dark", "must return a value and the number of pixels"),
    "blot_interp": (lambda image: image, "must return one value for each position"),
    "driz_sep_kernel": (lambda x: np.zeros((len(x), 2)), "must return weights: numbers of shape"),
    "final_kernel": (lambda x: None, "must return weights: numbers of shape"),
}


@pytest.mark.parametrize("name", WRONG_ANSWERS)
def test_a_wrong_answer_names_the_component_and_its_provider(exposures, name):
    answer, message = WRONG_ANSWERS[name]
    record = spy(name)

    def wrong(first, *args, **kwargs):
        return answer(first)

    fields = {"reference": wrong}
    if record.family == "kernel":
        fields = {"footprint": wrong, "needs_corners": record.needs_corners, "support": record.support}
    bad = type(record)(name="mine", summary="Wrong.", traits=record.traits, **fields)
    with pytest.raises(PluginError, match=f"'mine' {message}") as caught:
        drizframe.run(exposures, **{name: bad})
    assert f"{record.family} 'mine' is provided by the parameter {name}" in str(caught.value)


def test_weights_that_are_not_finite_are_refused(exposures):
    def hole(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        weights = np.ones((len(x), *shape))
        weights[0] = np.nan
        return weights

    bad = drizframe.Kernel(name="mine", summary="Wrong.", footprint=hole, support=lambda pixfrac, scale: 1.0)
    with pytest.raises(PluginError, match="kernel 'mine' returned are not finite"):
        drizframe.run(exposures, final_kernel=bad)


def test_a_profile_that_cannot_be_used_names_its_provider(exposures):
    def box(dx, dy, *, pixfrac):
        return (np.maximum(np.abs(dx), np.abs(dy)) < 0.3).astype(float)

    bad = drizframe.Kernel(name="mine", summary="Wrong.", profile=box, support=lambda pixfrac: 0.5)
    with pytest.raises(PluginError, match="Step 'final' on .*jump.*provided by the parameter final_kernel"):
        drizframe.run(exposures, final_kernel=bad)
