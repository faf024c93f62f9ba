"""The combiners and the weight thresholds against the reference program's own answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shipped import by_name

from drizframe.hooks import CombineOptions
from drizframe.stock.steps.median import weight_threshold

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "combine.json").read_text())
COMBINERS = by_name("combiner")
DEFECTS = {"median/lthresh_electrons_per_s": "12-3"}
COUNTS = {"stack4": 4, "first2": 2, "first3": 3}


def run(case: dict[str, Any], kind: str) -> Any:
    """Return our image, the stack, and where all values are masked."""
    p = {**GOLDEN["defaults"], **case["parameters"]}
    n, stack = COUNTS[case["stack"]], GOLDEN["stack"]
    sci = np.array(stack["sci"][:n], dtype=np.float64).astype(np.float32)
    weight = np.array(stack["weight"][:n], dtype=np.float64).astype(np.float32)
    bad = np.zeros(sci.shape, dtype=bool)
    if p["median_newmasks"]:
        limits = [np.float64(weight_threshold(w, p["combine_maskpt"])) for w in weight]
        bad = np.array([w < limit for w, limit in zip(weight, limits, strict=True)])
    first, second = (float(v) for v in p["combine_nsigma"].split())
    options = CombineOptions(
        nlow=p["combine_nlow"], nhigh=p["combine_nhigh"], lthresh=p["combine_lthresh"],
        hthresh=p["combine_hthresh"], nsigma=(first, second), grow=p["combine_grow"],
    )  # fmt: skip
    facts = {
        "exptime": np.array(stack["exptime"][:n]), "readnoise": np.array(stack["readnoise_electrons"][:n]),
        "background": np.array(stack["sky_electrons"][:n]),
    }  # fmt: skip
    function = getattr(COMBINERS[p["combine_type"]], kind)
    return function(sci, bad, weight=weight, n_total=n, options=options, **facts), sci, bad.all(axis=0)


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
def test_equals_reference_program(case, kind):
    image, _, empty = run(case, kind)
    expected = np.array(case["expected"], dtype=np.float64).astype(np.float32)
    compared = np.ones(image.shape, dtype=bool)
    if case["parameters"].get("combine_type", "minmed").startswith("i"):  # traps 12-1 and 12-2
        compared = ~empty
        assert compared.sum() > 60
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image[compared], expected[compared])


@pytest.mark.parametrize("kind", ["reference", "fast"])
@pytest.mark.parametrize("name", ["imedian", "imean", "iminmed"])
def test_i_types_give_last_image_where_all_are_masked(name, kind):
    case = next(c for c in GOLDEN["cases"] if c["id"] == f"type/{name}")
    image, sci, empty = run(case, kind)
    assert empty[5, 0]
    assert empty[3:, 8].any()
    np.testing.assert_array_equal(image[empty], sci[-1][empty])


@pytest.mark.parametrize("kind", ["reference", "fast"])
def test_thresholds_are_electrons_per_second_and_not_cumulative(kind):
    case = next(c for c in GOLDEN["cases"] if c["id"] == "median/lthresh_electrons_per_s")
    image, sci, empty = run(case, kind)
    bright = (sci >= np.float32(0.5)).all(axis=0) & ~empty
    assert bright.any()
    plain = next(c for c in GOLDEN["cases"] if c["id"] == "type/median")
    np.testing.assert_array_equal(image[bright], run(plain, kind)[0][bright])


def test_weight_thresholds_equal_reference_program():
    weights = np.array(GOLDEN["stack"]["weight"], dtype=np.float64).astype(np.float32)
    found = [weight_threshold(w, 0.3) for w in weights]
    np.testing.assert_allclose(
        found, GOLDEN["mask_thresholds_at_0_3"], rtol=1e-7
    )  # the file rounds to float32
