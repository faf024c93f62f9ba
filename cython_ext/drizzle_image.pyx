# An image with a full map onto output images: the twin of `load`, `drizzle_chip` and `store` of
# drizframe/resample/_adding.py, for kernels that have a compiled body.
#
# a. The output is done in tiles, whose sums fit into the cache and are used again: memory that is touched for the
#    first time costs more than the work on it.  A tile gets its pixels in input order, so its size changes no bit.
# b. Blocks of pixels whose box misses a tile are passed by; the others come in strips of rows, mapped and read
#    into buffers that fit into the cache too.
# c. The loop over the pixels of a strip stands in one_pass.pxd.
# builds: plain, avx2
"""Drizzle a whole image."""

import numpy as np

from accumulate cimport Sums
from boxes cimport BLOCK
from cells cimport cell_row, cells_along
from kernel_loop cimport CELLS, Body, body_of
from libc.stdint cimport int32_t, uint8_t, uint32_t
from one_pass cimport Centres, Corners, add_rectangle
from pixels cimport pick
from planes cimport Plane, place, plane_of, read_row

cdef enum:
    # Sides of a tile in output pixels; pixels of a strip; variances at most.
    TILE_ROWS = 192
    TILE_COLUMNS = 192
    STRIP = 2048
    MANY = 64

cdef struct Image:
    # What is drizzled, and how; the map is that of a larger image.
    const double* pixmap  # (map_rows, map_columns, 2)
    Py_ssize_t map_rows, map_columns, row0, column0, rows, columns
    double half, margin, factor, variance_factor, weight_factor
    bint with_corners, with_weight, with_flags
    Py_ssize_t variances
    Plane data
    Plane weight
    Plane flags
    Plane variance[MANY]


cdef struct Output:
    # Images that are changed.
    Py_ssize_t rows, columns
    Plane image
    Plane weight
    Plane context
    Plane flags
    Plane variance[MANY]


cdef struct Room:
    # Boxes of blocks; buffers: cells of the corners of columns (`edges` of the left ones, then of the right ones), and
    # corners and values of a strip.
    Py_ssize_t down, across, edges
    const double* boxes
    Py_ssize_t* cell
    double* part
    double* corners
    double* data
    double* weight
    double* variance
    uint32_t* flags
    uint8_t* near
    uint8_t* hit
    double* shares


cdef inline void _values(const Image* m, Py_ssize_t j, Py_ssize_t i, Py_ssize_t n, Py_ssize_t at, Py_ssize_t size,
                         const Room* r) noexcept nogil:
    """Read n pixels from row j, column i on, to place `at` of the strip; without a value they have no weight."""
    cdef:
        double* data = r.data + at
        double* weight = r.weight + at
        double* variance
        Py_ssize_t k, c
    read_row(&m.data, j, i, n, data)
    if m.with_weight:
        read_row(&m.weight, j, i, n, weight)
    else:
        for k in range(n):
            weight[k] = 1.0
    for k in range(n):
        data[k] = data[k] * m.factor
        weight[k] = weight[k] * m.weight_factor
        # a product with 0 is 0 for finite numbers only
        weight[k] = pick(0.0 * data[k] + 0.0 * weight[k] == 0.0, weight[k], 0.0)
    for c in range(m.variances):
        variance = r.variance + c * size + at
        read_row(&m.variance[c], j, i, n, variance)
        for k in range(n):
            variance[k] = variance[k] * m.variance_factor
    if m.with_flags:
        for k in range(n):
            r.flags[at + k] = (<const uint32_t*> place(&m.flags, j, i + k))[0]


