"""Data-quality flags of inputs that do not count."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe.config import Parameters

__all__ = ["cleared_bits", "reset_bits"]

Array = np.ndarray[Any, Any]


def cleared_bits(parameters: Parameters) -> int | None:
    """Return the flags that do not count: `resetbits`, and `crbit` too where masks of earlier runs are to be left alone."""
    if parameters.use_crmasks:
        return parameters.resetbits
    return (parameters.resetbits or 0) | parameters.crbit


def reset_bits(dq: Array, bits: int | None) -> Array:
    """Return flags with `bits` cleared, in the type they had; None or 0 clears nothing."""
    if not bits:
        return dq
    width = 8 * dq.dtype.itemsize
    keep = ~bits & ((1 << width) - 1)
    unsigned = dq.view(np.dtype(f"u{dq.dtype.itemsize}"))
    cleared: Array = (unsigned & unsigned.dtype.type(keep)).view(dq.dtype)
    return cleared
