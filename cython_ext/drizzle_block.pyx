# A block of chip pixels onto a window in one pass: the twin of the three steps select, weigh, scatter of
# drizframe/pixels/blocks.py, for kernels that have a compiled body.
#
# a. The same choices, weights and sums as the three steps, pixel by pixel in the same order, so the same bits.
# b. The loop over the pixels stands in one_pass.pxd.
# builds: plain, avx2
"""Select, weigh and add a block of pixels."""

import numpy as np

from accumulate cimport Sums, sums_of
from kernel_loop cimport CELLS, Body, body_of, capsule, weigh
from libc.stdint cimport int32_t, uint32_t
from one_pass cimport Centres, Corners, add_rectangle


cdef void _nearest(const double* x, const double* y, const double* corners, const double* left, const double* low,
                   Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, const double* setting, double* out) noexcept nogil:
    """All to the nearest pixel; without a radius that pixel is the window."""
    cdef Py_ssize_t k
    for k in range(h * w * n):
        out[k] = 1.0


def nearest():
    """Compiled body and constants of a point."""
    return capsule(_nearest), np.zeros(1)


def weights_of(code, x, y, corners, x0, y0, shape):
    """Weights (n, h, w) that a compiled body gives, with the arguments of a footprint."""
    return weigh(body_of(code[0]), x, y, corners, x0, y0, shape, code[1])


def drizzle_block(code, const double[:, ::1] x, const double[:, ::1] y, const double[:, ::1] cx,
                  const double[:, ::1] cy, Py_ssize_t stride, double radius, window,
                  const double[:, ::1] data, const double[:, ::1] variances, const double[::1] pixel_weight,
                  const uint32_t[::1] flags, unsigned int bit, bint skip_zero, double[:, ::1] weight,
                  double[:, :, ::1] total, double[:, :, ::1] squared, double[:, ::1] last,
                  int32_t[:, ::1] context, uint32_t[:, ::1] out_flags):
    """Add the pixels of a block to the sums of a window; return how many have any share.

    Parameters are those of the three steps; `code` is what `Kernel.block` returns, and `cx` is None for
    kernels that do not need corners.
    """
    cdef:
        Body function = body_of(code[0])
        const double[::1] constants = code[1]
        Py_ssize_t[4] limits = [window[0], window[1], window[2], window[3]]
        Py_ssize_t touched
        double[::1] buffer
        Centres centres
        Corners corners
        Sums sums
    if x.size == 0 or weight.size == 0:
        return 0
    buffer = np.empty(max(2 * CELLS, weight.shape[1]))
    sums = sums_of(data, variances, pixel_weight, flags, bit, skip_zero, weight, total, squared, last,
                   context, out_flags)
    centres.x, centres.y, centres.step, centres.row = &x[0, 0], &y[0, 0], 1, x.shape[1]
    if cx is not None:
        corners.x, corners.y, corners.step, corners.row = &cx[0, 0], &cy[0, 0], stride, stride * cx.shape[1]
        corners.right, corners.up = 1, cx.shape[1]
    with nogil:
        touched = add_rectangle(function, &constants[0], &centres, NULL if cx is None else &corners, x.shape[0],
                                x.shape[1], radius, limits, &sums, True, NULL, &buffer[0])
    return touched
