"""Replacing several files as one act: all of them, or none; an interruption is made good on the next run.

First every new file is written under a temporary name next to its target, then the journal says "commit",
then the temporary files are renamed, then the journal goes.  A run that finds a journal finishes it: it
deletes the temporary files of one that was still preparing, and renames those of one that was committing.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drizframe.errors import OutputError
from drizframe.stock.io.atomic import check_folder
from drizframe.system.interrupts import shielded
from drizframe.system.owners import start_of
from drizframe.system.temporary import beside, create

__all__ = ["JOURNAL", "Change", "commit", "recover"]

#: Name of the journal, in the folder of the run.
JOURNAL = ".drizframe-edits.json"
#: End of temporary names; only the journal tells whether such a file is needed, wherever it lies.
_EDIT = ".edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file that is to be made or replaced.

    Parameters
    ----------
    target : pathlib.Path
        The file.
    write : callable
        ``write(temporary)`` makes its new contents.
    mode : int or None
        Permissions; None: those of the file that is replaced, or the usual ones.
    """

    target: Path
    write: Callable[[Path], None]
    mode: int | None = None


def _alive(record: dict[str, Any]) -> bool:
    """Tell whether the process that wrote a journal still runs on this machine."""
    pid = int(record.get("pid", 0))
    if record.get("host") != socket.gethostname() or pid == os.getpid():
        return False
    now = start_of(pid)
    return now is not None and record.get("start") in (
        None,
        now,
    )  # otherwise the number is another process's now


def _sync(path: Path) -> None:
    """Force a file or folder to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_journal(path: Path, state: str, moves: Sequence[tuple[Path, Path]]) -> None:
    record = {
        "state": state,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "start": start_of(os.getpid()),
        "moves": [[str(a.absolute()), str(b.absolute())] for a, b in moves],
    }
    part = beside(path)
    create(part)
    try:
        part.write_text(json.dumps(record, indent=1), encoding="utf-8")
        _sync(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _sync(path.parent)


def recover(folder: Path) -> str:
    """Finish what an interrupted run left in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the run.

    Returns
    -------
    str
        What was done; empty if nothing was left.

    Raises
    ------
    OutputError
        If the journal cannot be read, or another process is at work.
    """
    path = folder / JOURNAL
    if not path.is_file():
        return ""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        moves = [(Path(a), Path(b)) for a, b in record["moves"]]
        state = record["state"]
    except (ValueError, KeyError, TypeError) as error:
        msg = (
            f"{path} cannot be read ({error}). Check the input files against their archived copies, then "
            "delete it."
        )
        raise OutputError(msg) from error
    if _alive(record):
        msg = f"Process {record['pid']} is writing files in {folder} ({path.name}). Wait for it to end."
        raise OutputError(msg)
    if state != "commit":
        for temporary, _ in moves:
            temporary.unlink(missing_ok=True)
        path.unlink()
        return f"an earlier run stopped while it prepared changes of {len(moves)} files; none was changed"
    _rename(moves)
    path.unlink()
    return f"an earlier run stopped while it changed {len(moves)} files; the changes are now complete"


def _rename(moves: Sequence[tuple[Path, Path]]) -> None:
    for temporary, target in moves:
        if temporary.exists():  # otherwise it was renamed before the interruption
            temporary.replace(target)


def commit(folder: Path, changes: Sequence[Change]) -> None:
    """Make all changes or none.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the run, where the journal is.
    changes : sequence of Change
        In the order in which the files are renamed.

    Raises
    ------
    OutputError
        If a folder is not writable or a file cannot be written; then nothing was changed.
    """
    if not changes:
        return
    targets = [c.target.resolve() if c.target.is_symlink() else c.target for c in changes]  # links stay links
    for place in {folder, *(t.parent for t in targets)}:
        check_folder(place)
    recover(folder)
    moves = [(beside(t, _EDIT), t) for t in targets]
    journal = folder / JOURNAL
    try:
        _write_journal(journal, "prepare", moves)
        for change, (temporary, target) in zip(changes, moves, strict=True):
            create(temporary)
            change.write(temporary)
            _set_mode(temporary, target, change.mode)
            _sync(temporary)
        _write_journal(journal, "commit", moves)
    except BaseException as error:
        for temporary, _ in moves:
            temporary.unlink(missing_ok=True)
        journal.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, OutputError):
            msg = f"Changed files cannot be written: {error}. No file was changed."
            raise OutputError(msg) from error
        raise
    try:
        with shielded():
            _rename(moves)
    except OSError as error:
        msg = (
            f"Not all changed files could be renamed: {error}. Remove the cause; the next run here "
            "completes the changes."
        )
        raise OutputError(msg) from error
    except (KeyboardInterrupt, SystemExit):  # the files must agree with each other before it goes on
        _rename(moves)
        journal.unlink(missing_ok=True)
        raise
    journal.unlink(missing_ok=True)


def _set_mode(temporary: Path, target: Path, mode: int | None) -> None:
    """Give a new file its permissions."""
    if mode is not None:
        temporary.chmod(mode)
    elif target.exists():
        temporary.chmod(target.stat().st_mode & 0o7777)
