# Bilinear interpolation: mirrors drizframe/stock/interpolators/linear.py.
#
# a. One thin loop without the GIL over positions; `fill` stands wherever a position is off the domain.
# b. The four products are summed in the order of the reference, so both give the same bits.
# c. The image may be read-only and strided, float32 or float64.
"""Bilinear interpolation."""

import numpy as np

from interpolation cimport inside, real

from drizframe.model import image_and_positions


cdef inline double value(
    const real[:, :] image, double x, double y, Py_ssize_t nx, Py_ssize_t ny
) noexcept nogil:
    cdef:
        Py_ssize_t i0 = <Py_ssize_t> x, j0 = <Py_ssize_t> y
        Py_ssize_t i1 = min(i0 + 1, nx - 1), j1 = min(j0 + 1, ny - 1)
        double px = x - i0 if i0 < nx - 1 else 0.0
        double py = y - j0 if j0 < ny - 1 else 0.0
        double qx = 1.0 - px, qy = 1.0 - py
    return (
        qx * qy * image[j0, i0] + px * qy * image[j0, i1] + qx * py * image[j1, i0] + px * py * image[j1, i1]
    )


cdef void fill_inside(
    const real[:, :] image, const double[:] x, const double[:] y, double[::1] out
) noexcept:
    cdef Py_ssize_t k, ny = image.shape[0], nx = image.shape[1]
    with nogil:
        for k in range(out.shape[0]):
            if inside(x[k], y[k], nx, ny):
                out[k] = value(image, x[k], y[k], nx, ny)


def linear(image, x, y, *, fill):
    """Same as `drizframe.stock.interpolators.linear.linear`."""
    image, x, y = image_and_positions(image, x, y)
    values = np.full(len(x), fill, dtype=np.float64)
    if image.dtype == np.float32:
        fill_inside[float](image, x, y, values)
    else:
        fill_inside[double](image, x, y, values)
    return values
