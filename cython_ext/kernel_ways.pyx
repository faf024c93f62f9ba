# Loops over kernels that plugins write: the twin of drizframe/engine/profiles.py and
# drizframe/engine/points.py.
#
# a. A profile comes as a table: for one axis each (a product), for the distance (round), or for both axes.
#    The first two are read linearly, the last with four-point polynomials, whose stencil never leaves the
#    table.
# b. A point function is called through its C pointer, for one pixel after the other, without the GIL.
# c. Weights outside of the support are never made: they would depend on the window.
"""Weights of kernels that are tabulated or called through a pointer."""

import numpy as np

from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_GetName, PyCapsule_GetPointer
from libc.math cimport fabs, sqrt
from libc.stdlib cimport free, malloc, realloc
from pixels cimport end_of, first_of, nint

ctypedef int (*Function)(double, double, const double*, double, double, int*, int*, int*, int*, double*, int,
                         void*) noexcept nogil


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


def product(x, y, x0, y0, shape, const double[::1] across, const double[::1] along, double support,
            double scale):
    """Twin of `drizframe.engine.profiles.product`."""
    cdef:
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        const Py_ssize_t[::1] first_x = np.ascontiguousarray(x0, dtype=np.intp)
        const Py_ssize_t[::1] first_y = np.ascontiguousarray(y0, dtype=np.intp)
        Py_ssize_t n = px.shape[0], h = shape[0], w = shape[1], i, j, k, first, end, low, high
        Py_ssize_t m = across.shape[0]
        double r = support / scale, d, factor, step = (m - 1) / (2.0 * support)
        double[:, :, ::1] out
        double[::1] row
    weights = np.zeros((n, h, w))
    if weights.size == 0:
        return weights
    out = weights
    row = np.empty(w)
    with nogil:
        for k in range(n):
            first = first_of(px[k] - r, first_x[k], w)
            end = end_of(px[k] + r, first_x[k], w)
            low = first_of(py[k] - r, first_y[k], h)
            high = end_of(py[k] + r, first_y[k], h)
            for i in range(first, end):
                d = (<double> (first_x[k] + i) - px[k]) * scale
                row[i] = _linear((d + support) * step, &across[0], m) if fabs(d) <= support else 0.0
            for j in range(low, high):
                d = (<double> (first_y[k] + j) - py[k]) * scale
                if fabs(d) > support:
                    continue
                factor = _linear((d + support) * step, &along[0], m)
                for i in range(first, end):
                    out[k, j, i] = row[i] * factor
    return weights


def rounded(x, y, x0, y0, shape, const double[::1] table, double support, double scale):
    """Twin of `drizframe.engine.profiles.rounded`."""
    cdef:
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        const Py_ssize_t[::1] first_x = np.ascontiguousarray(x0, dtype=np.intp)
        const Py_ssize_t[::1] first_y = np.ascontiguousarray(y0, dtype=np.intp)
        Py_ssize_t n = px.shape[0], h = shape[0], w = shape[1], i, j, k, first, end, low, high
        Py_ssize_t m = table.shape[0]
        double r = support / scale, d, e, step = (m - 1) / (sqrt(2.0) * support)
        double[:, :, ::1] out
    weights = np.zeros((n, h, w))
    if weights.size == 0:
        return weights
    out = weights
    with nogil:
        for k in range(n):
            first = first_of(px[k] - r, first_x[k], w)
            end = end_of(px[k] + r, first_x[k], w)
            low = first_of(py[k] - r, first_y[k], h)
            high = end_of(py[k] + r, first_y[k], h)
            for j in range(low, high):
                e = (<double> (first_y[k] + j) - py[k]) * scale
                for i in range(first, end):
                    d = (<double> (first_x[k] + i) - px[k]) * scale
                    if fabs(d) <= support and fabs(e) <= support:
                        out[k, j, i] = _linear(sqrt(d * d + e * e) * step, &table[0], m)
    return weights


