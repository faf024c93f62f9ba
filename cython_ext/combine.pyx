"""Compiled twins of drizframe/stock/combine: same names, arguments and results, bit for bit.

a. A row is cut into chunks of CHUNK pixels.  Values that are not good become +inf; the n planes of a chunk
   are sorted together by Batcher's odd-even merge network (Knuth, TAOCP 3, algorithm 5.2.2M): compare and
   exchange without branches over whole chunks, so the compiler makes vector minima of it.  The same
   code serves 2 and 300 images.
b. Which ranks make the median depends on the number of good values only: one small table per call.
c. Sums run in the order of the reference, over sorted values upwards or over images; nothing is contracted.
d. minmed makes three passes over the tile: median, minimum and sigma; growth of the flags by running counts
   along columns and rows; decision.
e. Buffers belong to the call: any number of threads may run at once.
"""

import numpy as np

from libc.math cimport sqrt

from drizframe.errors import ShapeError

cdef enum:
    CHUNK = 64

cdef extern from "math.h" nogil:
    const float INFINITE "INFINITY"

cdef extern from "float.h" nogil:
    const float LOWEST "(-FLT_MAX)"


cdef inline bint finite(float v) noexcept nogil:
    return v - v == 0.0


cdef inline void exchange(float* a, float* b) noexcept nogil:
    """Put the smaller of each pair into a, the larger into b."""
    cdef int p
    cdef float x, y, least, most
    for p in range(CHUNK):
        x = a[p]
        y = b[p]
        least = x if x < y else y
        most = x if y < x else y
        a[p] = least
        b[p] = most


cdef void sort_planes(float* planes, int n) noexcept nogil:
    """Sort n planes of CHUNK values, pixel by pixel, upwards."""
    cdef int top = 1, p, q, r, d, i
    if n < 2:
        return
    while 2 * top < n:
        top *= 2
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            for i in range(n - d):
                if (i & p) == r:
                    exchange(planes + i * CHUNK, planes + (i + d) * CHUNK)
            if q == p:
                break
            d = q - p
            q //= 2
            r = p
        p //= 2


cdef inline void take_good(const float* values, const unsigned char* bad, int m, float low, float high,
                           float* plane, int* count) noexcept nogil:
    """Copy m good values in low <= v < high, infinities in the place of the others; count the good ones."""
    cdef int p, ok
    cdef float v
    for p in range(m):
        v = values[p]
        ok = (bad[p] == 0) & (v >= low) & (v < high)
        plane[p] = v if ok else INFINITE
        count[p] += ok
    for p in range(m, CHUNK):
        plane[p] = INFINITE


cdef inline void zero(int* count) noexcept nogil:
    cdef int p
    for p in range(CHUNK):
        count[p] = 0


cdef inline void store_median(const float* planes, const int* count, const int* lower, const int* upper,
                              int m, float* out) noexcept nogil:
    cdef int p, g
    cdef double first, second
    for p in range(m):
        g = count[p]
        first = planes[lower[g] * CHUNK + p]
        second = planes[upper[g] * CHUNK + p]
        out[p] = <float>((first + second) / 2.0) if g > 0 else 0.0


cdef inline void store_mean(const float* planes, const int* count, int n, int nlow, int nhigh, int m,
                            double* total, float* out) noexcept nogil:
    cdef int p, rank, left
    for p in range(CHUNK):
        total[p] = 0.0
    for rank in range(nlow, n):
        for p in range(m):
            total[p] += planes[rank * CHUNK + p] if rank < count[p] - nhigh else 0.0
    for p in range(m):
        left = count[p] - nlow - nhigh
        out[p] = <float>(total[p] / left) if left > 0 else 0.0


cdef inline void fill_last(const float* last, const int* count, int m, float* out) noexcept nogil:
    """Put the last image where no value is good."""
    cdef int p
    for p in range(m):
        if count[p] == 0:
            out[p] = last[p] if finite(last[p]) else 0.0


def _ranks(int n, int nlow, int nhigh):
    """Ranks whose mean is the median, for 0 … n good values."""
    cdef int g, low, high, k
    table = np.zeros((2, n + 1), dtype=np.intc)
    cdef int[:, ::1] t = table
    for g in range(1, n + 1):
        low, high = nlow, nhigh
        while low + high >= g:
            low, high = max(low - 1, 0), max(high - 1, 0)
        k = g - low - high
        t[1, g] = low + k // 2
        t[0, g] = t[1, g] if k % 2 else t[1, g] - 1
    return table


def _not_below(limit, default):
    """The smallest float32 that is not below a limit: floats compare with it as with the limit in float64."""
    if limit is None:
        return default
    with np.errstate(over="ignore"):
        single = np.float32(limit)
    return float(single if float(single) >= limit else np.nextafter(single, np.float32(np.inf)))


