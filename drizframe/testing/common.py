"""Checks of components of every family."""

from __future__ import annotations

import inspect
import pickle
from typing import Any

from drizframe.hooks import Component
from drizframe.testing.checking import check, describe, implementations
from drizframe.testing.failure import CheckFailure, require

__all__: list[str] = []


def _has_twin(record: Any) -> bool:
    return getattr(record, "fast", None) is not None


@check(applies=_has_twin)
def check_same_signature(record: Component) -> None:
    """Reference and fast twin have the same arguments."""
    found = {}
    for kind, function in implementations(record).items():
        try:
            found[kind] = [(p.name, p.kind) for p in inspect.signature(function).parameters.values()]
        except (TypeError, ValueError) as error:
            raise CheckFailure(
                f"{record!r}: a program can read the signature of {kind}",
                expected="a signature",
                got=repr(error),
                where=f"{kind} = {function!r}",
            ) from error
    show = {k: ", ".join(n for n, _ in v) for k, v in found.items()}
    require(
        found["fast"] == found["reference"],
        f"{record!r}: fast has the arguments of reference",
        expected=show["reference"],
        got=show["fast"],
        where="signature",
    )


@check(traits=["picklable"])
def check_picklable(record: Component) -> None:
    """The record survives pickling, as promised."""
    what = f"{record!r} survives pickling, as its trait 'picklable' promises"
    try:
        copy = pickle.loads(pickle.dumps(record))  # noqa: S301  (our own bytes)
    except Exception as error:
        raise CheckFailure(
            what, expected="a copy", got=describe(error), where="pickle.dumps, pickle.loads"
        ) from error
    same = type(copy) is type(record) and (copy.name, copy.traits) == (record.name, record.traits)
    require(same, what, expected=record, got=copy, where="type, name and traits")
    for kind, function in implementations(record).items():
        require(
            getattr(copy, kind) is function,
            what,
            expected=repr(function),
            got=repr(getattr(copy, kind)),
            where=kind,
        )
