"""Pixels of files that threads write, while the headers of the next files are made.

Headers are made by the caller's thread alone: astropy's cards and the filters of warnings are no business of two threads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context

from drizframe.system.transaction import current

__all__ = ["in_background", "soon"]


class _Writing:
    """The threads of a block, and what they were given."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._given: list[Future[None]] = []

    def take(self, work: Callable[[], None]) -> None:
        """Hand out work, which sees the transaction that its caller is in."""
        self._given.append(self._pool.submit(copy_context().run, work))

    def end(self) -> None:
        """Wait for all of it; raise the first error."""
        for one in self._given:
            one.result()

    def give_up(self) -> None:
        """Let what did not begin be."""
        for one in self._given:
            one.cancel()


_WRITING: ContextVar[_Writing | None] = ContextVar("drizframe_writing", default=None)


@contextlib.contextmanager
def in_background(workers: int) -> Iterator[None]:
    """Let threads write what the block hands to `soon`; at its end all is written.

    Outside of a transaction (`together`) files appear one by one, and are written one by one.

    Parameters
    ----------
    workers : int
        Threads; with one, everything is done at once by the caller's.

    Raises
    ------
    DrizframeError
        The first error of the threads, in the order in which work was handed out.
    """
    if workers < 2 or current() is None:
        yield
        return
    with ThreadPoolExecutor(workers, "drizframe_write") as pool:
        writing = _Writing(pool)
        token = _WRITING.set(writing)
        try:
            yield
            writing.end()
        finally:
            _WRITING.reset(token)
            writing.give_up()


def soon(work: Callable[[], None]) -> None:
    """Do something, in a thread within a block of `in_background`, else now.

    Parameters
    ----------
    work : callable
        It touches nothing that its caller goes on to change.
    """
    writing = _WRITING.get()
    if writing is None:
        work()
    else:
        writing.take(work)
