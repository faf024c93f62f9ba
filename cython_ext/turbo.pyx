# Overlap of a fixed, axis-aligned box with pixels: the twin of drizframe/stock/kernels/turbo.py.
#
# a. Same operations in the same order as the NumPy reference: the same bits.
# b. The overlap is a product; lengths along the columns are kept while the rows go by.
"""Areas of one box inside pixels."""

import numpy as np

from kernel_loop cimport LANES, capsule, weigh
from pixels cimport least, most

from drizframe.model import axes_of

cdef enum:
    # Columns that are done at a time.
    SOME = 8


cdef inline double _length(double low, double high, double k) noexcept nogil:
    """Length of [low, high] inside the pixel k."""
    return most(least(high, k + 0.5) - most(low, k - 0.5), 0.0)


cdef void _turbo(const double* x, const double* y, const double* corners, const double* left, const double* low,
                 Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """Constants: half the sides of the box, one over its area."""
    cdef:
        double rx = setting[0], ry = setting[1], density = setting[2]
        double across[SOME * LANES]
        double along[LANES]
        double* cell
        Py_ssize_t i, j, k, start = 0, count
    while start < w:
        count = w - start if w - start < SOME else SOME
        for i in range(count):
            for k in range(n):
                across[i * n + k] = _length(x[k] - rx, x[k] + rx, left[k] + (start + i))
        for j in range(h):
            for k in range(n):
                along[k] = _length(y[k] - ry, y[k] + ry, low[k] + j)
            for i in range(count):
                cell = out + (j * w + start + i) * n
                for k in range(n):
                    cell[k] = (across[i * n + k] * along[k]) * density
        start += count


cdef object _setting(double pixfrac, object scale):
    cdef double sx, sy
    sx, sy = axes_of(scale)
    return np.array([pixfrac / (2.0 * sx), pixfrac / (2.0 * sy), (sx * sy) / (pixfrac * pixfrac)])


def block(double pixfrac, scale):
    """Compiled body and constants."""
    return capsule(_turbo), _setting(pixfrac, scale)


def turbo(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """Twin of `drizframe.stock.kernels.turbo.turbo`."""
    return weigh(_turbo, x, y, None, x0, y0, shape, _setting(pixfrac, scale))
