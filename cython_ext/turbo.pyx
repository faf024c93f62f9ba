# Overlap of a fixed, axis-aligned box with pixels: the twin of drizframe/stock/kernels/turbo.py.
#
# a. Same operations in the same order as the NumPy reference: the same bits.
# b. The overlap is a product. Lengths across are kept in the last row of the window, which is finished last.
"""Areas of one box inside pixels."""

import numpy as np

from kernel_loop cimport capsule, weigh
from pixels cimport least, most


cdef inline double _length(double low, double high, double k) noexcept nogil:
    """Length of [low, high] inside the pixel k."""
    return most(least(high, k + 0.5) - most(low, k - 0.5), 0.0)


cdef void _turbo(const double* position, const double* quad, Py_ssize_t x0, Py_ssize_t y0, Py_ssize_t h,
                 Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """Constants: half the side of the box, one over its area."""
    cdef:
        double r = setting[0], density = setting[1], length
        double left = position[0] - r, right = position[0] + r
        double bottom = position[1] - r, top = position[1] + r
        double* across = out + (h - 1) * w
        Py_ssize_t i, j
    for i in range(w):
        across[i] = _length(left, right, <double> (x0 + i))
    for j in range(h):
        length = _length(bottom, top, <double> (y0 + j))
        for i in range(w):
            out[j * w + i] = (across[i] * length) * density


cdef object _setting(double pixfrac, double scale):
    return np.array([pixfrac / (2.0 * scale), (scale * scale) / (pixfrac * pixfrac)])


def pixel(double pixfrac, double scale):
    """Compiled body and constants."""
    return capsule(_turbo), _setting(pixfrac, scale)


def turbo(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """Twin of `drizframe.stock.kernels.turbo.turbo`."""
    return weigh(_turbo, x, y, None, x0, y0, shape, _setting(pixfrac, scale))
