# Where the pixels of a full map fall on a frame: the twin of `_measure` of drizframe/pixels/bounds.py and of `touched_part` of
# drizframe/resample/_region.py.
#
# a. Positions of a row come from cells.pxd, with the bits that the drivers get.
"""Bounds of mapped pixels."""

import numpy as np

from boxes cimport BLOCK, boxes_of_row, clear_box, grow_box
from cells cimport cell_row, cells_along
from libc.math cimport ceil, floor
from pixels cimport least, most

cdef extern from *:
    """
    #define BOX_ROUNDING 1e-12
    """
    double BOX_ROUNDING  # as in drizframe/pixels/bounds.py


cdef Py_ssize_t _samples(Py_ssize_t start, Py_ssize_t low, Py_ssize_t high, Py_ssize_t size, double half,
                         double* out) noexcept nogil:
    """Positions that bound those of the pixels low … high of an axis: both ends, and centres of the map between."""
    cdef:
        double first = start + low - half, last = start + high + half
        Py_ssize_t n = 1, k = <Py_ssize_t> ceil(first) if first > 0.0 else 0
        Py_ssize_t stop = <Py_ssize_t> floor(last) if last < size - 1 else size - 1
    out[0] = first
    while k <= stop:
        if k != first and k != last:
            out[n] = k
            n += 1
        k += 1
    if last > first:
        out[n] = last
        n += 1
    return n


def block_boxes(const double[:, :, ::1] pixmap, start, shape, double half):
    """Boxes (rows, columns, 4) of the blocks of a part of a full map; see `drizframe.pixels.bounds.block_bounds`."""
    cdef:
        Py_ssize_t row0 = start[0], column0 = start[1], rows = shape[0], columns = shape[1]
        Py_ssize_t down = (rows + BLOCK - 1) // BLOCK, across = (columns + BLOCK - 1) // BLOCK, j, n = 0, m, high
        Py_ssize_t more = 2 + 2 * <Py_ssize_t> min(half + 1.0, <double> max(pixmap.shape[0], pixmap.shape[1]))
        double[::1] x = np.empty(columns + across * more), y = np.empty(BLOCK + more)
        double[::1] part, row
        Py_ssize_t[::1] cell, starts = np.empty(across, dtype=np.intp)
        double[:, :, ::1] boxes
    found = np.empty((down, across, 4))
    boxes = found
    cell, part, row = np.empty(x.shape[0], dtype=np.intp), np.empty(2 * x.shape[0]), np.empty(2 * x.shape[0])
    with nogil:
        for j in range(across):
            high = (j + 1) * BLOCK - 1 if (j + 1) * BLOCK < columns else columns - 1
            starts[j] = n
            n += _samples(column0, j * BLOCK, high, pixmap.shape[1], half, &x[n])
        cells_along(&x[0], n, pixmap.shape[1], &cell[0], &part[0])
        for j in range(down):
            high = (j + 1) * BLOCK - 1 if (j + 1) * BLOCK < rows else rows - 1
            m = _samples(row0, j * BLOCK, high, pixmap.shape[0], half, &y[0])
            boxes_of_row(&pixmap[0, 0, 0], pixmap.shape[0], pixmap.shape[1], &y[0], m, &cell[0], &part[0], n,
                         &starts[0], across, &row[0], &boxes[j, 0, 0])
            for high in range(across):
                grow_box(&boxes[j, high, 0], BOX_ROUNDING)
    return found


cdef inline bint _extent(const double* low, const double* high, double* box) noexcept nogil:
    """Box of four corners, two in a row; False if one is not finite."""
    box[0], box[1] = least(least(low[0], low[2]), least(high[0], high[2])), most(most(low[0], low[2]), most(high[0], high[2]))
    box[2], box[3] = least(least(low[1], low[3]), least(high[1], high[3])), most(most(low[1], low[3]), most(high[1], high[3]))
    # a product with 0 is 0 for finite numbers only
    return (0.0 * low[0] + 0.0 * low[1] + 0.0 * low[2] + 0.0 * low[3]
            + 0.0 * high[0] + 0.0 * high[1] + 0.0 * high[2] + 0.0 * high[3]) == 0.0


def touched_part(const double[:, :, ::1] pixmap, start, shape, double half, double margin, out_shape):
    """Twin of `drizframe.resample._region.touched_part`."""
    cdef:
        Py_ssize_t row0 = start[0], column0 = start[1], rows = shape[0], columns = shape[1], i, j, touching = 0
        double right = out_shape[1] - 0.5, top = out_shape[0] - 0.5
        double[::1] x = np.empty(2 * columns), part = np.empty(4 * columns), low = np.empty(4 * columns)
        double[::1] high = np.empty(4 * columns)
        Py_ssize_t[::1] cell = np.empty(2 * columns, dtype=np.intp)
        const double* p = &pixmap[0, 0, 0]
        double box[4]
        double found[4]
        bint near
    clear_box(found)
    with nogil:
        for i in range(columns):
            x[2 * i], x[2 * i + 1] = (column0 + i) - half, (column0 + i) + half
        cells_along(&x[0], 2 * columns, pixmap.shape[1], &cell[0], &part[0])
        for j in range(rows):
            near = False
            cell_row(p, pixmap.shape[0], pixmap.shape[1], (row0 + j) - half, &cell[0], &part[0], 2 * columns, &low[0])
            cell_row(p, pixmap.shape[0], pixmap.shape[1], (row0 + j) + half, &cell[0], &part[0], 2 * columns, &high[0])
            for i in range(columns):
                if (_extent(&low[4 * i], &high[4 * i], box)
                        and box[1] + margin > -0.5 and box[0] - margin < right
                        and box[3] + margin > -0.5 and box[2] - margin < top):
                    near = True
                    found[0], found[1] = least(box[0] - margin, found[0]), most(box[1] + margin, found[1])
                    found[2], found[3] = least(box[2] - margin, found[2]), most(box[3] + margin, found[3])
            touching += near
    return (found[0], found[1], found[2], found[3]), touching
