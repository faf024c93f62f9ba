# Interpolators that are written as weights: the twin of drizframe/pixels/interpolator_forms.py.
#
# a. A profile comes as the body of a kernel (kernel_loop.pxd) and its constants; it fills the windows of the pixels
#    within the support of a batch of positions, and the loop divides by the sums of the weights.
# b. A point function is called for each position; its weights are taken as they are.
# c. Pixels beyond an edge have the value of the edge pixel: a clipped index, never a read outside.
# d. The image may be read-only and strided, float32 or float64.
# builds: plain, avx2
"""Interpolation by weights."""

import numpy as np

from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_GetName, PyCapsule_GetPointer
from interpolation cimport clipped, inside, real
from kernel_loop cimport CELLS, LANES, Body, body_of
from libc.math cimport ceil, floor
from libc.stdlib cimport free
from point_calls cimport BEYOND, FULL, Answer, Function, ask, outside, prepare


cdef inline double _sum(const real[:, :] image, const double* weights, Py_ssize_t apart, Py_ssize_t x0, Py_ssize_t y0,
                        Py_ssize_t h, Py_ssize_t w, double* norm) noexcept nogil:
    """Sum of weight times pixel over a window, and the sum of the weights, which lie so many apart."""
    cdef:
        Py_ssize_t i, j, row, last_x = image.shape[1] - 1, last_y = image.shape[0] - 1
        bint whole = x0 >= 0 and x0 + w - 1 <= last_x
        double total = 0.0, part, weight = 0.0
    for j in range(h):
        row = clipped(y0 + j, last_y)
        part = 0.0
        for i in range(w):
            part += weights[0] * image[row, x0 + i if whole else clipped(x0 + i, last_x)]
            weight += weights[0]
            weights += apart
        total += part
    norm[0] = weight
    return total


cdef inline Py_ssize_t _first(double position, double support) noexcept nogil:
    """First pixel whose offset from a position is at most the support."""
    cdef double k = ceil(position - support)
    return <Py_ssize_t> k + (1 if position - k > support else 0)


cdef inline Py_ssize_t _last(double position, double support) noexcept nogil:
    cdef double k = floor(position + support)
    return <Py_ssize_t> k - (1 if k - position > support else 0)


cdef struct Batch:
    # Positions that were collected, with the windows of the pixels within the support; the largest window.
    Py_ssize_t n, h, w
    double x[LANES]
    double y[LANES]
    double left[LANES]
    double low[LANES]
    Py_ssize_t columns[LANES]
    Py_ssize_t rows[LANES]
    Py_ssize_t index[LANES]


cdef inline void _flush(Batch* b, Body function, const double* constants, const real[:, :] image, double* buffer,
                        double[::1] out) noexcept nogil:
    """Weigh the windows of the positions that were collected, and sum."""
    cdef:
        Py_ssize_t lanes = CELLS // (b.h * b.w), start = 0, m, k
        double norm = 0.0
    lanes = LANES if lanes > LANES else lanes if lanes > 0 else 1
    while start < b.n:
        m = lanes if b.n - start > lanes else b.n - start
        function(b.x + start, b.y + start, NULL, b.left + start, b.low + start, m, b.h, b.w, constants, buffer)
        for k in range(m):
            # cells beyond the support belong to the largest window of the batch only
            out[b.index[start + k]] = _sum_part(image, buffer + k, m, b, start + k, &norm) / norm
        start += m
    b.n, b.h, b.w = 0, 0, 0


cdef inline double _sum_part(const real[:, :] image, const double* weights, Py_ssize_t apart, const Batch* b,
                             Py_ssize_t k, double* norm) noexcept nogil:
    """Sum over the own window of one position, row by row."""
    cdef:
        Py_ssize_t j, x0 = <Py_ssize_t> b.left[k], y0 = <Py_ssize_t> b.low[k]
        double total = 0.0, weight = 0.0, part = 0.0
    for j in range(b.rows[k]):
        total += _sum(image, weights + j * b.w * apart, apart, x0, y0 + j, 1, b.columns[k], &part)
        weight += part
    norm[0] = weight
    return total


