"""The kit over everything that drizframe ships: each component and step by its family and its traits."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from drizframe.hooks import COMPONENT_HOOKS, STAGES, PluginManager, Registry
from drizframe.testing import all_checks, checks_for, stock_sample
from drizframe.testing.conformance import Bound
from drizframe.testing.known import known_failures

#: Random inputs for each check: enough to walk every branch, few enough to run with every change.
EXAMPLES = 6
MANAGER = PluginManager(installed=False)
REGISTRY = Registry(MANAGER)


def steps() -> list[Any]:
    stages = [getattr(MANAGER.hook, hook)() for hook in STAGES]
    return stages + [s for answer in MANAGER.hook.drizframe_extra_steps() for s in answer]


RECORDS = [("step", s) for s in steps()] + [(e.record.family, e.record) for e in REGISTRY]
ITEMS = [
    pytest.param(
        Bound(c, record, stock_sample(record), known_failures(record).get(c.name)),
        id=f"{family}-{record.name}-{c.name}",
    )
    for family, record in RECORDS
    for c in checks_for(record)
]


@pytest.mark.conformance
@pytest.mark.parametrize("check", ITEMS)
def test_stock(check):
    if check.check.sampled:
        assert check.sample is not None, "what drizframe ships is checked with a sample"
    check(max_examples=EXAMPLES)


def test_every_family_is_covered():
    assert {family for family, _ in RECORDS} == {"step", *COMPONENT_HOOKS.values()}


def test_every_check_is_used():
    used = {id(c) for _, record in RECORDS for c in checks_for(record)}
    idle = {c.name for c in all_checks() if id(c) not in used}
    # no shipped component promises these
    allowed = {"check_rotation_invariant", "check_linear", "check_order_free", "check_reference_equals_fast"}
    allowed |= {"check_support_holds_profile"}  # nor is any of them a profile
    assert idle <= allowed


@pytest.mark.parametrize(("family", "name", "traits"), [
    ("kernel", "square", {"conserves_flux", "non_negative", "linear"}),
    ("kernel", "turbo", {"conserves_flux", "non_negative", "linear"}),
    ("kernel", "point", {"conserves_flux", "non_negative", "linear"}),
    ("kernel", "gaussian", {"non_negative", "linear"}),
    ("combiner", "median", {"order_free"}),
    ("cosmic-ray detector", "deriv", {"needs_blot"}),
])  # fmt: skip
def test_promises_are_made(family, name, traits):
    assert traits <= REGISTRY.get(family, name).traits


def test_the_page_of_checks_is_current():
    path = Path(__file__).parents[2] / "tools" / "make_conformance_page.py"
    tool = runpy.run_path(str(path))
    text = tool["PAGE"].read_text(encoding="utf-8")
    assert text == tool["page"](), f"run python {path.relative_to(path.parents[1])}"
