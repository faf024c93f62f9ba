"""Work in a child process that ends, or gets an I/O error, at a file event that is chosen."""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drizframe.errors import DrizframeError

#: Audit events of file operations that change something, or may.
EVENTS = frozenset({
    "open", "os.rename", "os.remove", "os.link", "os.chmod", "os.chown", "os.utime", "os.mkdir", "os.rmdir", "os.truncate",
    "os.setxattr", "os.symlink",
})  # fmt: skip
#: How a child ends; `SURVIVED`: it is done though the fault came.
KILLED, REFUSED, SURVIVED, DONE = 77, 78, 79, 0


def contents(folder: Path) -> dict[str, bytes]:
    """Return what all files of a folder and its folders hold."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _inside(folder: str, name: str, args: tuple[Any, ...]) -> bool:
    """Tell whether an event is of a file of a folder, or of an open file."""
    if name not in EVENTS:
        return False
    if args and isinstance(args[0], int):
        return name in ("os.chmod", "os.utime", "os.truncate")
    paths = [os.fsdecode(a) for a in args[:2] if isinstance(a, str | bytes | os.PathLike)]
    return any(os.path.abspath(p).startswith(folder) for p in paths)  # noqa: PTH100  (links are not followed)


def child(folder: Path, work: Callable[[], Any], when: Callable[..., bool], fault: str) -> int:
    """Do some work in a child; at the event that `when` chooses it is killed, or gets an I/O error.

    Parameters
    ----------
    folder : pathlib.Path
        Events of files below it count.
    work : callable
        What is done.
    when : callable
        ``when(name, args)`` of each event.
    fault : {"kill", "error"}
        What happens then.

    Returns
    -------
    int
        How it ended: `KILLED`, `REFUSED` with an error of ours, `SURVIVED`, `DONE` without a fault, or 1 for any other error.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # threads of other tests are not of this one
        pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    came: list[str] = []
    try:

        def event(name: str, args: tuple[Any, ...]) -> None:
            if when(name, args):
                came.append(name)
                if fault == "kill":
                    os._exit(KILLED)
                raise OSError(errno.EIO, f"no luck at {name}")  # noqa: TRY301  (of the event)

        def hook(name: str, args: tuple[Any, ...]) -> None:
            if _inside(str(folder), name, args):
                event(name, args)

        # what a process wrote outlives it; a disk has its own tests
        os.fsync = lambda handle: event("fsync", (handle,))
        sys.addaudithook(hook)
        work()
        os._exit(SURVIVED if came else DONE)
    except DrizframeError:
        os._exit(REFUSED)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
