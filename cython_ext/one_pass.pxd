# A block of chip pixels onto the sums of a window in one pass: shared by drizzle_block.pyx and drizzle_image.pyx.
#
# a. Pixels that touch the window are collected, up to LANES at a time; the kernel fills their windows, which lie
#    inside of the sums and are as large as the largest of them; then they are added one after the other.
# b. If windows are large, fewer are done at a time; one too large for the buffer is done in strips of rows.

from accumulate cimport Sums, add_block, add_pixel, expect
from kernel_loop cimport CELLS, LANES, Body
from libc.stdint cimport uint8_t
from pixels cimport least, most, nint


cdef struct Centres:
    # Positions of pixel centres; numbers from one pixel to the next, and to the next row.
    const double* x
    const double* y
    Py_ssize_t step, row


cdef struct Corners:
    # Positions of the lower left corners; numbers to the next pixel, to the next row of pixels, and from a corner to
    # the one right of it and above it.
    const double* x
    const double* y
    Py_ssize_t step, row, right, up


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


cdef inline bint _corners(const Corners* c, Py_ssize_t at, double* quad, double* box) noexcept nogil:
    """Corners of one pixel, each LANES after the one before, and their extent; False if one is not finite."""
    cdef:
        const double* x = c.x + at
        const double* y = c.y + at
        double x0 = x[c.up], y0 = y[c.up], x1 = x[c.up + c.right], y1 = y[c.up + c.right]
        double x2 = x[c.right], y2 = y[c.right], x3 = x[0], y3 = y[0]
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
    if touched and sums.hit != NULL:
        sums.hit[p] = 1
    return touched


cdef inline Py_ssize_t _flush(Batch* b, Body function, bint with_corners, const double* setting, Sums* sums,
                              const Py_ssize_t* window, double* buffer) noexcept nogil:
    """Weigh and add the pixels that were collected; return how many have any share."""
    cdef:
        Py_ssize_t h = b.h, w = b.w, start = 0, m, k, c, touched = 0
        Py_ssize_t lanes = CELLS // (h * w)
        double left[LANES]
        double low[LANES]
        double corners[8 * LANES]
        const double* quads
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
        quads = b.corners
        if with_corners and m < LANES:
            quads = corners
            for c in range(8):
                for k in range(m):
                    corners[c * m + k] = b.corners[c * LANES + start + k]
        if h * w <= CELLS:
            function(b.x + start, b.y + start, quads, left, low, m, h, w, setting, buffer)
            touched += add_block(sums, b.index + start, at, buffer, m, h, w, buffer + CELLS)
        else:
            position[0], position[1] = b.x[start], b.y[start]
            touched += _strips(function, position, quads, setting, sums, b.index[start], b.column[start],
                               b.row[start], h, w, window[2], window[0], buffer)
        start += m
    b.n, b.h, b.w = 0, 0, 0
    return touched


cdef inline Py_ssize_t add_rectangle(Body function, const double* setting, const Centres* centres,
                                     const Corners* corners, Py_ssize_t rows, Py_ssize_t columns, double radius,
                                     const Py_ssize_t* window, Sums* sums, bint ahead, uint8_t* near,
                                     double* buffer) noexcept nogil:
    """Add the pixels of a rectangle to the sums of a window; return how many have any share.

    `corners` is NULL for kernels that do not need them; with `ahead` memory of the sums is asked for before it is
    needed, which pays if they do not fit into the cache.  `near` (or NULL) is set for rows of which any pixel may touch
    the window; `buffer` has room for 2 CELLS numbers, and for a row of the window.
    """
    cdef:
        Py_ssize_t i, j, u = 0, v = 0, h = 0, w = 0, touched = 0
        double px, py
        double box[4]
        Batch b
    b.n, b.h, b.w = 0, 0, 0
    for j in range(rows):
        for i in range(columns):
            px = centres.x[j * centres.row + i * centres.step]
            py = centres.y[j * centres.row + i * centres.step]
            if not 0.0 * px + 0.0 * py == 0.0:  # not finite
                continue
            if corners == NULL:
                box[0], box[1] = px - radius, px + radius
                box[2], box[3] = py - radius, py + radius
            elif not _corners(corners, j * corners.row + i * corners.step, b.corners + b.n, box):
                continue
            if not (_range(box[0], box[1], window[2], window[3], &u, &w)
                    and _range(box[2], box[3], window[0], window[1], &v, &h)):
                continue
            if near != NULL:
                near[j] = 1
            if ahead:
                expect(sums, u - window[2], v - window[0], h)
            b.x[b.n], b.y[b.n] = px, py
            b.column[b.n], b.row[b.n] = u, v
            b.index[b.n] = j * columns + i
            b.w = w if w > b.w else b.w
            b.h = h if h > b.h else b.h
            b.n += 1
            if b.n == LANES:
                touched += _flush(&b, function, corners != NULL, setting, sums, window, buffer)
    if b.n > 0:
        touched += _flush(&b, function, corners != NULL, setting, sums, window, buffer)
    return touched
