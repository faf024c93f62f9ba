# Small functions of pixel geometry that several modules share.
#
# a. Pixel k covers [k - 1/2, k + 1/2]; positions are float64 and 0-based.
# b. floor() is a call into the C library on the oldest x86-64; truncation to an integer is one instruction,
#    and gives the same for the sizes that images have.
# c. Choices between two numbers are C expressions, which compilers turn into one instruction or a vector of
#    them; a conditional expression of Cython becomes a branch.

from libc.math cimport floor


cdef inline double nint(double v) noexcept nogil:
    """Nearest integer, halves away from zero."""
    if v >= 0.0:
        return <double> <long long> (v + 0.5) if v < 1e15 else floor(v + 0.5)
    return -(<double> <long long> (0.5 - v)) if v > -1e15 else -floor(0.5 - v)


cdef extern from *:
    """
    static inline double pixels_least(double a, double b) { return a < b ? a : b; }
    static inline double pixels_most(double a, double b) { return a > b ? a : b; }
    static inline double pixels_clip(double v, double low, double high) {
        v = v > low ? v : low;
        return v < high ? v : high;
    }
    static inline double pixels_pick(int yes, double a, double b) { return yes ? a : b; }
    """
    double least "pixels_least"(double a, double b) noexcept nogil
    double most "pixels_most"(double a, double b) noexcept nogil
    double clip "pixels_clip"(double v, double low, double high) noexcept nogil
    double pick "pixels_pick"(bint yes, double a, double b) noexcept nogil
