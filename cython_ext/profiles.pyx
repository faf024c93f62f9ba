# Profiles that are tabulated: the twin of drizframe/engine/profiles.py.
#
# a. A profile comes as a table: for one axis each (a product), for the distance (round), or for both axes.
#    The first two are read linearly, the last with four-point polynomials, whose stencil never leaves the
#    table.
# b. Each form is the body of a kernel for one pixel (kernel_loop.pxd), so the drivers of kernels and of
#    interpolators call it like the stock kernels' own; tables come with the constants.
# c. Weights outside of the support are never made: they would depend on the window.
"""Weights of profiles that are tabulated."""

import numpy as np

from kernel_loop cimport capsule, weigh
from libc.math cimport fabs, sqrt
from pixels cimport end_of, first_of

cdef enum:
    HEAD = 5
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


# -- bodies for one pixel; constants: support, scale, scale², cells for each input pixel, nodes, the tables


cdef void _product(const double* position, const double* quad, Py_ssize_t x0, Py_ssize_t y0, Py_ssize_t h,
                   Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """One table for each axis; the factors across are kept in the last row of the window, finished last."""
    cdef:
        double x = position[0], y = position[1], support = setting[0], scale = setting[1], d, factor
        double area = setting[2], step = setting[3], r = support / scale
        Py_ssize_t m = <Py_ssize_t> setting[4], i, j, first, end, low, high
        const double* across = setting + HEAD
        const double* along = setting + HEAD + m
        double* row = out + (h - 1) * w
    first, end = first_of(x - r, x0, w), end_of(x + r, x0, w)
    low, high = first_of(y - r, y0, h), end_of(y + r, y0, h)
    for i in range(w):
        d = (<double> (x0 + i) - x) * scale
        row[i] = _linear((d + support) * step, across, m) if first <= i < end and fabs(d) <= support else 0.0
    for j in range(h):
        d = (<double> (y0 + j) - y) * scale
        factor = 0.0
        if low <= j < high and fabs(d) <= support:
            factor = _linear((d + support) * step, along, m) * area
        for i in range(w):
            out[j * w + i] = row[i] * factor


cdef void _rounded(const double* position, const double* quad, Py_ssize_t x0, Py_ssize_t y0, Py_ssize_t h,
                   Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """One table over the distance."""
    cdef:
        double x = position[0], y = position[1], support = setting[0], scale = setting[1], d, e
        double area = setting[2], step = setting[3]
        Py_ssize_t m = <Py_ssize_t> setting[4], i, j
    for j in range(h):
        e = (<double> (y0 + j) - y) * scale
        for i in range(w):
            d = (<double> (x0 + i) - x) * scale
            if fabs(d) <= support and fabs(e) <= support:
                out[j * w + i] = _linear(sqrt(d * d + e * e) * step, setting + HEAD, m) * area
            else:
                out[j * w + i] = 0.0


cdef void _surface(const double* position, const double* quad, Py_ssize_t x0, Py_ssize_t y0, Py_ssize_t h,
                   Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """One table over both axes; columns are done some at a time, which share their coefficients."""
    cdef:
        double x = position[0], y = position[1], support = setting[0], scale = setting[1], d, value
        double area = setting[2], step = setting[3]
        Py_ssize_t m = <Py_ssize_t> setting[4], i, j, k, q, t, left, count
        const double* node
        double across[4 * COLUMNS]
        double along[4]
        Py_ssize_t column[COLUMNS]
        double* c
    left = 0
    while left < w:
        count = w - left if w - left < COLUMNS else COLUMNS
        for i in range(count):
            d = (<double> (x0 + left + i) - x) * scale
            column[i] = _cubic((d + support) * step, m, across + 4 * i) if fabs(d) <= support else -1
        for j in range(h):
            d = (<double> (y0 + j) - y) * scale
            q = _cubic((d + support) * step, m, along) if fabs(d) <= support else -1
            for i in range(count):
                value = 0.0
                if q >= 0 and column[i] >= 0:
                    c = across + 4 * i
                    for t in range(4):
                        node = setting + HEAD + (q + t) * m + column[i]
                        value += along[t] * (c[0] * node[0] + c[1] * node[1] + c[2] * node[2] + c[3] * node[3])
                out[j * w + left + i] = value * area
        left += count


cdef object _setting(double support, double scale, double step, Py_ssize_t nodes, object tables):
    head = [support, scale, scale * scale, step, nodes]
    return np.concatenate([head, *(np.ravel(t) for t in tables)])


def product_pixel(const double[::1] across, const double[::1] along, double support, double scale):
    """Compiled body and constants of `product`."""
    cdef Py_ssize_t m = across.shape[0]
    return capsule(_product), _setting(support, scale, (m - 1) / (2.0 * support), m, (across, along))


def rounded_pixel(const double[::1] table, double support, double scale):
    """Compiled body and constants of `rounded`."""
    cdef Py_ssize_t m = table.shape[0]
    return capsule(_rounded), _setting(support, scale, (m - 1) / (sqrt(2.0) * support), m, (table,))


def surface_pixel(const double[:, ::1] table, double support, double scale):
    """Compiled body and constants of `surface`."""
    cdef Py_ssize_t m = table.shape[0]
    return capsule(_surface), _setting(support, scale, (m - 1) / (2.0 * support), m, (table,))


def product(x, y, x0, y0, shape, across, along, double support, double scale):
    """Twin of `drizframe.engine.profiles.product`."""
    return weigh(_product, x, y, None, x0, y0, shape, product_pixel(across, along, support, scale)[1])


def rounded(x, y, x0, y0, shape, table, double support, double scale):
    """Twin of `drizframe.engine.profiles.rounded`."""
    return weigh(_rounded, x, y, None, x0, y0, shape, rounded_pixel(table, support, scale)[1])


def surface(x, y, x0, y0, shape, table, double support, double scale):
    """Twin of `drizframe.engine.profiles.surface`."""
    return weigh(_surface, x, y, None, x0, y0, shape, surface_pixel(table, support, scale)[1])
