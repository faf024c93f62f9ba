# The body of a compiled kernel, and the thin loop over it.
#
# a. A kernel is one C function that fills the window of one pixel, whatever window it gets, so that weights
#    do not depend on the window. Constants, tables included, come in `setting`, an array that the module
#    makes for a pixfrac and a scale.
# b. The Python function of every kernel is the same loop over that C function; the driver (drizzle_block.pyx)
#    calls the C function itself and saves the memory for the weights of all pixels.

import numpy as np

from cpython.pycapsule cimport PyCapsule_New

# position (x, y), four corners (x, y), first column and row, rows and columns of the window, constants, the
# window
ctypedef void (*Pixel)(const double*, const double*, Py_ssize_t, Py_ssize_t, Py_ssize_t, Py_ssize_t,
                       const double*, double*) noexcept nogil


cdef inline object capsule(Pixel function):
    """Pack a C function for the driver."""
    return PyCapsule_New(<void*> function, "drizframe.pixel", NULL)


cdef inline object weigh(Pixel function, x, y, corners, x0, y0, shape, setting):
    """Weights (n, h, w) of all pixels."""
    cdef:
        const double[:, ::1] position = np.ascontiguousarray(np.stack([x, y], axis=1), dtype=np.float64)
        const double[:, :, ::1] quads
        const Py_ssize_t[::1] first_x = np.ascontiguousarray(x0, dtype=np.intp)
        const Py_ssize_t[::1] first_y = np.ascontiguousarray(y0, dtype=np.intp)
        const double[::1] constants = setting
        Py_ssize_t n = position.shape[0], h = shape[0], w = shape[1], k
        double[:, :, ::1] out
        const double* quad = NULL
    weights = np.empty((n, h, w))
    if weights.size == 0:
        return weights
    out = weights
    if corners is not None:
        quads = np.ascontiguousarray(corners, dtype=np.float64)
        quad = &quads[0, 0, 0]
    with nogil:
        for k in range(n):
            function(&position[k, 0], quad + 8 * k if quad != NULL else NULL, first_x[k], first_y[k], h, w,
                     &constants[0], &out[k, 0, 0])
    return weights
