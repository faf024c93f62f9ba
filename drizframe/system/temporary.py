"""Temporary files and scratch folders: names that say whose they are, and removal of what dead processes left.

Nothing is judged by its name alone: what is removed has a name with the mark of a process of this machine that has
ended, is of the kind that drizframe makes, and belongs to this user.  Links are never followed.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Collection
from pathlib import Path

from drizframe.system.owners import MARK, Mark

__all__ = [
    "BACKUP",
    "JOURNAL",
    "PART",
    "beside",
    "create",
    "make_scratch",
    "marked",
    "remove",
    "remove_scratch",
    "sweep_parts",
    "sweep_scratch",
]

#: Endings of temporary files: a file that is being written, one that was replaced, a list of renamings.
PART, BACKUP, JOURNAL = ".part", ".old", ".journal"
_PREFIX = "drizframe-"
_SCRATCH = re.compile(_PREFIX + MARK)
_BESIDE = re.compile(rf"\..*\.{MARK}(?P<ending>\{PART}|\{BACKUP}|\{JOURNAL})", re.DOTALL)
_RAW = re.compile(r".+_\d+\.raw")
#: Bytes of a name, on the file systems in use.
_LONGEST = 255
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def beside(target: Path, ending: str = PART) -> Path:
    """Return a new name in the folder of a file; it says which process made it, and cannot be guessed.

    Parameters
    ----------
    target : pathlib.Path
        The file.
    ending : str
        Such as ``.part``.
    """
    tail = f".{Mark.own()}{ending}"
    room = _LONGEST - 1 - len(tail)
    name = os.fsencode(target.name)[:room].decode("utf-8", errors="ignore")
    return target.with_name(f".{name}{tail}")


def marked(path: Path, ending: str | None = None) -> Mark | None:
    """Return the mark in the name of a temporary file; None if it has none, or another ending."""
    found = _BESIDE.fullmatch(path.name)
    if found is None or (ending is not None and found["ending"] != ending):
        return None
    return Mark.parse(f"{found['machine']}-{found['pid']}-{found['start']}-{found['random']}")


def create(path: Path) -> None:
    """Make an empty file that was not there; a link of that name is not followed.

    Raises
    ------
    OSError
        If there is something of that name, or the folder cannot be written to.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o666))


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, if there is one; of a link only itself.

    Raises
    ------
    OSError
        If it cannot be removed.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def make_scratch(parent: Path) -> Path:
    """Make a folder for scratch files, for this user only.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    folder = parent / f"{_PREFIX}{Mark.own()}"
    folder.mkdir(mode=0o700)
    return folder


def remove_scratch(folder: Path) -> None:
    """Remove a scratch folder with the scratch files in it; whatever else is there stays, and the folder with it."""
    if folder.is_symlink():
        return
    with contextlib.suppress(OSError):  # another process was faster, or it may not be removed
        with os.scandir(folder) as entries:
            files = [e.path for e in entries if _RAW.fullmatch(e.name) and e.is_file(follow_symlinks=False)]
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(file)  # noqa: PTH108  (a text)
        folder.rmdir()


def _mine(path: Path, kind: int) -> bool:
    """Tell whether a path is of this user and of a kind (`stat.S_IFDIR` or `S_IFREG`), not through a link."""
    try:
        found = path.lstat()
    except OSError:
        return False
    user = getattr(os, "geteuid", lambda: found.st_uid)()
    return stat.S_IFMT(found.st_mode) == kind and found.st_uid == user


def _entries(folder: Path, prefix: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if name.startswith(prefix)]  # noqa: PTH208  (faster)
    except OSError:
        return []


def sweep_scratch(parent: Path) -> list[Path]:
    """Remove scratch folders of processes that have ended.

    Parameters
    ----------
    parent : pathlib.Path
        Where scratch folders are made.

    Returns
    -------
    list of pathlib.Path
        What was removed.
    """
    removed = []
    for name in _entries(parent, _PREFIX):
        found, folder = _SCRATCH.fullmatch(name), parent / name
        mark = None if found is None else Mark.parse(name.removeprefix(_PREFIX))
        if mark is not None and _mine(folder, stat.S_IFDIR) and mark.gone:
            remove_scratch(folder)
            if not folder.exists():
                removed.append(folder)
    return removed


def sweep_parts(folder: Path, *, keep: Collection[str] = ()) -> list[Path]:
    """Remove half-written files of processes that have ended, unless one of these left a journal there.

    Parameters
    ----------
    folder : pathlib.Path
        Where they may be.
    keep : collection of str
        Names that a journal still needs.

    Returns
    -------
    list of pathlib.Path
        What was removed.
    """
    removed: list[Path] = []
    names = _entries(folder, ".")
    if any((mark := marked(folder / n, JOURNAL)) is not None and mark.gone for n in names):
        return removed  # a journal of the dead may need them: it comes first
    for name in names:
        path = folder / name
        mark = marked(path)
        if mark is None or name in keep or name.endswith(JOURNAL):
            continue
        if mark.gone and (_mine(path, stat.S_IFREG) or _mine(path, stat.S_IFDIR)):
            with contextlib.suppress(OSError):
                remove(path)
                removed.append(path)
    return removed
