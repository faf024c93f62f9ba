"""Whether a plugin's function takes the arguments that drizframe gives it: asked when its record is made.

A family declares its calls as it documents them: ``"dx, dy, *, pixfrac"`` means that two arguments come by
position and `pixfrac` by name.  Only that counts: the names of the first two are the author's, and more arguments with
defaults do no harm.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping, Sequence
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary

from drizframe.errors import RecordError

__all__ = ["Calls", "check_calls", "check_function", "fitting"]

#: Fields with what their functions are given; several ways in the order in which they are tried.
Calls = Mapping[str, "str | tuple[str, ...]"]

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_EMPTY = inspect.Parameter.empty
#: What was found of functions: steps are made anew for every run.
_KNOWN: WeakKeyDictionary[FunctionType, dict[tuple[str, ...], str | None]] = WeakKeyDictionary()


def check_calls(label: str, record: Any, calls: Calls) -> None:
    """Refuse a record with a function that could not be called.

    Parameters
    ----------
    label : str
        Family and name, for the message.
    record : dataclass
        A field may be None where that is its default.
    calls : mapping
        Fields that hold functions, with their arguments.

    Raises
    ------
    RecordError
        If such a field holds no function, or one that does not take the arguments.
    """
    optional = {f.name for f in dataclasses.fields(record) if f.default is None}
    for name, ways in calls.items():
        function = getattr(record, name)
        if function is not None or name not in optional:
            check_function(label, name, function, (ways,) if isinstance(ways, str) else ways)


def check_function(label: str, field: str, function: Any, ways: Sequence[str]) -> None:
    """Refuse what is no function, or one that takes its arguments in none of the ways.

    Parameters
    ----------
    label, field : str
        Whose it is, for the message.
    function : Any
        What stands in the field.
    ways : sequence of str
        Arguments as drizframe gives them.

    Raises
    ------
    RecordError
        Says how drizframe calls it, what its arguments are, and what does not fit.
    """
    if not callable(function):
        raise RecordError(_no_function(label, field, function, ways))
    if fitting(function, ways) is not None:
        return
    signature = _signature(function)
    assert signature is not None  # noqa: S101  (without one every way fits)
    named = ": those behind * come by name, the others by position" if "*" in ways[0] else ""
    msg = (
        f"{label} has {_article(field)} {field} that does not fit: drizframe calls {_shown(field, ways)}, "
        f"but {_title(function)}{_plain(signature)} {_fault(signature, ways[0])}. Change its arguments{named}."
    )
    raise RecordError(msg)


def fitting(function: Any, ways: Sequence[str]) -> str | None:
    """Return the first way in which a function can be called; None if there is none.

    Where its signature cannot be read, as for some compiled functions, that is the first.
    """
    if type(function) is not FunctionType or hasattr(function, "__signature__"):
        return _fitting(function, ways)
    known = _KNOWN.setdefault(function, {})
    key = tuple(ways)
    if key not in known:
        known[key] = _fitting(function, ways)
    return known[key]


def _fitting(function: Any, ways: Sequence[str]) -> str | None:
    signature = _signature(function)
    if signature is None:
        return ways[0]
    for way in ways:
        positional, keywords = _split(way)
        try:
            signature.bind(*positional, **dict.fromkeys(keywords))
        except TypeError:
            continue
        return way
    return None


def _split(way: str) -> tuple[list[str], list[str]]:
    """Return the names before and behind the star."""
    before, _, after = way.partition("*")
    positional, keywords = ([n.strip() for n in part.split(",") if n.strip()] for part in (before, after))
    return positional, keywords


def _signature(function: Any) -> inspect.Signature | None:
    """Return the signature of what is called first; None if it cannot be read.

    A decorator may change arguments, so what it wraps does not count, unless the wrapper is compiled (a dispatcher of
    numba, a cache): those hand all arguments on.
    """
    python = isinstance(function, FunctionType | MethodType) or isinstance(
        getattr(type(function), "__call__", None),  # noqa: B004  (the function behind a callable object)
        FunctionType,
    )
    try:
        return inspect.signature(function, follow_wrapped=not python)
    except (TypeError, ValueError):
        return None


def _fault(signature: inspect.Signature, way: str) -> str:
    """Say why a function cannot be called in a way: all that is wrong with it."""
    positional, keywords = _split(way)
    parameters = list(signature.parameters.values())
    kinds = {p.kind for p in parameters}
    places = [p for p in parameters if p.kind in _POSITIONAL]
    faults = []
    if len(places) < len(positional) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        faults.append(f"takes {_count(places)} by position, not {len(positional)}")
    known = {p.name for p in parameters if p.kind in _NAMED}
    if inspect.Parameter.VAR_KEYWORD not in kinds and (strange := [k for k in keywords if k not in known]):
        faults.append(f"does not take {', '.join(strange)} by name")
    filled = places[: len(positional)]
    if twice := [p.name for p in filled if p.name in keywords and p.kind in _NAMED]:
        faults.append(f"has {', '.join(twice)} at a place that is filled already")
    rest = [*places[len(positional) :], *(p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)]
    lacking = [p.name for p in rest if p.default is _EMPTY and not (p.name in keywords and p.kind in _NAMED)]
    if lacking:
        faults.append(f"needs {', '.join(lacking)}, which is not given")
    return " and ".join(faults) or "cannot be called so"


def _article(word: str) -> str:
    """Return "an" before a vowel; "usual" and its like begin with a consonant."""
    return "an" if word[:1] in "aeio" else "a"


def _count(places: Sequence[Any]) -> str:
    return f"{len(places)} argument{'s' if len(places) != 1 else ''}"


def _plain(signature: inspect.Signature) -> str:
    """Return the arguments without annotations."""
    bare = [p.replace(annotation=_EMPTY) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def _title(function: Any) -> str:
    """Return a name of a function, a partial or a callable object."""
    inner = getattr(function, "func", None)
    if callable(inner) and not hasattr(function, "__name__"):
        return f"partial of {_title(inner)}"
    return str(getattr(function, "__name__", type(function).__name__))


def _shown(field: str, ways: Sequence[str]) -> str:
    return " or ".join(f"{field}({way})" for way in ways)


def _no_function(label: str, field: str, value: Any, ways: Sequence[str]) -> str:
    """Say what to give in place of a value; authors write numbers where a function is wanted."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    example = f", such as: def {field}({ways[0]}): return {value!r}" if number else "."
    return f"{label} has {field} = {value!r}, which is no function. Give a function {_shown(field, ways)}{example}"
