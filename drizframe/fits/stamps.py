"""Telling that an input is still the file that a run was planned with."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from drizframe.errors import InputError, MissingInputError
from drizframe.model.sources import stored

if TYPE_CHECKING:
    from drizframe.model import Exposure

__all__ = ["Stamp", "check_unchanged", "stamp_of", "stamps_of"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells a file from another one, or from what it was.

    Parameters
    ----------
    size : int
        Bytes.
    mtime : int
        When its contents were last changed, in nanoseconds of the system's clock.
    inode : int
        Number of the file on its disk: another one of the same name, size and time has another.
    """

    size: int
    mtime: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Self:
        """Return the stamp of what the system tells of a file."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)

    def __str__(self) -> str:
        """Return it as people read it."""
        when = dt.datetime.fromtimestamp(self.mtime / 1e9, dt.UTC)
        return f"{self.size} bytes of {when.isoformat(timespec='milliseconds')}"


def check_unchanged(path: Path, now: Stamp, planned: Stamp) -> None:
    """Raise `InputError` if a file is not the one that a run was planned with.

    Parameters
    ----------
    path : pathlib.Path
        Its name.
    now, planned : Stamp
        Of the file as it is, and as it was when its headers were read.
    """
    if now == planned:
        return
    how = "was replaced by another file" if now.inode != planned.inode else "was changed"
    msg = (
        f"{path} {how} since its headers were read: it had {planned}, now it has {now}. Run again when nothing "
        f"else writes to it."
    )
    raise InputError(msg)


def stamps_of(paths: Iterable[str]) -> dict[str, Stamp]:
    """Return the stamps of some files.

    Parameters
    ----------
    paths : iterable of str
        Files.

    Raises
    ------
    MissingInputError
        If one is not there (any more).
    """
    found = {}
    for path in dict.fromkeys(paths):
        try:
            found[path] = Stamp.of(Path(path).stat())
        except FileNotFoundError:
            msg = f"{path} has vanished while its headers were read. Run again when nothing else moves files there."
            raise MissingInputError(msg) from None
    return found


def stamp_of(exposure: Exposure, path: Path | None = None) -> Stamp | None:
    """Return the stamp of a file of an exposure, as it was when its headers were read.

    Parameters
    ----------
    exposure : Exposure
        The exposure.
    path : pathlib.Path, optional
        One of its files; the one with its headers by default.

    Returns
    -------
    Stamp or None
        None if its pixels do not come from FITS files of ours.
    """
    wanted = str(exposure.path if path is None else path)
    for chip in exposure.chips:
        stamps = getattr(stored(chip.load), "stamps", None) or {}
        if wanted in stamps:
            found: Stamp = stamps[wanted]
            return found
    return None
