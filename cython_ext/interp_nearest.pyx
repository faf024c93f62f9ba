# Nearest pixel: mirrors drizframe/stock/interpolators/nearest.py.
#
# a. One thin loop without the GIL over positions; `fill` stands wherever a position is off the domain.
# b. The image may be read-only and strided, float32 or float64.
"""Nearest pixel."""

import numpy as np

from interpolation cimport inside, nearest_index, real

from drizframe.model import image_and_positions


cdef inline double value(
    const real[:, :] image, double x, double y, Py_ssize_t nx, Py_ssize_t ny
) noexcept nogil:
    return image[min(nearest_index(y), ny - 1), min(nearest_index(x), nx - 1)]


cdef void fill_inside(
    const real[:, :] image, const double[:] x, const double[:] y, double[::1] out
) noexcept:
    cdef Py_ssize_t k, ny = image.shape[0], nx = image.shape[1]
    with nogil:
        for k in range(out.shape[0]):
            if inside(x[k], y[k], nx, ny):
                out[k] = value(image, x[k], y[k], nx, ny)


def nearest(image, x, y, *, fill):
    """Same as `drizframe.stock.interpolators.nearest.nearest`."""
    image, x, y = image_and_positions(image, x, y)
    values = np.full(len(x), fill, dtype=np.float64)
    if image.dtype == np.float32:
        fill_inside[float](image, x, y, values)
    else:
        fill_inside[double](image, x, y, values)
    return values
