"""Derivative, cosmic-ray masks and cleaned images against the reference program's own answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drizframe.hooks import CosmicRayOptions
from drizframe.stock.cosmic_rays.deriv import DERIV
from drizframe.stock.steps.cosmic_rays import cleaned, noise_model
from drizframe.stock.steps.derivative import DERIVATIVE

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "cosmic_rays.json").read_text())
DEFECTS = {"grow0": "14-4", "ctegrow2_dir0": "14-1"}


def single(values: Any) -> np.ndarray:
    return np.array(values, dtype=np.float64).astype(np.float32)


def codes(parameters: dict[str, Any], kind: str) -> np.ndarray:
    p = {**GOLDEN["parameter_defaults"], **parameters}
    factor = np.float32(p["conv"])
    sci, blot = single(GOLDEN["sci"]) * factor, single(GOLDEN["blot"]) * factor
    noise = noise_model(blot, gain=p["gain"], sky=p["sky"] * p["conv"], readnoise=p["rn"])
    s1, s2 = (float(v) for v in p["snr"].split())
    k1, k2 = (float(v) for v in p["scale"].split())
    options = CosmicRayOptions(
        snr=(s1, s2), scale=(k1, k2), grow=p["grow"], ctegrow=p["ctegrow"], cte_direction=p["cte_dir"]
    )
    slope = getattr(DERIVATIVE, kind)(blot)
    return getattr(DERIV, kind)(sci, blot, slope, noise, None, None, options)


def cases() -> list[Any]:
    """One parameter set per case; a defect of the reference is expected to fail."""
    marked = []
    for case in GOLDEN["cases"]:
        trap = DEFECTS.get(case["id"])
        marks = (
            [pytest.mark.xfail(strict=True, reason=f"the vector pins a defect, trap {trap}")] if trap else []
        )
        marked.append(pytest.param(case, id=case["id"], marks=marks))
    return marked


@pytest.mark.parametrize("kind", ["reference", "fast"])
@pytest.mark.parametrize("case", cases())
def test_mask_equals_reference_program(case, kind):
    mask = codes(case["parameters"], kind) == 0
    np.testing.assert_array_equal(mask, np.array(case["expected_crmask"]) == 1)
    assert (~mask).sum() == case["n_flagged"]


@pytest.mark.parametrize("kind", ["reference", "fast"])
@pytest.mark.parametrize("name", ["grow0", "ctegrow2_dir0"])
def test_growth_of_nothing_changes_nothing(name, kind):
    case = next(c for c in GOLDEN["cases"] if c["id"] == name)
    np.testing.assert_array_equal(codes(case["parameters"], kind), codes({}, kind))


def test_cleaned_image_equals_reference_program():
    golden = GOLDEN["crclean"]
    sci, blot = single(GOLDEN["sci"]), single(GOLDEN["blot"])
    dq = np.zeros(sci.shape, dtype=np.int16)
    dq[tuple(np.transpose(golden["dq_bad"]))] = 8
    dq[0, 1] = golden["crbit"]  # this flag alone does not count
    mask = (codes({}, "reference") == 0).astype(np.uint8)
    image, flags = cleaned(sci, blot, mask, dq, conversion=1.0, crbit=golden["crbit"])
    np.testing.assert_array_equal(image, single(golden["expected_sci"]))
    np.testing.assert_array_equal(flags, np.array(golden["expected_dq"]))
    assert image.dtype == np.float32
    assert flags.dtype == np.uint16


@pytest.mark.parametrize("kind", ["reference", "fast"])
def test_derivative_equals_reference_program(kind):
    function = getattr(DERIVATIVE, kind)
    np.testing.assert_array_equal(function(single(GOLDEN["blot"])), single(GOLDEN["derivative_of_blot"]))
    small = GOLDEN["derivative_small"]
    np.testing.assert_array_equal(function(single(small["input"])), single(small["expected"]))
