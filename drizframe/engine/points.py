"""Kernels written as a point function: C code that is called for each input pixel.

The function has the type::

    int f(double x, double y, const double jac[4], double pixfrac, double scale,
          int *x0, int *y0, int *nx, int *ny, double *w, int capacity, void *user)

It gets the position (x, y) of the centre on the frame and the local derivatives ``dX/dx, dX/dy, dY/dx,
dY/dy`` of the map. It writes the first column and row, the numbers of columns and rows, and the weights, row
by row, and returns 0.  If `capacity` doubles are too few it returns how many it needs, and is called once
more.  A negative number is an error.  Weights must lie within ``nint(x - r) … nint(x + r)``, likewise in y,
with r the support of the kernel.
"""

from __future__ import annotations

import ctypes
import re
from typing import Any

import numpy as np

from drizframe._fast import load
from drizframe.errors import PluginError

__all__ = ["BEYOND", "SIGNATURE", "call_points", "capsule_of", "derivatives"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.intp]]

compiled: Any = load("kernel_ways")

#: The C type, without names and const.
SIGNATURE = (
    "int (double, double, double *, double, double, int *, int *, int *, int *, double *, int, void *)"
)
#: Status of a function that wrote weights outside of its support.
BEYOND = -(1 << 30)

_D, _I = ctypes.c_double, ctypes.c_int
_TYPE = ctypes.CFUNCTYPE(
    _I,
    _D,
    _D,
    ctypes.POINTER(_D),
    _D,
    _D,
    *(ctypes.POINTER(_I),) * 4,
    ctypes.POINTER(_D),
    _I,
    ctypes.c_void_p,
)


def capsule_of(function: Any, name: str) -> Any:
    """Return the capsule inside a `scipy.LowLevelCallable`.

    Raises
    ------
    PluginError
        If it is none, or its C type is another one.
    """
    signature = getattr(function, "signature", None)
    if signature is None or not isinstance(function, tuple):
        msg = f"The point function of kernel {name!r} is {type(function).__name__}; give a LowLevelCallable."
        raise PluginError(msg)
    plain = re.sub(r"\bconst\b|\s", "", signature)
    if plain != SIGNATURE.replace(" ", ""):
        msg = f"The point function of kernel {name!r} has the C type {signature!r}; it must be {SIGNATURE!r}."
        raise PluginError(msg)
    return tuple.__getitem__(function, 0)


def derivatives(corners: Array) -> Array:
    """Return ``dX/dx, dX/dy, dY/dx, dY/dy`` (n, 4) from the corners (n, 4, 2) of whole pixels."""
    p0, p1, p2, p3 = (corners[:, k] for k in range(4))
    by_x, by_y = 0.5 * ((p1 - p0) + (p2 - p3)), 0.5 * ((p0 - p3) + (p1 - p2))
    return np.stack([by_x[:, 0], by_y[:, 0], by_x[:, 1], by_y[:, 1]], axis=1)


def call_points(
    capsule: Any, x: Array, y: Array, jacobian: Array, x0: Integers, y0: Integers, shape: tuple[int, int],
    pixfrac: float, scale: float, radius: float,
) -> tuple[Array, int, int]:  # fmt: skip
    """Call a point function for each pixel.

    Parameters
    ----------
    capsule : PyCapsule
        Pointer and user data.
    x, y : ndarray of float64, shape (n,)
        Centres on the frame.
    jacobian : ndarray of float64, shape (n, 4)
        See `derivatives`.
    x0, y0, shape, pixfrac, scale
        As for a footprint.
    radius : float
        The support in frame pixels.

    Returns
    -------
    weights : ndarray of float64, shape (n, h, w)
        On the windows.
    status : int
        0, or what the function returned for the pixel `failed`.
    failed : int
        Index of the pixel at which the calls ended; -1: none.
    """
    api: Any = ctypes.pythonapi
    get_name, get_pointer, get_context = (
        api.PyCapsule_GetName,
        api.PyCapsule_GetPointer,
        api.PyCapsule_GetContext,
    )
    get_name.restype, get_name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    get_context.restype, get_context.argtypes = ctypes.c_void_p, [ctypes.py_object]
    function = _TYPE(get_pointer(capsule, get_name(capsule)))
    user = get_context(capsule)
    weights = np.zeros((len(x), *shape))
    buffer = np.empty(256)
    for k in range(len(x)):
        box = (ctypes.c_int * 4)()
        places = [ctypes.cast(ctypes.byref(box, 4 * a), ctypes.POINTER(_I)) for a in range(4)]
        jac = (ctypes.c_double * 4)(*jacobian[k])
        for _ in range(2):
            status = function(
                x[k],
                y[k],
                jac,
                pixfrac,
                scale,
                *places,
                buffer.ctypes.data_as(ctypes.POINTER(_D)),
                buffer.size,
                user,
            )
            if status <= buffer.size:
                break
            buffer = np.empty(status)
        left, low, columns, rows = box
        if status == 0 and columns > 0 and rows > 0 and _beyond(x[k], y[k], box, radius, buffer.size):
            status = BEYOND
        if status != 0:
            return weights, status, k
        if columns > 0 and rows > 0:
            _place(
                weights[k],
                buffer[: columns * rows].reshape(rows, columns),
                left - int(x0[k]),
                low - int(y0[k]),
            )
    return weights, 0, -1


def _beyond(x: float, y: float, box: Any, radius: float, capacity: int) -> bool:
    """Whether a function wrote more than fits, or outside of its support."""
    left, low, columns, rows = box
    ends = np.array([x - radius, x + radius, y - radius, y + radius])
    first_x, last_x, first_y, last_y = np.where(ends >= 0.0, np.floor(ends + 0.5), -np.floor(0.5 - ends))
    return bool(
        columns * rows > capacity or left < first_x or left + columns - 1 > last_x
        or low < first_y or low + rows - 1 > last_y
    )  # fmt: skip


def _place(window: Array, part: Array, left: int, low: int) -> None:
    """Copy the weights that fall on a window."""
    h, w = window.shape
    j0, j1, i0, i1 = max(0, low), min(h, low + part.shape[0]), max(0, left), min(w, left + part.shape[1])
    if j1 > j0 and i1 > i0:
        window[j0:j1, i0:i1] = part[j0 - low : j1 - low, i0 - left : i1 - left]