def _checked(stack, bad):
    """The stack as float32 and the flags as bytes."""
    values = np.ascontiguousarray(stack, dtype=np.float32)
    flags = np.ascontiguousarray(bad, dtype=bool)
    if values.ndim != 3 or not values.shape[0] or flags.shape != values.shape:
        raise ShapeError(
            f"stack has shape {values.shape} and bad has {flags.shape}. "
            f"Give both as (images, rows, columns) with at least one image."
        )
    return values, flags.view(np.uint8)


def _ordered(stack, bad, options, bint averaged, bint fill):
    """Median or mean of every pixel."""
    values, flags = _checked(stack, bad)
    cdef const float[:, :, ::1] s = values
    cdef const unsigned char[:, :, ::1] f = flags
    cdef int n = s.shape[0], h = s.shape[1], w = s.shape[2], nlow = options.nlow, nhigh = options.nhigh
    cdef float low = max(LOWEST, _not_below(options.lthresh, LOWEST))
    cdef float high = _not_below(options.hthresh, INFINITE)
    cdef const int[:, ::1] ranks = _ranks(n, nlow, nhigh)
    cdef float[:, ::1] planes = np.empty((n, CHUNK), dtype=np.float32)
    image = np.empty((h, w), dtype=np.float32)
    cdef float[:, ::1] out = image
    cdef int count[CHUNK]
    cdef double total[CHUNK]
    cdef int y, x, m, k, c, chunks = (w + CHUNK - 1) // CHUNK
    with nogil:
        for y in range(h):
            for c in range(chunks):
                x = c * CHUNK
                m = min(<int>CHUNK, w - x)
                zero(count)
                for k in range(n):
                    take_good(&s[k, y, x], &f[k, y, x], m, low, high, &planes[k, 0], count)
                sort_planes(&planes[0, 0], n)
                if averaged:
                    store_mean(&planes[0, 0], count, n, nlow, nhigh, m, total, &out[y, x])
                else:
                    store_median(&planes[0, 0], count, &ranks[0, 0], &ranks[1, 0], m, &out[y, x])
                if fill:
                    fill_last(&s[n - 1, y, x], count, m, &out[y, x])
    return image


