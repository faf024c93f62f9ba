"""Memory that was freed, back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Watch", "give_back", "give_back_at_once", "one_heap", "resident"]

#: Part of a limit, as numerator and denominator, from which freed memory is given back.
FULL = 3, 4
#: Numbers of parameters for `mallopt` of the GNU C library.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
#: Seconds between two looks, and between two times that memory is given back, at least.
GLANCE, PAUSE = 0.01, 0.1


@functools.cache
def _trim() -> Callable[[int], Any] | None:
    """Return what the C library has for it; None where it has nothing (musl, macOS, Windows: they give back by themselves)."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        return ctypes.CDLL(None).malloc_trim
    return None


@functools.cache
def one_heap() -> None:
    """Let threads that come from now on take their memory from the heap of the main thread.

    By default the GNU C library makes a heap for each thread, and never gives the free end of those back, some 15 MB each after
    images of some megabytes; images are large and few, so that threads hardly wait for each other.  Who has set this by
    ``MALLOC_ARENA_MAX`` or ``GLIBC_TUNABLES`` keeps it.  Other libraries have no such heaps.
    """
    if "MALLOC_ARENA_MAX" in os.environ or "arena_max" in os.environ.get("GLIBC_TUNABLES", ""):
        return
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        if hasattr(library, "gnu_get_libc_version"):
            library.mallopt(_ARENA_MAX, 1)


def give_back() -> None:
    """Give memory back that the C library keeps after it was freed: with images of some megabytes that is much."""
    trim = _trim()
    if trim is not None:
        trim(0)


def give_back_at_once(nbytes: int = 1 << 20) -> None:
    """Let the C library take arrays from so many bytes on from the system one by one, and give each back when it is freed.

    It keeps freed memory of up to 32 MB otherwise, of which every process has its own.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, nbytes)


def resident() -> int | None:
    """Return the bytes of memory that this process has now; None where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return None


class Watch:
    """Gives freed memory back when the process comes near a limit.

    Parameters
    ----------
    limit : int
        Bytes beside those that the process had.
    before : int, optional
        Bytes that it had before it began; without it, those that it has now.
    """

    def __init__(self, limit: int, before: int | None = None) -> None:
        one_heap()
        self._most = (before or resident() or 0) + limit * FULL[0] // FULL[1]
        self._next = 0.0

    def look(self) -> None:
        """Look at what the process has now, and give back what is free if that is much."""
        now = time.monotonic()
        if now < self._next:
            return
        full = (resident() or 0) > self._most
        self._next = now + (PAUSE if full else GLANCE)
        if full:
            give_back()
