"""What drizframe ships, from its registry, so that tests keep no list of it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from drizframe import _fast
from drizframe.hooks import PluginManager, Registry

#: For tests of compiled code; ``tox -e refonly`` runs without.
COMPILED = pytest.mark.skipif(
    _fast.load("square") is None, reason="compiled modules are not there, or switched off"
)


@cache
def _registry() -> Registry:
    return Registry(PluginManager(installed=False))


def shipped(family: str, *, twins: bool = False) -> list[Any]:
    """Return the stock records of a family in order of their names; `twins`: those with a compiled half."""
    return [r for r in _registry().records(family) if not twins or getattr(r, "fast", None) is not None]


def by_name(family: str) -> dict[str, Any]:
    """Return the stock records of a family by name."""
    return {r.name: r for r in shipped(family)}
