"""Data-quality bits: how they are written, and the mask they make."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from drizframe.errors import ParameterError, ParameterWarning

__all__ = ["BLANK", "good_mask", "parse_bits"]

#: Texts that stand for "not set", in upper case.
BLANK = frozenset({"", "NONE", "INDEF"})

_HOW = (
    "Give an integer, a list such as '64,32' or '64+32' of powers of two, '~4096' for the bad bits, or None."
)


def _powers(numbers: Sequence[int], text: object) -> int:
    """Sum several flags, each of which must be a power of two; duplicates count once."""
    if len(numbers) == 1:
        return numbers[0]
    for n in numbers:
        if n <= 0 or n & (n - 1):
            msg = f"Bits {text!r}: {n} is not a power of two. {_HOW}"
            raise ParameterError(msg)
    if len(set(numbers)) < len(numbers):
        warnings.warn(f"Bits {text!r} name a flag twice; it counts once.", ParameterWarning, stacklevel=3)
    return sum(set(numbers))


def _parse_text(text: str) -> int | None:
    body = text.strip()
    if body.upper() in BLANK:
        return None
    inverted = body.startswith("~")
    body = body[1:].strip() if inverted else body
    if body.startswith("(") and body.endswith(")"):
        body = body[1:-1].strip()
    if "," in body and "+" in body:
        msg = f"Bits {text!r} mix ',' and '+'. {_HOW}"
        raise ParameterError(msg)
    parts = [p.strip() for p in re.split(r"[,+]", body)]
    try:
        numbers = [int(p) for p in parts]
    except ValueError:
        msg = f"Bits {text!r} are not integers. {_HOW}"
        raise ParameterError(msg) from None
    total = _powers(numbers, text)
    return ~total if inverted else total


def parse_bits(value: Any) -> int | None:
    """Turn the documented ways of naming bits into one integer.

    Parameters
    ----------
    value : int, str, sequence of int, or None
        ``524``, ``"4,8,512"``, ``"4+8+512"``, ``"~(4+8)"``, ``[4, 8]``; None, ``""``, ``"None"``,
        ``"INDEF"``: no bits at all.

    Returns
    -------
    int or None
        The bits that are acceptable (negative: all but its complement); None: every value is acceptable.

    Raises
    ------
    ParameterError
        If it is none of these.
    """
    if value is None:
        return None
    if isinstance(value, bool | float):
        msg = f"Bits {value!r} are not integers. {_HOW}"
        raise ParameterError(msg)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, str):
        return _parse_text(value)
    if (
        isinstance(value, Sequence)
        and value
        and all(isinstance(v, int) and not isinstance(v, bool) for v in value)
    ):
        return _powers([int(v) for v in value], value)
    msg = f"Bits {value!r} are not understood. {_HOW}"
    raise ParameterError(msg)


def good_mask(dq: np.ndarray[Any, Any], bits: int | None) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return 1 where a data-quality value has no flag but the acceptable ones, else 0.

    Parameters
    ----------
    dq : ndarray of integers
        Flags; taken as unsigned, of at least 16 bit.
    bits : int or None
        Acceptable bits (`parse_bits`); None: everything is good.

    Returns
    -------
    ndarray of uint8
        Same shape as `dq`.
    """
    if bits is None:
        return np.ones(dq.shape, dtype=np.uint8)
    if dq.dtype.itemsize > 4:
        good = (dq.astype(np.uint64, copy=False) & np.uint64(~bits & 0xFFFFFFFFFFFFFFFF)) == 0
    elif dq.dtype.itemsize > 2:
        bad = np.uint32(~bits & 0xFFFFFFFF)
        good = (dq.astype(np.uint32, copy=False) & bad) == 0
    else:
        good = (dq.astype(np.uint16, copy=False) & np.uint16(~bits & 0xFFFF)) == 0
    mask: np.ndarray[Any, np.dtype[np.uint8]] = good.astype(np.uint8)
    return mask