cdef inline void _map_corners(const Image* m, Py_ssize_t j, Py_ssize_t i, Py_ssize_t height, Py_ssize_t width,
                              const Room* r, Corners* c) noexcept nogil:
    """Map the corners of a strip of pixels: a row of all left ones and one of all right ones, or of both together."""
    cdef:
        bint shared = m.half == 0.5
        Py_ssize_t k, side, count = width + 1 if shared else width, size = 2 * count if shared else 4 * count, at
        double y
    for k in range(height + 1 if shared else 2 * height):
        y = <double> (m.row0 + j + (k if shared else k // 2)) + (m.half if not shared and k & 1 else -m.half)
        if shared and k == height:
            y = <double> (m.row0 + j + height - 1) + 0.5
        for side in range(1 if shared else 2):
            at = side * r.edges + i
            cell_row(m.pixmap, m.map_rows, m.map_columns, y, r.cell + at, r.part + 2 * at, count,
                     r.corners + k * size + side * 2 * count)
    c.x, c.y, c.step, c.row = r.corners, r.corners + 1, 2, size if shared else 2 * size
    c.right, c.up = 2 if shared else 2 * count, size


cdef inline void _times(double* sums, const double* weight, Py_ssize_t n, bint squared) noexcept nogil:
    """Turn means into sums."""
    cdef Py_ssize_t i
    for i in range(n):
        sums[i] = pick(weight[i] != 0.0, (weight[i] * weight[i] if squared else weight[i]) * sums[i], 0.0)


cdef inline void _over(const double* sums, const double* weight, Py_ssize_t n, bint squared, Py_ssize_t step,
                       float* out) noexcept nogil:
    """Turn sums into means; pixels without weight keep theirs."""
    cdef:
        double w
        Py_ssize_t i
    for i in range(n):
        w = pick(weight[i] != 0.0, weight[i], 1.0)
        out[i * step] = <float> pick(weight[i] != 0.0, sums[i] / (w * w if squared else w), out[i * step])


cdef inline void _write(const Plane* p, Py_ssize_t j, Py_ssize_t i, Py_ssize_t n, const double* sums,
                        const double* weight, bint squared) noexcept nogil:
    """Write means to n pixels of a row; strides of arrays of float32 are multiples of 4."""
    cdef float* out = <float*> place(p, j, i)
    if p.across == sizeof(float):
        if squared:
            _over(sums, weight, n, True, 1, out)
        else:
            _over(sums, weight, n, False, 1, out)
    else:
        _over(sums, weight, n, squared, p.across // <Py_ssize_t> sizeof(float), out)


cdef inline bint _write_weight(const Plane* p, Py_ssize_t j, Py_ssize_t i, Py_ssize_t n,
                               const double* weight) noexcept nogil:
    """Write weights to n pixels of a row; False if one is not finite."""
    cdef:
        float* out = <float*> place(p, j, i)
        Py_ssize_t k, step = p.across // <Py_ssize_t> sizeof(float)
        double some = 0.0
    if step == 1:
        for k in range(n):
            out[k] = <float> weight[k]
    else:
        for k in range(n):
            out[k * step] = <float> weight[k]
    for k in range(n):
        some += 0.0 * weight[k]
    return some == 0.0


cdef inline void _move(const Plane* p, Py_ssize_t j, Py_ssize_t i, Py_ssize_t n, uint32_t* bits,
                       bint back) noexcept nogil:
    """Read n integers of a row, or write them back."""
    cdef:
        uint32_t* there = <uint32_t*> place(p, j, i)
        Py_ssize_t k, step = p.across // <Py_ssize_t> sizeof(uint32_t)
    for k in range(n):
        if back:
            there[k * step] = bits[k]
        else:
            bits[k] = there[k * step]


cdef inline void _load(const Output* o, const Py_ssize_t* window, Sums* s) noexcept nogil:
    """Turn a tile of the output into sums."""
    cdef:
        Py_ssize_t w = s.columns, size = s.rows * w, i, j, c, at, row, left = window[2]
    for j in range(s.rows):
        at, row = j * w, window[0] + j
        read_row(&o.weight, row, left, w, s.weight + at)
        read_row(&o.image, row, left, w, s.total + at)
        _times(s.total + at, s.weight + at, w, False)
        for c in range(s.variances):
            read_row(&o.variance[c], row, left, w, s.squared + c * size + at)
            _times(s.squared + c * size + at, s.weight + at, w, True)
        if s.context != NULL:
            _move(&o.context, row, left, w, <uint32_t*> (s.context + at), False)
        if s.flags != NULL:
            _move(&o.flags, row, left, w, s.flags + at, False)
            for i in range(w):
                if s.weight[at + i] == 0.0:
                    s.flags[at + i] = 0


cdef inline bint _store(const Output* o, const Py_ssize_t* window, const Sums* s) noexcept nogil:
    """Turn sums back into a tile of the output; False if a weight is not finite.  Pixels without weight keep all."""
    cdef:
        Py_ssize_t w = s.columns, size = s.rows * w, i, j, c, at, row, left = window[2]
        bint finite = True
    for j in range(s.rows):
        at, row = j * w, window[0] + j
        _write(&o.image, row, left, w, s.total + at, s.weight + at, False)
        for c in range(s.variances):
            _write(&o.variance[c], row, left, w, s.squared + c * size + at, s.weight + at, True)
        finite &= _write_weight(&o.weight, row, left, w, s.weight + at)
        if s.context != NULL:
            _move(&o.context, row, left, w, <uint32_t*> (s.context + at), True)
        if s.flags != NULL:
            for i in range(w):
                if s.weight[at + i] != 0.0:
                    (<uint32_t*> place(&o.flags, row, left + i))[0] = s.flags[at + i]
    return finite


cdef inline bint _columns(const Room* r, Py_ssize_t k, const Py_ssize_t* window, double far, Py_ssize_t columns,
                          Py_ssize_t* left, Py_ssize_t* right) noexcept nogil:
    """Columns of the blocks of block row k that can touch a window; False if there are none."""
    cdef:
        const double* box = r.boxes + 4 * k * r.across
        Py_ssize_t c
    left[0], right[0] = -1, 0
    for c in range(r.across):
        if (box[4 * c + 1] >= window[2] - far and box[4 * c] <= window[3] - 1 + far
                and box[4 * c + 3] >= window[0] - far and box[4 * c + 2] <= window[1] - 1 + far):
            left[0] = c * BLOCK if left[0] < 0 else left[0]
            right[0] = (c + 1) * BLOCK
    right[0] = columns if right[0] > columns else right[0]
    return left[0] >= 0


cdef inline bint _is_near(const Image* m, const Room* r, const Py_ssize_t* window) noexcept nogil:
    """Whether any block can touch a window."""
    cdef Py_ssize_t k, left = 0, right = 0
    for k in range(r.down):
        if _columns(r, k, window, m.margin + 1.0, m.columns, &left, &right):
            return True
    return False


cdef Py_ssize_t _add_tile(Body function, const double* setting, const Image* m, const Room* r,
                          const Py_ssize_t* window, Sums* s, uint8_t* touched) noexcept nogil:
    """Add all pixels that can touch a tile; return how many have any share.  `touched` (or NULL) marks them."""
    cdef:
        Py_ssize_t k, j, top, left = 0, right = 0, width, height, rows, row, i, piece, count = 0
        Centres centres
        Corners corners
    for k in range(r.down):
        if not _columns(r, k, window, m.margin + 1.0, m.columns, &left, &right):
            continue
        top = (k + 1) * BLOCK if (k + 1) * BLOCK < m.rows else m.rows
        height = STRIP // (right - left) if right - left < STRIP else 1
        j = k * BLOCK
        while j < top:
            rows = height if top - j > height else top - j
            piece = left
            while piece < right:
                width = STRIP if right - piece > STRIP else right - piece
                for row in range(rows):
                    _values(m, j + row, piece, width, row * width, rows * width, r)
                centres.x = m.pixmap + 2 * ((m.row0 + j) * m.map_columns + m.column0 + piece)
                centres.y, centres.step, centres.row = centres.x + 1, 2, 2 * m.map_columns
                if m.with_corners:
                    _map_corners(m, j, piece, rows, width, r, &corners)
                s.pixels = rows * width
                if touched != NULL:
                    for i in range(rows * width):
                        r.hit[i] = 0
                count += add_rectangle(function, setting, &centres, &corners if m.with_corners else NULL, rows, width,
                                       m.margin, window, s, False, r.near + j, r.shares)
                if touched != NULL:
                    for row in range(rows):
                        for i in range(width):
                            touched[(j + row) * m.columns + piece + i] |= r.hit[row * width + i]
                piece += width
            j += rows
    return count


cdef Py_ssize_t _add_tiles(Body function, const double* setting, const Image* m, const Output* o, const Room* r, Sums* s,
                           uint8_t* touched, bint* finite) noexcept nogil:
    """Do one tile after the other; return how many pixels have any share."""
    cdef:
        Py_ssize_t x0, y0, k, count = 0
        Py_ssize_t[4] window
    y0 = 0
    while y0 < o.rows:
        window[0], window[1] = y0, y0 + TILE_ROWS if y0 + TILE_ROWS < o.rows else o.rows
        window[2], window[3] = 0, o.columns
        x0 = 0 if _is_near(m, r, window) else o.columns
        while x0 < o.columns:
            window[2], window[3] = x0, x0 + TILE_COLUMNS if x0 + TILE_COLUMNS < o.columns else o.columns
            if _is_near(m, r, window):
                s.rows, s.columns = window[1] - window[0], window[3] - window[2]
                _load(o, window, s)
                count += _add_tile(function, setting, m, r, window, s, touched)
                finite[0] &= _store(o, window, s)
            x0 = window[3]
        y0 = window[1]
    if touched != NULL:
        count = 0
        for k in range(m.rows * m.columns):
            count += touched[k]
    return count


cdef object _buffers(const Image* m, const Output* o, Room* r, Sums* s, bint with_context):
    """Make the buffers; return their owners, the last of which marks pixels that have a share (empty for one tile)."""
    cdef:
        bint one = o.rows <= TILE_ROWS and o.columns <= TILE_COLUMNS
        Py_ssize_t width = STRIP if m.columns > STRIP else m.columns, i, side
        Py_ssize_t strip = STRIP if m.rows * m.columns > STRIP else m.rows * m.columns
        Py_ssize_t tile = (TILE_ROWS if o.rows > TILE_ROWS else o.rows) * (
            TILE_COLUMNS if o.columns > TILE_COLUMNS else o.columns)
        Py_ssize_t corners = 8 * strip + 4 * (width + BLOCK + 1) if m.with_corners else 0
        Py_ssize_t shares = 2 * CELLS if 2 * CELLS > o.columns else o.columns
        Py_ssize_t edges = m.columns + 1, with_flags = 1 if m.with_flags else 0
        double[::1] numbers = np.empty((2 + m.variances) * (tile + strip) + corners + shares + 4 * edges)
        double[::1] sides = np.empty(2 * edges)
        Py_ssize_t[::1] cell = np.empty(2 * edges, dtype=np.intp)
        int32_t[::1] context = np.empty(tile if with_context else 0, dtype=np.int32)
        uint32_t[::1] flags = np.empty(with_flags * (tile + strip), dtype=np.uint32)
        uint8_t[::1] marks = np.zeros(0 if one else m.rows * m.columns, dtype=np.uint8)
        uint8_t[::1] bytes_ = np.zeros(m.rows + strip, dtype=np.uint8)
        double* free = &numbers[0]
    s.weight, s.total, s.squared = free, free + tile, free + 2 * tile
    s.last = s.weight  # not written, for pairs of weight 0 are skipped
    free += (2 + m.variances) * tile
    r.data, r.weight, r.variance = free, free + strip, free + 2 * strip
    free += (2 + m.variances) * strip
    r.corners, r.shares, r.part = free, free + corners, free + corners + shares
    r.edges, r.cell, r.near, r.hit = edges, &cell[0], &bytes_[0], &bytes_[m.rows]
    s.context = &context[0] if with_context else NULL
    s.flags = &flags[0] if with_flags else NULL
    r.flags = &flags[tile] if with_flags else NULL
    s.data, s.pixel_weight, s.variance, s.pixel_flags = r.data, r.weight, r.variance, r.flags
    s.hit = NULL if one else r.hit
    if m.with_corners:
        for side in range(2):
            for i in range(edges):
                sides[side * edges + i] = <double> (m.column0 + i) + (m.half if side else -m.half)
            if m.half == 0.5:
                sides[side * edges + m.columns] = <double> (m.column0 + m.columns - 1) + 0.5
        cells_along(&sides[0], 2 * edges, m.map_columns, r.cell, r.part)
    return numbers, cell, context, flags, bytes_, marks


def drizzle_image(code, const double[:, :, ::1] pixmap, start, double half, double margin, bint with_corners, boxes,
                  data, weight, flags, variances, double factor, double variance_factor, double weight_factor,
                  unsigned int bit,
                  out_image, out_weight, out_context, out_flags, out_variances):
    """Add an image to output images.

    Parameters
    ----------
    code : tuple
        What `Kernel.block` returns.
    pixmap : ndarray of float64, shape (Ny, Nx, 2)
        The map; `start` is the row and column in it of the first pixel of the image.
    half, margin, with_corners
        How far pixels reach, as in `drizframe.pixels.blocks.Spreader`.
    boxes : ndarray of float64, shape (rows, columns, 4)
        Of the blocks of the image (`block_bounds`).
    data, weight, flags, variances
        The image: of float32 or float64, `flags` of uint32; a list of variances.  `weight` and `flags` may be None.
    factor, variance_factor, weight_factor : float
        Of each of them.
    bit : int
        In the context.
    out_image, out_weight, out_context, out_flags, out_variances
        The output, of float32, int32 and uint32, which is changed; None where there is none.

    Returns
    -------
    touched, rows : int
        Pixels that have any share of the output, and rows with any pixel near it.
    finite : bool
        Whether all weights of the output are finite.
    """
    cdef:
        Body function = body_of(code[0])
        const double[::1] constants = code[1]
        const double[:, :, ::1] bounds = boxes
        Image m
        Output o
        Room r
        Sums s
        Py_ssize_t count, near_rows = 0, k
        bint finite = True
    m.pixmap, m.map_rows, m.map_columns = &pixmap[0, 0, 0], pixmap.shape[0], pixmap.shape[1]
    m.row0, m.column0 = start
    m.rows, m.columns = data.shape
    m.half, m.margin, m.with_corners = half, margin, with_corners
    m.factor, m.variance_factor, m.weight_factor = factor, variance_factor, weight_factor
    m.with_weight, m.with_flags, m.variances = weight is not None, flags is not None, len(variances)
    o.rows, o.columns = out_image.shape
    m.data, o.image, o.weight = plane_of(data), plane_of(out_image), plane_of(out_weight)
    if m.with_weight:
        m.weight = plane_of(weight)
    if m.with_flags:
        m.flags, o.flags = plane_of(flags), plane_of(out_flags)
    if out_context is not None:
        o.context = plane_of(out_context)
    if m.variances > MANY:
        raise ValueError("too many variances")  # the caller sees to that
    for k in range(m.variances):
        m.variance[k], o.variance[k] = plane_of(variances[k]), plane_of(out_variances[k])
    s.bit, s.skip_zero, s.hit, s.last = <int32_t> bit, True, NULL, NULL
    s.layers, s.variances = 1, m.variances
    r.down, r.across, r.boxes = bounds.shape[0], bounds.shape[1], &bounds[0, 0, 0]

    held = _buffers(&m, &o, &r, &s, out_context is not None)
    cdef uint8_t[::1] marks = held[5]
    with nogil:
        count = _add_tiles(function, &constants[0], &m, &o, &r, &s, &marks[0] if marks.shape[0] > 0 else NULL, &finite)
    for k in range(m.rows):
        near_rows += r.near[k]
    return count, near_rows, finite
