# Profiles that are tabulated: the twin of drizframe/pixels/profiles.py.
#
# a. A profile comes as a table: for one axis each (a product), for the distance (round), or for both axes.
#    The first two are read linearly, the last with four-point polynomials, whose stencil never leaves the
#    table.  Its nodes are float32 numbers, so that it fits into the cache.
# b. Each form is the body of a kernel (kernel_loop.pxd), so the drivers of kernels and of interpolators call it
#    like the stock kernels' own; tables come with the constants.
# c. Weights outside of the support are never made: they would depend on the window.
# builds: plain, avx2
"""Weights of profiles that are tabulated."""

import numpy as np

from kernel_loop cimport LANES, capsule, weigh
from libc.math cimport fabs, sqrt

from drizframe.model import axes_of

cdef enum:
    HEAD = 6
    SOME = 8
    COLUMNS = 32


cdef inline double _linear(double u, const double* table, Py_ssize_t n) noexcept nogil:
    """Value at `u` cells from the first of n nodes; `u` lies inside the table."""
    cdef Py_ssize_t k = <Py_ssize_t> u
    cdef double a
    if k > n - 2:
        k = n - 2
    a = u - k
    return table[k] + a * (table[k + 1] - table[k])


cdef inline Py_ssize_t _cubic(double u, Py_ssize_t n, double* c) noexcept nogil:
    """First node and coefficients of the four-point polynomial at `u` cells from the first of n nodes."""
    cdef Py_ssize_t k = <Py_ssize_t> u - 1
    cdef double a
    if k < 0:
        k = 0
    if k > n - 4:
        k = n - 4
    a = u - k
    c[0] = -(a - 1.0) * (a - 2.0) * (a - 3.0) / 6.0
    c[1] = a * (a - 2.0) * (a - 3.0) / 2.0
    c[2] = -a * (a - 1.0) * (a - 3.0) / 2.0
    c[3] = a * (a - 1.0) * (a - 2.0) / 6.0
    return k


# -- bodies; constants: support, scales along x and y, their product, cells for each input pixel, nodes, the tables


cdef inline void _line(const double* v, const double* start, double i, double scale, const double* setting,
                       const double* table, Py_ssize_t n, double* out) noexcept nogil:
    """One axis of a product on pixel `i` of the windows."""
    cdef:
        double support = setting[0], step = setting[4], d
        Py_ssize_t m = <Py_ssize_t> setting[5], k
    for k in range(n):
        d = ((start[k] + i) - v[k]) * scale
        out[k] = _linear((d + support) * step, table, m) if fabs(d) <= support else 0.0


cdef void _product(const double* x, const double* y, const double* corners, const double* left,
                   const double* low, Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, const double* setting,
                   double* out) noexcept nogil:
    """One table for each axis; factors along the columns are kept while the rows go by."""
    cdef:
        double area = setting[3]
        const double* across = setting + HEAD
        const double* along = across + <Py_ssize_t> setting[5]
        double column[SOME * LANES]
        double row[LANES]
        double* cell
        Py_ssize_t i, j, k, start = 0, count
    while start < w:
        count = w - start if w - start < SOME else SOME
        for i in range(count):
            _line(x, left, <double> (start + i), setting[1], setting, across, n, column + i * n)
        for j in range(h):
            _line(y, low, <double> j, setting[2], setting, along, n, row)
            for k in range(n):
                row[k] = row[k] * area
            for i in range(count):
                cell = out + (j * w + start + i) * n
                for k in range(n):
                    cell[k] = column[i * n + k] * row[k]
        start += count


cdef void _rounded(const double* x, const double* y, const double* corners, const double* left,
                   const double* low, Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, const double* setting,
                   double* out) noexcept nogil:
    """One table over the distance."""
    cdef:
        double support = setting[0], area = setting[3], step = setting[4], d, e
        Py_ssize_t m = <Py_ssize_t> setting[5], i, j, k
    for j in range(h):
        for i in range(w):
            for k in range(n):
                d = ((left[k] + i) - x[k]) * setting[1]
                e = ((low[k] + j) - y[k]) * setting[2]
                if fabs(d) <= support and fabs(e) <= support:
                    out[k] = _linear(sqrt(d * d + e * e) * step, setting + HEAD, m) * area
                else:
                    out[k] = 0.0
            out += n


