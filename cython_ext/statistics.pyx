"""Compiled loops of the image statistics; the NumPy reference is `drizframe.pixels._statistics`.

a. Same names, arguments and results as the reference, to the last bit: sums run over blocks of BLOCK values, in a block
   over LANES interleaved partial sums, then over the lanes in order, then over the blocks in order.
b. A value outside the limits adds 0.0 to its lane, so that no branch stands in the inner loop and the order of summation
   does not depend on the limits.
c. `middle` selects by two passes of counting over the halves of the bit pattern (radix selection): exact, no copy.
d. No function needs the GIL while it loops; inputs may be read-only.
"""

from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memcpy

import numpy as np

cdef enum:
    LANES = 16
    BLOCK = 65536
    HALF = 65536


cdef inline double lane_total(const double *lane) noexcept nogil:
    """Sum of the lanes in order."""
    cdef double total = lane[0]
    cdef int k
    for k in range(1, LANES):
        total += lane[k]
    return total


cdef inline float squared(float value, float mean) noexcept nogil:
    """Squared deviation, in float32 throughout."""
    cdef float d = value - mean
    return d * d


cdef inline uint32_t rank_key(float value) noexcept nogil:
    """Unsigned integer that grows with the value."""
    cdef uint32_t bits
    memcpy(&bits, &value, sizeof(bits))
    return ~bits if bits >> 31 else bits | <uint32_t>0x80000000


cdef inline float key_value(uint32_t key) noexcept nogil:
    """Inverse of `rank_key`."""
    cdef uint32_t bits = key & <uint32_t>0x7FFFFFFF if key >> 31 else ~key
    cdef float value
    memcpy(&value, &bits, sizeof(value))
    return value


cdef inline Py_ssize_t holding(const int64_t *counts, int64_t *rank) noexcept nogil:
    """Bin that holds the value of that rank; `rank` becomes the rank inside the bin."""
    cdef Py_ssize_t b = 0
    while b < HALF - 1 and rank[0] >= counts[b]:
        rank[0] -= counts[b]
        b += 1
    return b


def moments(const float[::1] values, float lo, float hi):
    """See `drizframe.pixels._statistics.moments`."""
    cdef Py_ssize_t n = values.shape[0], start, end, i
    cdef int64_t count = 0
    cdef int c, k
    cdef double total = 0.0
    cdef double lane[LANES]
    cdef float v, vmin = hi, vmax = lo
    cdef const float *p
    if n == 0:
        return 0, 0.0, 0.0, 0.0
    p = &values[0]
    with nogil:
        start = 0
        while start < n:
            end = min(start + BLOCK, n)
            for k in range(LANES):
                lane[k] = 0.0
            c = 0
            i = start
            while i + LANES <= end:
                for k in range(LANES):
                    v = p[i + k]
                    lane[k] += v if (v >= lo) & (v <= hi) else <float>0.0
                    c += (v >= lo) & (v <= hi)
                    vmin = v if (v >= lo) & (v < vmin) else vmin
                    vmax = v if (v <= hi) & (v > vmax) else vmax
                i += LANES
            for k in range(<int>(end - i)):
                v = p[i + k]
                if v >= lo and v <= hi:
                    lane[k] += v
                    c += 1
                    vmin = v if v < vmin else vmin
                    vmax = v if v > vmax else vmax
            total += lane_total(lane)
            count += c
            start = end
    if count == 0:
        return 0, 0.0, 0.0, 0.0
    return int(count), total, float(vmin), float(vmax)


def squared_deviations(const float[::1] values, float lo, float hi, float mean):
    """See `drizframe.pixels._statistics.squared_deviations`."""
    cdef Py_ssize_t n = values.shape[0], start, end, i
    cdef int k
    cdef double total = 0.0
    cdef double lane[LANES]
    cdef float v
    cdef const float *p
    if n == 0:
        return 0.0
    p = &values[0]
    with nogil:
        start = 0
        while start < n:
            end = min(start + BLOCK, n)
            for k in range(LANES):
                lane[k] = 0.0
            i = start
            while i + LANES <= end:
                for k in range(LANES):
                    v = p[i + k]
                    lane[k] += squared(v, mean) if (v >= lo) & (v <= hi) else <float>0.0
                i += LANES
            for k in range(<int>(end - i)):
                v = p[i + k]
                if v >= lo and v <= hi:
                    lane[k] += squared(v, mean)
            total += lane_total(lane)
            start = end
    return total


def histogram(const float[::1] values, float origin, float factor, float edge, bint closed, Py_ssize_t nbins):
    """See `drizframe.pixels._statistics.histogram`."""
    counts = np.zeros(nbins, dtype=np.int64)
    cdef int64_t[::1] found = counts
    cdef Py_ssize_t i, k
    cdef float v
    with nogil:
        for i in range(values.shape[0]):
            v = values[i]
            if v >= origin and (v < edge or (closed and v == edge)):
                k = <Py_ssize_t>(factor * (v - origin))
                if k < nbins:
                    found[k] += 1
    return counts


def middle(const float[::1] values, float lo, float hi, int64_t count):
    """See `drizframe.pixels._statistics.middle`."""
    cdef Py_ssize_t i, upper, lower
    cdef int64_t first = (count - 1) // 2, second = count // 2
    cdef uint32_t key, key_first, key_second
    cdef float v
    table = np.zeros((3, HALF), dtype=np.int64)
    cdef int64_t[:, ::1] counts = table
    if count <= 0:
        return float("nan"), float("nan")
    with nogil:
        for i in range(values.shape[0]):
            v = values[i]
            if v >= lo and v <= hi:
                counts[0, rank_key(v) >> 16] += 1
        lower = holding(&counts[0, 0], &first)
        upper = holding(&counts[0, 0], &second)
        for i in range(values.shape[0]):
            v = values[i]
            if v >= lo and v <= hi:
                key = rank_key(v)
                if <Py_ssize_t>(key >> 16) == lower:
                    counts[1, key & 0xFFFF] += 1
                if <Py_ssize_t>(key >> 16) == upper:
                    counts[2, key & 0xFFFF] += 1
        key_first = <uint32_t>((lower << 16) | holding(&counts[1, 0], &first))
        key_second = <uint32_t>((upper << 16) | holding(&counts[2, 0], &second))
    return float(key_value(key_first)), float(key_value(key_second))
