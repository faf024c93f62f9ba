"""What drizframe ships, from its registry, so that tests keep no list of it."""

from __future__ import annotations

from functools import cache
from typing import Any

from drizframe.hooks import PluginManager, Registry


@cache
def _registry() -> Registry:
    return Registry(PluginManager(installed=False))


def shipped(family: str, *, twins: bool = False) -> list[Any]:
    """Return the stock records of a family in order of their names; `twins`: those with a compiled half."""
    return [r for r in _registry().records(family) if not twins or getattr(r, "fast", None) is not None]


def by_name(family: str) -> dict[str, Any]:
    """Return the stock records of a family by name."""
    return {r.name: r for r in shipped(family)}
