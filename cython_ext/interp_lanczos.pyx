# Lanczos with 3 and 5 lobes: mirrors drizframe/stock/interpolators/lanczos.py.
#
# a. One thin loop without the GIL over positions; `fill` stands wherever a position is off the domain.
# b. Each call fills its own table (1001 or 1668 entries, some 50 microseconds): threads share no state.
# c. The stencil is clipped to the image; factors beyond the table are 0, as in the reference.
# d. The image may be read-only and strided, float32 or float64.
"""Lanczos interpolation with 3 and 5 lobes."""

import numpy as np

from libc.math cimport M_PI, ceil, fabs, sin

from interpolation cimport inside, real

from drizframe.model import image_and_positions


cdef inline double sinc_pi(double u) noexcept nogil:
    return 1.0 if u == 0.0 else sin(M_PI * u) / (M_PI * u)


cdef inline double factor(const double[::1] table, double distance) noexcept nogil:
    cdef Py_ssize_t k = <Py_ssize_t> (fabs(distance) / 0.003)
    return table[k] if k < table.shape[0] else 0.0


cdef inline double value(
    const real[:, :] image, double x, double y, const double[::1] table, int a, Py_ssize_t nx, Py_ssize_t ny
) noexcept nogil:
    cdef:
        Py_ssize_t ix = <Py_ssize_t> x, iy = <Py_ssize_t> y, i, j
        double row, total = 0.0
        double fx[10]
        int k
    for k in range(2 * a):
        fx[k] = factor(table, x - (ix + k + 1 - a))
    for j in range(max(iy + 1 - a, 0), min(iy + a + 1, ny)):
        row = 0.0
        for i in range(max(ix + 1 - a, 0), min(ix + a + 1, nx)):
            row += image[j, i] * fx[i - ix - 1 + a]
        total += row * factor(table, y - j)
    return total


cdef void fill_inside(
    const real[:, :] image, const double[:] x, const double[:] y, const double[::1] table, int a,
    double[::1] out
) noexcept:
    cdef Py_ssize_t k, ny = image.shape[0], nx = image.shape[1]
    with nogil:
        for k in range(out.shape[0]):
            if inside(x[k], y[k], nx, ny):
                out[k] = value(image, x[k], y[k], table, a, nx, ny)


cdef table_of(int a):
    cdef:
        Py_ssize_t k, n = <Py_ssize_t> ceil(a / 0.003) + 1
        double u
        double[::1] table
    entries = np.zeros(n, dtype=np.float64)
    table = entries
    for k in range(n):
        u = k * 0.003
        if u < a:
            table[k] = sinc_pi(u) * sinc_pi(u / a)
    return entries


cdef interpolate(image, x, y, double fill, int a):
    image, x, y = image_and_positions(image, x, y)
    values = np.full(len(x), fill, dtype=np.float64)
    if image.dtype == np.float32:
        fill_inside[float](image, x, y, table_of(a), a, values)
    else:
        fill_inside[double](image, x, y, table_of(a), a, values)
    return values


def lanczos3(image, x, y, *, fill):
    """Same as `drizframe.stock.interpolators.lanczos.lanczos3`."""
    return interpolate(image, x, y, fill, 3)


def lanczos5(image, x, y, *, fill):
    """Same as `drizframe.stock.interpolators.lanczos.lanczos5`."""
    return interpolate(image, x, y, fill, 5)
