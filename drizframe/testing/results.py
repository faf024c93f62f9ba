"""What a component gave, as something to compare and to show."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pluggy
import pydantic
import scipy

from drizframe.testing.failure import CheckFailure

__all__ = ["describe", "foreign", "origin", "plain", "values_of"]


def describe(error: BaseException) -> str:
    """Return the text of an error with its type, unless it is a failed check."""
    return str(error) if isinstance(error, CheckFailure) else f"{type(error).__name__}: {error}"


def origin(error: BaseException) -> str:
    """Return the innermost line, outside of libraries if there is one, that an error came through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not foreign(f.filename)]
    if not (own or frames):
        return "no line is known"
    last = (own or frames)[-1]
    return f"line {last.lineno} of {last.filename} (in {last.name})"


@cache
def _libraries() -> tuple[str, ...]:
    """Return the folders whose files belong to no component."""
    modules = (np, scipy, hypothesis, pluggy, pydantic)
    found = [str(Path(str(m.__file__)).parent) for m in modules] + [str(Path(__file__).parent)]
    return tuple(f"{folder}/".replace("\\", "/") for folder in found)


@cache
def foreign(file: str) -> bool:
    """Whether a file belongs to the standard library, to NumPy and the like, or to this kit."""
    if file.startswith(("<frozen", "<string>", "<__array")):
        return True
    path = file.replace("\\", "/")
    folders = [sysconfig.get_paths()[k].replace("\\", "/") for k in ("stdlib", "platstdlib")]
    standard = any(path.startswith(f"{folder}/") for folder in folders)
    return (standard and "/site-packages/" not in path) or path.startswith(_libraries())


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
