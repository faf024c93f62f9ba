"""Types of the fields of records: what would fail in the middle of a run is refused when a record is made."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

from drizframe.errors import RecordError

__all__ = ["check_fields", "model_class", "number", "text", "texts", "whole"]

#: ``kind(value) -> value``, converted; raises `UnfitError` that says what is wanted.
Kind = Callable[[Any], Any]


class UnfitError(Exception):
    """A value is of a wrong type; the message says what is wanted."""


def check_fields(label: str, record: Any, **kinds: Kind) -> None:
    """Refuse a value of a wrong type; convert what means the same, such as a list in place of a tuple.

    Parameters
    ----------
    label : str
        Family and name, for the message.
    record : frozen dataclass
        Its fields are converted in place.
    **kinds
        What the fields hold.

    Raises
    ------
    RecordError
        Names record, field and value, and says what is wanted.
    """
    for field, kind in kinds.items():
        value = getattr(record, field)
        try:
            object.__setattr__(record, field, kind(value))
        except UnfitError as error:
            msg = f"{label} has {field} = {value!r}. {error}"
            raise RecordError(msg) from None


def text(value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        msg = "Give a string."
        raise UnfitError(msg)
    return value


def texts(container: type[Any]) -> Kind:
    """Strings in a container; a single string is refused, because it would be taken apart into letters."""
    example = "('sci', 'dq')" if container is tuple else "{'linear', 'order_free'}"

    def kind(value: Any) -> Any:
        found = None if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
        if found is None or not all(isinstance(v, str) for v in found):
            one = (
                f"; for one: {(value,) if container is tuple else {value}}" if isinstance(value, str) else ""
            )
            msg = f"Give a {'tuple' if container is tuple else 'set'} of strings, such as {example}{one}."
            raise UnfitError(msg)
        return container(found)

    return kind


def number(value: Any) -> float:
    """A finite number of at least 0."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) < math.inf:
        msg = "Give a number of at least 0."
        raise UnfitError(msg)
    return float(value)


def whole(least: int, other: str = "") -> Kind:
    """A whole number of at least `least`; `other` says what else may be given."""

    def kind(value: Any) -> int:
        try:
            found = None if isinstance(value, bool) else operator.index(value)
        except TypeError:
            found = None
        if found is None or found < least:
            msg = f"Give a whole number of at least {least}{other}."
            raise UnfitError(msg)
        return found

    return kind


def model_class(value: Any) -> Any:
    """A pydantic model (the class), or None."""
    if value is not None and not (
        isinstance(value, type) and callable(getattr(value, "model_validate", None))
    ):
        msg = "Give a class that derives from pydantic.BaseModel (the class itself), or None."
        raise UnfitError(msg)
    return value
