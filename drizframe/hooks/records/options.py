"""Options of components from the parameters of a run."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

__all__ = ["options_from"]

_Options = TypeVar("_Options")


def options_from(kind: type[_Options], parameters: Any, prefix: str, **more: Any) -> _Options:
    """Return options of a component, each field from the parameter of its name, so that a new one is two places.

    Parameters
    ----------
    kind : type
        The record of the options of a family, such as `CombineOptions`.
    parameters : Parameters
        The parameters of the run.
    prefix : str
        What the names of the parameters have before those of the fields, such as ``"combine_"``.
    **more
        Fields that come from elsewhere or whose parameters have other names.

    Returns
    -------
    options : object
        A record of that kind.
    """
    named = {f.name for f in fields(kind)} - {"plugin", *more}  # type: ignore[arg-type]
    return kind(**{name: getattr(parameters, prefix + name) for name in named}, **more)
