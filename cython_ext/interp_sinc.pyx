# Tapered sinc: mirrors drizframe/stock/interpolators/sinc.py.
#
# a. One thin loop without the GIL over positions; `fill` stands wherever a position is off the domain.
# b. The taper depends on the offset only: 15 numbers on the stack of the call, computed once.
# c. Factors of both axes are kept on the stack; all sums run in the order of the reference.
# d. The image may be read-only and strided, float32 or float64.
"""Tapered sinc interpolation."""

import numpy as np

from libc.math cimport M_PI, fabs

from interpolation cimport clipped, inside, nearest_index, real

from drizframe.errors import ParameterError
from drizframe.model import image_and_positions


cdef void tapers(double* t) noexcept nogil:
    cdef:
        int m
        double u, s
    for m in range(-7, 8):
        u = (M_PI / 14.0) * (M_PI / 14.0) * (m * m)
        s = 1.0 + -0.49670 * u + 0.03705 * u * u
        t[m + 7] = (1.0 if m % 2 == 0 else -1.0) * (s * s)


cdef inline double factors(double d, const double* t, double* c) noexcept nogil:
    # Fill c with the factors at offset d, return their sum.
    cdef:
        int m
        double total = 0.0
    for m in range(-7, 8):
        if d - m == 0.0:
            c[m + 7] = 1.0
        elif d == 0.0:
            c[m + 7] = 0.0
        else:
            c[m + 7] = t[m + 7] / (d - m)
        total += c[m + 7]
    return total


cdef inline double value(
    const real[:, :] image, double x, double y, double sinscl, const double* t, Py_ssize_t nx, Py_ssize_t ny
) noexcept nogil:
    cdef:
        Py_ssize_t i0 = nearest_index(x), j0 = nearest_index(y), jj
        double dx = (x - i0) * sinscl, dy = (y - j0) * sinscl
        double cx[15]
        double cy[15]
        double row, sx, sy, total = 0.0
        int i, j
    if fabs(dx) < 0.001 and fabs(dy) < 0.001:
        return image[min(j0, ny - 1), min(i0, nx - 1)]
    sx = factors(dx, t, cx)
    sy = factors(dy, t, cy)
    for j in range(15):
        row = 0.0
        jj = clipped(j0 + j - 7, ny - 1)
        for i in range(15):
            row += cx[i] * image[jj, clipped(i0 + i - 7, nx - 1)]
        total += cy[j] * row
    return total / (sx * sy)


cdef void fill_inside(
    const real[:, :] image, const double[:] x, const double[:] y, double sinscl, double[::1] out
) noexcept:
    cdef:
        Py_ssize_t k, ny = image.shape[0], nx = image.shape[1]
        double t[15]
    with nogil:
        tapers(t)
        for k in range(out.shape[0]):
            if inside(x[k], y[k], nx, ny):
                out[k] = value(image, x[k], y[k], sinscl, t, nx, ny)


def sinc(image, x, y, *, fill, sinscl=1.0):
    """Same as `drizframe.stock.interpolators.sinc.sinc`."""
    if not (np.isfinite(sinscl) and sinscl > 0.0):
        msg = f"blot_sinscl is {sinscl!r}; it is a finite number above 0 (1 interpolates)."
        raise ParameterError(msg)
    image, x, y = image_and_positions(image, x, y)
    values = np.full(len(x), fill, dtype=np.float64)
    if image.dtype == np.float32:
        fill_inside[float](image, x, y, sinscl, values)
    else:
        fill_inside[double](image, x, y, sinscl, values)
    return values
