# A block of chip pixels onto a window in one pass, by a point function: the twin of the three steps select,
# weigh, scatter of drizframe/pixels/blocks.py.
#
# a. The same choices, weights and sums as the three steps, pixel by pixel, so the same bits.
# b. The function writes its weights into a buffer that stays in the cache; they are added from there, and only
#    where they stick out of the window are they copied first.
"""Ask a point function and add a block of pixels."""

from accumulate cimport AHEAD, Sums, add_pixel, expect, sums_of
from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_GetName, PyCapsule_GetPointer
from libc.math cimport isfinite
from libc.stdint cimport int32_t, uint32_t
from libc.stdlib cimport free
from pixels cimport nint
from point_calls cimport BEYOND, FULL, Answer, Function, ask, outside, prepare


cdef inline bint _derivatives(const double* x, const double* y, Py_ssize_t across, double* jacobian) noexcept nogil:
    """Derivatives of the map from the corners of one whole pixel; False if one is not finite."""
    cdef Py_ssize_t k
    jacobian[0] = 0.5 * ((x[across + 1] - x[across]) + (x[1] - x[0]))
    jacobian[1] = 0.5 * ((x[across] - x[0]) + (x[across + 1] - x[1]))
    jacobian[2] = 0.5 * ((y[across + 1] - y[across]) + (y[1] - y[0]))
    jacobian[3] = 0.5 * ((y[across] - y[0]) + (y[across + 1] - y[1]))
    for k in range(4):
        if not isfinite(jacobian[k]):
            return False
    return True


cdef inline bint _clip(Answer* answer, Py_ssize_t left, Py_ssize_t low, Py_ssize_t columns,
                       Py_ssize_t rows) noexcept nogil:
    """Keep the weights that fall on the window; False if there are none."""
    cdef:
        Py_ssize_t a = left - answer.x0 if left > answer.x0 else 0
        Py_ssize_t b = low - answer.y0 if low > answer.y0 else 0
        Py_ssize_t right = left + columns - answer.x0, top = low + rows - answer.y0, w = answer.columns, i, j, k = 0
    right = right if right < w else w
    top = top if top < answer.rows else answer.rows
    if right <= a or top <= b:
        return False
    if right - a < w or top - b < answer.rows:
        for j in range(b, top):
            for i in range(a, right):
                answer.weights[k] = answer.weights[j * w + i]
                k += 1
        answer.x0 += <int> a
        answer.y0 += <int> b
        answer.columns = <int> (right - a)
        answer.rows = <int> (top - b)
    return True


def drizzle_points(code, const double[:, ::1] x, const double[:, ::1] y, const double[:, ::1] cx,
                   const double[:, ::1] cy, double pixfrac, double scale, double radius, window,
                   const double[:, ::1] data, const double[:, ::1] variances, const double[::1] pixel_weight,
                   const uint32_t[::1] flags, unsigned int bit, bint skip_zero, double[:, ::1] weight,
                   double[:, :, ::1] total, double[:, :, ::1] squared, double[:, ::1] last,
                   int32_t[:, ::1] context, uint32_t[:, ::1] out_flags):
    """Add the pixels of a block to the sums of a window.

    Return how many have any share, the status of the function, and the index of the pixel that it failed at
    (-1: none).
    """
    cdef:
        Function function = <Function> PyCapsule_GetPointer(code, PyCapsule_GetName(code))
        void* user = PyCapsule_GetContext(code)
        Py_ssize_t y0 = window[0], y1 = window[1], x0 = window[2], x1 = window[3]
        Py_ssize_t rows = x.shape[0], columns = x.shape[1], across = cx.shape[1], i, j, at, touched = 0, failed = -1
        double px, py, ahead_x, ahead_y
        double jacobian[4]
        int status = 0
        Answer answer
        Sums sums
    if x.size == 0 or weight.size == 0:
        return 0, 0, -1
    sums = sums_of(data, variances, pixel_weight, flags, bit, skip_zero, weight, total, squared, last,
                   context, out_flags)
    if not prepare(&answer):
        raise MemoryError
    with nogil:
        for at in range(rows * columns):
            j = at // columns
            i = at - j * columns
            if i + AHEAD < columns:
                ahead_x = x[j, i + AHEAD] - radius
                ahead_y = y[j, i + AHEAD] - radius
                if ahead_x > x0 and ahead_x < x1 - 1 and ahead_y > y0 and ahead_y < y1 - 3:
                    expect(&sums, <Py_ssize_t> ahead_x - x0, <Py_ssize_t> ahead_y - y0, 3)
            px = x[j, i]
            py = y[j, i]
            if not (nint(px + radius) >= x0 and nint(px - radius) < x1
                    and nint(py + radius) >= y0 and nint(py - radius) < y1):
                continue
            if not _derivatives(&cx[j, i], &cy[j, i], across, jacobian):
                continue
            status = ask(function, user, px, py, jacobian, pixfrac, scale, &answer)
            if status == 0 and answer.columns > 0 and answer.rows > 0:
                if (outside(answer.x0, answer.columns, nint(px - radius), nint(px + radius))
                        or outside(answer.y0, answer.rows, nint(py - radius), nint(py + radius))):
                    status = BEYOND
                elif _clip(&answer, x0, y0, x1 - x0, y1 - y0):
                    touched += add_pixel(&sums, at, answer.weights, answer.rows, answer.columns, answer.x0 - x0,
                                         answer.y0 - y0)
            if status != 0:
                failed = at
                break
    free(answer.weights)
    if status == FULL:
        raise MemoryError
    return touched, status, failed
