"""Who works on an input, and who is changing files in a folder.

An input is locked by a small file beside it for as long as a run may edit it: the file says which process of which
machine holds it.  A process that has ended holds nothing; of a process of another machine nobody can tell, so its lock
stands until it is removed there, or by hand.  While files of a folder are changed, the folder itself is locked by the
system, which waits for a moment rather than refuses.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from drizframe.errors import OutputError, told
from drizframe.fits.unpacking import PACKED
from drizframe.system.folder_locks import hold
from drizframe.system.owners import Mark
from drizframe.system.temporary import beside

__all__ = [
    "Holder",
    "InputLocks",
    "folder_guards",
    "is_packed",
    "own_file",
    "sweep_locks",
    "write_exclusively",
    "write_new",
]

#: End of the name of the lock of an input.
_LOCK = ".drizframe-lock"
_LONGEST = 4096  # bytes of a lock
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
#: Seconds that one waits for another process to finish its changes of files in a folder.
PATIENCE = 600.0


def is_packed(path: Path) -> bool:
    """Tell whether a file is compressed as a whole; such a file is never edited."""
    return path.suffix.lower() in {*PACKED, ".fz"}


def own_file(path: Path) -> bool:
    """Tell whether a path is a file, not a link, that belongs to this user."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_uid == getattr(os, "geteuid", lambda: found.st_uid)()


class Holder:
    """A process that holds a lock or has a journal.

    Parameters
    ----------
    host : str
        Name of its machine, for people.
    mark : Mark
        The process.
    """

    def __init__(self, host: str, mark: Mark) -> None:
        self.host = host
        self.mark = mark

    @classmethod
    def own(cls) -> Self:
        """Return this process."""
        return cls(socket.gethostname(), Mark.own())

    @classmethod
    def parse(cls, record: Any) -> Self:
        """Return the process that a record names.

        Raises
        ------
        ValueError
            If it names none.
        """
        if not isinstance(record, dict):
            msg = "it is no record"
            raise ValueError(msg)  # noqa: TRY004  (as any other fault of its contents)
        fields = [record.get(k) for k in ("machine", "pid", "start", "random")]
        mark = Mark.parse("-".join(str(f) for f in fields))
        if mark is None or isinstance(record["pid"], bool) or not isinstance(record.get("host"), str):
            msg = "it names no process"
            raise ValueError(msg)
        return cls(record["host"][:64], mark)

    def record(self) -> dict[str, Any]:
        """Return what `parse` reads."""
        mark = self.mark
        return {
            "host": self.host, "machine": mark.machine, "pid": mark.pid, "start": mark.start, "random": mark.random,
        }  # fmt: skip

    @property
    def gone(self) -> bool:
        """Whether the process was of this machine and has ended."""
        return self.mark.gone

    @property
    def is_this(self) -> bool:
        """Whether it is this process."""
        return self.mark.is_this

    def __str__(self) -> str:
        """Return it as people know it."""
        return f"process {self.mark.pid} on {self.host}"


def write_exclusively(path: Path, text: str) -> None:
    """Make a file, whole or not at all, where there must be none.

    Raises
    ------
    FileExistsError
        If there is something of that name.
    OSError
        If it cannot be written.
    """
    part = beside(path)
    write_new(part, text)
    try:
        os.link(part, path, follow_symlinks=False)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):  # a file system without second names
        write_new(path, text)
    finally:
        part.unlink(missing_ok=True)


