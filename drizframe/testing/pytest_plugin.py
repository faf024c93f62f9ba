"""Where the pytest plugin was: for environments whose installed entry point still names this module."""

from __future__ import annotations

from drizframe.pytest_plugin import drizframe_pm, pytest_configure

__all__ = ["drizframe_pm", "pytest_configure"]
