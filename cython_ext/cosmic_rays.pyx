"""Compiled twins of drizframe/stock/steps/derivative.py and drizframe/stock/cosmic_rays/deriv.py.

a. Differences of the derivative are formed in float64 and rounded once; the tests run in float32, in the
   order of the reference, so both give the same bits.
b. What is not a number is carried on by the derivative and fails every comparison of the test.
c. The detector writes two bits per pixel, "fails the first limit" and "fails the second", then combines them
   over 3x3; boxes are running counts along columns, then along rows, so the cost does not depend on their
   size.
d. Tails: one sweep along the columns that remembers the row of the nearest flag; the edges are mirrored.
e. Buffers belong to the call: any number of threads may run at once.
"""

import numpy as np

from libc.math cimport fabs, fabsf

from drizframe.errors import ShapeError

ctypedef fused real:
    float
    double

cdef enum:
    TEST = 1
    GROWN = 2
    TAIL = 4


cdef inline double larger(double a, double b) noexcept nogil:
    """The larger of two; not a number if one of them is not."""
    return a if (a > b) or (a != a) else b


cdef inline double pixel_derivative(const real* row, const real* below, const real* above, Py_ssize_t x,
                                    Py_ssize_t y, Py_ssize_t ny, Py_ssize_t nx) noexcept nogil:
    """The derivative of one pixel by the rule of the reference; a neighbour that does not count is zero."""
    cdef double a = row[x], d
    cdef bint high = y <= ny - 2, left = x <= nx - 2
    d = fabs(a - (row[x - 1] if high and left and x >= 1 else 0.0))
    d = larger(d, fabs(a - (row[x + 1] if high and x <= nx - 3 else 0.0)))
    d = larger(d, fabs(a - (below[x] if high and left and y >= 1 else 0.0)))
    return larger(d, fabs(a - (above[x] if y <= ny - 3 and left else 0.0)))


cdef inline void inner(const real* row, const real* below, const real* above, Py_ssize_t nx,
                       float* out) noexcept nogil:
    """The columns whose four neighbours all count.  A sum of absolute values shows what is not a number."""
    cdef Py_ssize_t x
    cdef double c, west, east, south, north, u, v, m, s
    for x in range(1, nx - 2):
        c = row[x]
        west = fabs(c - row[x - 1])
        east = fabs(c - row[x + 1])
        south = fabs(c - below[x])
        north = fabs(c - above[x])
        s = (west + east) + (south + north)
        u = west if west > east else east
        v = south if south > north else north
        m = u if u > v else v
        out[x] = <float>(m if s == s else s)


cdef void derive(const real[:, ::1] a, float[:, ::1] out) noexcept nogil:
    cdef Py_ssize_t ny = a.shape[0], nx = a.shape[1], y, x
    cdef const real* row
    cdef const real* below
    cdef const real* above
    for y in range(ny):
        row = &a[y, 0]
        below = &a[y - 1, 0] if y >= 1 else row
        above = &a[y + 1, 0] if y <= ny - 2 else row
        if 1 <= y <= ny - 3 and nx > 3:
            out[y, 0] = <float>pixel_derivative(row, below, above, 0, y, ny, nx)
            inner(row, below, above, nx, &out[y, 0])
            for x in range(nx - 2, nx):
                out[y, x] = <float>pixel_derivative(row, below, above, x, y, ny, nx)
        else:
            for x in range(nx):
                out[y, x] = <float>pixel_derivative(row, below, above, x, y, ny, nx)


def derivative(image):
    """See `drizframe.stock.steps.derivative.derivative`."""
    array = np.asarray(image)
    if array.ndim != 2:
        raise ShapeError(f"image has {array.ndim} dimensions; give one with 2 (rows, columns).")
    result = np.empty(array.shape, dtype=np.float32)
    if not array.size:
        return result
    cdef float[:, ::1] out = result
    cdef const float[:, ::1] single
    cdef const double[:, ::1] wide
    if array.dtype == np.float32:
        single = np.ascontiguousarray(array, dtype=np.float32)
        with nogil:
            derive(single, out)
    else:
        wide = np.ascontiguousarray(array, dtype=np.float64)
        with nogil:
            derive(wide, out)
    return result


cdef inline bint passes(float delta, float slope, float sigma, float k, float snr) noexcept nogil:
    return delta <= k * slope + snr * sigma


cdef void test_limits(const float* s, const float* b, const float* d, const float* v, Py_ssize_t nx,
                      const float* limits, unsigned char* first, unsigned char* second) noexcept nogil:
    """Write 1 where a limit is not passed; limits are k1, snr1, k2, snr2."""
    cdef Py_ssize_t x
    cdef float delta
    for x in range(nx):
        delta = fabsf(s[x] - b[x])
        first[x] = not passes(delta, d[x], v[x], limits[0], limits[1])
        second[x] = not passes(delta, d[x], v[x], limits[2], limits[3])


