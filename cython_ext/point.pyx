# The nearest pixel: the twin of drizframe/stock/kernels/point.py.
#
# a. Halves round away from zero, as the reference does; the result is 0 or 1, so both halves agree exactly.
"""The pixel nearest to a position."""

import numpy as np

from kernel_loop cimport LANES, capsule, weigh
from pixels cimport nint, pick


cdef void _point(const double* x, const double* y, const double* corners, const double* left, const double* low,
                 Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """No constants."""
    cdef:
        double column[LANES]
        double row[LANES]
        Py_ssize_t i, j, k
    for k in range(n):
        column[k] = nint(x[k]) - left[k]
        row[k] = nint(y[k]) - low[k]
    for j in range(h):
        for i in range(w):
            for k in range(n):
                out[k] = pick((column[k] == i) & (row[k] == j), 1.0, 0.0)
            out += n


def block(double pixfrac, double scale):
    """Compiled body and constants."""
    return capsule(_point), np.zeros(1)


def point(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """Twin of `drizframe.stock.kernels.point.point`."""
    return weigh(_point, x, y, None, x0, y0, shape, np.zeros(1))
