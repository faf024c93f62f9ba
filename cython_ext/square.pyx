# Overlap of quadrilaterals with pixels: the twin of drizframe/stock/kernels/square.py.
#
# a. Same operations in the same order as the NumPy reference: the same bits.
# b. Both integrate the height of every edge above the pixels of a column.  What belongs to an edge, and to an edge
#    in a column, is kept for all pixels of a block while the rows go by.
# c. Choices instead of branches, so that the loops over pixels become vector instructions.
# d. Overlaps of less than NOISE square pixels are rounding, in both halves, and count as none.
# builds: plain, avx2
"""Areas of quadrilaterals inside pixels."""

import numpy as np

from kernel_loop cimport LANES, capsule, weigh
from libc.math cimport fabs
from pixels cimport clip, least, most, nint, pick

# Overlaps up to this, in square pixels, are rounding, and an edge that climbs no more is level; as in
# drizframe/stock/kernels/square.py.
cdef extern from *:
    """
    #define NOISE 1e-14
    #define LEVEL 1e-16
    #define HUGE_NUMBER 1.7976931348623157e308
    """
    double NOISE
    double LEVEL
    double HUGE_NUMBER


cdef struct Edges:
    # One edge of every pixel: its ends, slope and inverse slope.
    double xp[LANES]
    double xq[LANES]
    double yp[LANES]
    double yq[LANES]
    double slope[LANES]
    double run[LANES]


cdef struct Pieces:
    # What lies in one column: its width and both heights.
    double width[LANES]
    double lower[LANES]
    double upper[LANES]


cdef inline void _edges(const double* corners, const double* origin, Py_ssize_t a, Py_ssize_t b, Py_ssize_t n,
                        Edges* e) noexcept nogil:
    """The edges from corner `a` to corner `b`; heights count from the origin."""
    cdef:
        const double* xa = corners + 2 * a * n
        const double* ya = xa + n
        const double* xb = corners + 2 * b * n
        const double* yb = xb + n
        double dx, dy
        Py_ssize_t k
    for k in range(n):
        e.xp[k] = xa[k]
        e.xq[k] = xb[k]
        e.yp[k] = ya[k] - origin[k]
        e.yq[k] = yb[k] - origin[k]
        dx = e.xq[k] - e.xp[k]
        dy = e.yq[k] - e.yp[k]
        e.slope[k] = pick(dx != 0.0, dy / pick(dx != 0.0, dx, 1.0), 0.0)
        dy = fabs(dy)
        e.run[k] = pick(dy > LEVEL, dx / pick(dy > LEVEL, dy, 1.0), 0.0)


cdef inline void _pieces(const Edges* e, const double* left, double i, Py_ssize_t n, Pieces* o) noexcept nogil:
    """Cut the edges at the sides of column `i` of the windows."""
    cdef:
        double p, q, xa, xb, ya, yb
        Py_ssize_t k
    for k in range(n):
        p = e.xp[k] - (left[k] + i)
        q = e.xq[k] - (left[k] + i)
        xa = clip(p, -0.5, 0.5)
        xb = clip(q, -0.5, 0.5)
        ya = pick(xa == p, e.yp[k], e.yp[k] + e.slope[k] * (xa - p))
        yb = pick(xb == q, e.yq[k], e.yp[k] + e.slope[k] * (xb - p))
        o.width[k] = xb - xa
        o.lower[k] = least(ya, yb)
        o.upper[k] = most(ya, yb)


cdef inline void _add(const Edges* e, const Pieces* o, const double* row, double j, Py_ssize_t n,
                      double* cell) noexcept nogil:
    """Add what lies below the pieces, inside of the pixels of row `j` of the windows."""
    cdef:
        double bottom, lower, a, b, d
        Py_ssize_t k
    for k in range(n):
        bottom = (row[k] + j) - 0.5
        lower = o.lower[k] - bottom
        a = clip(lower, 0.0, 1.0)
        b = clip(o.upper[k] - bottom, 0.0, 1.0)
        d = b - a
        cell[k] += pick(o.width[k] != 0.0, o.width[k] * b - e.run[k] * d * (a - lower + 0.5 * d), 0.0)


cdef inline void _finish(const double* corners, Py_ssize_t cells, Py_ssize_t n, double* out) noexcept nogil:
    """Divide overlaps by the areas; drop what is rounding, and pixels without a finite area."""
    cdef:
        const double* p = corners
        double whole[LANES]
        double inverse[LANES]
        double area, one
        Py_ssize_t _c, k
    for k in range(n):
        area = 0.5 * ((p[2 * n + k] - p[6 * n + k]) * (p[n + k] - p[5 * n + k])
                      - (p[k] - p[4 * n + k]) * (p[3 * n + k] - p[7 * n + k]))
        one = 1.0 / area
        whole[k] = pick((fabs(area) <= HUGE_NUMBER) & (fabs(one) <= HUGE_NUMBER), pick(area > 0.0, 1.0, -1.0), 0.0)
        inverse[k] = one
    for _c in range(cells):
        for k in range(n):
            out[k] = pick(out[k] * whole[k] > NOISE, out[k] * inverse[k], 0.0)
        out += n


cdef void _square(const double* x, const double* y, const double* corners, const double* left, const double* low,
                  Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """No constants; the corners say all."""
    cdef:
        double origin[LANES]
        double row[LANES]
        Edges e
        Pieces o
        Py_ssize_t a, i, j, k
    for k in range(n):
        origin[k] = nint(least(least(corners[n + k], corners[3 * n + k]),
                               least(corners[5 * n + k], corners[7 * n + k])))
        row[k] = low[k] - origin[k]
    for k in range(h * w * n):
        out[k] = 0.0
    for a in range(4):
        _edges(corners, origin, a, (a + 1) & 3, n, &e)
        for i in range(w):
            _pieces(&e, left, <double> i, n, &o)
            for j in range(h):
                _add(&e, &o, row, <double> j, n, out + (j * w + i) * n)
    _finish(corners, h * w, n, out)


def block(double pixfrac, double scale):
    """Compiled body and constants."""
    return capsule(_square), np.zeros(1)


def square(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """Twin of `drizframe.stock.kernels.square.square`."""
    return weigh(_square, x, y, corners, x0, y0, shape, np.zeros(1))
