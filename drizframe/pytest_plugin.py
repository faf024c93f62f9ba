"""The pytest plugin: our marker, and a plugin manager that sees nothing installed.

pytest loads it by its entry point in every session of every project where drizframe is installed, so it imports nothing
but pytest before a fixture is used, and does not live in `drizframe.testing`, whose package needs hypothesis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from drizframe.hooks import PluginManager

__all__ = ["drizframe_pm", "pytest_configure"]


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    config.addinivalue_line("markers", "conformance: a check of a drizframe component by drizframe.testing")


@pytest.fixture
def drizframe_pm(monkeypatch: pytest.MonkeyPatch) -> PluginManager:
    """Return a plugin manager that holds what drizframe ships and sees no installed plugin; register your module with it."""
    from drizframe.hooks import PluginManager

    for variable in ("DRIZFRAME_PLUGINS", "DRIZFRAME_DISABLED_PLUGINS", "DRIZFRAME_TRACE_HOOKS"):
        monkeypatch.delenv(variable, raising=False)
    return PluginManager(installed=False)
