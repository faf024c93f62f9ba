# The nearest pixel: the twin of drizframe/stock/kernels/point.py.
#
# a. Halves round away from zero, as the reference does; the result is 0 or 1, so both halves agree exactly.
"""The pixel nearest to a position."""

import numpy as np

from pixels cimport nint


def point(x, y, corners, x0, y0, shape, *, double pixfrac, double scale):
    """Twin of `drizframe.stock.kernels.point.point`."""
    cdef:
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        const Py_ssize_t[::1] first_x = np.ascontiguousarray(x0, dtype=np.intp)
        const Py_ssize_t[::1] first_y = np.ascontiguousarray(y0, dtype=np.intp)
        Py_ssize_t n = px.shape[0], h = shape[0], w = shape[1], k
        double i, j
        double[:, :, ::1] out
    weights = np.zeros((n, h, w))
    if weights.size == 0:
        return weights
    out = weights
    with nogil:
        for k in range(n):
            i = nint(px[k]) - first_x[k]
            j = nint(py[k]) - first_y[k]
            if i >= 0.0 and i < w and j >= 0.0 and j < h:
                out[k, <Py_ssize_t> j, <Py_ssize_t> i] = 1.0
    return weights
