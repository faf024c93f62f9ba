# The nearest pixel: the twin of drizframe/stock/kernels/point.py.
#
# a. Halves round away from zero, as the reference does; the result is 0 or 1, so both halves agree exactly.
"""The pixel nearest to a position."""

import numpy as np

from kernel_loop cimport capsule, weigh
from pixels cimport nint


cdef void _point(const double* position, const double* quad, Py_ssize_t x0, Py_ssize_t y0, Py_ssize_t h,
                 Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    cdef double i = nint(position[0]) - x0, j = nint(position[1]) - y0
    cdef Py_ssize_t k
    for k in range(h * w):
        out[k] = 0.0
    if i >= 0.0 and i < w and j >= 0.0 and j < h:
        out[<Py_ssize_t> j * w + <Py_ssize_t> i] = 1.0


def pixel(double pixfrac, double scale):
    """Compiled body and constants."""
    return capsule(_point), np.zeros(1)


def point(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """Twin of `drizframe.stock.kernels.point.point`."""
    return weigh(_point, x, y, None, x0, y0, shape, np.zeros(1))
