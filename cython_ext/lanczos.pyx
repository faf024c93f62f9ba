# Tabulated Lanczos kernels: the twin of drizframe/stock/kernels/lanczos.py.
#
# a. The table comes from the caller, so both halves read the same numbers and give the same bits.
# b. The weight is a product; the table is read once for each column and row.
"""Lanczos weights."""

import numpy as np

from libc.math cimport fabs, floor


cdef inline double _value(double d, double scale, double spacing, const double[::1] table) noexcept nogil:
    """Entry of the table for an offset of `d` output pixels; 0 beyond it."""
    cdef double k = floor(fabs(d) * scale / spacing + 0.5)
    return table[<Py_ssize_t> k] if k < table.shape[0] else 0.0


cdef inline Py_ssize_t _bound(double edge, Py_ssize_t start, Py_ssize_t count) noexcept nogil:
    """Index in the window of the pixel after `edge`."""
    cdef double k = floor(edge) + 1.0 - start
    if not k > 0.0:
        return 0
    return <Py_ssize_t> k if k < count else count


def lanczos(x, y, x0, y0, shape, double scale, double order, const double[::1] table, double spacing):
    """Twin of `drizframe.stock.kernels.lanczos.lanczos`."""
    cdef:
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        const Py_ssize_t[::1] first_x = np.ascontiguousarray(x0, dtype=np.intp)
        const Py_ssize_t[::1] first_y = np.ascontiguousarray(y0, dtype=np.intp)
        Py_ssize_t n = px.shape[0], h = shape[0], w = shape[1], i, j, k, first, end, low, high
        double r = order / scale, factor
        double[:, :, ::1] out
        double[::1] across
    weights = np.zeros((n, h, w))
    if weights.size == 0:
        return weights
    out = weights
    across = np.empty(w)
    with nogil:
        for k in range(n):
            first = _bound(px[k] - r, first_x[k], w)
            end = _bound(px[k] + r, first_x[k], w)
            low = _bound(py[k] - r, first_y[k], h)
            high = _bound(py[k] + r, first_y[k], h)
            for i in range(first, end):
                across[i] = _value(px[k] - <double> (first_x[k] + i), scale, spacing, table)
            for j in range(low, high):
                factor = _value(py[k] - <double> (first_y[k] + j), scale, spacing, table)
                for i in range(first, end):
                    out[k, j, i] = factor * across[i]
    return weights
