# Overlap of quadrilaterals with pixels: the twin of drizframe/stock/kernels/square.py.
#
# a. Both halves integrate the height of every edge above the pixels of a column. The reference does so pixel
#    by pixel. Here (_small) an edge is cut where it enters another pixel, each piece adds its area to its own
#    pixel and its width to those below, so that work is in proportion to the length of the edges. The sums
#    are the same up to rounding.
# b. Large quadrilaterals, which have an edge that meets more than one border of columns or rows, are done
#    pixel by pixel as in the reference (_large). Which way is taken depends on the quadrilateral alone, not
#    on the window.
# c. Overlaps of less than NOISE square pixels are rounding, in both halves, and count as none.
# d. Choices instead of branches: on turned images no branch could be predicted.
"""Areas of quadrilaterals inside pixels."""

import numpy as np

from kernel_loop cimport capsule, weigh
from libc.math cimport fabs, isfinite
from pixels cimport clip, end_of, first_of, least, most, nint, pick

# Overlaps up to this, in square pixels, are rounding; as in drizframe/stock/kernels/square.py.
cdef extern from *:
    """
    #define NOISE 1e-14
    """
    double NOISE


cdef inline void _edge(double xp, double yp, double xq, double yq, double column, double* out,
                       Py_ssize_t width, Py_ssize_t first, Py_ssize_t end, Py_ssize_t low, Py_ssize_t high,
                       double row) noexcept nogil:
    """Add what one edge bounds from above to the pixels [low, high) x [first, end) of a window."""
    cdef:
        double dx = xq - xp, dy = fabs(yq - yp), slope, run, c, p, q, xa, xb, ya, yb, lower, upper, step
        double a, b, d, base
        Py_ssize_t i, j
    if dx == 0.0:
        return
    slope = (yq - yp) / dx
    run = dx / dy if dy > 1e-16 else 0.0
    for i in range(first, end):
        c = column + i
        p = xp - c
        q = xq - c
        xa = clip(p, -0.5, 0.5)
        xb = clip(q, -0.5, 0.5)
        step = xb - xa
        if step == 0.0:
            continue
        ya = yp if xa == p else yp + slope * (xa - p)
        yb = yq if xb == q else yp + slope * (xb - p)
        lower = least(ya, yb)
        upper = most(ya, yb)
        for j in range(low, high):
            base = (row + j) - 0.5
            if upper <= base:
                break
            a = clip(lower - base, 0.0, 1.0)
            b = clip(upper - base, 0.0, 1.0)
            d = b - a
            out[j * width + i] += step * b - run * d * (a - (lower - base) + 0.5 * d)


cdef inline void _piece(double* own, double* below, Py_ssize_t at, double a, double b, double u, double v,
                        double slope, double bottom) noexcept nogil:
    """Add the piece from a to b of an edge through (u, v) to a pixel, and its width for the pixels below."""
    own[at] += (b - a) * ((v - bottom) + slope * (0.5 * (a + b) - u))
    below[at] += b - a


cdef inline void _border(double u, double v, double s, double t, Py_ssize_t c, Py_ssize_t r, Py_ssize_t d,
                         Py_ssize_t q, double* own, double* below) noexcept nogil:
    """Add the edge from (u, v) in pixel (c, r) to (s, t) in pixel (d, q), which are neighbours or one."""
    cdef:
        double dx = s - u, dy = t - v
        double slope = dy / pick(dx != 0.0, dx, 1.0)
        double run = dx / pick(dy != 0.0, dy, 1.0)
        double side = most(<double> c, <double> d) - 0.5, step = most(<double> r, <double> q) - 0.5
        double low = least(u, s), high = most(u, s)
        double at_column = pick(c != d, clip(side, low, high), s)
        double at_row = pick(r != q, clip(u + run * (step - v), low, high), s)
        bint column_first = (at_column < at_row) == (dx > 0.0)
        double one = pick(column_first, at_column, at_row), two = pick(column_first, at_row, at_column)
        Py_ssize_t e = d if column_first else c, w = r if column_first else q
    _piece(own, below, 3 * c + r, u, one, u, v, slope, r - 0.5)
    _piece(own, below, 3 * e + w, one, two, u, v, slope, w - 0.5)
    _piece(own, below, 3 * d + q, two, s, u, v, slope, q - 0.5)


