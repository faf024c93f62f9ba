# A sampled Gaussian: the twin of drizframe/stock/kernels/gaussian.py.
#
# a. exp(-e (dx² + dy²)) is a product of two factors; those across are kept in the last row of the window,
#    finished last.
# b. exp() of the C library and of NumPy may differ in the last bit, nothing else does.
"""Gaussian weights."""

import numpy as np

from kernel_loop cimport capsule, weigh
from libc.math cimport M_PI, exp
from pixels cimport end_of, first_of, most


cdef void _gaussian(const double* position, const double* quad, Py_ssize_t x0, Py_ssize_t y0, Py_ssize_t h,
                    Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """Constants: half the side of the footprint, e, and e / π."""
    cdef:
        double x = position[0], y = position[1], r = setting[0], e = setting[1], peak = setting[2], d, factor
        double* across = out + (h - 1) * w
        Py_ssize_t i, j, first = first_of(x - r, x0, w), end = end_of(x + r, x0, w)
        Py_ssize_t low = first_of(y - r, y0, h), high = end_of(y + r, y0, h)
    for i in range(w):
        d = x - <double> (x0 + i)
        across[i] = exp(-e * (d * d)) if i >= first and i < end else 0.0
    for j in range(h):
        d = y - <double> (y0 + j)
        factor = peak * exp(-e * (d * d)) if j >= low and j < high else 0.0
        for i in range(w):
            out[j * w + i] = factor * across[i]


cdef object _setting(double pixfrac, double scale):
    cdef double e = 2.3548 * 2.3548 * (scale * scale) / (2.0 * (pixfrac * pixfrac))
    return np.array([most(2.5 * pixfrac / (2.3548 * scale), 1.2 / scale), e, e / M_PI])


def pixel(double pixfrac, double scale):
    """Compiled body and constants."""
    return capsule(_gaussian), _setting(pixfrac, scale)


def gaussian(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """Twin of `drizframe.stock.kernels.gaussian.gaussian`."""
    return weigh(_gaussian, x, y, None, x0, y0, shape, _setting(pixfrac, scale))
