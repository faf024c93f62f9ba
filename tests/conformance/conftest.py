"""The kit's fixture, also where drizframe is not installed (its entry point gives it otherwise); settings for planted faults."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings
from planted import PROFILE

from drizframe.pytest_plugin import drizframe_pm

__all__ = ["drizframe_pm", "steady"]


@pytest.fixture(scope="module")
def steady() -> Iterator[None]:
    """Draw the same inputs every time, and look for no simpler ones that fail."""
    settings.load_profile(PROFILE)
    yield
    settings.load_profile("ci" if os.environ.get("CI") else "dev")
