# Which pixels of a block touch a window, and where: the twin of drizframe/pixels/selection.py.
#
# a. Tests are made on float64 positions, before any conversion to an integer: huge and non-finite ones are
#    dropped.
# b. Pixels keep their order; all arrays have the length of the block and are cut to the number found.
"""Choice of pixels that touch a window."""

import numpy as np

from libc.math cimport isfinite
from pixels cimport least, most, nint


cdef inline bint _range(double low, double high, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t* first,
                        Py_ssize_t* last) noexcept nogil:
    """Clip nint(low) ... nint(high) to [start, stop); False if nothing is left."""
    if not (high >= start - 1.0 and low <= stop):
        return False
    low = nint(low)
    high = nint(high)
    first[0] = start if low < start else <Py_ssize_t> low
    last[0] = stop - 1 if high > stop - 1 else <Py_ssize_t> high
    return first[0] <= last[0]


def near_centres(const double[:, :] x, const double[:, :] y, double radius, window):
    """Twin of `drizframe.pixels.selection.near_centres`."""
    cdef:
        Py_ssize_t y0 = window[0], y1 = window[1], x0 = window[2], x1 = window[3]
        Py_ssize_t rows = x.shape[0], columns = x.shape[1], i, j, n = 0
        double u, v
        Py_ssize_t[::1] index
        Py_ssize_t[:, ::1] box
        double[:, ::1] centre
    index_out = np.empty(rows * columns, dtype=np.intp)
    box_out = np.empty((4, rows * columns), dtype=np.intp)
    centre_out = np.empty((2, rows * columns))
    if rows * columns:
        index, box, centre = index_out, box_out, centre_out
        with nogil:
            for j in range(rows):
                for i in range(columns):
                    u = x[j, i]
                    v = y[j, i]
                    if not (isfinite(u) and isfinite(v)):
                        continue
                    if not _range(u - radius, u + radius, x0, x1, &box[0, n], &box[1, n]):
                        continue
                    if not _range(v - radius, v + radius, y0, y1, &box[2, n], &box[3, n]):
                        continue
                    index[n] = j * columns + i
                    centre[0, n] = u
                    centre[1, n] = v
                    n += 1
    return index_out[:n], centre_out[0, :n], centre_out[1, :n], None, box_out[:, :n]


def near_quads(const double[:, :] x, const double[:, :] y, const double[:, :] cx, const double[:, :] cy,
               Py_ssize_t stride, window):
    """Twin of `drizframe.pixels.selection.near_quads`."""
    cdef:
        Py_ssize_t y0 = window[0], y1 = window[1], x0 = window[2], x1 = window[3]
        Py_ssize_t rows = x.shape[0], columns = x.shape[1], i, j, k, a, b, n = 0
        double u[4]
        double v[4]
        Py_ssize_t[::1] index
        Py_ssize_t[:, ::1] box
        double[:, ::1] centre
        double[:, :, ::1] quad
    index_out = np.empty(rows * columns, dtype=np.intp)
    box_out = np.empty((4, rows * columns), dtype=np.intp)
    centre_out = np.empty((2, rows * columns))
    quad_out = np.empty((rows * columns, 4, 2))
    if rows * columns:
        index, box, centre, quad = index_out, box_out, centre_out, quad_out
        with nogil:
            for j in range(rows):
                b = stride * j
                for i in range(columns):
                    a = stride * i
                    u[0] = cx[b + 1, a]
                    u[1] = cx[b + 1, a + 1]
                    u[2] = cx[b, a + 1]
                    u[3] = cx[b, a]
                    v[0] = cy[b + 1, a]
                    v[1] = cy[b + 1, a + 1]
                    v[2] = cy[b, a + 1]
                    v[3] = cy[b, a]
                    if not (isfinite(x[j, i]) and isfinite(y[j, i]) and _all_finite(u) and _all_finite(v)):
                        continue
                    if not _range(least(least(u[0], u[1]), least(u[2], u[3])),
                                  most(most(u[0], u[1]), most(u[2], u[3])), x0, x1, &box[0, n], &box[1, n]):
                        continue
                    if not _range(least(least(v[0], v[1]), least(v[2], v[3])),
                                  most(most(v[0], v[1]), most(v[2], v[3])), y0, y1, &box[2, n], &box[3, n]):
                        continue
                    index[n] = j * columns + i
                    centre[0, n] = x[j, i]
                    centre[1, n] = y[j, i]
                    for k in range(4):
                        quad[n, k, 0] = u[k]
                        quad[n, k, 1] = v[k]
                    n += 1
    return index_out[:n], centre_out[0, :n], centre_out[1, :n], quad_out[:n], box_out[:, :n]


cdef inline bint _all_finite(const double* v) noexcept nogil:
    return isfinite(v[0]) and isfinite(v[1]) and isfinite(v[2]) and isfinite(v[3])
