"""Folders in which a run keeps what it has done, so that a later one can go on from there.

What is read back is believed only if it is this user's, not through a link, and nobody else may write there.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from pathlib import Path

from drizframe.errors import OutputError, RunError, told
from drizframe.system.folder_locks import hold

__all__ = ["AGE", "PREFIX", "open_file", "open_folder", "remove_folder", "remove_old", "sync", "sync_folder"]

PREFIX = "drizframe-resume-"
#: Seconds after which the folder of a run that nobody resumed is removed by the next run that keeps one beside it.
AGE = 7 * 86400
_NAME = re.compile(re.escape(PREFIX) + r"[0-9a-f]{24}")
_FILE = re.compile(r"journal|[0-9a-f]{40}\.block")
_OTHERS = 0o022
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def _user(found: os.stat_result) -> int:
    return int(getattr(os, "geteuid", lambda: found.st_uid)())


def open_folder(stack: contextlib.ExitStack, parent: Path, digest: str) -> Path:
    """Return the folder of a run, made if it is not there, for this process alone until a stack is closed.

    Parameters
    ----------
    stack : contextlib.ExitStack
        Its end lets the folder go.
    parent : pathlib.Path
        Where it is.
    digest : str
        What tells the run from others: 24 hexadecimal digits.

    Raises
    ------
    RunError
        If a run with the same digest is at work.
    OutputError
        If it cannot be made, or what is there is not of this user alone.
    """
    folder = parent / f"{PREFIX}{digest}"
    for _ in range(100):
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
        except OSError as error:
            if isinstance(error, FileNotFoundError) and parent.is_dir():
                continue  # another run has just ended, and removed it
            msg = f"The folder {str(folder)!r}, for what can be resumed, cannot be made: {told(error)}. Name another one with workdir."
            raise OutputError(msg) from error
        _check(folder, found)
        mine = contextlib.ExitStack()
        if not hold(mine, folder, 0.0):
            mine.close()
            msg = (
                f"Another run of the same inputs and output is at work in {str(folder)!r}. Wait for it, or give this one a workdir "
                "of its own."
            )
            raise RunError(msg)
        with contextlib.suppress(FileNotFoundError):
            if folder.lstat().st_ino == found.st_ino:
                stack.push(mine)
                return folder
        mine.close()
    msg = f"The folder {str(folder)!r} vanishes as often as it is made. Name another one with workdir."
    raise OutputError(msg)


def _check(folder: Path, found: os.stat_result) -> None:
    """Refuse a folder in which somebody else may have put something."""
    fault = ""
    if not stat.S_ISDIR(found.st_mode):
        fault = "is a link" if stat.S_ISLNK(found.st_mode) else "is no folder"
    elif found.st_uid != _user(found):
        fault = "belongs to another user"
    elif os.name != "nt" and found.st_mode & _OTHERS:
        fault = "can be written to by other users"
    if fault:
        msg = f"{str(folder)!r} {fault}, so what is in it cannot be believed. Remove it, or name another workdir."
        raise OutputError(msg)


def open_file(path: Path, flags: int) -> int:
    """Open a file of such a folder; a link is not followed.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    flags : int
        As of `os.open`.

    Returns
    -------
    int
        The descriptor.

    Raises
    ------
    OSError
        If it is not there, or is no plain file of this user with one name.
    """
    handle = os.open(path, flags | _NO_FOLLOW | _BINARY, 0o600)
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != _user(found) or found.st_nlink > 1:
        os.close(handle)
        msg = f"{path} is no plain file of this user alone"
        raise PermissionError(msg)
    return handle


def sync(path: Path) -> None:
    """Force a file to the disk, if it is still there."""
    with contextlib.suppress(FileNotFoundError):
        handle = os.open(path, os.O_RDWR | _NO_FOLLOW | _BINARY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_folder(folder: Path) -> None:
    """Remove a folder with what such a folder has; whatever else is there stays, and the folder with it."""
    if folder.is_symlink():
        return
    with contextlib.suppress(OSError):
        with os.scandir(folder) as entries:
            names = [
                e.name for e in entries if _FILE.fullmatch(e.name) and not e.is_dir(follow_symlinks=False)
            ]
        # the journal last: what is interrupted leaves no blocks that nothing lists
        for name in sorted(names, key=lambda n: n == "journal"):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()


def remove_old(parent: Path, keep: Path, age: float = AGE) -> list[Path]:
    """Remove folders that no run has worked in for long.

    Parameters
    ----------
    parent : pathlib.Path
        Where they are.
    keep : pathlib.Path
        That of this run.
    age : float
        Seconds since something was recorded there last.

    Returns
    -------
    list of pathlib.Path
        What was removed.
    """
    removed = []
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(parent)):  # noqa: PTH208  (faster)
            folder = parent / name
            if _NAME.fullmatch(name) and folder != keep and _is_old(folder, age):
                with contextlib.ExitStack() as stack:
                    if hold(stack, folder, 0.0) and _is_old(folder, age):
                        remove_folder(folder)
                if not folder.exists():
                    removed.append(folder)
    return removed


def _is_old(folder: Path, age: float) -> bool:
    """Whether a folder is this user's and was last worked in long ago."""
    try:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != _user(found):
            return False
        with os.scandir(folder) as entries:
            last = max((e.stat(follow_symlinks=False).st_mtime for e in entries), default=found.st_mtime)
    except OSError:
        return False
    return max(last, found.st_mtime) < time.time() - age
