"""The kit's fixture, also where drizframe is not installed (its entry point gives it otherwise)."""

from __future__ import annotations

from drizframe.pytest_plugin import drizframe_pm

__all__ = ["drizframe_pm"]
