"""Memory that was freed, back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Callable
from typing import Any

__all__ = ["give_back"]


@functools.cache
def _trim() -> Callable[[int], Any] | None:
    """Return what the C library has for it; None where it has nothing (musl, macOS, Windows: they give back by themselves)."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        return ctypes.CDLL(None).malloc_trim
    return None


def give_back() -> None:
    """Give memory back that the C library keeps after it was freed: with images of some megabytes that is much."""
    trim = _trim()
    if trim is not None:
        trim(0)
