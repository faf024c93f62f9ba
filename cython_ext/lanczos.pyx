# Tabulated Lanczos kernels: the twin of drizframe/stock/kernels/lanczos.py.
#
# a. The table comes from the caller, so both halves read the same numbers and give the same bits.
# b. The weight is a product; factors along the columns are kept while the rows go by.
"""Lanczos weights."""

import numpy as np

from kernel_loop cimport LANES, capsule, weigh
from libc.math cimport fabs, floor

from drizframe.model import axes_of

cdef enum:
    TABLE = 6
    # Columns that are done at a time.
    SOME = 8


cdef inline double _value(double d, double scale, const double* setting) noexcept nogil:
    """Entry of the table for an offset of `d` output pixels; 0 beyond it."""
    cdef double k = fabs(d) * scale / setting[4] + 0.5
    return setting[TABLE + <Py_ssize_t> k] if k < setting[5] else 0.0


cdef inline void _range(const double* v, double r, Py_ssize_t n, double* first, double* last) noexcept nogil:
    """The pixel before the footprint and its last one, along one axis."""
    cdef Py_ssize_t k
    for k in range(n):
        first[k] = floor(v[k] - r)
        last[k] = floor(v[k] + r)


cdef inline void _factors(const double* v, const double* start, double i, const double* first, const double* last,
                          double scale, const double* setting, Py_ssize_t n, double* out) noexcept nogil:
    """One axis of the kernel on pixel `i` of the windows."""
    cdef:
        double c
        Py_ssize_t k
    for k in range(n):
        c = start[k] + i
        out[k] = _value(v[k] - c, scale, setting) if c > first[k] and c <= last[k] else 0.0


cdef void _lanczos(const double* x, const double* y, const double* corners, const double* left,
                   const double* low, Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, const double* setting,
                   double* out) noexcept nogil:
    """Constants: half the sides of the footprint, both scales, spacing and length of the table, the table."""
    cdef:
        double first[2 * LANES]
        double last[2 * LANES]
        double across[SOME * LANES]
        double along[LANES]
        double* cell
        Py_ssize_t i, j, k, start = 0, count
    _range(x, setting[0], n, first, last)
    _range(y, setting[1], n, first + n, last + n)
    while start < w:
        count = w - start if w - start < SOME else SOME
        for i in range(count):
            _factors(x, left, <double> (start + i), first, last, setting[2], setting, n, across + i * n)
        for j in range(h):
            _factors(y, low, <double> j, first + n, last + n, setting[3], setting, n, along)
            for i in range(count):
                cell = out + (j * w + start + i) * n
                for k in range(n):
                    cell[k] = along[k] * across[i * n + k]
        start += count


cdef object _setting(object scale, double order, table, double spacing):
    cdef double sx, sy
    sx, sy = axes_of(scale)
    return np.concatenate([[order / sx, order / sy, sx, sy, spacing, <double> len(table)], table])


def block(scale, double order, table, double spacing):
    """Compiled body and constants."""
    return capsule(_lanczos), _setting(scale, order, table, spacing)


def lanczos(x, y, x0, y0, shape, scale, order, table, spacing):
    """Twin of `drizframe.stock.kernels.lanczos.lanczos`."""
    return weigh(_lanczos, x, y, None, x0, y0, shape, _setting(scale, order, table, spacing))
