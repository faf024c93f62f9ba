"""Scratch folders of this process: made where the user wants them, and removed when nobody holds them any more."""

from __future__ import annotations

import atexit
import os
import tempfile
import weakref
from pathlib import Path

from drizframe.errors import OutputError, told
from drizframe.system.interrupts import shielded
from drizframe.system.temporary import make_scratch, remove_scratch

__all__ = ["ScratchFolder", "close_all", "remove", "scratch_parent"]

#: Scratch folders that are in use, with the process that made them.
_FOLDERS: dict[Path, int] = {}


def scratch_parent(workdir: str) -> Path:
    """Return where scratch folders are made: `workdir`, or without it the system's folder for temporary files.

    Raises
    ------
    OutputError
        If there is no such folder, or no file can be made in it.
    """
    if workdir:
        folder = Path(os.path.expanduser(workdir))  # noqa: PTH111  (that of Path raises for users that are not known)
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            fault = "is not writable" if folder.is_dir() else "is no folder that exists"
            msg = f"workdir is {workdir!r}, which {fault}. Make it, name another one, or leave workdir blank."
            raise OutputError(msg)
        return folder
    try:
        return Path(tempfile.gettempdir())
    except OSError as error:
        msg = f"There is no folder for scratch files: {told(error)}. Name one with workdir."
        raise OutputError(msg) from None


def close_all() -> None:
    """Delete the scratch files of all stores of this process, which is about to end."""
    for folder in list(_FOLDERS):
        remove(folder)


def remove(folder: Path) -> None:
    """Delete a scratch folder of this process; a forked child leaves those of its parent alone."""
    if _FOLDERS.pop(folder, None) == os.getpid():
        remove_scratch(folder)


atexit.register(close_all)


class ScratchFolder:
    """A folder of scratch files, which goes when nobody holds it any more."""

    __slots__ = ("__weakref__", "path")

    def __init__(self, path: Path, *, own: bool = True) -> None:
        self.path = path
        if own:
            weakref.finalize(self, remove, path)

    @classmethod
    def new(cls, parent: Path) -> ScratchFolder:
        """Make a folder.

        Parameters
        ----------
        parent : pathlib.Path
            Where it is made.

        Raises
        ------
        OutputError
            If it cannot be made.
        """
        try:
            with shielded():
                path = make_scratch(parent)
                _FOLDERS[path] = os.getpid()
                return cls(path)
        except OSError as error:
            msg = f"No scratch folder can be made in {str(parent)!r}: {told(error)}. Set workdir."
            raise OutputError(msg) from None