cdef inline bint _small(const double* p, double left, double bottom, double* area) noexcept nogil:
    """Overlaps with 3 x 3 pixels from (left, bottom) on, by columns; False if the quadrilateral is large."""
    cdef:
        double u[5]
        double v[5]
        Py_ssize_t c[5]
        Py_ssize_t r[5]
        double below[9]
        Py_ssize_t k
    for k in range(4):
        u[k] = p[2 * k] - left
        v[k] = p[2 * k + 1] - bottom
        if u[k] >= 2.5 or v[k] >= 2.5:
            return False
        c[k] = <Py_ssize_t> (u[k] + 0.5)
        r[k] = <Py_ssize_t> (v[k] + 0.5)
    u[4], v[4], c[4], r[4] = u[0], v[0], c[0], r[0]
    for k in range(4):
        if c[k] - c[k + 1] > 1 or c[k + 1] - c[k] > 1 or r[k] - r[k + 1] > 1 or r[k + 1] - r[k] > 1:
            return False
    for k in range(9):
        area[k] = 0.0
        below[k] = 0.0
    for k in range(4):
        _border(u[k], v[k], u[k + 1], v[k + 1], c[k], r[k], c[k + 1], r[k + 1], area, below)
    for k in range(0, 9, 3):
        area[k + 1] += below[k + 2]
        area[k] += below[k + 1] + below[k + 2]
    return True


cdef inline void _large(const double* p, double origin, Py_ssize_t x0, Py_ssize_t y0, Py_ssize_t w,
                        Py_ssize_t first, Py_ssize_t end, Py_ssize_t low, Py_ssize_t high,
                        double* out) noexcept nogil:
    """Overlaps with the pixels [low, high) x [first, end) of a window that holds zeros."""
    cdef Py_ssize_t k, n
    for k in range(4):
        n = (k + 1) & 3
        _edge(p[2 * k], p[2 * k + 1] - origin, p[2 * n], p[2 * n + 1] - origin, <double> x0, out, w,
              first, end, low, high, y0 - origin)


cdef void _square(const double* position, const double* p, Py_ssize_t x0, Py_ssize_t y0, Py_ssize_t h,
                  Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """No constants; `p` holds the corners."""
    cdef:
        double whole = 0.5 * ((p[2] - p[6]) * (p[1] - p[5]) - (p[0] - p[4]) * (p[3] - p[7]))
        double left = least(least(p[0], p[2]),
                            least(p[4], p[6])), right = most(most(p[0], p[2]), most(p[4], p[6]))
        double bottom = least(least(p[1], p[3]),
                              least(p[5], p[7])), top = most(most(p[1], p[3]), most(p[5], p[7]))
        Py_ssize_t first, end, low, high, i, j, k, column, row
        double inverse = 1.0 / whole, sign = pick(whole > 0.0, 1.0, -1.0), share
        double area[9]
    for k in range(h * w):
        out[k] = 0.0
    if not (isfinite(whole) and isfinite(inverse)):
        return
    first = first_of(left, x0, w)
    end = end_of(right, x0, w)
    low = first_of(bottom, y0, h)
    high = end_of(top, y0, h)
    if first >= end or low >= high:
        return
    left = nint(left)
    bottom = nint(bottom)
    if right < left + 2.5 and top < bottom + 2.5 and _small(p, left, bottom, area):
        column = x0 - <Py_ssize_t> left
        row = y0 - <Py_ssize_t> bottom
        for j in range(low, high):
            for i in range(first, end):
                share = area[3 * (column + i) + row + j]
                out[j * w + i] = pick(share * sign > NOISE, share * inverse, 0.0)
        return
    _large(p, bottom, x0, y0, w, first, end, low, high, out)
    for j in range(low, high):
        for i in range(first, end):
            share = out[j * w + i]
            out[j * w + i] = pick(share * sign > NOISE, share * inverse, 0.0)


def pixel(double pixfrac, double scale):
    """Compiled body and constants."""
    return capsule(_square), np.zeros(1)


def square(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """Twin of `drizframe.stock.kernels.square.square`."""
    return weigh(_square, x, y, corners, x0, y0, shape, np.zeros(1))
