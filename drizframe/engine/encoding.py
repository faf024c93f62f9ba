"""Results of tasks as text and bytes, exactly, and back: only kinds that are known, so that nothing that is read is ever run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from drizframe.model import SkyValue

__all__ = ["NotPlain", "decoded", "dtype_of", "encoded"]

Array = np.ndarray[Any, Any]

#: Records that may stand within values, besides the one that a plane declares as its type.
_RECORDS = {"SkyValue": SkyValue}
_SEQUENCES: dict[str, type[Any]] = {"tuple": tuple, "list": list, "set": set, "frozenset": frozenset}


class NotPlain(Exception):  # noqa: N818  (says what a value is, within this room)
    """A value that cannot be written down safely."""


def _records(kinds: Any) -> dict[str, type[Any]]:
    """Return the records that a value may consist of, by name."""
    given = kinds if isinstance(kinds, tuple) else (kinds,)
    return _RECORDS | {k.__name__: k for k in given if isinstance(k, type) and dataclasses.is_dataclass(k)}


def encoded(value: Any, kinds: Any, arrays: list[Array]) -> Any:
    """Return a value as `json` can write it; arrays are put into a list, and stand for themselves by their place.

    Parameters
    ----------
    value : object
        Plain values, NumPy numbers and arrays, containers of them, and records of declared kinds.
    kinds : type, tuple of type, or None
        What its plane declares.
    arrays : list of ndarray
        Gets the arrays.

    Raises
    ------
    NotPlain
        For anything else.
    """
    return _encoded(value, _records(kinds), arrays)


def _encoded(value: Any, records: dict[str, type[Any]], arrays: list[Array]) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return {"float": value.hex()}
    if isinstance(value, np.generic | np.ndarray):
        return _numbers(value, arrays)
    for name, sequence in _SEQUENCES.items():
        if kind is sequence:
            items = [_encoded(v, records, arrays) for v in value]
            return {name: sorted(items, key=repr) if "set" in name else items}
    if kind is dict:
        return {
            "dict": [[_encoded(k, records, arrays), _encoded(v, records, arrays)] for k, v in value.items()]
        }
    if records.get(kind.__name__) is kind:
        return _record(value, records, arrays)
    raise NotPlain(kind.__name__)


def _record(value: Any, records: dict[str, type[Any]], arrays: list[Array]) -> Any:
    fields = dataclasses.fields(value)
    if not all(f.init for f in fields):
        raise NotPlain(type(value).__name__)
    return {
        "record": type(value).__name__,
        "fields": {f.name: _encoded(getattr(value, f.name), records, arrays) for f in fields},
    }


def _numbers(value: Any, arrays: list[Array]) -> Any:
    """Encode what is of NumPy."""
    if value.dtype.kind not in "biufc" or type(value) not in (np.ndarray, value.dtype.type):
        raise NotPlain(f"{type(value).__name__} of {value.dtype}")
    if isinstance(value, np.generic):
        return {"number": value.dtype.str, "bytes": value.tobytes().hex()}
    arrays.append(value)
    return {"array": len(arrays) - 1}


def decoded(text: Any, kinds: Any, arrays: Sequence[Array]) -> Any:
    """Return what `encoded` wrote.

    Raises
    ------
    ValueError, KeyError, TypeError, LookupError
        If it is nothing that `encoded` writes.
    """
    return _decoded(text, _records(kinds), arrays)


def _decoded(text: Any, records: dict[str, type[Any]], arrays: Sequence[Array]) -> Any:
    if text is None or isinstance(text, bool | int | str):
        return text
    if not isinstance(text, dict) or not text:
        raise ValueError(text)
    kind = next(iter(text))
    if kind == "float":
        return float.fromhex(text["float"])
    if kind == "number":
        return np.frombuffer(bytes.fromhex(text["bytes"]), dtype_of(text["number"]))[0]
    if kind == "array":
        return arrays[text["array"]]
    if kind == "dict":
        return {_decoded(k, records, arrays): _decoded(v, records, arrays) for k, v in text["dict"]}
    if kind == "record":
        fields = {k: _decoded(v, records, arrays) for k, v in text["fields"].items()}
        return records[text["record"]](**fields)
    return _SEQUENCES[kind](_decoded(v, records, arrays) for v in text[kind])


def dtype_of(text: str) -> np.dtype[Any]:
    """Return a type of numbers by its name.

    Raises
    ------
    ValueError, TypeError
        If it is none.
    """
    dtype = np.dtype(text)
    if dtype.kind not in "biufc" or dtype.itemsize > math.ceil(np.dtype(np.clongdouble).itemsize):
        raise ValueError(text)
    return dtype