cdef extern from *:
    """
    #include <stddef.h>
    #include <string.h>

    /* Value of the four-point polynomials with coefficients a (along a row) and b, from the first node on, in a table
       with m nodes a row: sum b_t a_s node[t m + s], four s at a time. */
    #if defined(__GNUC__)
    typedef float profiles_single __attribute__((vector_size(16)));
    typedef double profiles_four __attribute__((vector_size(32)));

    static inline double profiles_read(const float *node, ptrdiff_t m, const double *a, const double *b) {
        profiles_single n0, n1, n2, n3;
        profiles_four c;
        memcpy(&n0, node, sizeof n0);
        memcpy(&n1, node + m, sizeof n1);
        memcpy(&n2, node + 2 * m, sizeof n2);
        memcpy(&n3, node + 3 * m, sizeof n3);
        memcpy(&c, a, sizeof c);
    #define WIDE(v) __builtin_convertvector(v, profiles_four)
        c *= (b[0] * WIDE(n0) + b[1] * WIDE(n1)) + (b[2] * WIDE(n2) + b[3] * WIDE(n3));
    #undef WIDE
        return (c[0] + c[1]) + (c[2] + c[3]);
    }
    #else
    static inline double profiles_read(const float *node, ptrdiff_t m, const double *a, const double *b) {
        double c[4];
        int s;
        for (s = 0; s < 4; s++, node++)
            c[s] = a[s] * ((b[0] * (double) node[0] + b[1] * (double) node[m])
                           + (b[2] * (double) node[2 * m] + b[3] * (double) node[3 * m]));
        return (c[0] + c[1]) + (c[2] + c[3]);
    }
    #endif
    """
    double _read "profiles_read"(const float* node, Py_ssize_t m, const double* a, const double* b) noexcept nogil


cdef inline Py_ssize_t _near(double v, double start, Py_ssize_t count, double scale, const double* setting,
                             Py_ssize_t* which, Py_ssize_t* node, double* coefficients) noexcept nogil:
    """Pixels of one axis of a window that are within the support, with nodes and coefficients; return how many."""
    cdef:
        double support = setting[0], d
        Py_ssize_t i, found = 0
    for i in range(count):
        d = ((start + i) - v) * scale
        if fabs(d) <= support:
            which[found] = i
            node[found] = _cubic((d + support) * setting[4], <Py_ssize_t> setting[5], coefficients + 4 * found)
            found += 1
    return found


cdef void _surface(const double* x, const double* y, const double* corners, const double* left,
                   const double* low, Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, const double* setting,
                   double* out) noexcept nogil:
    """One table over both axes; columns are done some at a time, which share their coefficients."""
    cdef:
        double area = setting[3]
        const float* table = <const float*> (setting + HEAD)
        Py_ssize_t m = <Py_ssize_t> setting[5], i, j, k, start = 0, count, columns, rows, top
        double across[4 * COLUMNS]
        double along[4 * COLUMNS]
        Py_ssize_t column[COLUMNS]
        Py_ssize_t row[COLUMNS]
        Py_ssize_t of_column[COLUMNS]
        Py_ssize_t of_row[COLUMNS]
    for k in range(h * w * n):
        out[k] = 0.0
    while start < w:
        count = w - start if w - start < COLUMNS else COLUMNS
        for k in range(n):
            columns = _near(x[k], left[k] + start, count, setting[1], setting, column, of_column, across)
            top = 0
            while top < h:
                rows = h - top if h - top < COLUMNS else COLUMNS
                rows = _near(y[k], low[k] + top, rows, setting[2], setting, row, of_row, along)
                for j in range(rows):
                    for i in range(columns):
                        out[((top + row[j]) * w + start + column[i]) * n + k] = (
                            _read(table + of_row[j] * m + of_column[i], m, across + 4 * i, along + 4 * j) * area
                        )
                top += COLUMNS
        start += count


cdef object _setting(double support, object scale, double step, Py_ssize_t nodes, object tables):
    cdef double sx, sy
    sx, sy = axes_of(scale)
    head = [support, sx, sy, sx * sy, step, nodes]
    return np.concatenate([head, *(np.ravel(t) for t in tables)])


def product_block(const double[::1] across, const double[::1] along, double support, scale):
    """Compiled body and constants of `product`."""
    cdef Py_ssize_t m = across.shape[0]
    return capsule(_product), _setting(support, scale, (m - 1) / (2.0 * support), m, (across, along))


def rounded_block(const double[::1] table, double support, scale):
    """Compiled body and constants of `rounded`."""
    cdef Py_ssize_t m = table.shape[0]
    return capsule(_rounded), _setting(support, scale, (m - 1) / (sqrt(2.0) * support), m, (table,))


def surface_block(const double[:, ::1] table, double support, scale):
    """Compiled body and constants of `surface`; the nodes are kept as float32, two in each constant."""
    cdef Py_ssize_t m = table.shape[0]
    nodes = np.zeros(m * m + m * m % 2, dtype=np.float32)
    nodes[: m * m] = np.ravel(table)
    return capsule(_surface), _setting(support, scale, (m - 1) / (2.0 * support), m, (nodes.view(np.float64),))


def product(x, y, x0, y0, shape, across, along, double support, scale):
    """Twin of `drizframe.pixels.profiles.product`."""
    return weigh(_product, x, y, None, x0, y0, shape, product_block(across, along, support, scale)[1])


def rounded(x, y, x0, y0, shape, table, double support, scale):
    """Twin of `drizframe.pixels.profiles.rounded`."""
    return weigh(_rounded, x, y, None, x0, y0, shape, rounded_block(table, support, scale)[1])


def surface(x, y, x0, y0, shape, table, double support, scale):
    """Twin of `drizframe.pixels.profiles.surface`."""
    return weigh(_surface, x, y, None, x0, y0, shape, surface_block(table, support, scale)[1])
