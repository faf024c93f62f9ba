# Weighted sums: the twin of drizframe/pixels/scatter.py.
#
# a. Every output pixel gets its contributions one by one, in the order of the input pixels, in float64.
# b. What happens to one pixel stands in accumulate.pxd.
"""Accumulation of weighted values."""

from accumulate cimport AHEAD, Sums, add_pixel, expect, sums_of
from libc.stdint cimport int32_t, uint32_t


def scatter(const double[:, :, ::1] weights, const Py_ssize_t[::1] index, const Py_ssize_t[::1] x0,
            const Py_ssize_t[::1] y0, const double[:, ::1] data, const double[:, ::1] variances,
            const double[::1] pixel_weight, const uint32_t[::1] flags, unsigned int bit, bint skip_zero,
            double[:, ::1] weight, double[:, :, ::1] total, double[:, :, ::1] squared, double[:, ::1] last,
            int32_t[:, ::1] context, uint32_t[:, ::1] out_flags):
    """Twin of `drizframe.pixels.scatter.scatter`."""
    cdef:
        Py_ssize_t n = weights.shape[0], h = weights.shape[1], w = weights.shape[2], k, touched = 0
        Sums sums
    if weights.size == 0:
        return 0
    sums = sums_of(data, variances, pixel_weight, flags, bit, skip_zero, weight, total, squared, last,
                   context, out_flags)
    with nogil:
        for k in range(n):
            if k + AHEAD < n:
                expect(&sums, x0[k + AHEAD], y0[k + AHEAD], h)
            touched += add_pixel(&sums, index[k], &weights[k, 0, 0], h, w, x0[k], y0[k])
    return touched
