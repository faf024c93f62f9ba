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


def _check_target(target: Path) -> None:
    """Refuse the name of a file where none can be put."""
    check_folder(target.parent)
    if target.is_dir():
        msg = f"{str(target)!r} is a folder; a product of that name cannot be written. Give another output."
        raise OutputError(msg)


class Staging:
    """What is being written, until a transaction takes it over."""

    def __init__(self) -> None:
        self.parts: dict[Path, Path] = {}
        self._rooms: dict[Path, Path] = {}

    def file(self, target: Path) -> Path:
        """Return where to write a file; there is an empty one.

        Raises
        ------
        OutputError
            If its folder is missing or not writable, or there is a folder of its name.
        OSError
            If it cannot be made.
        """
        _check_target(target)
        part = beside(target)
        create(part)
        self.parts[target] = part
        return part

    def named(self, target: Path, *, folder: bool = False) -> Path:
        """Return where to write a file (or a folder) under its own name, in a temporary folder: libraries look at endings.

        There is an empty one.  Asked again, it is the same.

        Parameters
        ----------
        target : pathlib.Path
            What it becomes.
        folder : bool
            Whether that is a folder, with all that is in it.

        Raises
        ------
        OutputError
            If its folder is missing or not writable, or there is a folder of the name of a file.
        OSError
            If it cannot be made.
        """
        if target in self._rooms:
            return self.parts[target]
        if folder:
            check_folder(target.parent)
        else:
            _check_target(target)
        room = beside(target)
        room.mkdir()
        self._rooms[target] = room
        part = self.parts[target] = room / target.name
        if folder:
            part.mkdir()
        else:
            create(part)
        return part

    def strange(self) -> list[Path]:
        """Return what stands in the temporary folders and is nothing that was asked for."""
        parts = set(self.parts.values())
        return [path for room in self._rooms.values() for path in sorted(room.iterdir()) if path not in parts]

    def hand_over(self, transaction: Transaction) -> None:
        """Let a transaction put everything in place, or remove it.

        Raises
        ------
        OSError
            If something cannot be taken out of its temporary folder.
        """
        for target, room in tuple(self._rooms.items()):
            part = beside(target)
            os.replace(self.parts[target], part)  # noqa: PTH105  (not yet into its place)
            self.parts[target] = part
            remove(room)
            del self._rooms[target]
        parts, self.parts = self.parts, {}
        for target, part in parts.items():
            transaction.add(part, target)

    def discard(self) -> None:
        """Remove what nobody took over."""
        for part in (*self.parts.values(), *self._rooms.values()):
            with contextlib.suppress(OSError):  # what stays, a later run removes
                remove(part)
        self.parts, self._rooms = {}, {}