def surface(x, y, x0, y0, shape, const double[:, ::1] table, double support, double scale):
    """Twin of `drizframe.engine.profiles.surface`."""
    cdef:
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        const Py_ssize_t[::1] first_x = np.ascontiguousarray(x0, dtype=np.intp)
        const Py_ssize_t[::1] first_y = np.ascontiguousarray(y0, dtype=np.intp)
        Py_ssize_t n = px.shape[0], h = shape[0], w = shape[1], i, j, k, q, t, first, end, low, high
        Py_ssize_t m = table.shape[0]
        double r = support / scale, d, step = (m - 1) / (2.0 * support), value
        double[:, :, ::1] out
        double[:, ::1] across
        Py_ssize_t[::1] column
        double along[4]
        const double* node
    weights = np.zeros((n, h, w))
    if weights.size == 0:
        return weights
    out = weights
    across = np.empty((w, 4))
    column = np.empty(w, dtype=np.intp)
    with nogil:
        for k in range(n):
            first = first_of(px[k] - r, first_x[k], w)
            end = end_of(px[k] + r, first_x[k], w)
            low = first_of(py[k] - r, first_y[k], h)
            high = end_of(py[k] + r, first_y[k], h)
            for i in range(first, end):
                d = (<double> (first_x[k] + i) - px[k]) * scale
                column[i] = _cubic((d + support) * step, m, &across[i, 0]) if fabs(d) <= support else -1
            for j in range(low, high):
                d = (<double> (first_y[k] + j) - py[k]) * scale
                if fabs(d) > support:
                    continue
                q = _cubic((d + support) * step, m, along)
                for i in range(first, end):
                    if column[i] < 0:
                        continue
                    value = 0.0
                    for t in range(4):
                        node = &table[q + t, column[i]]
                        value += along[t] * (across[i, 0] * node[0] + across[i, 1] * node[1]
                                             + across[i, 2] * node[2] + across[i, 3] * node[3])
                    out[k, j, i] = value
    return weights


def call_points(capsule, x, y, jacobian, x0, y0, shape, double pixfrac, double scale, double radius):
    """Twin of `drizframe.engine.points.call_points`."""
    cdef:
        const char* name = PyCapsule_GetName(capsule)
        Function function = <Function> PyCapsule_GetPointer(capsule, name)
        void* user = PyCapsule_GetContext(capsule)
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        const double[:, ::1] jac = np.ascontiguousarray(jacobian, dtype=np.float64)
        const Py_ssize_t[::1] first_x = np.ascontiguousarray(x0, dtype=np.intp)
        const Py_ssize_t[::1] first_y = np.ascontiguousarray(y0, dtype=np.intp)
        Py_ssize_t n = px.shape[0], h = shape[0], w = shape[1], i, j, k, a, b
        int left = 0, low = 0, columns = 0, rows = 0, capacity = 256, status = 0, _tries
        double* buffer
        double* larger
        double[:, :, ::1] out
        Py_ssize_t failed = -1
    weights = np.zeros((n, h, w))
    if weights.size == 0:
        return weights, 0, -1
    out = weights
    buffer = <double*> malloc(capacity * sizeof(double))
    if buffer == NULL:
        raise MemoryError
    with nogil:
        for k in range(n):
            for _tries in range(2):
                columns = 0
                rows = 0
                status = function(px[k], py[k], &jac[k, 0], pixfrac, scale, &left, &low, &columns, &rows,
                                  buffer, capacity, user)
                if status <= capacity:
                    break
                larger = <double*> realloc(buffer, status * sizeof(double))
                if larger == NULL:
                    break
                buffer = larger
                capacity = status
            if status == 0 and columns > 0 and rows > 0 and (
                <long long> columns * rows > capacity
                or left < nint(px[k] - radius) or left + columns - 1 > nint(px[k] + radius)
                or low < nint(py[k] - radius) or low + rows - 1 > nint(py[k] + radius)
            ):
                status = -(1 << 30)
            if status != 0:
                failed = k
                break
            for j in range(rows):
                b = low + j - first_y[k]
                if b < 0 or b >= h:
                    continue
                for i in range(columns):
                    a = left + i - first_x[k]
                    if a >= 0 and a < w:
                        out[k, b, a] = buffer[j * columns + i]
    free(buffer)
    return weights, status, failed
