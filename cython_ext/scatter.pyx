# Weighted sums: the twin of drizframe/engine/scatter.py.
#
# a. Every output pixel gets its contributions one by one, in the order of the input pixels, in float64.
# b. Adding a weight of exactly 0 changes no sum, so the loops over a window have no branch for pixels outside the kernel;
#    only further layers, which may hold NaN, are guarded.
# c. On a turned image neighbouring pixels fall on other rows, so memory is asked for the sums some pixels ahead.
# d. Windows lie inside the sums (the caller sees to that), so indices are not tested.
"""Accumulation of weighted values."""

from libc.math cimport isfinite
from libc.stdint cimport int32_t, uint32_t


cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define SOON(address) __builtin_prefetch((address), 1, 3)
    #else
    #define SOON(address) ((void) (address))
    #endif
    """
    void SOON(const void* address) noexcept nogil

cdef enum:
    AHEAD = 8


cdef inline Py_ssize_t _add(const double* g, Py_ssize_t h, Py_ssize_t w, Py_ssize_t stride, double factor, double value,
                            double* weight, double* total, Py_ssize_t* lost) noexcept nogil:
    """Add one pixel to two sums, without branches; return whether it has any share.

    `lost` counts shares that come to nothing although they and the pixel's weight are not 0 (underflow).
    """
    cdef Py_ssize_t i, j, shares = 0
    cdef double omega
    for j in range(h):
        for i in range(w):
            omega = g[i] * factor
            weight[i] += omega
            total[i] += omega * value
            shares |= g[i] != 0.0
            lost[0] += (g[i] != 0.0) & (omega == 0.0)
        g += w
        weight += stride
        total += stride
    return shares


cdef inline void _mark(const double* g, Py_ssize_t h, Py_ssize_t w, Py_ssize_t stride, double factor, int32_t bit,
                       int32_t* context) noexcept nogil:
    """Set a context bit where the weight is above 0, without branches."""
    cdef Py_ssize_t i, j
    for j in range(h):
        for i in range(w):
            context[i] |= bit & -<int32_t> (g[i] * factor > 0.0)
        g += w
        context += stride


cdef inline Py_ssize_t _remember(const double* g, Py_ssize_t h, Py_ssize_t w, Py_ssize_t stride, double factor,
                                 double value, bint write, double* last) noexcept nogil:
    """Keep a value where it comes without weight; return whether the pixel has any share."""
    cdef Py_ssize_t i, j, shares = 0
    for j in range(h):
        for i in range(w):
            if g[i] != 0.0:
                shares = 1
                if write and g[i] * factor == 0.0:
                    last[i] = value
        g += w
        last += stride
    return shares


def scatter(const double[:, :, ::1] weights, const Py_ssize_t[::1] index, const Py_ssize_t[::1] x0, const Py_ssize_t[::1] y0,
            const double[:, ::1] data, const double[:, ::1] variances, const double[::1] pixel_weight, const uint32_t[::1] flags,
            unsigned int bit, bint skip_zero, double[:, ::1] weight, double[:, :, ::1] total, double[:, :, ::1] squared,
            double[:, ::1] last, int32_t[:, ::1] context, uint32_t[:, ::1] out_flags):
    """Twin of `drizframe.engine.scatter.scatter`."""
    cdef:
        Py_ssize_t n = weights.shape[0], h = weights.shape[1], w = weights.shape[2], stride = weight.shape[1]
        Py_ssize_t k, p, i, j, c, x, y, shares, lost, touched = 0
        bint with_context = context is not None, with_flags = out_flags is not None
        bint more = data.shape[0] > 1 or variances.shape[0] > 0 or with_flags
        double omega, factor, value
        const double* g
    if weights.size == 0:
        return 0
    with nogil:
        for k in range(n):
            if k + AHEAD < n:
                x = x0[k + AHEAD]
                for j in range(h):
                    y = y0[k + AHEAD] + j
                    SOON(&weight[y, x])
                    SOON(&total[0, y, x])
                    if with_context:
                        SOON(&context[y, x])
            p = index[k]
            factor = pixel_weight[p]
            value = data[0, p]
            x = x0[k]
            y = y0[k]
            g = &weights[k, 0, 0]
            if factor == 0.0:
                touched += _remember(g, h, w, stride, factor, value, not skip_zero and isfinite(value), &last[y, x])
                continue
            lost = 0
            touched += _add(g, h, w, stride, factor, value, &weight[y, x], &total[0, y, x], &lost)
            if with_context:
                _mark(g, h, w, stride, factor, <int32_t> bit, &context[y, x])
            if lost and not skip_zero:
                _remember(g, h, w, stride, factor, value, isfinite(value), &last[y, x])
            if not more:
                continue
            for j in range(h):
                for i in range(w):
                    omega = weights[k, j, i] * factor
                    if omega == 0.0:
                        continue
                    for c in range(1, data.shape[0]):
                        total[c, y + j, x + i] += omega * data[c, p]
                    for c in range(variances.shape[0]):
                        squared[c, y + j, x + i] += omega * omega * variances[c, p]
                    if with_flags:
                        out_flags[y + j, x + i] |= flags[p]
    return touched
