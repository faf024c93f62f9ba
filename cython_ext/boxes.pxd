# Smallest boxes that hold blocks of pixels of a full map on a frame: shared by bounds.pyx and drizzle_image.pyx.

from cells cimport cell_row
from libc.math cimport INFINITY, fabs, isfinite
from pixels cimport least, most

cdef enum:
    # Side of a block in pixels, as in drizframe/pixels/bounds.py.
    BLOCK = 32


cdef inline void clear_box(double* box) noexcept nogil:
    """A box that holds nothing."""
    box[0] = box[2] = INFINITY
    box[1] = box[3] = -INFINITY


cdef inline void grow_box(double* box, double share) noexcept nogil:
    """Grow a box by a share of its largest coordinate."""
    cdef:
        double largest = 0.0
        Py_ssize_t c
    for c in range(4):
        if isfinite(box[c]):
            largest = most(largest, fabs(box[c]))
    box[0] -= share * largest
    box[1] += share * largest
    box[2] -= share * largest
    box[3] += share * largest


cdef inline void add_row(const double* row, Py_ssize_t n, double* box) noexcept nogil:
    """Make a box hold the finite ones of n positions."""
    cdef:
        Py_ssize_t i
        double x, y, x0 = box[0], x1 = box[1], y0 = box[2], y1 = box[3]
    for i in range(n):
        x = row[2 * i]
        y = row[2 * i + 1]
        if isfinite(x) and isfinite(y):
            x0 = least(x, x0)
            x1 = most(x, x1)
            y0 = least(y, y0)
            y1 = most(y, y1)
    box[0], box[1], box[2], box[3] = x0, x1, y0, y1


cdef inline void boxes_of_row(const double* pixmap, Py_ssize_t rows, Py_ssize_t columns, const double* y, Py_ssize_t m,
                              const Py_ssize_t* cell, const double* part, Py_ssize_t n, const Py_ssize_t* starts,
                              Py_ssize_t blocks, double* row, double* boxes) noexcept nogil:
    """Boxes of a row of blocks, from m rows of positions; block k has those from ``starts[k]`` on, of n."""
    cdef Py_ssize_t j, k
    for k in range(blocks):
        clear_box(boxes + 4 * k)
    for j in range(m):
        cell_row(pixmap, rows, columns, y[j], cell, part, n, row)
        for k in range(blocks):
            add_row(row + 2 * starts[k], (starts[k + 1] if k + 1 < blocks else n) - starts[k], boxes + 4 * k)
