"""What a component gave, as something to compare and to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from drizframe.testing.failure import CheckFailure

__all__ = ["describe", "plain", "values_of"]


def describe(error: BaseException) -> str:
    """Return the text of an error with its type, unless it is a failed check."""
    return str(error) if isinstance(error, CheckFailure) else f"{type(error).__name__}: {error}"


def plain(result: Any) -> Any:
    """Return a result as something that ``==`` compares, with all bits of arrays."""
    if isinstance(result, np.ndarray):
        return (result.shape, result.dtype.str, result.tobytes())
    if isinstance(result, Mapping):
        return {k: plain(v) for k, v in result.items()}
    if isinstance(result, tuple | list):
        return tuple(plain(v) for v in result)
    if is_dataclass(result) and not isinstance(result, type):
        return (type(result).__name__, *(plain(getattr(result, f.name)) for f in fields(result)))
    return repr(float(result)) if isinstance(result, float | np.floating) else repr(result)


def values_of(packed: Any) -> Any:
    """Turn what `plain` packed into something to show."""
    if isinstance(packed, tuple) and len(packed) == 3 and isinstance(packed[2], bytes):
        return np.frombuffer(packed[2], dtype=packed[1]).reshape(packed[0])
    if isinstance(packed, tuple):
        return tuple(values_of(v) for v in packed)
    return packed
