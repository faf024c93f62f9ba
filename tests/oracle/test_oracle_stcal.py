"""`drizframe.resample` in the hands of stcal 1.20, which the pipelines of JWST and Roman resample with."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

ENVIRONMENT = os.environ.get("DRIZFRAME_STCAL_ENV")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not ENVIRONMENT,
        reason="DRIZFRAME_STCAL_ENV names no environment for stcal (tests/oracle/stcal_suite.py makes it)",
    ),
]


def test_the_tests_of_stcal_pass_with_ours_where_they_pass_with_theirs(tmp_path):
    spec = importlib.util.spec_from_file_location("stcal_suite", Path(__file__).with_name("stcal_suite.py"))
    assert spec is not None
    assert spec.loader is not None
    suite = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(suite)
    before, after = suite.compare(Path(str(ENVIRONMENT)), tmp_path)
    passed = {name for name, outcome in before.items() if outcome == "passed"}
    assert len(passed) >= 12
    assert {name: after.get(name) for name in passed if after.get(name) != "passed"} == {}
