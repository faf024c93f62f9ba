# Bilinear interpolation of coordinate tables and full maps: the twin of drizframe/model/pixelmap.py.
#
# a. Same products in the same order as NumPy, so both give the same bits.
# b. Cells and fractions of columns are found once for all rows of the call; positions in one cell form a run
#    whose four nodes stay in registers, and whose loop the compiler vectorises.
# c. X is never taken for an angle: there is no wrap at 360 (trap 11-1).
# builds: plain, avx2
"""Interpolation of coordinate maps."""

import numpy as np

from cells cimport cell_of, cell_row, cells_along

# Chip position of the first node of a table, as in drizframe/model/pixelmap.py.
cdef enum:
    ORIGIN = -1


cdef Py_ssize_t _runs(const double[::1] x, double step, Py_ssize_t last, Py_ssize_t[::1] cell,
                      Py_ssize_t[::1] end, double[::1] part) noexcept nogil:
    """Cells of positions: neighbours in one cell form a run, `end` of which is the index past it."""
    cdef Py_ssize_t i, k, runs = 0
    cdef double u
    for i in range(x.shape[0]):
        u = (x[i] - ORIGIN) / step
        k = cell_of(u, last)
        part[i] = u - k
        if runs == 0 or cell[runs - 1] != k:
            cell[runs] = k
            runs += 1
        end[runs - 1] = i + 1
    return runs


cdef inline void _run(double t00, double t10, double t01, double t11, double b, const double* a, double* out,
                      Py_ssize_t n) noexcept nogil:
    """Interpolate along a row inside one cell."""
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = (t00 * (1.0 - a[i]) * (1.0 - b) + t10 * a[i] * (1.0 - b)
                  + t01 * (1.0 - a[i]) * b + t11 * a[i] * b)


def table_grid(const double[:, :, :] nodes, double step, x, y):
    """Twin of `drizframe.model.pixelmap.table_grid`."""
    cdef:
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        Py_ssize_t n = px.shape[0], m = py.shape[0], c, i, j, k, q, r, runs
        double u, b
        Py_ssize_t[::1] cell = np.empty(n, dtype=np.intp), end = np.empty(n, dtype=np.intp)
        double[::1] part = np.empty(n)
        double[:, :, ::1] out
    result = np.empty((2, m, n))
    if result.size == 0:
        return result[0], result[1]
    out = result
    with nogil:
        runs = _runs(px, step, nodes.shape[2] - 2, cell, end, part)
        for c in range(2):
            for j in range(m):
                u = (py[j] - ORIGIN) / step
                k = cell_of(u, nodes.shape[1] - 2)
                b = u - k
                i = 0
                for r in range(runs):
                    q = cell[r]
                    _run(nodes[c, k, q], nodes[c, k, q + 1], nodes[c, k + 1, q], nodes[c, k + 1, q + 1], b,
                         &part[i], &out[c, j, i], end[r] - i)
                    i = end[r]
    return result[0], result[1]


def cell_grid(const double[:, :, ::1] pixmap, x, y):
    """Twin of `drizframe.model.pixelmap.cell_grid`."""
    cdef:
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        Py_ssize_t n = px.shape[0], m = py.shape[0], i, j
        Py_ssize_t[::1] cell
        double[::1] part, row
        double[:, :, ::1] out
    result = np.empty((2, m, n))
    if result.size == 0:
        return result[0], result[1]
    out, cell, part, row = result, np.empty(n, dtype=np.intp), np.empty(2 * n), np.empty(2 * n)
    with nogil:
        cells_along(&px[0], n, pixmap.shape[1], &cell[0], &part[0])
        for j in range(m):
            cell_row(&pixmap[0, 0, 0], pixmap.shape[0], pixmap.shape[1], py[j], &cell[0], &part[0], n, &row[0])
            for i in range(n):
                out[0, j, i] = row[2 * i]
                out[1, j, i] = row[2 * i + 1]
    return result[0], result[1]
