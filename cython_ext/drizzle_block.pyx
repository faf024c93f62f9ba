# A block of chip pixels onto a window in one pass: the twin of the three steps select, weigh, scatter of
# drizframe/engine/drizzling.py, for kernels that have a compiled body.
#
# a. The same choices, weights and sums as the three steps, pixel by pixel, so the same bits.
# b. Each pixel gets a window of its own size, and its weights stay in the cache.
# c. A window too large for the buffer is done in strips of rows.
"""Select, weigh and add a block of pixels."""

import numpy as np

from accumulate cimport AHEAD, Sums, add_pixel, expect, sums_of
from cpython.pycapsule cimport PyCapsule_GetPointer
from kernel_loop cimport Pixel, capsule, weigh
from libc.math cimport isfinite
from libc.stdint cimport int32_t, uint32_t
from pixels cimport least, most, nint

cdef enum:
    CELLS = 16384


cdef void _nearest(const double* position, const double* quad, Py_ssize_t x0, Py_ssize_t y0, Py_ssize_t h,
                   Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """All to the nearest pixel; the window is that pixel."""
    cdef Py_ssize_t k
    for k in range(h * w):
        out[k] = 1.0


def nearest():
    """Compiled body and constants of a point."""
    return capsule(_nearest), np.zeros(1)


def weights_of(code, x, y, corners, x0, y0, shape):
    """Weights (n, h, w) that a compiled body gives, with the arguments of a footprint."""
    return weigh(<Pixel> PyCapsule_GetPointer(code[0], "drizframe.pixel"), x, y, corners, x0, y0, shape, code[1])


cdef inline bint _range(double low, double high, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t* first,
                        Py_ssize_t* count) noexcept nogil:
    """Clip nint(low) ... nint(high) to [start, stop); False if nothing is left."""
    cdef Py_ssize_t last
    if not (high >= start - 1.0 and low <= stop):
        return False
    low = nint(low)
    high = nint(high)
    first[0] = start if low < start else <Py_ssize_t> low
    last = stop - 1 if high > stop - 1 else <Py_ssize_t> high
    count[0] = last - first[0] + 1
    return count[0] > 0


cdef inline bint _corners(const double* x, const double* y, Py_ssize_t across, double* quad,
                          double* box) noexcept nogil:
    """Corners of one pixel and their extent; False if one is not finite."""
    cdef Py_ssize_t k
    quad[0], quad[1] = x[across], y[across]
    quad[2], quad[3] = x[across + 1], y[across + 1]
    quad[4], quad[5] = x[1], y[1]
    quad[6], quad[7] = x[0], y[0]
    for k in range(8):
        if not isfinite(quad[k]):
            return False
    box[0] = least(least(quad[0], quad[2]), least(quad[4], quad[6]))
    box[1] = most(most(quad[0], quad[2]), most(quad[4], quad[6]))
    box[2] = least(least(quad[1], quad[3]), least(quad[5], quad[7]))
    box[3] = most(most(quad[1], quad[3]), most(quad[5], quad[7]))
    return True


cdef inline bint _weigh(Pixel function, const double* position, const double* quad, const double* setting,
                        Sums* sums, Py_ssize_t p, Py_ssize_t x, Py_ssize_t y, Py_ssize_t h, Py_ssize_t w,
                        Py_ssize_t left, Py_ssize_t low, double* buffer) noexcept nogil:
    """Weigh one pixel and add it; return whether it has any share."""
    cdef Py_ssize_t j, rows, strip, touched = 0
    if h * w <= CELLS:
        function(position, quad, x, y, h, w, setting, buffer)
        return add_pixel(sums, p, buffer, h, w, x - left, y - low)
    strip = CELLS // w if w < CELLS else 1
    j = 0
    while j < h:
        rows = strip if h - j > strip else h - j
        function(position, quad, x, y + j, rows, w, setting, buffer)
        touched |= add_pixel(sums, p, buffer, rows, w, x - left, y + j - low)
        j += rows
    return touched


def drizzle_block(code, const double[:, ::1] x, const double[:, ::1] y, const double[:, ::1] cx,
                  const double[:, ::1] cy, Py_ssize_t stride, double radius, window,
                  const double[:, ::1] data, const double[:, ::1] variances, const double[::1] pixel_weight,
                  const uint32_t[::1] flags, unsigned int bit, bint skip_zero, double[:, ::1] weight,
                  double[:, :, ::1] total, double[:, :, ::1] squared, double[:, ::1] last,
                  int32_t[:, ::1] context, uint32_t[:, ::1] out_flags):
    """Add the pixels of a block to the sums of a window; return how many have any share.

    Parameters are those of the three steps; `code` is what `Kernel.pixel` returns, and `cx` is None for
    kernels that do not need corners.
    """
    cdef:
        Pixel function = <Pixel> PyCapsule_GetPointer(code[0], "drizframe.pixel")
        const double[::1] constants = code[1]
        Py_ssize_t y0 = window[0], y1 = window[1], x0 = window[2], x1 = window[3]
        Py_ssize_t rows = x.shape[0], columns = x.shape[1], i, j, u = 0, v = 0, h = 0, w = 0
        Py_ssize_t across = 0, touched = 0, at
        bint with_corners = cx is not None
        double position[2]
        double quad[8]
        double box[4]
        double ahead_x, ahead_y, reach
        double[::1] buffer
        Sums sums
    if x.size == 0 or weight.size == 0:
        return 0
    buffer = np.empty(max(CELLS, weight.shape[1]))
    sums = sums_of(data, variances, pixel_weight, flags, bit, skip_zero, weight, total, squared, last,
                   context, out_flags)
    if with_corners:
        across = cx.shape[1]
    reach = radius if not with_corners else 0.5
    with nogil:
        for j in range(rows):
            for i in range(columns):
                if i + AHEAD < columns:
                    ahead_x = x[j, i + AHEAD] - reach
                    ahead_y = y[j, i + AHEAD] - reach
                    if ahead_x > x0 and ahead_x < x1 - 1 and ahead_y > y0 and ahead_y < y1 - 3:
                        expect(&sums, <Py_ssize_t> ahead_x - x0, <Py_ssize_t> ahead_y - y0, 3)
                position[0] = x[j, i]
                position[1] = y[j, i]
                if not (isfinite(position[0]) and isfinite(position[1])):
                    continue
                if not with_corners:
                    box[0], box[1] = position[0] - radius, position[0] + radius
                    box[2], box[3] = position[1] - radius, position[1] + radius
                else:
                    at = (stride * j) * across + stride * i
                    if not _corners(&cx[0, 0] + at, &cy[0, 0] + at, across, quad, box):
                        continue
                if not (_range(box[0], box[1], x0, x1, &u, &w) and _range(box[2], box[3], y0, y1, &v, &h)):
                    continue
                touched += _weigh(function, position, quad, &constants[0], &sums, j * columns + i, u, v, h, w,
                                  x0, y0, &buffer[0])
    return touched
