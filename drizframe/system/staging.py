"""Files and folders that are written under a temporary name beside their own."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from drizframe.errors import OutputError, told
from drizframe.system.temporary import beside, create, remove
from drizframe.system.transaction import Transaction

__all__ = ["Staging", "check_folder", "unwritable"]


def check_folder(folder: Path) -> None:
    """Raise `OutputError` unless files can be written into a folder.

    Parameters
    ----------
    folder : pathlib.Path
    """
    if not folder.is_dir():
        msg = f"The folder {str(folder)!r} does not exist. Make it, or give another output."
        raise OutputError(msg)
    if not os.access(folder, os.W_OK | os.X_OK):
        msg = f"The folder {str(folder)!r} is not writable. Change its permissions, or give another output."
        raise OutputError(msg)


def unwritable(targets: list[Path], error: OSError) -> OutputError:
    """Return the error that says why files cannot be written, and how much room is left."""
    free = shutil.disk_usage(targets[0].parent).free
    names = ", ".join(str(t) for t in targets)
    return OutputError(f"{names} cannot be written: {told(error)} ({free / 2**20:.0f} MiB are free).")


class Staging:
    """What is being written, until a transaction takes it over."""

    def __init__(self) -> None:
        self.parts: dict[Path, Path] = {}

    def file(self, target: Path) -> Path:
        """Return where to write a file; there is an empty one.

        Raises
        ------
        OutputError
            If its folder is missing or not writable, or there is a folder of its name.
        OSError
            If it cannot be made.
        """
        check_folder(target.parent)
        if target.is_dir():
            msg = (
                f"{str(target)!r} is a folder; a product of that name cannot be written. Give another output."
            )
            raise OutputError(msg)
        part = beside(target)
        create(part)
        self.parts[target] = part
        return part

    def folder(self, target: Path) -> Path:
        """Return an empty folder that becomes `target`, with all that is in it.

        Raises
        ------
        OutputError
            If its folder is missing or not writable.
        OSError
            If it cannot be made.
        """
        check_folder(target.parent)
        part = beside(target)
        part.mkdir()
        self.parts[target] = part
        return part

    def hand_over(self, transaction: Transaction) -> None:
        """Let a transaction put everything in place, or remove it."""
        parts, self.parts = self.parts, {}
        for target, part in parts.items():
            transaction.add(part, target)

    def discard(self) -> None:
        """Remove what nobody took over."""
        for part in self.parts.values():
            with contextlib.suppress(OSError):  # what stays, a later run removes
                remove(part)
        self.parts = {}
