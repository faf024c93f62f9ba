"""Options of components from the parameters of a run."""

from __future__ import annotations

from dataclasses import field, fields
from typing import Any, TypeVar

__all__ = ["named", "options_from"]

_Options = TypeVar("_Options")
_PARAMETER = "parameter"


def named(parameter: str, default: Any) -> Any:
    """Return a field of options whose parameter has another name.

    Parameters
    ----------
    parameter : str
        All of its name: no prefix is put in front.
    default : object
        Of the field, for records that are made without parameters.
    """
    return field(default=default, metadata={_PARAMETER: parameter})


def options_from(kind: type[_Options], parameters: Any, prefix: str, **more: Any) -> _Options:
    """Return options of a component, each field from the parameter of its name, so that a new one is two places.

    Parameters
    ----------
    kind : type
        The record of the options of a family, such as `CombineOptions`.
    parameters : Parameters
        The parameters of the run.
    prefix : str
        What the names of the parameters have before those of the fields, such as ``"combine_"``; a field can say itself what
        its parameter is called (`named`).
    **more
        Fields that come from elsewhere.

    Returns
    -------
    options : object
        A record of that kind.
    """
    wanted = [f for f in fields(kind) if f.name not in {"plugin", *more}]  # type: ignore[arg-type]
    found = {f.name: getattr(parameters, f.metadata.get(_PARAMETER, prefix + f.name)) for f in wanted}
    return kind(**found, **more)
