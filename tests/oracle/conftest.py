"""The reference program and the exposures as fixtures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import reference_env


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("oracle")


@pytest.fixture(scope="session", autouse=True)
def program_that_ends():
    yield
    reference_env.close()


@pytest.fixture(scope="session")
def reference() -> Callable[..., Path]:
    """``reference(files, inputs=None, **parameters)``: the directory of the products (read-only: it is a cache)."""
    try:
        environment, store = os.environ["DRIZFRAME_ORACLE_ENV"], os.environ["DRIZFRAME_ORACLE_CACHE"]
    except KeyError as missing:
        pytest.skip(f"needs the reference program: set {missing}, or run tox -e oracle")
    python = reference_env.ensure(Path(environment))

    def run(files: Iterable[Path], inputs: str | Sequence[str] | None = None, **parameters: Any) -> Path:
        return reference_env.products(python, Path(store).resolve(), files, parameters, inputs)

    return run
