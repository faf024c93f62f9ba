"""Interpolators of the array interface, under all their names."""

from __future__ import annotations

import warnings
from typing import Any

from drizframe.errors import ParameterError
from drizframe.hooks import Interpolator
from drizframe.resample._arguments import brief
from drizframe.resample._checks import component

__all__ = ["blot_options", "interpolator_of"]

#: Names that the `drizzle` package gave up.
OLD_NAMES = {"lan3": "lanczos3", "lan5": "lanczos5"}


def interpolator_of(interp: Any) -> Interpolator:
    """Return an interpolator by name, an old one too; a record is returned as it is.

    Raises
    ------
    UnknownComponentError
        If nobody provides an interpolator of that name.
    ParameterError
        If it is neither a name nor a record.
    """
    if not isinstance(interp, str | Interpolator):
        msg = f"Argument 'interp' must be the name or the record of an interpolator; got {brief(interp)}."
        raise ParameterError(msg)
    if isinstance(interp, str) and interp in OLD_NAMES:
        text = f"The interpolator name {interp!r} has been deprecated. Use {OLD_NAMES[interp]!r} instead."
        warnings.warn(text, DeprecationWarning, stacklevel=3)
        interp = OLD_NAMES[interp]
    found: Interpolator = component("interpolator", interp)
    return found


def blot_options(interpolator: Interpolator, sinscl: float) -> dict[str, float]:
    """Return the keywords for an interpolator: the scale only reaches those that take one."""
    return {"sinscl": sinscl} if "sinscl" in interpolator.accepts else {}
