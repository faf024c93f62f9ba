# A sampled Gaussian: the twin of drizframe/stock/kernels/gaussian.py.
#
# a. exp(-e (dx² + dy²)) is a product of two factors; each is formed once for a column or row.
# b. exp() of the C library and of NumPy may differ in the last bit, nothing else does.
"""Gaussian weights."""

import numpy as np

from libc.math cimport M_PI, exp
from pixels cimport end_of, first_of, most


def gaussian(x, y, corners, x0, y0, shape, *, double pixfrac, double scale):
    """Twin of `drizframe.stock.kernels.gaussian.gaussian`."""
    cdef:
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        const Py_ssize_t[::1] first_x = np.ascontiguousarray(x0, dtype=np.intp)
        const Py_ssize_t[::1] first_y = np.ascontiguousarray(y0, dtype=np.intp)
        Py_ssize_t n = px.shape[0], h = shape[0], w = shape[1], i, j, k, first, end, low, high
        double r = most(2.5 * pixfrac / (2.3548 * scale), 1.2 / scale), d, factor
        double e = 2.3548 * 2.3548 * (scale * scale) / (2.0 * (pixfrac * pixfrac)), peak = e / M_PI
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
                d = px[k] - <double> (first_x[k] + i)
                across[i] = exp(-e * (d * d))
            for j in range(low, high):
                d = py[k] - <double> (first_y[k] + j)
                factor = peak * exp(-e * (d * d))
                for i in range(first, end):
                    out[k, j, i] = factor * across[i]
    return weights
