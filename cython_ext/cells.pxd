# Bilinear interpolation of a full map of pixel centres, row by row: shared by pixelmap.pyx, bounds.pyx and
# drizzle_image.pyx.
#
# a. Same products in the same order as cell_grid of drizframe/model/pixelmap.py, so the same bits.
# b. A map holds x and y of a pixel together, and so do rows of positions: the loop over both is one loop, which the
#    compiler vectorises wherever the cells follow each other.
# c. A weight of 0 gives 0, whatever the map holds there: at pixel centres a map is exact.

from pixels cimport pick


cdef inline Py_ssize_t cell_of(double u, Py_ssize_t last) noexcept nogil:
    """Index of the cell that holds `u`, clipped to 0 … last."""
    if not u > 0.0:
        return 0
    return <Py_ssize_t> u if u < last else last


cdef inline double _mix(double weight, double value) noexcept nogil:
    """Weight times value; 0 for weight 0, whatever the value."""
    return pick(weight == 0.0, 0.0, weight * value)


cdef inline void cells_along(const double* x, Py_ssize_t n, Py_ssize_t size, Py_ssize_t* cell,
                             double* part) noexcept nogil:
    """Cells of positions on an axis of `size` pixels, and what lies behind their first centre, twice (for x and y)."""
    cdef Py_ssize_t i
    for i in range(n):
        cell[i] = cell_of(x[i], size - 2 if size > 2 else 0)
        part[2 * i] = part[2 * i + 1] = x[i] - cell[i]


cdef inline void _follow(const double* low, const double* high, Py_ssize_t right, const double* a, double b,
                         Py_ssize_t n, double* out) noexcept nogil:
    """Interpolate n numbers in cells that follow each other."""
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = (_mix((1.0 - a[i]) * (1.0 - b), low[i]) + _mix(a[i] * (1.0 - b), low[i + right])
                  + _mix((1.0 - a[i]) * b, high[i]) + _mix(a[i] * b, high[i + right]))


cdef inline void cell_row(const double* pixmap, Py_ssize_t rows, Py_ssize_t columns, double y, const Py_ssize_t* cell,
                          const double* part, Py_ssize_t n, double* out) noexcept nogil:
    """Map positions of a row of a map (rows, columns, 2) that lies without gaps; `out` holds x and y of each."""
    cdef:
        Py_ssize_t k = cell_of(y, rows - 2 if rows > 2 else 0), i = 0, end
        Py_ssize_t right = 2 if columns > 1 else 0
        const double* low = pixmap + 2 * columns * k
        const double* high = low + (2 * columns if k + 1 < rows else 0)
    while i < n:
        end = i + 1
        while end < n and cell[end] == cell[end - 1] + 1:
            end += 1
        _follow(low + 2 * cell[i], high + 2 * cell[i], right, part + 2 * i, y - k, 2 * (end - i), out + 2 * i)
        i = end