def write_new(path: Path, text: str) -> None:
    """Make a file where there must be none; a link is not followed."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o644)
    with os.fdopen(number, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


@contextlib.contextmanager
def folder_guards(folders: Iterable[Path]) -> Iterator[None]:
    """Wait until no other process changes files of some folders, and hold others off meanwhile.

    Where the system has no such lock (some network file systems, Windows), nothing is waited for, and journals alone
    keep processes apart.

    Parameters
    ----------
    folders : iterable of pathlib.Path
        Existing folders.

    Raises
    ------
    OutputError
        If another process holds one for longer than `PATIENCE`.
    """
    with ExitStack() as stack:
        for folder in sorted({f.resolve() for f in folders}):  # in order: nobody waits in a ring
            if not hold(stack, folder, PATIENCE):
                msg = (
                    f"Another process has been changing files in {folder} for {PATIENCE:.0f} s (it holds a lock of the system "
                    "on that folder). Wait for it to end, or end it."
                )
                raise OutputError(msg)
        yield


def _lock_of(path: Path) -> Path:
    """Return the lock of an input."""
    room = 255 - 1 - len(_LOCK)
    return path.with_name("." + os.fsencode(path.name)[:room].decode("utf-8", errors="ignore") + _LOCK)


def _holder(lock: Path) -> Holder | None:
    """Return who holds a lock; None if nobody does.

    Raises
    ------
    OutputError
        If it cannot be read.
    """
    try:
        number = os.open(lock, os.O_RDONLY | _NO_FOLLOW)
        with os.fdopen(number, "rb") as stream:
            return Holder.parse(json.loads(stream.read(_LONGEST)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        msg = f"The lock {lock} cannot be read ({told(error)}). If no run works on {lock.parent}, delete it and run again."
        raise OutputError(msg) from error


class InputLocks(AbstractContextManager["InputLocks"]):
    """Locks on inputs that a run may edit; a block that holds all of them, or an error.

    Compressed files are not edited, and files in folders that cannot be written to cannot be; they are not locked.

    Parameters
    ----------
    paths : iterable of pathlib.Path
        Inputs; links count as the files that they lead to.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        real = {p.resolve() for p in paths if p.is_file()}
        self._paths = sorted(p for p in real if not is_packed(p) and os.access(p.parent, os.W_OK | os.X_OK))
        self._held: list[Path] = []
        self._own = Holder.own()

    def __enter__(self) -> Self:
        """Lock all of them.

        Raises
        ------
        OutputError
            If another run works on one.
        """
        try:
            with folder_guards(p.parent for p in self._paths):
                for path in self._paths:
                    self._lock(path)
        except BaseException:
            self.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let them go."""
        self.release()

    def release(self) -> None:
        """Remove the locks that are held."""
        while self._held and os.getpid() == self._own.mark.pid:  # a forked child does not hold them
            lock = self._held[-1]
            with contextlib.suppress(OSError):  # a lock that stays is one of a process that has ended
                holder = _holder(lock)
                if holder is not None and holder.mark == self._own.mark:
                    lock.unlink()
            self._held.pop()

    def _lock(self, path: Path) -> None:
        lock = _lock_of(path)
        try:
            holder = _holder(lock)
            if holder is not None and holder.gone:
                lock.unlink()
                holder = None
            if holder is None:
                self._held.append(lock)  # first, so that an interrupt leaves none behind
                write_exclusively(lock, json.dumps(self._own.record()))
                return
        except FileExistsError:
            self._held.pop()
            holder = _holder(lock)
        except OSError as error:
            if lock in self._held:
                self._held.remove(lock)
            if isinstance(error, OutputError):
                raise
            msg = f"{path} cannot be locked for its edits: {told(error)}. Change the permissions of its folder, or use drizframe.run."
            raise OutputError(msg) from error
        raise OutputError(_busy(path, lock, holder))


def _busy(path: Path, lock: Path, holder: Holder | None) -> str:
    """Say that another run works on an input."""
    who = str(holder) if holder is not None else "another process"
    return (
        f"Another run works on {path}: {who} ({lock.name}). Wait for it to end; if it has ended on another machine, "
        f"delete {lock} and run again."
    )


def sweep_locks(folder: Path) -> None:
    """Remove locks of processes that have ended.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of inputs, whose guard is held.
    """
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208  (names only)
            if name.startswith(".") and name.endswith(_LOCK) and own_file(folder / name):
                with contextlib.suppress(OSError):
                    holder = _holder(folder / name)
                    if holder is not None and holder.gone:
                        (folder / name).unlink()
