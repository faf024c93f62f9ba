# exp() that compilers turn into vector instructions.
#
# a. exp(v) = 2^k exp(r), |r| <= ln(2) / 2, with k the nearest integer to v / ln(2), found by adding a number whose
#    last bit is worth 1, and exp(r) by its Taylor series to r^13 (the rest is below 1e-17).
# b. ln(2) in two parts, the first with zeros at its end, so that k ln(2) is exact in it.
# c. 2^k as a product of two powers, so that results below the smallest normal number are rounded as they should.
# d. For finite v up to 709; anything below -746 gives 0.  About one unit in the last place.

cdef extern from *:
    """
    #include <stdint.h>
    #include <string.h>

    static inline double exponential_power(double shifted) {
        /* 2^k for the integer k in the last bits of k + 1.5 * 2^52 */
        uint64_t bits;
        double value;
        memcpy(&bits, &shifted, sizeof bits);
        bits = (bits + 1023u) << 52;
        memcpy(&value, &bits, sizeof value);
        return value;
    }

    static inline double exponential_exp(double v) {
        const double shift = 6755399441055744.0;
        double s, k, r, p, half;
        v = v > -746.0 ? v : -746.0;
        s = v * 1.4426950408889634 + shift;
        k = s - shift;
        r = (v - k * 0x1.62e42fee00000p-1) - k * 0x1.a39ef35793c76p-33;
        p = 1.0 / 6227020800.0;
        p = p * r + 1.0 / 479001600.0;
        p = p * r + 1.0 / 39916800.0;
        p = p * r + 1.0 / 3628800.0;
        p = p * r + 1.0 / 362880.0;
        p = p * r + 1.0 / 40320.0;
        p = p * r + 1.0 / 5040.0;
        p = p * r + 1.0 / 720.0;
        p = p * r + 1.0 / 120.0;
        p = p * r + 1.0 / 24.0;
        p = p * r + 1.0 / 6.0;
        p = p * r + 0.5;
        p = (p * r) * r + r + 1.0;
        half = k * 0.5 + shift;
        return p * exponential_power(half) * exponential_power((k - (half - shift)) + shift);
    }
    """
    double exponential "exponential_exp"(double v) noexcept nogil
