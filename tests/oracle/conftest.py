"""The reference program as a fixture."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import reference_env


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("oracle")


@pytest.fixture(scope="session")
def reference() -> Callable[..., Path]:
    """``reference(inputs, **parameters)``: the directory of the products (read-only: it is a cache)."""
    try:
        environment, cache = os.environ["DRIZFRAME_ORACLE_ENV"], os.environ["DRIZFRAME_ORACLE_CACHE"]
    except KeyError as missing:
        pytest.skip(f"needs the reference program: set {missing}, or run tox -e oracle")
    python = reference_env.ensure(Path(environment))

    def run(inputs: Iterable[Path], **parameters: Any) -> Path:
        return reference_env.products(python, Path(cache).resolve(), inputs, parameters)

    return run
