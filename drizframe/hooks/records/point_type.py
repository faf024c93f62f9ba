"""The C type of point functions: what a kernel or an interpolator in C, Cython or numba looks like from outside.

A function of this type gives the weights of pixels around a position::

    int f(double x, double y, const double jac[4], double pixfrac, double scale,
          int *x0, int *y0, int *nx, int *ny, double *w, int capacity, void *user)
"""

from __future__ import annotations

import ctypes
import re
from typing import Any

from drizframe.errors import RecordError

__all__ = ["POINT_SIGNATURE", "PointFunction", "check_point"]

#: The C type, without names and const, as `scipy.LowLevelCallable` writes it.
POINT_SIGNATURE = (
    "int (double, double, double *, double, double, int *, int *, int *, int *, double *, int, void *)"
)

_NUMBER, _NUMBERS = ctypes.c_double, ctypes.POINTER(ctypes.c_double)
_COUNT, _COUNTS = ctypes.c_int, ctypes.POINTER(ctypes.c_int)

#: The same as a type of `ctypes`: ``PointFunction(("name", library))``, ``PointFunction(address)``.
PointFunction = ctypes.CFUNCTYPE(
    _COUNT, _NUMBER, _NUMBER, _NUMBERS, _NUMBER, _NUMBER, *(_COUNTS,) * 4, _NUMBERS, _COUNT, ctypes.c_void_p
)


def check_point(owner: str, function: Any) -> None:
    """Refuse what is no point function.

    Parameters
    ----------
    owner : str
        Family and name of the component.
    function : object
        What its author gave.

    Raises
    ------
    RecordError
        If it is no `scipy.LowLevelCallable`, or its C type is another one.
    """
    signature = getattr(function, "signature", None)
    if signature is None or not isinstance(function, tuple):
        msg = (
            f"The point function of {owner} is a {type(function).__name__}. Give a scipy.LowLevelCallable: "
            f"LowLevelCallable.from_cython(module, name), or LowLevelCallable(drizframe.PointFunction((name, library)))."
        )
        raise RecordError(msg)
    if re.sub(r"\bconst\b|\s", "", signature) != POINT_SIGNATURE.replace(" ", ""):
        msg = f"The point function of {owner} has the C type {signature!r}; it must be {POINT_SIGNATURE!r}."
        raise RecordError(msg)
