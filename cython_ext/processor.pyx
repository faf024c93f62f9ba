# What the processor can do, asked of the compiler's run-time library.
"""Whether the processor has the vector instructions that some modules are built for."""

cdef extern from *:
    """
    #if (defined(__GNUC__) || defined(__clang__)) && defined(__x86_64__)
    static int processor_avx2(void) { __builtin_cpu_init(); return __builtin_cpu_supports("avx2") != 0; }
    #else
    static int processor_avx2(void) { return 0; }
    #endif
    """
    int processor_avx2() noexcept


def has_avx2():
    """Whether the processor and the operating system have AVX2."""
    return bool(processor_avx2())
