# Adding input pixels to the sums of a window: shared by scatter.pyx, drizzle_block.pyx and drizzle_points.pyx.
#
# a. Adding a weight of exactly 0 changes no sum, so the loops over a window have no branch for pixels outside
#    the kernel; only further layers, which may hold NaN, are guarded.
# b. On a turned image neighbouring pixels fall on other rows, so memory is asked for (SOON) some pixels
#    ahead.
# c. Windows lie inside the sums (the caller sees to that), so indices are not tested.

from libc.math cimport isfinite
from libc.stdint cimport int32_t, uint8_t, uint32_t
from pixels cimport pick

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define SOON(address) __builtin_prefetch((address), 1, 3)
    #else
    #define SOON(address) ((void) (address))
    #endif
    """
    void SOON(const void* address) noexcept nogil


cdef enum:
    AHEAD = 8


cdef struct Sums:
    # The sums of a window, and the values of a block of pixels.
    Py_ssize_t rows, columns, layers, variances, pixels
    double* weight
    double* total
    double* squared
    double* last
    int32_t* context
    uint32_t* flags
    const double* data
    const double* variance
    const double* pixel_weight
    const uint32_t* pixel_flags
    int32_t bit
    bint skip_zero
    uint8_t* hit  # set for pixels of the block that have any share; NULL: not wanted


cdef inline void expect(const Sums* s, Py_ssize_t x, Py_ssize_t y, Py_ssize_t h) noexcept nogil:
    """Ask for the memory of a window that is needed soon."""
    cdef Py_ssize_t j
    for j in range(h):
        SOON(s.weight + (y + j) * s.columns + x)
        SOON(s.total + (y + j) * s.columns + x)
        if s.context != NULL:
            SOON(s.context + (y + j) * s.columns + x)


cdef inline Py_ssize_t _add(const double* g, Py_ssize_t h, Py_ssize_t w, Py_ssize_t stride, double factor,
                            double value, double* weight, double* total, Py_ssize_t* lost) noexcept nogil:
    """Add one pixel to two sums, without branches; return whether it has any share.

    `lost` counts shares that come to nothing although they and the pixel's weight are not 0 (underflow).
    """
    cdef Py_ssize_t i, _j, shares = 0
    cdef double omega
    for _j in range(h):
        for i in range(w):
            omega = g[i] * factor
            weight[i] += omega
            total[i] += omega * value
            shares |= g[i] != 0.0
            lost[0] += (g[i] != 0.0) & (omega == 0.0)
        g += w
        weight += stride
        total += stride
    return shares


cdef inline void _mark(const double* g, Py_ssize_t h, Py_ssize_t w, Py_ssize_t stride, double factor,
                       int32_t bit, int32_t* context) noexcept nogil:
    """Set a context bit where the weight is above 0, without branches."""
    cdef Py_ssize_t i, _j
    for _j in range(h):
        for i in range(w):
            context[i] |= bit & -<int32_t> (g[i] * factor > 0.0)
        g += w
        context += stride


cdef inline Py_ssize_t _remember(const double* g, Py_ssize_t h, Py_ssize_t w, Py_ssize_t stride,
                                 double factor, double value, bint write, double* last) noexcept nogil:
    """Keep a value where it comes without weight; return whether the pixel has any share."""
    cdef Py_ssize_t i, _j, shares = 0
    for _j in range(h):
        for i in range(w):
            if g[i] != 0.0:
                shares = 1
                if write and g[i] * factor == 0.0:
                    last[i] = value
        g += w
        last += stride
    return shares


cdef inline void _more(const Sums* s, Py_ssize_t p, const double* g, Py_ssize_t h, Py_ssize_t w, Py_ssize_t x,
                       Py_ssize_t y, double factor) noexcept nogil:
    """Add further layers, variances and flags."""
    cdef Py_ssize_t i, j, c, at, size = s.rows * s.columns
    cdef double omega
    for j in range(h):
        for i in range(w):
            omega = g[j * w + i] * factor
            if omega == 0.0:
                continue
            at = (y + j) * s.columns + x + i
            for c in range(1, s.layers):
                s.total[c * size + at] += omega * s.data[c * s.pixels + p]
            for c in range(s.variances):
                s.squared[c * size + at] += omega * omega * s.variance[c * s.pixels + p]
            if s.flags != NULL:
                s.flags[at] |= s.pixel_flags[p]


cdef inline Py_ssize_t add_pixel(const Sums* s, Py_ssize_t p, const double* g, Py_ssize_t h, Py_ssize_t w,
                                 Py_ssize_t x, Py_ssize_t y) noexcept nogil:
    """Add pixel `p` with shares `g` on the window at (x, y); return whether it has any share."""
    cdef:
        double factor = s.pixel_weight[p], value = s.data[p]
        Py_ssize_t at = y * s.columns + x, lost = 0, shares
    if factor == 0.0:
        return _remember(g, h, w, s.columns, factor, value, not s.skip_zero and isfinite(value), s.last + at)
    shares = _add(g, h, w, s.columns, factor, value, s.weight + at, s.total + at, &lost)
    if s.context != NULL:
        _mark(g, h, w, s.columns, factor, s.bit, s.context + at)
    if lost and not s.skip_zero:
        _remember(g, h, w, s.columns, factor, value, isfinite(value), s.last + at)
    if s.layers > 1 or s.variances > 0 or s.flags != NULL:
        _more(s, p, g, h, w, x, y, factor)
    return shares


cdef inline void _share(const double* g, Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, Py_ssize_t stride, double factor,
                        double value, int32_t bit, double* weight, double* total, int32_t* context) noexcept nogil:
    """Add one pixel of a block; cells of its window lie n apart."""
    cdef Py_ssize_t i, _j
    cdef double omega
    for _j in range(h):
        for i in range(w):
            omega = g[0] * factor
            weight[i] += omega
            total[i] += omega * value
            if context != NULL:
                context[i] |= bit & -<int32_t> (omega > 0.0)
            g += n
        weight += stride
        total += stride
        if context != NULL:
            context += stride


cdef inline void _spread(const double* g, Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, Py_ssize_t stride, double factor,
                         double value, int32_t bit, double* weight, double* total,
                         int32_t* context) noexcept nogil:
    """The same, with loops of a known length for the windows that most pixels have."""
    if w == 3 and h == 3:
        _share(g, n, 3, 3, stride, factor, value, bit, weight, total, context)
    elif w == 2 and h == 2:
        _share(g, n, 2, 2, stride, factor, value, bit, weight, total, context)
    elif w == 4 and h == 4:
        _share(g, n, 4, 4, stride, factor, value, bit, weight, total, context)
    elif w == 1 and h == 1:
        _share(g, n, 1, 1, stride, factor, value, bit, weight, total, context)
    else:
        _share(g, n, h, w, stride, factor, value, bit, weight, total, context)


cdef inline Py_ssize_t _lost(const double* g, const double* factor, Py_ssize_t n, Py_ssize_t cells) noexcept nogil:
    """How many pixels of a block have shares that come to nothing although their factor is not 0."""
    cdef:
        double gone[64]
        Py_ssize_t _c, k, count = 0
    for k in range(n):
        gone[k] = 0.0
    for _c in range(cells):
        for k in range(n):
            gone[k] = pick((g[k] != 0.0) & (g[k] * factor[k] == 0.0), 1.0, gone[k])
        g += n
    for k in range(n):
        count += (gone[k] != 0.0) & (factor[k] != 0.0)
    return count


cdef inline Py_ssize_t _shares(const double* g, Py_ssize_t n, Py_ssize_t cells, const Py_ssize_t* index,
                               uint8_t* hit) noexcept nogil:
    """Count the pixels of a block that have any share, and mark them in `hit` (or NULL)."""
    cdef:
        double some[64]
        Py_ssize_t _c, k, count = 0
    for k in range(n):
        some[k] = 0.0
    for _c in range(cells):
        for k in range(n):
            some[k] = pick(g[k] != 0.0, 1.0, some[k])
        g += n
    for k in range(n):
        count += some[k] != 0.0
        if hit != NULL and some[k] != 0.0:
            hit[index[k]] = 1
    return count


cdef inline Py_ssize_t add_block(const Sums* s, const Py_ssize_t* index, const Py_ssize_t* at, const double* g,
                                 Py_ssize_t n, Py_ssize_t h, Py_ssize_t w, double* window) noexcept nogil:
    """Add n <= 64 pixels with windows of one size from places `at` on; return how many have any share.

    The share of cell c of pixel k is at ``g[c n + k]``; `window` has room for the cells of one.
    """
    cdef:
        double factor[64]
        Py_ssize_t k, c, touched
        bint plain = s.layers == 1 and s.variances == 0 and s.flags == NULL
    for k in range(n):
        factor[k] = s.pixel_weight[index[k]]
    touched = _shares(g, n, h * w, index, s.hit)
    plain = plain and (s.skip_zero or _lost(g, factor, n, h * w) == 0)  # what is lost is remembered
    for k in range(n):
        if plain and factor[k] != 0.0:
            _spread(g + k, n, h, w, s.columns, factor[k], s.data[index[k]], s.bit, s.weight + at[k],
                    s.total + at[k], NULL if s.context == NULL else s.context + at[k])
            continue
        for c in range(h * w):
            window[c] = g[c * n + k]
        add_pixel(s, index[k], window, h, w, at[k] % s.columns, at[k] // s.columns)
    return touched


cdef inline Sums sums_of(const double[:, ::1] data, const double[:, ::1] variances,
                         const double[::1] pixel_weight, const uint32_t[::1] flags, unsigned int bit,
                         bint skip_zero, double[:, ::1] weight, double[:, :, ::1] total,
                         double[:, :, ::1] squared, double[:, ::1] last, int32_t[:, ::1] context,
                         uint32_t[:, ::1] out_flags) noexcept:
    """Gather the pointers; no array may be empty but those that are not used."""
    cdef Sums s
    s.rows, s.columns = weight.shape[0], weight.shape[1]
    s.layers, s.variances, s.pixels = data.shape[0], variances.shape[0], data.shape[1]
    s.weight, s.total, s.last = &weight[0, 0], &total[0, 0, 0], &last[0, 0]
    s.squared = &squared[0, 0, 0] if s.variances > 0 else NULL
    s.context = &context[0, 0] if context is not None else NULL
    s.flags = &out_flags[0, 0] if out_flags is not None else NULL
    s.data, s.pixel_weight = &data[0, 0], &pixel_weight[0]
    s.variance = &variances[0, 0] if s.variances > 0 else NULL
    s.pixel_flags = &flags[0] if out_flags is not None else NULL
    s.bit, s.skip_zero = <int32_t> bit, skip_zero
    s.hit = NULL
    return s
