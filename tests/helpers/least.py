"""Limits of memory that runs can just keep, so that they keep next to nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

import drizframe
from drizframe.errors import ParameterError

__all__ = ["least_memory"]


def least_memory(inputs: Any, **options: Any) -> str:
    """Return the least limit that a run takes, as the error says that one gets for a smaller one."""
    with pytest.raises(ParameterError, match="max_memory") as caught:
        drizframe.run(inputs, **{**options, "max_memory": "1kB"})
    found = re.search(r"max_memory='([^']+)'", str(caught.value))
    assert found is not None
    return found[1]
