"""The system's lock of a folder, for the moments in which its files are renamed."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["hold"]


def hold(stack: contextlib.ExitStack, folder: Path, seconds: float) -> bool:
    """Hold the lock of a folder until a stack is closed.

    Parameters
    ----------
    stack : contextlib.ExitStack
        Its end lets the folder go.
    folder : pathlib.Path
        An existing folder.
    seconds : float
        How long another process is waited for.

    Returns
    -------
    bool
        False if another process kept it all the time.  True where the system has no such lock (some network file
        systems, Windows).
    """
    with contextlib.suppress(OSError):
        if fcntl is not None:
            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            return _locked(handle, time.monotonic() + seconds)
    return True


def _locked(handle: int, until: float) -> bool:
    """Wait for the lock of an open folder; return whether it was given in time."""
    assert fcntl is not None  # noqa: S101  (asked before)
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        else:
            return True
