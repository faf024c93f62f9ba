# A block of chip pixels onto a window in one pass: the twin of the three steps select, weigh, scatter of
# drizframe/engine/blocks.py, for kernels that have a compiled body.
#
# a. The same choices, weights and sums as the three steps, pixel by pixel in the same order, so the same bits.
# b. Pixels that touch the window are collected, up to LANES at a time; the kernel fills their windows, which lie
#    inside of the sums and are as large as the largest of them; then they are added one after the other.
# c. If windows are large, fewer are done at a time; one too large for the buffer is done in strips of rows.
"""Select, weigh and add a block of pixels."""

import numpy as np

from accumulate cimport Sums, add_block, add_pixel, expect, sums_of
from kernel_loop cimport CELLS, LANES, Body, body_of, capsule, weigh
from libc.math cimport isfinite
from libc.stdint cimport int32_t, uint32_t
from pixels cimport least, most, nint


cdef struct Batch:
    # Pixels that were collected: positions, corners (x of the first of all, y of it, ...), first column and row
    # that they can touch, numbers in the block; and the largest window.
    Py_ssize_t n, h, w
    double x[LANES]
    double y[LANES]
    double corners[8 * LANES]
    Py_ssize_t column[LANES]
    Py_ssize_t row[LANES]
    Py_ssize_t index[LANES]


