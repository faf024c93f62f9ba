# The largest of the good values: the twin of drizframe/stock/combine/planted.py.
#
# a. One pass over the images; comparisons only, so both halves agree to the bit.
"""The largest of the good values."""

import numpy as np

from drizframe.errors import ShapeError


def planted(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
    """See `drizframe.stock.combine.planted.planted`."""
    values = np.ascontiguousarray(stack, dtype=np.float32)
    flags = np.ascontiguousarray(bad, dtype=bool)
    if values.ndim != 3 or not values.shape[0] or flags.shape != values.shape:
        raise ShapeError(f"stack has shape {values.shape} and bad has {flags.shape}.")
    cdef const float[:, :, ::1] s = values
    cdef const unsigned char[:, :, ::1] b = flags.view(np.uint8)
    cdef double low = -np.inf if options.lthresh is None else options.lthresh
    cdef double high = np.inf if options.hthresh is None else options.hthresh
    cdef bint found
    cdef float v, most
    cdef Py_ssize_t y, x, k
    image = np.zeros(values.shape[1:], dtype=np.float32)
    cdef float[:, ::1] out = image
    with nogil:
        for y in range(s.shape[1]):
            for x in range(s.shape[2]):
                found, most = False, 0.0
                for k in range(s.shape[0]):
                    v = s[k, y, x]
                    if v - v == 0.0 and not b[k, y, x] and v >= low and v < high and not (found and v <= most):
                        found, most = True, v
                out[y, x] = most
    return image
