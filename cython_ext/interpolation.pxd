# Shared by the interpolators: the domain, Everett's polynomials, samples off the frame.
#
# a. Mirrors drizframe/stock/interpolators/_stencil.py operation by operation: both give the same bits.
# b. `real` is the type of the image; every sample becomes float64 when it is read.
# c. Indices that leave the image are brought back before they are used; nothing outside is ever read.
ctypedef fused real:
    float
    double


cdef inline bint inside(double x, double y, Py_ssize_t nx, Py_ssize_t ny) noexcept nogil:
    return x >= 0.0 and x < <double> nx and y >= 0.0 and y < <double> ny


cdef inline Py_ssize_t clipped(Py_ssize_t index, Py_ssize_t last) noexcept nogil:
    if index < 0:
        return 0
    return last if index > last else index


cdef inline Py_ssize_t nearest_index(double position) noexcept nogil:
    cdef Py_ssize_t index = <Py_ssize_t> position
    return index + 1 if position - index >= 0.5 else index


cdef inline double everett4(double v0, double v1, double v2, double v3, double p) noexcept nogil:
    cdef:
        double q = 1.0 - p
        double a0 = (v2 - 2.0 * v1 + v0) / 6.0
        double a1 = (v3 - 2.0 * v2 + v1) / 6.0
    return p * (v2 + (p * p - 1.0) * a1) + q * (v1 + (q * q - 1.0) * a0)


cdef inline double everett6(
    double v0, double v1, double v2, double v3, double v4, double v5, double p
) noexcept nogil:
    cdef:
        double q = 1.0 - p
        double p2 = p * p
        double q2 = q * q
        double a0 = (v3 - 2.0 * v2 + v1) / 6.0
        double a1 = (v4 - 2.0 * v3 + v2) / 6.0
        double b0 = (v0 - 4.0 * v1 + 6.0 * v2 - 4.0 * v3 + v4) / 120.0
        double b1 = (v1 - 4.0 * v2 + 6.0 * v3 - 4.0 * v4 + v5) / 120.0
    return p * (v3 + (p2 - 1.0) * (a1 + (p2 - 4.0) * b1)) + q * (v2 + (q2 - 1.0) * (a0 + (q2 - 4.0) * b0))


cdef inline double sample(const real[:, :] image, Py_ssize_t j, Py_ssize_t i, Py_ssize_t last) noexcept nogil:
    # Row j, column i of the image continued along x by point reflection about its edge samples.
    cdef Py_ssize_t edge
    if 0 <= i <= last:
        return image[j, i]
    edge = clipped(i, last)
    return 2.0 * <double> image[j, edge] - <double> image[j, clipped(2 * edge - i, last)]