cdef void spread(unsigned char[:, ::1] flag, Py_ssize_t before, Py_ssize_t after, unsigned char[:, ::1] work,
                 int[::1] column, unsigned char[:, ::1] out) noexcept nogil:
    """out is 1 where flag is set somewhere in the box from -before to +after on both axes."""
    cdef Py_ssize_t ny = flag.shape[0], nx = flag.shape[1], y, x
    cdef int run
    for x in range(nx):
        column[x] = 0
    for y in range(min(after, ny)):
        for x in range(nx):
            column[x] += flag[y, x]
    for y in range(ny):
        if y + after < ny:
            for x in range(nx):
                column[x] += flag[y + after, x]
        if y - before - 1 >= 0:
            for x in range(nx):
                column[x] -= flag[y - before - 1, x]
        for x in range(nx):
            work[y, x] = column[x] > 0
    for y in range(ny):
        run = 0
        for x in range(min(after, nx)):
            run += work[y, x]
        for x in range(nx):
            if x + after < nx:
                run += work[y, x + after]
            if x - before - 1 >= 0:
                run -= work[y, x - before - 1]
            out[y, x] = run > 0


cdef inline Py_ssize_t mirrored(Py_ssize_t y, Py_ssize_t n) noexcept nogil:
    """Row inside of 0 … n - 1 for a row beyond: the image goes on as its mirror image, edge pixels twice."""
    y = y % (2 * n)
    if y < 0:
        y += 2 * n
    return y if y < n else 2 * n - 1 - y


cdef void add_tails(const unsigned char[:, ::1] flag, Py_ssize_t length, bint down, Py_ssize_t[::1] nearest,
                    unsigned char[:, ::1] codes) noexcept nogil:
    """Add TAIL to pixels within length rows of a flag above (down) or below them."""
    cdef Py_ssize_t ny = flag.shape[0], nx = flag.shape[1], step, row, x
    for x in range(nx):
        nearest[x] = -length - 1
    # step counts rows along the sweep: from `length` mirrored rows outside of the image to its other end
    for step in range(-length, ny):
        row = mirrored(ny - 1 - step if down else step, ny)
        if step >= 0:
            for x in range(nx):
                if step - nearest[x] <= length:
                    codes[row, x] |= TAIL
        for x in range(nx):
            if flag[row, x]:
                nearest[x] = step


def deriv(sci, blot, deriv, noise, depth, dq, options):
    """See `drizframe.stock.cosmic_rays.deriv.deriv`."""
    images = [np.ascontiguousarray(image, dtype=np.float32) for image in (sci, blot, deriv, noise)]
    if images[0].ndim != 2 or len({image.shape for image in images}) > 1:
        raise ShapeError(
            f"sci, blot, deriv and noise have shapes {[i.shape for i in images]}. Give images of one shape.")
    result = np.zeros(images[0].shape, dtype=np.uint8)
    if not result.size:
        return result
    cdef const float[:, ::1] s = images[0], b = images[1], d = images[2], v = images[3]
    cdef Py_ssize_t ny = s.shape[0], nx = s.shape[1], y, x
    cdef unsigned char[:, ::1] codes = result
    cdef unsigned char[:, ::1] first = np.empty_like(result)
    cdef unsigned char[:, ::1] mask = np.empty_like(result)
    cdef unsigned char[:, ::1] work = np.empty_like(result)
    cdef unsigned char[:, ::1] near = np.empty_like(result)
    cdef int[::1] column = np.empty(nx, dtype=np.intc)
    cdef Py_ssize_t[::1] nearest = np.empty(nx, dtype=np.intp)
    cdef float[4] limits = [options.scale[0], options.snr[0], options.scale[1], options.snr[1]]
    cdef Py_ssize_t grow = options.grow, length = options.ctegrow
    cdef int direction = options.cte_direction
    with nogil:
        for y in range(ny):
            test_limits(&s[y, 0], &b[y, 0], &d[y, 0], &v[y, 0], nx, limits, &first[y, 0], &mask[y, 0])
        spread(first, 1, 1, work, column, near)
        for y in range(ny):
            for x in range(nx):
                mask[y, x] &= near[y, x]
        if grow > 1:
            spread(mask, grow // 2, (grow + 1) // 2 - 1, work, column, near)
            for y in range(ny):
                for x in range(nx):
                    codes[y, x] = GROWN if near[y, x] else 0
        if length > 0 and direction != 0:
            add_tails(mask, length, direction > 0, nearest, codes)
        for y in range(ny):
            for x in range(nx):
                codes[y, x] = TEST if mask[y, x] else codes[y, x]
    return result
