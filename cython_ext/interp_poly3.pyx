# Bicubic polynomial: mirrors drizframe/stock/interpolators/poly3.py.
#
# a. One thin loop without the GIL over positions; `fill` stands wherever a position is off the domain.
# b. A row of the stencil inside the image is read directly; `sample` handles the others.
# c. Same operations in the same order as the reference, so both give the same bits.
# d. The image may be read-only and strided, float32 or float64.
"""Bicubic polynomial interpolation."""

import numpy as np

from interpolation cimport clipped, everett4, inside, real, sample

from drizframe.model import image_and_positions


cdef inline double along_x(
    const real[:, :] image, Py_ssize_t j, Py_ssize_t ix, double p, Py_ssize_t last
) noexcept nogil:
    if ix >= 1 and ix + 2 <= last:
        return everett4(image[j, ix - 1], image[j, ix], image[j, ix + 1], image[j, ix + 2], p)
    return everett4(
        sample(image, j, ix - 1, last), sample(image, j, ix, last),
        sample(image, j, ix + 1, last), sample(image, j, ix + 2, last), p,
    )


cdef inline double row(
    const real[:, :] image, Py_ssize_t j, Py_ssize_t ix, double p, Py_ssize_t nx, Py_ssize_t ny
) noexcept nogil:
    cdef Py_ssize_t edge = clipped(j, ny - 1)
    cdef double found = along_x(image, edge, ix, p, nx - 1)
    if edge != j:
        found = 2.0 * found - along_x(image, clipped(2 * edge - j, ny - 1), ix, p, nx - 1)
    return found


cdef inline double value(
    const real[:, :] image, double x, double y, Py_ssize_t nx, Py_ssize_t ny
) noexcept nogil:
    cdef:
        Py_ssize_t ix = <Py_ssize_t> x, iy = <Py_ssize_t> y
        double p = x - ix
    return everett4(
        row(image, iy - 1, ix, p, nx, ny), row(image, iy, ix, p, nx, ny),
        row(image, iy + 1, ix, p, nx, ny), row(image, iy + 2, ix, p, nx, ny), y - iy,
    )


cdef void fill_inside(
    const real[:, :] image, const double[:] x, const double[:] y, double[::1] out
) noexcept:
    cdef Py_ssize_t k, ny = image.shape[0], nx = image.shape[1]
    with nogil:
        for k in range(out.shape[0]):
            if inside(x[k], y[k], nx, ny):
                out[k] = value(image, x[k], y[k], nx, ny)


def poly3(image, x, y, *, fill):
    """Same as `drizframe.stock.interpolators.poly3.poly3`."""
    image, x, y = image_and_positions(image, x, y)
    values = np.full(len(x), fill, dtype=np.float64)
    if image.dtype == np.float32:
        fill_inside[float](image, x, y, values)
    else:
        fill_inside[double](image, x, y, values)
    return values
