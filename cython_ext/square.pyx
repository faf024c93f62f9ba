# Overlap of quadrilaterals with pixels: the twin of drizframe/stock/kernels/square.py.
#
# a. Same operations in the same order as the NumPy reference, so both give the same bits.
# b. An edge is cut at the sides of a column of pixels; below the cut piece, the share of every pixel of the column
#    is the mean of the clipped height times the width, formed without the difference of two large numbers.
# c. Nothing is carried from one column, row or pixel to the next: the result does not depend on the window.
# d. Rows above an edge get nothing from it, so the walk over rows ends there.
"""Areas of quadrilaterals inside pixels."""

import numpy as np

from kernel_loop cimport capsule, weigh
from libc.math cimport fabs, isfinite
from pixels cimport clip, end_of, first_of, least, most, nint


cdef inline void _edge(double xp, double yp, double xq, double yq, double column, double* out, Py_ssize_t width,
                       Py_ssize_t first, Py_ssize_t end, Py_ssize_t low, Py_ssize_t high, double row) noexcept nogil:
    """Add what one edge bounds from above to the pixels [low, high) x [first, end) of a window."""
    cdef:
        double dx = xq - xp, dy = fabs(yq - yp), slope, run, c, p, q, xa, xb, ya, yb, lower, upper, step, a, b, d, base
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


cdef void _square(const double* position, const double* p, Py_ssize_t x0, Py_ssize_t y0, Py_ssize_t h, Py_ssize_t w,
                  const double* setting, double* out) noexcept nogil:
    """No constants; `p` holds the corners."""
    cdef:
        double area = 0.5 * ((p[2] - p[6]) * (p[1] - p[5]) - (p[0] - p[4]) * (p[3] - p[7]))
        double left = least(least(p[0], p[2]), least(p[4], p[6])), right = most(most(p[0], p[2]), most(p[4], p[6]))
        double bottom = least(least(p[1], p[3]), least(p[5], p[7])), top = most(most(p[1], p[3]), most(p[5], p[7]))
        Py_ssize_t first, end, low, high, i, j, k, n
        double origin, inverse
    for k in range(h * w):
        out[k] = 0.0
    inverse = 1.0 / area
    if not (isfinite(area) and isfinite(inverse)):
        return
    first = first_of(left, x0, w)
    end = end_of(right, x0, w)
    low = first_of(bottom, y0, h)
    high = end_of(top, y0, h)
    origin = nint(bottom)
    for k in range(4):
        n = (k + 1) & 3
        _edge(p[2 * k], p[2 * k + 1] - origin, p[2 * n], p[2 * n + 1] - origin, <double> x0, out, w,
              first, end, low, high, y0 - origin)
    for j in range(low, high):
        for i in range(first, end):
            out[j * w + i] = most(out[j * w + i] * inverse, 0.0)


def pixel(double pixfrac, double scale):
    """Compiled body and constants."""
    return capsule(_square), np.zeros(1)


def square(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """Twin of `drizframe.stock.kernels.square.square`."""
    return weigh(_square, x, y, corners, x0, y0, shape, np.zeros(1))
