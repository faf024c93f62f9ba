# Tabulated Lanczos kernels: the twin of drizframe/stock/kernels/lanczos.py.
#
# a. The table comes from the caller, so both halves read the same numbers and give the same bits.
# b. The weight is a product; factors across are kept in the last row of the window, which is finished last.
"""Lanczos weights."""

import numpy as np

from kernel_loop cimport capsule, weigh
from libc.math cimport fabs, floor

cdef enum:
    TABLE = 4


cdef inline double _value(double d, const double* setting) noexcept nogil:
    """Entry of the table for an offset of `d` output pixels; 0 beyond it."""
    cdef double k = fabs(d) * setting[1] / setting[2] + 0.5
    return setting[TABLE + <Py_ssize_t> k] if k < setting[3] else 0.0


cdef void _lanczos(const double* position, const double* quad, Py_ssize_t x0, Py_ssize_t y0, Py_ssize_t h,
                   Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """Constants: half the side of the footprint, scale, spacing and length of the table, the table."""
    cdef:
        double x = position[0], y = position[1], r = setting[0], c, factor
        double left = floor(x - r), right = floor(x + r), bottom = floor(y - r), top = floor(y + r)
        double* across = out + (h - 1) * w
        Py_ssize_t i, j
    for i in range(w):
        c = <double> (x0 + i)
        across[i] = _value(x - c, setting) if c > left and c <= right else 0.0
    for j in range(h):
        c = <double> (y0 + j)
        factor = _value(y - c, setting) if c > bottom and c <= top else 0.0
        for i in range(w):
            out[j * w + i] = factor * across[i]


cdef object _setting(double scale, double order, table, double spacing):
    return np.concatenate([[order / scale, scale, spacing, <double> len(table)], table])


def pixel(double scale, double order, table, double spacing):
    """Compiled body and constants."""
    return capsule(_lanczos), _setting(scale, order, table, spacing)


def lanczos(x, y, x0, y0, shape, scale, order, table, spacing):
    """Twin of `drizframe.stock.kernels.lanczos.lanczos`."""
    return weigh(_lanczos, x, y, None, x0, y0, shape, _setting(scale, order, table, spacing))
