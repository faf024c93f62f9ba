"""Components written as a point function: C code that is called for each pixel.

The function has the type::

    int f(double x, double y, const double jac[4], double pixfrac, double scale,
          int *x0, int *y0, int *nx, int *ny, double *w, int capacity, void *user)

It gets the position (x, y) of the centre on the frame and the local derivatives ``dX/dx, dX/dy, dY/dx,
dY/dy`` of the map. It writes the first column and row, the numbers of columns and rows, and the weights, row
by row, and returns 0.  If `capacity` doubles are too few it returns how many it needs, and is called once
more.  A negative number is an error.  Weights must lie within ``nint(x - r) … nint(x + r)``, likewise in y,
with r the support of the kernel.

An interpolator is called alike, with the derivatives of the identity and pixfrac = scale = 1, for each position
(x, y) on the image; its weights are those of the image's pixels, and lie within ``x - r … x + r``.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from drizframe._fast import load
from drizframe.errors import PluginError
from drizframe.hooks import Component, PointFunction

__all__ = ["BEYOND", "Asking", "call_points", "capsule_of", "derivatives", "failure"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.intp]]

compiled: Any = load("point_functions")

#: Status of a function that wrote weights outside of its support.
BEYOND = -(1 << 30)
#: Status of a function whose weights are not finite.
NOT_FINITE = -(1 << 30) + 2

_DOUBLE, _INT = ctypes.c_double, ctypes.c_int


def capsule_of(function: Any) -> Any:
    """Return the capsule inside a `scipy.LowLevelCallable`, which the record has checked."""
    return tuple.__getitem__(function, 0)


def derivatives(corners: Array) -> Array:
    """Return ``dX/dx, dX/dy, dY/dx, dY/dy`` (n, 4) from the corners (n, 4, 2) of whole pixels."""
    p0, p1, p2, p3 = (corners[:, k] for k in range(4))
    by_x, by_y = 0.5 * ((p1 - p0) + (p2 - p3)), 0.5 * ((p0 - p3) + (p1 - p2))
    return np.stack([by_x[:, 0], by_y[:, 0], by_x[:, 1], by_y[:, 1]], axis=1)


def failure(component: Component, status: int, x: float, y: float, support: str) -> PluginError:
    """Say what the point function of a component did wrong, from its status at a pixel."""
    owner = component.label
    if status == BEYOND:
        msg = (
            f"The point function of {owner} gave weights outside of its support ({support}), or more than fit, "
            f"for the pixel at ({x:g}, {y:g}). Make the support larger."
        )
    elif status == NOT_FINITE:
        msg = (
            f"The point function of {owner} gave weights that are not finite for the pixel at ({x:g}, {y:g})."
        )
    else:
        msg = f"The point function of {owner} returned {status} at ({x:g}, {y:g}); 0 means success."
    return PluginError(msg, component)


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
    ask = Asking(capsule)
    weights = np.zeros((len(x), *shape))
    for k in range(len(x)):
        status, left, low, part = ask(x[k], y[k], jacobian[k], pixfrac, scale)
        if status == 0 and part.size and _beyond(x[k], y[k], left, low, part.shape, radius):
            status = BEYOND
        if status != 0:
            return weights, status, k
        _place(weights[k], part, left - int(x0[k]), low - int(y0[k]))
    return weights, 0, -1


class Asking:
    """A point function as Python sees it.

    Parameters
    ----------
    capsule : PyCapsule
        Pointer and user data.
    """

    def __init__(self, capsule: Any) -> None:
        api: Any = ctypes.pythonapi
        name, pointer, context = api.PyCapsule_GetName, api.PyCapsule_GetPointer, api.PyCapsule_GetContext
        name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
        pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        context.restype, context.argtypes = ctypes.c_void_p, [ctypes.py_object]
        self._function = PointFunction(pointer(capsule, name(capsule)))
        self._user = context(capsule)
        self._buffer = np.empty(256)

    def __call__(
        self, x: float, y: float, jacobian: Array, pixfrac: float, scale: float
    ) -> tuple[int, int, int, Array]:
        """Return the status, the first column and row, and the weights (rows, columns)."""
        box = (_INT * 4)()
        places = [ctypes.cast(ctypes.byref(box, 4 * a), ctypes.POINTER(_INT)) for a in range(4)]
        given = (_DOUBLE * 4)(*jacobian)
        for _ in range(2):
            room = self._buffer.ctypes.data_as(ctypes.POINTER(_DOUBLE))
            status = self._function(x, y, given, pixfrac, scale, *places, room, self._buffer.size, self._user)
            if status <= self._buffer.size:
                break
            self._buffer = np.empty(status)
        left, low, columns, rows = box
        if status != 0 or columns <= 0 or rows <= 0:
            return status, left, low, np.empty((0, 0))
        if columns * rows > self._buffer.size:
            return BEYOND, left, low, np.empty((0, 0))
        part = self._buffer[: columns * rows].reshape(rows, columns)
        return (0 if np.isfinite(part).all() else NOT_FINITE), left, low, part


def _beyond(x: float, y: float, left: int, low: int, shape: tuple[int, ...], radius: float) -> bool:
    """Whether a function wrote outside of its support."""
    ends = np.array([x - radius, x + radius, y - radius, y + radius])
    first_x, last_x, first_y, last_y = np.where(ends >= 0.0, np.floor(ends + 0.5), -np.floor(0.5 - ends))
    return bool(
        left < first_x or left + shape[1] - 1 > last_x or low < first_y or low + shape[0] - 1 > last_y
    )


def _place(window: Array, part: Array, left: int, low: int) -> None:
    """Copy the weights that fall on a window."""
    h, w = window.shape
    j0, j1, i0, i1 = max(0, low), min(h, low + part.shape[0]), max(0, left), min(w, left + part.shape[1])
    if j1 > j0 and i1 > i0:
        window[j0:j1, i0:i1] = part[j0 - low : j1 - low, i0 - left : i1 - left]
