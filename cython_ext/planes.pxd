# Images of any strides as rows of numbers: how compiled loops read inputs and write outputs.
#
# a. A plane borrows the memory of an array, whose owner keeps it alive.
# b. Numbers that lie without gaps are read by a loop of its own, which the compiler vectorises.

from libc.stdint cimport int32_t, uint32_t

ctypedef fused number:
    float
    double
    int32_t
    uint32_t


cdef struct Plane:
    # First number; bytes to the next row and column; whether numbers are double (else of four bytes).
    char* start
    Py_ssize_t down, across
    bint double


cdef inline Plane plane_of(object image) except *:
    """Borrow an image of float32, float64, int32 or uint32."""
    cdef:
        Plane p
        const float[:, :] singles
        const double[:, :] doubles
        const int32_t[:, :] integers
        const uint32_t[:, :] flags
    p.double = False
    kind = image.dtype.char
    if kind == "d":
        doubles = image
        p.start, p.down, p.across, p.double = <char*> &doubles[0, 0], doubles.strides[0], doubles.strides[1], True
    elif kind == "f":
        singles = image
        p.start, p.down, p.across = <char*> &singles[0, 0], singles.strides[0], singles.strides[1]
    elif image.dtype.kind == "i":
        integers = image
        p.start, p.down, p.across = <char*> &integers[0, 0], integers.strides[0], integers.strides[1]
    else:
        flags = image
        p.start, p.down, p.across = <char*> &flags[0, 0], flags.strides[0], flags.strides[1]
    return p


cdef inline char* place(const Plane* p, Py_ssize_t j, Py_ssize_t i) noexcept nogil:
    """Where the number of row j and column i is."""
    return p.start + j * p.down + i * p.across


cdef inline void _copy(const char* start, Py_ssize_t across, Py_ssize_t n, number* like, double* out) noexcept nogil:
    """Read n numbers of the type of `like`."""
    cdef Py_ssize_t i
    if across == sizeof(number):
        for i in range(n):
            out[i] = (<const number*> start)[i]
    else:
        for i in range(n):
            out[i] = (<const number*> (start + i * across))[0]


cdef inline void read_row(const Plane* p, Py_ssize_t j, Py_ssize_t i, Py_ssize_t n, double* out) noexcept nogil:
    """Read n floating-point numbers of a row."""
    if p.double:
        _copy(place(p, j, i), p.across, n, <double*> NULL, out)
    else:
        _copy(place(p, j, i), p.across, n, <float*> NULL, out)
