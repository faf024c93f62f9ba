# Overlap of a fixed, axis-aligned box with pixels: the twin of drizframe/stock/kernels/turbo.py.
#
# a. Same operations in the same order as the NumPy reference: the same bits.
# b. The overlap is a product; lengths along the columns are kept while the rows go by.
"""Areas of one box inside pixels."""

import numpy as np

from kernel_loop cimport LANES, capsule, weigh
from pixels cimport least, most

cdef enum:
    # Columns that are done at a time.
    SOME = 8


cdef inline double _length(double low, double high, double k) noexcept nogil:
    """Length of [low, high] inside the pixel k."""
    return most(least(high, k + 0.5) - most(low, k - 0.5), 0.0)


cdef void _turbo(const double* x, const double* y, const double* corners, const double* left, const double* low,
                 Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """Constants: half the side of the box, one over its area."""
    cdef:
        double r = setting[0], density = setting[1]
        double across[SOME * LANES]
        double along[LANES]
        double* cell
        Py_ssize_t i, j, k, start = 0, count
    while start < w:
        count = w - start if w - start < SOME else SOME
        for i in range(count):
            for k in range(n):
                across[i * n + k] = _length(x[k] - r, x[k] + r, left[k] + (start + i))
        for j in range(h):
            for k in range(n):
                along[k] = _length(y[k] - r, y[k] + r, low[k] + j)
            for i in range(count):
                cell = out + (j * w + start + i) * n
                for k in range(n):
                    cell[k] = (across[i * n + k] * along[k]) * density
        start += count


cdef object _setting(double pixfrac, double scale):
    return np.array([pixfrac / (2.0 * scale), (scale * scale) / (pixfrac * pixfrac)])


def block(double pixfrac, double scale):
    """Compiled body and constants."""
    return capsule(_turbo), _setting(pixfrac, scale)


def turbo(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """Twin of `drizframe.stock.kernels.turbo.turbo`."""
    return weigh(_turbo, x, y, None, x0, y0, shape, _setting(pixfrac, scale))
