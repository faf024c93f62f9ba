# The compiled body of a kernel, and the thin loop over it; for kernels of plugins too (`drizframe.get_include`).
#
# a. A kernel is one C function that fills the windows of a block of pixels.  Everything of one kind lies
#    together (all x, then all y; one cell of all windows, then the next), so that compilers turn the loop over
#    the pixels into vector instructions.
# b. It fills whatever windows it gets, all of one size, so that weights do not depend on the windows.
#    Constants, tables included, come in `setting`, an array that the module makes for a pixfrac and a scale.
# c. The Python function of every kernel is the same loop over that C function; the driver (drizzle_block.pyx)
#    calls the C function itself and saves the memory for the weights of all pixels.

import numpy as np

from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New

cdef enum:
    # Pixels of a block at most; weights that are held at a time, at least one window's row.
    LANES = 64
    CELLS = 16384

# For n pixels: positions x[n], y[n]; corners[8 n], x of the first corner of all, y of it, x of the second, ... (or
# NULL); first column left[n] and row low[n] of each window; n; rows h and columns w of every window; constants;
# weights[h w n], of cell (j, i) of pixel k at (j w + i) n + k.
ctypedef void (*Body)(const double*, const double*, const double*, const double*, const double*, Py_ssize_t,
                      Py_ssize_t, Py_ssize_t, const double*, double*) noexcept nogil


cdef inline object capsule(Body function):
    """Pack a C function for the drivers."""
    return PyCapsule_New(<void*> function, "drizframe.kernel", NULL)


cdef inline Body body_of(object packed) except *:
    """Unpack it."""
    return <Body> PyCapsule_GetPointer(packed, "drizframe.kernel")


cdef inline object weigh(Body function, x, y, corners, x0, y0, shape, setting):
    """Weights (n, h, w) of all pixels."""
    cdef:
        const double[::1] px = np.ascontiguousarray(x, dtype=np.float64)
        const double[::1] py = np.ascontiguousarray(y, dtype=np.float64)
        const double[::1] left = np.ascontiguousarray(x0, dtype=np.float64)
        const double[::1] low = np.ascontiguousarray(y0, dtype=np.float64)
        const double[:, :, ::1] quads
        const double[::1] constants = setting
        Py_ssize_t n = px.shape[0], h = shape[0], w = shape[1], k, m, c, start, lanes
        double[:, ::1] out
        double[::1] buffer
        double corner[8 * LANES]
        bint with_corners = corners is not None
    weights = np.empty((n, h, w))
    if weights.size == 0:
        return weights
    out = weights.reshape(n, h * w)
    if with_corners:
        quads = np.ascontiguousarray(corners, dtype=np.float64)
    lanes = max(1, min(LANES, CELLS // (h * w)))
    buffer = np.empty(lanes * h * w)
    with nogil:
        start = 0
        while start < n:
            m = lanes if n - start > lanes else n - start
            if with_corners:
                for k in range(m):
                    for c in range(8):
                        corner[c * m + k] = quads[start + k, c // 2, c % 2]
            function(&px[start], &py[start], corner if with_corners else NULL, &left[start], &low[start], m, h,
                     w, &constants[0], &buffer[0])
            for k in range(m):
                for c in range(h * w):
                    out[start + k, c] = buffer[c * m + k]
            start += m
    return weights