def median(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
    """See `drizframe.stock.combine.median.median`."""
    return _ordered(stack, bad, options, False, False)


def imedian(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
    """See `drizframe.stock.combine.imedian.imedian`."""
    return _ordered(stack, bad, options, False, True)


def mean(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
    """See `drizframe.stock.combine.mean.mean`."""
    return _ordered(stack, bad, options, True, False)


def imean(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
    """See `drizframe.stock.combine.imean.imean`."""
    return _ordered(stack, bad, options, True, True)


def plain_sum(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
    """See `drizframe.stock.combine.sum.plain_sum`."""
    values, _ = _checked(stack, bad)
    cdef const float[:, :, ::1] s = values
    cdef int n = s.shape[0], h = s.shape[1], w = s.shape[2]
    image = np.empty((h, w), dtype=np.float32)
    cdef float[:, ::1] out = image
    cdef int y, x, k
    cdef float v
    with nogil:
        for y in range(h):
            for x in range(w):
                out[y, x] = 0.0
            for k in range(n):
                for x in range(w):
                    v = s[k, y, x]
                    out[y, x] += v if finite(v) else 0.0
    return image


cdef inline void add_noise(const float* plane, const float* weight, double rate, double variance, int m,
                           float* total, double* sky, double* read) noexcept nogil:
    """Add one image to W, to the background and to the read noise (good values only)."""
    cdef int p
    for p in range(m):
        total[p] += weight[p]
    for p in range(m):
        sky[p] += <double>weight[p] * rate
    for p in range(m):
        read[p] += variance if plane[p] < INFINITE else 0.0


cdef inline double floored_root(double v) noexcept nogil:
    return sqrt(v) if v > 0.0 else 0.0


cdef void grow_flags(unsigned char[:, ::1] flag, int n, int[::1] column) noexcept nogil:
    """Replace flag by: is there a flag in the box of 2n + 1 pixels around?  Outside there is none.

    Two passes of running counts: rows are read from `flag` ahead of the row that is written, so each pass
    keeps the counts of the columns (first pass) or of the row (second) and writes bit 2, then bit 4.  Bit 1
    is the flag; bit 8 marks pixels without a good value.
    """
    cdef Py_ssize_t h = flag.shape[0], w = flag.shape[1], y, x
    cdef int run
    for x in range(w):
        column[x] = 0
    for y in range(min(<Py_ssize_t>n, h)):
        for x in range(w):
            column[x] += flag[y, x] & 1
    for y in range(h):
        if y + n < h:
            for x in range(w):
                column[x] += flag[y + n, x] & 1
        if y - n - 1 >= 0:
            for x in range(w):
                column[x] -= flag[y - n - 1, x] & 1
        for x in range(w):
            flag[y, x] |= 2 if column[x] > 0 else 0
    for y in range(h):
        run = 0
        for x in range(min(<Py_ssize_t>n, w)):
            run += (flag[y, x] >> 1) & 1
        for x in range(w):
            if x + n < w:
                run += (flag[y, x + n] >> 1) & 1
            if x - n - 1 >= 0:
                run -= (flag[y, x - n - 1] >> 1) & 1
            flag[y, x] |= 4 if run > 0 else 0


def _minmed(stack, bad, weight, exptime, background, readnoise, n_total, options, bint fill):
    """Median or minimum of every pixel."""
    values, flags = _checked(stack, bad)
    cdef const float[:, :, ::1] s = values
    cdef const unsigned char[:, :, ::1] f = flags
    weights = np.ascontiguousarray(weight, dtype=np.float32)
    if weights.shape != values.shape:
        raise ShapeError(f"weight has shape {weights.shape} but stack has {values.shape}. Give both alike.")
    cdef const float[:, :, ::1] wt = weights
    time = np.asarray(exptime, dtype=np.float64)
    cdef const double[::1] rate = np.ascontiguousarray(
        np.asarray(background, dtype=np.float64) / np.where(time > 0, time, 1.0))
    cdef const double[::1] variance = np.ascontiguousarray(np.asarray(readnoise, dtype=np.float64) ** 2)
    cdef int n = s.shape[0], h = s.shape[1], w = s.shape[2], grow = options.grow
    if rate.shape[0] != n or variance.shape[0] != n:
        raise ShapeError(f"stack holds {n} images; give as many exposure times, backgrounds and read noises.")
    cdef double first = options.nsigma[0], second = options.nsigma[1], nsigma
    cdef bint two = n_total <= 2
    cdef const int[:, ::1] ranks = _ranks(n, 0, 1)
    cdef float[:, ::1] planes = np.empty((n, CHUNK), dtype=np.float32)
    image = np.empty((h, w), dtype=np.float32)
    cdef float[:, ::1] out = image
    cdef float[:, ::1] least = np.empty((h, w), dtype=np.float32)
    cdef float[:, ::1] high = np.empty((h, w), dtype=np.float32)
    cdef float[:, ::1] low = np.empty((h, w), dtype=np.float32)
    cdef double[:, ::1] sigma = np.empty((h, w))
    cdef unsigned char[:, ::1] flag = np.empty((h, w), dtype=np.uint8)
    cdef int[::1] column = np.empty(max(w, 1), dtype=np.intc)
    cdef int count[CHUNK]
    cdef float total[CHUNK]
    cdef double sky[CHUNK]
    cdef double read[CHUNK]
    cdef double summed[CHUNK]
    cdef int y, x, m, k, p, c, chunks = (w + CHUNK - 1) // CHUNK
    with nogil:
        for y in range(h):
            for c in range(chunks):
                x = c * CHUNK
                m = min(<int>CHUNK, w - x)
                zero(count)
                for p in range(CHUNK):
                    total[p] = 0.0
                    sky[p] = 0.0
                    read[p] = 0.0
                for k in range(n):
                    take_good(&s[k, y, x], &f[k, y, x], m, LOWEST, INFINITE, &planes[k, 0], count)
                    add_noise(&planes[k, 0], &wt[k, y, x], rate[k], variance[k], m, total, sky, read)
                sort_planes(&planes[0, 0], n)
                if two:
                    store_mean(&planes[0, 0], count, n, 0, 0, m, summed, &out[y, x])
                else:
                    store_median(&planes[0, 0], count, &ranks[0, 0], &ranks[1, 0], m, &out[y, x])
                for p in range(m):
                    least[y, x + p] = planes[0, p] if count[p] > 0 else 0.0
                    high[y, x + p] = out[y, x + p] * total[p]
                    low[y, x + p] = least[y, x + p] * total[p]
                    sigma[y, x + p] = floored_root(high[y, x + p] + sky[p] + read[p])
                    flag[y, x + p] = low[y, x + p] < high[y, x + p] - first * sigma[y, x + p]
                    flag[y, x + p] |= 0 if count[p] > 0 else 8
                if fill:
                    fill_last(&s[n - 1, y, x], count, m, &out[y, x])
        if grow > 0:
            grow_flags(flag, grow, column)
        for y in range(h):
            for x in range(w):
                nsigma = second if flag[y, x] & 4 else first
                if not flag[y, x] & 8 and low[y, x] < high[y, x] - nsigma * sigma[y, x]:
                    out[y, x] = least[y, x]
    return image


def minmed(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
    """See `drizframe.stock.combine.minmed.minmed`."""
    return _minmed(stack, bad, weight, exptime, background, readnoise, n_total, options, False)


def iminmed(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
    """See `drizframe.stock.combine.iminmed.iminmed`."""
    return _minmed(stack, bad, weight, exptime, background, readnoise, n_total, options, True)
