"""Copies of inputs in ``OrIg_files``: made before inputs are edited, and put back if a run asks for that."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from drizframe.compat.commit import Change, commit
from drizframe.errors import OutputError
from drizframe.fits.opening import open_stream
from drizframe.fits.stamps import Stamp, check_unchanged
from drizframe.stock.io.atomic import check_folder
from drizframe.stock.io.journal import ARCHIVE

__all__ = ["archive_changes", "check_archive", "make_archive", "restore_inputs"]


def _copy(stream: IO[bytes], source: Path, stamp: Stamp | None) -> None:
    """Copy a file as it is."""
    number = os.open(source, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    with os.fdopen(number, "rb") as original:
        found = Stamp.of(os.fstat(number))
        check_unchanged(source, found, stamp or found)
        shutil.copyfileobj(original, stream, 1 << 22)
        check_unchanged(source, Stamp.of(os.fstat(number)), found)


def _archive_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the name of each file's copy; two files of one name get different ones."""
    names: dict[Path, str] = {}
    for path in paths:
        name, number = path.name, 2
        while name in names.values():
            name, number = f"{path.stem}_{number}{path.suffix}", number + 1
        names[path] = name
    return names


def archive_changes(originals: Mapping[Path, Stamp | None], folder: Path, *, overwrite: bool) -> list[Change]:
    """Return the copies to make.

    Parameters
    ----------
    originals : mapping of pathlib.Path to Stamp or None
        Files to copy, and what they were when their headers were read.
    folder : pathlib.Path
        Folder of the copies.
    overwrite : bool
        Whether older copies are replaced; else they stay.
    """
    return [
        Change(
            target=folder / name,
            write=partial(_copy, source=path, stamp=originals[path]),
            like=path,
            times=path,
            read_only=True,
        )
        for path, name in _archive_names(list(originals)).items()
        if overwrite or not os.path.lexists(folder / name)
    ]


def check_archive(folder: Path) -> None:
    """Raise `OutputError` if the folder of the copies is there and cannot be used.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.
    """
    if folder.is_symlink():
        msg = (
            f"The folder {folder} for copies of the inputs is a link to {str(folder.resolve())!r}. Make it a folder, or set "
            "preserve=False. No input was changed."
        )
        raise OutputError(msg)
    if folder.exists() and not folder.is_dir():
        msg = (
            f"The folder {folder} for copies of the inputs cannot be made: a file has that name. Move it away, or set "
            "preserve=False. No input was changed."
        )
        raise OutputError(msg)
    if folder.exists():
        check_folder(folder)


def make_archive(folder: Path) -> None:
    """Make the folder of the copies.

    Parameters
    ----------
    folder : pathlib.Path
        The folder; it may be there.

    Raises
    ------
    OutputError
        If it cannot be made or used.
    """
    check_archive(folder)
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        msg = (
            f"The folder {folder} for copies of the inputs cannot be made ({error.strerror}). Move away what "
            "has that name, or set preserve=False. No input was changed."
        )
        raise OutputError(msg) from error


def restore_inputs(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Replace inputs by their archived copies, before anything is read (parameter ``restore``).

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Inputs.
    folder : pathlib.Path
        Folder of the run.

    Returns
    -------
    list of pathlib.Path
        The files that were replaced; those without a copy stay as they are.

    Raises
    ------
    OutputError
        If a copy is a link, or is of another exposure.
    """
    changes = []
    for path, name in _archive_names(list(dict.fromkeys(paths))).items():
        copy = folder / ARCHIVE / name
        if not os.path.lexists(copy) or copy.resolve() == path.resolve():
            continue
        if copy.is_symlink() or copy.parent.is_symlink() or not copy.is_file():
            msg = f"{copy} is a link or no file, and is not taken for a copy of {path}. Put the copy there, or set restore=False."
            raise OutputError(msg)
        _check_copy(copy, path)
        changes.append(
            Change(target=path.resolve(), write=partial(_copy, source=copy, stamp=None), times=copy)
        )
    commit(changes)
    return [p for p in dict.fromkeys(paths) if p.resolve() in {c.target for c in changes}]


def _check_copy(copy: Path, path: Path) -> None:
    """Refuse to take the copy of another exposure, whose file had the same name."""
    from astropy.io import fits

    roots = []
    for place in (copy, path):
        with open_stream(place) as stream, contextlib.suppress(OSError, ValueError):
            header = fits.Header.fromfile(stream, padding=False)
            roots.append(str(header.get("ROOTNAME", "")).strip())
    if len(set(roots)) == 2 and all(roots):
        msg = (
            f"{copy} is a copy of exposure {roots[0]!r}, but {path} holds {roots[1]!r}: files of one name from two folders. "
            "Copy it by hand, or set restore=False."
        )
        raise OutputError(msg)
