# Weighted sums: the twin of drizframe/engine/scatter.py.
#
# a. Every output pixel gets its contributions one by one, in the order of the input pixels, in float64.
# b. Adding a weight of exactly 0 changes no sum, so the loop over a window has no branch for pixels outside the kernel;
#    only layers that may hold NaN are guarded.
# c. Windows lie inside the sums (the caller sees to that), so indices are not tested.
"""Accumulation of weighted values."""

from libc.math cimport isfinite
from libc.stdint cimport int32_t, uint32_t


def scatter(const double[:, :, ::1] weights, const Py_ssize_t[::1] index, const Py_ssize_t[::1] x0, const Py_ssize_t[::1] y0,
            const double[:, ::1] data, const double[:, ::1] variances, const double[::1] pixel_weight, const uint32_t[::1] flags,
            unsigned int bit, bint skip_zero, double[:, ::1] weight, double[:, :, ::1] total, double[:, :, ::1] squared,
            double[:, ::1] last, int32_t[:, ::1] context, uint32_t[:, ::1] out_flags):
    """Twin of `drizframe.engine.scatter.scatter`."""
    cdef:
        Py_ssize_t n = weights.shape[0], h = weights.shape[1], w = weights.shape[2]
        Py_ssize_t layers = data.shape[0], k, p, i, j, c, x, y, touched = 0
        bint any_here, with_context = context is not None, with_flags = out_flags is not None
        bint plain = layers == 1 and variances.shape[0] == 0 and not with_flags
        double g, omega, factor, value
    with nogil:
        for k in range(n):
            p = index[k]
            factor = pixel_weight[p]
            value = data[0, p]
            any_here = False
            for j in range(h):
                y = y0[k] + j
                for i in range(w):
                    x = x0[k] + i
                    g = weights[k, j, i]
                    omega = g * factor
                    any_here = any_here | (g != 0.0)
                    if omega == 0.0:
                        if g != 0.0 and not skip_zero and isfinite(value):
                            last[y, x] = value
                        continue
                    weight[y, x] += omega
                    total[0, y, x] += omega * value
                    if with_context and omega > 0.0:
                        context[y, x] |= <int32_t> bit
                    if plain:
                        continue
                    for c in range(1, layers):
                        total[c, y, x] += omega * data[c, p]
                    for c in range(variances.shape[0]):
                        squared[c, y, x] += omega * omega * variances[c, p]
                    if with_flags:
                        out_flags[y, x] |= flags[p]
            touched += any_here
    return touched
