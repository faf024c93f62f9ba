"""Bytes at places of files that are open without a buffer: whoever reads or writes whole blocks needs none."""

from __future__ import annotations

from typing import IO, Any

__all__ = ["read_at", "write_at"]


def read_at(stream: IO[bytes], place: int, memory: Any) -> int:
    """Fill a piece of memory from a file; return how many bytes came, which are fewer where the file ends.

    Parameters
    ----------
    stream : binary file
        Open with ``buffering=0``.
    place : int
        Where they begin.
    memory : buffer
        Contiguous and writeable.
    """
    view, count = memoryview(memory).cast("B"), 0
    stream.seek(place)
    while count < len(view):
        got = stream.readinto(view[count:])  # type: ignore[attr-defined]
        if not got:
            break
        count += got
    return count


def write_at(stream: IO[bytes], place: int, memory: Any) -> None:
    """Write a piece of memory into a file.

    Parameters
    ----------
    stream : binary file
        Open with ``buffering=0``.
    place : int
        Where it begins.
    memory : buffer
        Contiguous.

    Raises
    ------
    OSError
        If there is no room for all of it.
    """
    view, count = memoryview(memory).cast("B"), 0
    stream.seek(place)
    while count < len(view):
        count += stream.write(view[count:])
