# Point functions of kernels: the twin of drizframe/pixels/point_functions.py.
#
# a. A function is called through its C pointer, for one pixel after the other, without the GIL.
# b. Weights outside of the support are an error: the driver would not have asked for their window.
"""Weights of kernels that are called through a pointer."""

import numpy as np

from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_GetName, PyCapsule_GetPointer
from libc.stdlib cimport free
from pixels cimport nint
from point_calls cimport BEYOND, FULL, Answer, Function, ask, outside, prepare


cdef inline void _place(const Answer* answer, Py_ssize_t x0, Py_ssize_t y0, Py_ssize_t h, Py_ssize_t w,
                        double* out) noexcept nogil:
    """Copy the weights that fall on a window."""
    cdef Py_ssize_t i, j, a, b
    for j in range(answer.rows):
        b = answer.y0 + j - y0
        if b < 0 or b >= h:
            continue
        for i in range(answer.columns):
            a = answer.x0 + i - x0
            if 0 <= a < w:
                out[b * w + a] = answer.weights[j * answer.columns + i]


def call_points(capsule, x, y, jacobian, x0, y0, shape, double pixfrac, double scale, double radius):
    """Twin of `drizframe.pixels.point_functions.call_points`."""
    cdef:
        const char* name = PyCapsule_GetName(capsule)
        Function function = <Function> PyCapsule_GetPointer(capsule, name)
        void* user = PyCapsule_GetContext(capsule)
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        const double[:, ::1] jac = np.ascontiguousarray(jacobian, dtype=np.float64)
        const Py_ssize_t[::1] first_x = np.ascontiguousarray(x0, dtype=np.intp)
        const Py_ssize_t[::1] first_y = np.ascontiguousarray(y0, dtype=np.intp)
        Py_ssize_t n = px.shape[0], h = shape[0], w = shape[1], k, failed = -1
        int status = 0
        double[:, :, ::1] out
        Answer answer
    weights = np.zeros((n, h, w))
    if weights.size == 0:
        return weights, 0, -1
    out = weights
    if not prepare(&answer):
        raise MemoryError
    with nogil:
        for k in range(n):
            status = ask(function, user, px[k], py[k], &jac[k, 0], pixfrac, scale, &answer)
            if status == 0 and answer.columns > 0 and answer.rows > 0 and (
                outside(answer.x0, answer.columns, nint(px[k] - radius), nint(px[k] + radius))
                or outside(answer.y0, answer.rows, nint(py[k] - radius), nint(py[k] + radius))
            ):
                status = BEYOND
            if status != 0:
                failed = k
                break
            _place(&answer, first_x[k], first_y[k], h, w, &out[k, 0, 0])
    free(answer.weights)
    if status == FULL:
        raise MemoryError
    return weights, status, failed
