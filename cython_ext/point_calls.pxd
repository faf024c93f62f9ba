# Calling a point function: shared by points.pyx and interpolator_forms.pyx.
#
# a. The buffer grows when the function asks for more room; the caller frees it.
# b. A function that reports more weights than the buffer holds has the status BEYOND, before they are read; one whose
#    weights are not finite NOT_FINITE.

from libc.stdlib cimport malloc, realloc

ctypedef int (*Function)(double, double, const double*, double, double, int*, int*, int*, int*, double*, int,
                         void*) noexcept nogil

cdef enum:
    BEYOND = -(1 << 30)
    FULL = -(1 << 30) + 1
    NOT_FINITE = -(1 << 30) + 2


cdef struct Answer:
    # The window that a function chose, and its weights, row by row.
    int x0, y0, columns, rows
    int capacity
    double* weights


cdef inline bint prepare(Answer* answer) noexcept nogil:
    """Make the buffer; False without memory."""
    answer.capacity = 256
    answer.weights = <double*> malloc(answer.capacity * sizeof(double))
    return answer.weights != NULL


cdef inline int ask(Function function, void* user, double x, double y, const double* jacobian, double pixfrac,
                    double scale, Answer* answer) noexcept nogil:
    """Call a function for one pixel, once more if it needs more room; return its status."""
    cdef:
        int status = 0, _tries, k
        double* larger
        double some = 0.0
    for _tries in range(2):
        answer.columns = 0
        answer.rows = 0
        status = function(x, y, jacobian, pixfrac, scale, &answer.x0, &answer.y0, &answer.columns,
                          &answer.rows, answer.weights, answer.capacity, user)
        if status <= answer.capacity:
            break
        larger = <double*> realloc(answer.weights, status * sizeof(double))
        if larger == NULL:
            return FULL
        answer.weights = larger
        answer.capacity = status
    if status == 0 and answer.columns > 0 and answer.rows > 0:
        if <long long> answer.columns * answer.rows > answer.capacity:
            return BEYOND
        for k in range(answer.columns * answer.rows):
            some += 0.0 * answer.weights[k]  # 0 for finite numbers only
        if some != 0.0:
            return NOT_FINITE
    return status


cdef inline bint outside(int first, int count, double low, double high) noexcept nogil:
    """Whether pixels from the first on leave a range; as float64, which holds every sum of two int."""
    return first < low or <double> first + count - 1.0 > high
