# Small functions of pixel geometry that several modules share.
#
# a. Pixel k covers [k - 1/2, k + 1/2]; positions are float64 and 0-based.
# b. floor() is a call into the C library on the oldest x86-64; truncation to an integer is one instruction, and gives the
#    same for the sizes that images have.
# c. Ranges of pixels are clipped as float64, before the conversion to an integer, so huge positions are harmless.

from libc.math cimport floor


cdef inline double nint(double v) noexcept nogil:
    """Nearest integer, halves away from zero."""
    if v >= 0.0:
        return <double> <long long> (v + 0.5) if v < 1e15 else floor(v + 0.5)
    return -(<double> <long long> (0.5 - v)) if v > -1e15 else -floor(0.5 - v)


cdef inline double least(double a, double b) noexcept nogil:
    return a if a < b else b


cdef inline double most(double a, double b) noexcept nogil:
    return a if a > b else b


cdef inline double clip(double v, double low, double high) noexcept nogil:
    v = v if v > low else low
    return v if v < high else high


cdef inline Py_ssize_t first_of(double low, Py_ssize_t start, Py_ssize_t count) noexcept nogil:
    """Index, in a window of `count` pixels from `start`, of the first pixel not below nint(low)."""
    cdef double k = nint(low) - start
    if not k > 0.0:
        return 0
    return <Py_ssize_t> k if k < count else count


cdef inline Py_ssize_t end_of(double high, Py_ssize_t start, Py_ssize_t count) noexcept nogil:
    """Index one past the last pixel of the window that is not above nint(high)."""
    cdef double k = nint(high) - start + 1.0
    if not k > 0.0:
        return 0
    return <Py_ssize_t> k if k < count else count
