# Parts of a pyramid in pixels: the twin of drizframe/stock/kernels/planted.py.
#
# a. Same operations in the same order as the NumPy reference.
"""Parts of a pyramid in pixels."""

import numpy as np

from kernel_loop cimport LANES, capsule, weigh
from pixels cimport least, most, pick

from drizframe.model import axes_of


cdef inline double _below(double t, double r) noexcept nogil:
    """Part of a triangle of half the base r about 0 that lies below t."""
    cdef double u = least(most(t, -r), r)
    return pick(u < 0.0, (u + r) * (u + r) / (2.0 * r * r), 1.0 - (r - u) * (r - u) / (2.0 * r * r))


cdef inline double _part(double k, double v, double r) noexcept nogil:
    """Part of the triangle about v in the pixel k."""
    return _below((k + 0.5) - v, r) - _below((k - 0.5) - v, r)


cdef void _planted(const double* x, const double* y, const double* corners, const double* left, const double* low,
                   Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """Constants: half the sides of the base."""
    cdef:
        double along[LANES]
        double* cell
        Py_ssize_t i, j, k
    for j in range(h):
        for k in range(n):
            along[k] = _part(low[k] + j, y[k], setting[1])
        for i in range(w):
            cell = out + (j * w + i) * n
            for k in range(n):
                cell[k] = _part(left[k] + i, x[k], setting[0]) * along[k]


cdef object _setting(double pixfrac, object scale):
    cdef double sx, sy
    sx, sy = axes_of(scale)
    return np.array([pixfrac / sx, pixfrac / sy])


def block(double pixfrac, scale):
    """Compiled body and constants."""
    return capsule(_planted), _setting(pixfrac, scale)


def planted(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """Twin of `drizframe.stock.kernels.planted.planted`."""
    return weigh(_planted, x, y, None, x0, y0, shape, _setting(pixfrac, scale))