cdef void _by_profile(Body function, const double* constants, const real[:, :] image, const double[::1] x,
                      const double[::1] y, double support, double* buffer, double[::1] out) noexcept:
    cdef:
        Py_ssize_t k, ny = image.shape[0], nx = image.shape[1], x0, y0, w, h
        Batch b
    with nogil:
        b.n, b.h, b.w = 0, 0, 0
        for k in range(out.shape[0]):
            if not inside(x[k], y[k], nx, ny):
                continue
            x0, y0 = _first(x[k], support), _first(y[k], support)
            w, h = _last(x[k], support) - x0 + 1, _last(y[k], support) - y0 + 1
            b.x[b.n], b.y[b.n] = x[k], y[k]
            b.left[b.n], b.low[b.n] = <double> x0, <double> y0
            b.columns[b.n], b.rows[b.n] = w, h
            b.index[b.n] = k
            b.w = w if w > b.w else b.w
            b.h = h if h > b.h else b.h
            b.n += 1
            if b.n == LANES:
                _flush(&b, function, constants, image, buffer, out)
        if b.n > 0:
            _flush(&b, function, constants, image, buffer, out)


def by_profile(code, image, x, y, double support, double fill):
    """Values at positions, by a tabulated profile."""
    cdef:
        Body function = body_of(code[0])
        const double[::1] constants = code[1]
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        double[::1] buffer = np.empty(max(CELLS, (2 * <Py_ssize_t> ceil(support) + 2) ** 2))
    values = np.full(len(px), fill, dtype=np.float64)
    if image.dtype == np.float32:
        _by_profile[float](function, &constants[0], image, px, py, support, &buffer[0], values)
    else:
        _by_profile[double](function, &constants[0], image, px, py, support, &buffer[0], values)
    return values


cdef Py_ssize_t _by_points(Function function, void* user, const real[:, :] image, const double[::1] x,
                           const double[::1] y, double support, Answer* answer, double[::1] out,
                           int* status) noexcept:
    """Return the index of the position at which the function failed; -1: none."""
    cdef:
        Py_ssize_t k, ny = image.shape[0], nx = image.shape[1]
        double jacobian[4]
        double norm = 0.0
    with nogil:
        jacobian[0], jacobian[1], jacobian[2], jacobian[3] = 1.0, 0.0, 0.0, 1.0
        for k in range(out.shape[0]):
            if not inside(x[k], y[k], nx, ny):
                continue
            status[0] = ask(function, user, x[k], y[k], jacobian, 1.0, 1.0, answer)
            if status[0] != 0:
                return k
            if answer.columns <= 0 or answer.rows <= 0:
                out[k] = 0.0
                continue
            if (outside(answer.x0, answer.columns, x[k] - support, x[k] + support)
                    or outside(answer.y0, answer.rows, y[k] - support, y[k] + support)):
                status[0] = BEYOND
                return k
            out[k] = _sum(image, answer.weights, 1, answer.x0, answer.y0, answer.rows, answer.columns, &norm)
        return -1


def by_points(capsule, image, x, y, double support, double fill):
    """Values at positions, by a point function; with its status and the index where it failed, or -1."""
    cdef:
        Function function = <Function> PyCapsule_GetPointer(capsule, PyCapsule_GetName(capsule))
        void* user = PyCapsule_GetContext(capsule)
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        Py_ssize_t failed
        int status = 0
        Answer answer
    values = np.full(len(px), fill, dtype=np.float64)
    if not prepare(&answer):
        raise MemoryError
    if image.dtype == np.float32:
        failed = _by_points[float](function, user, image, px, py, support, &answer, values, &status)
    else:
        failed = _by_points[double](function, user, image, px, py, support, &answer, values, &status)
    free(answer.weights)
    if status == FULL:
        raise MemoryError
    return values, status, failed
