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
    assert {n: f for n, (f, _) in STOCK.items()} == COMPONENT_PARAMETERS


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
