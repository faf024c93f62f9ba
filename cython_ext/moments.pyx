# Moments of an image inside limits: the two sums of clipped image statistics.
#
# a. One pass in the order of the input; nothing is reordered, so the sums have the same bits in every run.
# b. Limits are rounded to float32 and compared with float32 values; NaN is inside no limits.
# c. Sums are accumulated in float64. A deviation and its square are float32, as the statistics define them.
# d. Plain loops over a const memoryview, without the GIL; nothing is allocated.
"""Moments of an image inside limits."""

from libc.math cimport NAN


def clipped_moments(const float[:] values, double lo, double hi):
    """Count, sum, smallest and largest of the values v with lo <= v <= hi (limits rounded to float32).

    The sum is float64. NaN is skipped; without any value inside, the extremes are NaN.
    """
    cdef:
        Py_ssize_t i, n = 0
        float v, low = <float> lo, high = <float> hi, vmin = NAN, vmax = NAN
        double total = 0.0
    with nogil:
        for i in range(values.shape[0]):
            v = values[i]
            if v >= low and v <= high:
                if n == 0:
                    vmin = v
                    vmax = v
                elif v < vmin:
                    vmin = v
                elif v > vmax:
                    vmax = v
                n += 1
                total += v
    return n, total, <double> vmin, <double> vmax


def squared_deviations(const float[:] values, float mean, double lo, double hi):
    """Sum of (v - mean)**2 over the values v with lo <= v <= hi (limits rounded to float32).

    Deviation and square are float32, their sum is float64. NaN is skipped.
    """
    cdef:
        Py_ssize_t i
        float v, d, square, low = <float> lo, high = <float> hi
        double total = 0.0
    with nogil:
        for i in range(values.shape[0]):
            v = values[i]
            if v >= low and v <= high:
                d = v - mean
                square = d * d
                total += square
    return total
