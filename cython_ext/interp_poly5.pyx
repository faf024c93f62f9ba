# Biquintic polynomial: mirrors drizframe/stock/interpolators/poly5.py.
#
# a. One thin loop without the GIL over positions; `fill` stands wherever a position is off the domain.
# b. Positions whose stencil lies inside the image are handled BLOCK at a time: their samples are gathered, a column of the
#    stencil after the other, and Everett's formula runs over all of them, which the compiler turns into vectors (its 28
#    divisions are what one position costs).  The others go one by one; `sample` continues the image there.
# c. Rows off the image are reflected, at the top as at the bottom.
# d. Same operations in the same order as the reference, so both give the same bits.
# e. The image may be read-only and strided, float32 or float64.
#
# builds: plain, avx2
"""Biquintic polynomial interpolation."""

import numpy as np

from interpolation cimport clipped, everett6, inside, real, sample

from drizframe.model import image_and_positions

cdef enum:
    BLOCK = 64


cdef inline double along_x(
    const real[:, :] image, Py_ssize_t j, Py_ssize_t ix, double p, Py_ssize_t last
) noexcept nogil:
    if ix >= 2 and ix + 3 <= last:
        return everett6(
            image[j, ix - 2], image[j, ix - 1], image[j, ix],
            image[j, ix + 1], image[j, ix + 2], image[j, ix + 3], p,
        )
    return everett6(
        sample(image, j, ix - 2, last), sample(image, j, ix - 1, last), sample(image, j, ix, last),
        sample(image, j, ix + 1, last), sample(image, j, ix + 2, last), sample(image, j, ix + 3, last), p,
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
    return everett6(
        row(image, iy - 2, ix, p, nx, ny), row(image, iy - 1, ix, p, nx, ny), row(image, iy, ix, p, nx, ny),
        row(image, iy + 1, ix, p, nx, ny), row(image, iy + 2, ix, p, nx, ny),
        row(image, iy + 3, ix, p, nx, ny), y - iy,
    )


cdef struct Block:
    Py_ssize_t count
    Py_ssize_t place[BLOCK]
    Py_ssize_t corner[BLOCK]
    double px[BLOCK]
    double py[BLOCK]
    double samples[6][BLOCK]
    double rows[6][BLOCK]
    double found[BLOCK]


cdef inline void everett_of_all(double[6][BLOCK] v, double* p, double* found) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(BLOCK):
        found[k] = everett6(v[0][k], v[1][k], v[2][k], v[3][k], v[4][k], v[5][k], p[k])


cdef inline void flush(const real[:, :] image, Block* block, double[::1] out) noexcept nogil:
    cdef:
        Py_ssize_t k, r, c
        const char* first
        const real* at
    if block.count == 0:
        return
    first = <const char*> &image[0, 0]
    for k in range(block.count, BLOCK):  # what is left of the block is computed with the first position, and not used
        block.corner[k], block.px[k], block.py[k] = block.corner[0], block.px[0], block.py[0]
    for r in range(6):
        for k in range(BLOCK):
            at = <const real*> (first + block.corner[k] + r * image.strides[0])
            for c in range(6):
                block.samples[c][k] = at[c]
        everett_of_all(block.samples, block.px, block.rows[r])
    everett_of_all(block.rows, block.py, block.found)
    for k in range(block.count):
        out[block.place[k]] = block.found[k]
    block.count = 0


cdef void fill_inside(
    const real[:, :] image, const double[:] x, const double[:] y, double[::1] out
) noexcept:
    cdef:
        Py_ssize_t k, ix, iy, ny = image.shape[0], nx = image.shape[1]
        bint runs = image.strides[1] == sizeof(real)
        Block block
    with nogil:
        block.count = 0
        for k in range(out.shape[0]):
            if not inside(x[k], y[k], nx, ny):
                continue
            ix, iy = <Py_ssize_t> x[k], <Py_ssize_t> y[k]
            if not runs or ix < 2 or iy < 2 or ix + 3 >= nx or iy + 3 >= ny:
                out[k] = value(image, x[k], y[k], nx, ny)
                continue
            block.place[block.count] = k
            block.corner[block.count] = (iy - 2) * image.strides[0] + (ix - 2) * image.strides[1]
            block.px[block.count], block.py[block.count] = x[k] - ix, y[k] - iy
            block.count += 1
            if block.count == BLOCK:
                flush(image, &block, out)
        flush(image, &block, out)


def poly5(image, x, y, *, fill):
    """Same as `drizframe.stock.interpolators.poly5.poly5`."""
    image, x, y = image_and_positions(image, x, y)
    values = np.full(len(x), fill, dtype=np.float64)
    if image.dtype == np.float32:
        fill_inside[float](image, x, y, values)
    else:
        fill_inside[double](image, x, y, values)
    return values