cdef void _nearest(const double* x, const double* y, const double* corners, const double* left, const double* low,
                   Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """All to the nearest pixel; without a radius that pixel is the window."""
    cdef Py_ssize_t k
    for k in range(h * w * n):
        out[k] = 1.0


def nearest():
    """Compiled body and constants of a point."""
    return capsule(_nearest), np.zeros(1)


def weights_of(code, x, y, corners, x0, y0, shape):
    """Weights (n, h, w) that a compiled body gives, with the arguments of a footprint."""
    return weigh(body_of(code[0]), x, y, corners, x0, y0, shape, code[1])


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
    """Corners of one pixel, each LANES after the one before, and their extent; False if one is not finite."""
    cdef:
        double x0 = x[across], y0 = y[across], x1 = x[across + 1], y1 = y[across + 1]
        double x2 = x[1], y2 = y[1], x3 = x[0], y3 = y[0]
    quad[0], quad[LANES] = x0, y0
    quad[2 * LANES], quad[3 * LANES] = x1, y1
    quad[4 * LANES], quad[5 * LANES] = x2, y2
    quad[6 * LANES], quad[7 * LANES] = x3, y3
    box[0] = least(least(x0, x1), least(x2, x3))
    box[1] = most(most(x0, x1), most(x2, x3))
    box[2] = least(least(y0, y1), least(y2, y3))
    box[3] = most(most(y0, y1), most(y2, y3))
    # a product with 0 is 0 for finite numbers only
    return 0.0 * x0 + 0.0 * x1 + 0.0 * x2 + 0.0 * x3 + 0.0 * y0 + 0.0 * y1 + 0.0 * y2 + 0.0 * y3 == 0.0


cdef inline Py_ssize_t _strips(Body function, const double* position, const double* corners, const double* setting,
                               Sums* sums, Py_ssize_t p, Py_ssize_t x, Py_ssize_t y, Py_ssize_t h, Py_ssize_t w,
                               Py_ssize_t left, Py_ssize_t low, double* buffer) noexcept nogil:
    """Weigh and add one pixel whose window is too large for the buffer; return whether it has any share."""
    cdef:
        Py_ssize_t rows, j = 0, strip = CELLS // w if w < CELLS else 1, touched = 0
        double column = <double> x, row
    while j < h:
        rows = strip if h - j > strip else h - j
        row = <double> (y + j)
        function(position, position + 1, corners, &column, &row, 1, rows, w, setting, buffer)
        touched |= add_pixel(sums, p, buffer, rows, w, x - left, y + j - low)
        j += rows
    return touched


cdef Py_ssize_t _flush(Batch* b, Body function, bint with_corners, const double* setting, Sums* sums,
                       const Py_ssize_t* window, double* buffer) noexcept nogil:
    """Weigh and add the pixels that were collected; return how many have any share."""
    cdef:
        Py_ssize_t h = b.h, w = b.w, start = 0, m, k, c, touched = 0
        Py_ssize_t lanes = CELLS // (h * w)
        double left[LANES]
        double low[LANES]
        double corners[8 * LANES]
        double position[2]
        Py_ssize_t at[LANES]
    lanes = LANES if lanes > LANES else lanes if lanes > 0 else 1
    while start < b.n:
        m = lanes if b.n - start > lanes else b.n - start
        for k in range(m):
            if b.column[start + k] > window[3] - w:
                b.column[start + k] = window[3] - w
            if b.row[start + k] > window[1] - h:
                b.row[start + k] = window[1] - h
            left[k] = <double> b.column[start + k]
            low[k] = <double> b.row[start + k]
            at[k] = (b.row[start + k] - window[0]) * sums.columns + (b.column[start + k] - window[2])
        if with_corners:
            for c in range(8):
                for k in range(m):
                    corners[c * m + k] = b.corners[c * LANES + start + k]
        if h * w <= CELLS:
            function(b.x + start, b.y + start, corners, left, low, m, h, w, setting, buffer)
            touched += add_block(sums, b.index + start, at, buffer, m, h, w, buffer + CELLS)
        else:
            position[0], position[1] = b.x[start], b.y[start]
            touched += _strips(function, position, corners, setting, sums, b.index[start], b.column[start],
                               b.row[start], h, w, window[2], window[0], buffer)
        start += m
    b.n, b.h, b.w = 0, 0, 0
    return touched


def drizzle_block(code, const double[:, ::1] x, const double[:, ::1] y, const double[:, ::1] cx,
                  const double[:, ::1] cy, Py_ssize_t stride, double radius, window,
                  const double[:, ::1] data, const double[:, ::1] variances, const double[::1] pixel_weight,
                  const uint32_t[::1] flags, unsigned int bit, bint skip_zero, double[:, ::1] weight,
                  double[:, :, ::1] total, double[:, :, ::1] squared, double[:, ::1] last,
                  int32_t[:, ::1] context, uint32_t[:, ::1] out_flags):
    """Add the pixels of a block to the sums of a window; return how many have any share.

    Parameters are those of the three steps; `code` is what `Kernel.block` returns, and `cx` is None for
    kernels that do not need corners.
    """
    cdef:
        Body function = body_of(code[0])
        const double[::1] constants = code[1]
        Py_ssize_t[4] limits = [window[0], window[1], window[2], window[3]]
        Py_ssize_t rows = x.shape[0], columns = x.shape[1], i, j, u = 0, v = 0, h = 0, w = 0
        Py_ssize_t across = 0, touched = 0, at
        bint with_corners = cx is not None
        double px, py
        double box[4]
        double[::1] buffer
        Batch b
        Sums sums
    if x.size == 0 or weight.size == 0:
        return 0
    buffer = np.empty(max(2 * CELLS, weight.shape[1]))
    sums = sums_of(data, variances, pixel_weight, flags, bit, skip_zero, weight, total, squared, last,
                   context, out_flags)
    if with_corners:
        across = cx.shape[1]
    b.n, b.h, b.w = 0, 0, 0
    with nogil:
        for j in range(rows):
            for i in range(columns):
                px, py = x[j, i], y[j, i]
                if not (isfinite(px) and isfinite(py)):
                    continue
                if not with_corners:
                    box[0], box[1] = px - radius, px + radius
                    box[2], box[3] = py - radius, py + radius
                else:
                    at = (stride * j) * across + stride * i
                    if not _corners(&cx[0, 0] + at, &cy[0, 0] + at, across, b.corners + b.n, box):
                        continue
                if not (_range(box[0], box[1], limits[2], limits[3], &u, &w)
                        and _range(box[2], box[3], limits[0], limits[1], &v, &h)):
                    continue
                expect(&sums, u - limits[2], v - limits[0], h)
                b.x[b.n], b.y[b.n] = px, py
                b.column[b.n], b.row[b.n] = u, v
                b.index[b.n] = j * columns + i
                b.w = w if w > b.w else b.w
                b.h = h if h > b.h else b.h
                b.n += 1
                if b.n == LANES:
                    touched += _flush(&b, function, with_corners, &constants[0], &sums, limits, &buffer[0])
        if b.n > 0:
            touched += _flush(&b, function, with_corners, &constants[0], &sums, limits, &buffer[0])
    return touched
