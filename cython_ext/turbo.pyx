# Overlap of a fixed, axis-aligned box with pixels: the twin of drizframe/stock/kernels/turbo.py.
#
# a. Same operations in the same order as the NumPy reference: the same bits.
# b. The overlap is a product, so the two lengths are formed once for each column and row.
"""Areas of one box inside pixels."""

import numpy as np

from pixels cimport end_of, first_of, least, most


cdef inline double _length(double low, double high, double k) noexcept nogil:
    """Length of [low, high] inside the pixel k."""
    cdef double v = least(high, k + 0.5) - most(low, k - 0.5)
    return v if v > 0.0 else 0.0


def turbo(x, y, corners, x0, y0, shape, *, double pixfrac, double scale):
    """Twin of `drizframe.stock.kernels.turbo.turbo`."""
    cdef:
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        const Py_ssize_t[::1] first_x = np.ascontiguousarray(x0, dtype=np.intp)
        const Py_ssize_t[::1] first_y = np.ascontiguousarray(y0, dtype=np.intp)
        Py_ssize_t n = px.shape[0], h = shape[0], w = shape[1], i, j, k, first, end, low, high
        double r = pixfrac / (2.0 * scale), density = (scale * scale) / (pixfrac * pixfrac), length
        double[:, :, ::1] out
        double[::1] across
    weights = np.zeros((n, h, w))
    if weights.size == 0:
        return weights
    out = weights
    across = np.empty(w)
    with nogil:
        for k in range(n):
            first = first_of(px[k] - r, first_x[k], w)
            end = end_of(px[k] + r, first_x[k], w)
            low = first_of(py[k] - r, first_y[k], h)
            high = end_of(py[k] + r, first_y[k], h)
            for i in range(first, end):
                across[i] = _length(px[k] - r, px[k] + r, <double> (first_x[k] + i))
            for j in range(low, high):
                length = _length(py[k] - r, py[k] + r, <double> (first_y[k] + j))
                for i in range(first, end):
                    out[k, j, i] = (across[i] * length) * density
    return weights
