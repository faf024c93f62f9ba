"""Owner, permissions and attributes of files that replace others: what was private stays private."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from drizframe.errors import OutputError, told

__all__ = ["check_owner", "keep_rights"]

_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def _user() -> int:
    return getattr(os, "geteuid", lambda: 0)()


def check_owner(target: Path) -> None:
    """Raise `OutputError` if a file cannot be replaced so that it keeps its owner.

    Parameters
    ----------
    target : pathlib.Path
        The file; it may not be there.
    """
    try:
        found, about = target.lstat(), target.parent.stat()
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode):
        msg = f"{target} is a folder; a file of that name cannot be written. Move it away."
        raise OutputError(msg)
    if _user() in (0, found.st_uid):
        return
    sticky = bool(about.st_mode & stat.S_ISVTX) and _user() != about.st_uid
    why = "only they may replace it in this folder" if sticky else "it would become yours"
    msg = f"{target} belongs to another user, and {why}. Work on a copy of it, or use drizframe.run, which edits nothing."
    raise OutputError(msg)


def keep_rights(part: Path, like: Path | None, *, read_only: bool = False, strict: bool = True) -> None:
    """Give a new file the owner, permissions and attributes of another one.

    Parameters
    ----------
    part : pathlib.Path
        The new file.
    like : pathlib.Path or None
        The pattern; None: what is usual for a new file.
    read_only : bool
        Whether nobody may write to it.
    strict : bool
        Whether it is an error if the owner cannot be kept.  A group that cannot be kept has no rights.

    Raises
    ------
    OutputError
        If the owner cannot be kept, and must.
    """
    if like is None:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    else:
        pattern = like.stat()
        shutil.copystat(like, part)  # attributes and access lists; the rest follows
        os.utime(part)
        mode = stat.S_IMODE(pattern.st_mode)
        if hasattr(os, "chown"):
            mode = _keep_owner(part, pattern, mode, strict=strict)
    part.chmod(mode & ~_WRITE if read_only else mode)


def _keep_owner(part: Path, pattern: os.stat_result, mode: int, *, strict: bool) -> int:
    """Give a file its owner and group; return the permissions that it may have then."""
    found = part.stat()
    if found.st_uid != pattern.st_uid:
        try:
            os.chown(part, pattern.st_uid, -1)
        except OSError as error:
            if strict:
                msg = f"{part.name}: the owner of the file that it replaces cannot be kept ({told(error)}). Work on a copy of it."
                raise OutputError(msg) from error
            mode &= ~0o077  # a copy of another user's file, for this one only
    if part.stat().st_gid != pattern.st_gid:
        try:
            os.chown(part, -1, pattern.st_gid)
        except OSError:
            mode &= ~0o070
    return mode
