# A sampled Gaussian: the twin of drizframe/stock/kernels/gaussian.py.
#
# a. exp(-e (dx² + dy²)) is a product of two factors; those along the columns are kept while the rows go by.
# b. exp() of NumPy and of exponential.pxd may differ in the last bits, nothing else does.
# builds: plain, avx2
"""Gaussian weights."""

import numpy as np

from exponential cimport exponential
from kernel_loop cimport LANES, capsule, weigh
from libc.math cimport M_PI, sqrt
from pixels cimport most, nint, pick

from drizframe.model import axes_of

cdef enum:
    # Columns that are done at a time.
    SOME = 8


cdef inline void _range(const double* v, double r, Py_ssize_t n, double* first, double* last) noexcept nogil:
    """First and last pixel of the footprint along one axis."""
    cdef Py_ssize_t k
    for k in range(n):
        first[k] = nint(v[k] - r)
        last[k] = nint(v[k] + r)


cdef inline void _factors(const double* v, const double* start, double i, double e, const double* first,
                          const double* last, Py_ssize_t n, double* out) noexcept nogil:
    """One axis of the Gaussian on pixel `i` of the windows."""
    cdef:
        double c, d, value
        Py_ssize_t k
    for k in range(n):
        c = start[k] + i
        d = v[k] - c
        value = exponential(-e * (d * d))
        out[k] = pick((c >= first[k]) & (c <= last[k]), value, 0.0)


cdef void _gaussian(const double* x, const double* y, const double* corners, const double* left,
                    const double* low, Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, const double* setting,
                    double* out) noexcept nogil:
    """Constants: half the sides of the footprint, e along either axis, and their geometric mean over π."""
    cdef:
        double ex = setting[2], ey = setting[3], peak = setting[4]
        double first[2 * LANES]
        double last[2 * LANES]
        double across[SOME * LANES]
        double along[LANES]
        double* cell
        Py_ssize_t i, j, k, start = 0, count
    _range(x, setting[0], n, first, last)
    _range(y, setting[1], n, first + n, last + n)
    while start < w:
        count = w - start if w - start < SOME else SOME
        for i in range(count):
            _factors(x, left, <double> (start + i), ex, first, last, n, across + i * n)
        for j in range(h):
            _factors(y, low, <double> j, ey, first + n, last + n, n, along)
            for k in range(n):
                along[k] = peak * along[k]
            for i in range(count):
                cell = out + (j * w + start + i) * n
                for k in range(n):
                    cell[k] = along[k] * across[i * n + k]
        start += count


cdef double _half(double pixfrac, double scale):
    return most(2.5 * pixfrac / (2.3548 * scale), 1.2 / scale)


cdef object _setting(double pixfrac, object scale):
    cdef double sx, sy, ex, ey
    sx, sy = axes_of(scale)
    ex = 2.3548 * 2.3548 * (sx * sx) / (2.0 * (pixfrac * pixfrac))
    ey = 2.3548 * 2.3548 * (sy * sy) / (2.0 * (pixfrac * pixfrac))
    return np.array([_half(pixfrac, sx), _half(pixfrac, sy), ex, ey, (ex if ex == ey else sqrt(ex * ey)) / M_PI])


def block(double pixfrac, scale):
    """Compiled body and constants."""
    return capsule(_gaussian), _setting(pixfrac, scale)


def gaussian(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """Twin of `drizframe.stock.kernels.gaussian.gaussian`."""
    return weigh(_gaussian, x, y, None, x0, y0, shape, _setting(pixfrac, scale))
