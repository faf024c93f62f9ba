"""Replacing several files as one act: all of them, or none; an interruption is made good on the next run.

First every new file is written under a temporary name next to its target, then the journals say "commit", then the
temporary files are renamed, then the journals go.  Each folder has its own journal, which names files of that folder
only, and the other folders of the act.  What an interruption leaves is finished by `drizframe.stock.io.recovery`.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from drizframe.compat.rights import check_owner, keep_rights
from drizframe.errors import OutputError, told
from drizframe.fits.stamps import Stamp, check_unchanged
from drizframe.stock.io.atomic import check_folder
from drizframe.stock.io.journal import Entry, Journal, digest_of, new_part
from drizframe.stock.io.locks import Holder, folder_guards
from drizframe.stock.io.recovery import ACTIVE, recover_folders, recover_guarded, rename_rest
from drizframe.system.interrupts import shielded

__all__ = ["Change", "commit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file that is to be made or replaced.

    Parameters
    ----------
    target : pathlib.Path
        The file; a link of that name is replaced, not followed.
    write : callable
        ``write(stream)`` writes its new contents.
    like : pathlib.Path or None
        The file whose owner, permissions and further attributes it gets; None: the target, if there is one.
    read_only : bool
        Whether nobody may write to it.
    times : pathlib.Path or None
        The file whose times it gets; None: the time of writing.
    stamp : Stamp or None
        Of the target as it must be; None: as it is found.
    """

    target: Path
    write: Callable[[IO[bytes]], None]
    like: Path | None = None
    read_only: bool = False
    times: Path | None = None
    stamp: Stamp | None = None


def commit(changes: Sequence[Change]) -> list[str]:
    """Make all changes or none.

    Parameters
    ----------
    changes : sequence of Change
        In the order in which the files of a folder are renamed.

    Returns
    -------
    list of str
        What was left in their folders by runs that have ended, and is finished now.

    Raises
    ------
    InputError
        If a file is not what it was when the change was planned; then nothing was changed.
    OutputError
        If a folder is not writable or a file cannot be written; then nothing was changed.
    """
    if not changes:
        return []
    folders = sorted({c.target.parent.resolve() for c in changes})
    for folder in folders:
        check_folder(folder)
    for change in changes:
        check_owner(change.target)
    notes = recover_folders(folders)
    with folder_guards(folders):
        notes += recover_guarded(folders)
        journals, known = _planned(changes, folders)
        transaction = journals[0].transaction
        ACTIVE.add(transaction)
        try:
            _prepare(journals, changes, known)
            _put_in_place(journals, known)
        finally:
            ACTIVE.discard(transaction)
    return notes


def _planned(
    changes: Sequence[Change], folders: Sequence[Path]
) -> tuple[list[Journal], dict[str, Stamp | None]]:
    """Return the journal of each folder, and stamps that are filled in while files are written."""
    holder, transaction = Holder.own(), secrets.token_hex(8)
    entries: dict[Path, list[Entry]] = {f: [] for f in folders}
    for change in changes:
        folder = change.target.parent.resolve()
        entries[folder].append(Entry(name=change.target.name, part=new_part(change.target)))
    return [
        Journal(f, holder, transaction, entries[f], others=tuple(str(o) for o in folders if o != f))
        for f in folders
    ], {}


def _prepare(journals: Sequence[Journal], changes: Sequence[Change], known: dict[str, Stamp | None]) -> None:
    """Write all new files and let the journals say so; on any error nothing is left."""
    by_target = {c.target.parent.resolve() / c.target.name: c for c in changes}
    try:
        for journal in journals:
            journal.write(new=True)
        for journal in journals:
            journal.entries = [
                _written(journal.folder, e, by_target[journal.folder / e.name], known)
                for e in journal.entries
            ]
        for journal in journals:
            for entry in journal.entries:
                _check_target(journal.folder / entry.name, by_target[journal.folder / entry.name], known)
        for journal in journals[1:]:
            journal.write()  # what it needs if another folder's journal says "commit", and the process ends then
        for journal in journals:
            journal.committed = True
            journal.write()
    except BaseException as error:
        with shielded():
            _withdraw(journals)
        if isinstance(error, OSError) and not isinstance(error, OutputError):
            msg = f"Changed files cannot be written: {told(error)}. No file was changed."
            raise OutputError(msg) from error
        raise


def _withdraw(journals: Sequence[Journal]) -> None:
    """Undo a preparation; the journals go first, so that nothing is renamed any more."""
    for journal in journals:
        if journal.made:
            with contextlib.suppress(OSError):
                journal.remove()
    for journal in journals:
        for entry in journal.entries:
            with contextlib.suppress(OSError):
                (journal.folder / entry.part).unlink(missing_ok=True)


def _key(path: Path) -> str:
    return str(path)


def _written(folder: Path, entry: Entry, change: Change, known: dict[str, Stamp | None]) -> Entry:
    """Write one new file; return its entry with what it and its target hold."""
    part, target = folder / entry.part, folder / entry.name
    before = _stamp(target)
    number = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(number, "w+b") as stream:
        change.write(stream)
        stream.flush()
        os.fsync(stream.fileno())
    keep_rights(
        part,
        change.like or (target if before else None),
        read_only=change.read_only,
        strict=change.like is None,
    )
    if change.times is not None:
        found = change.times.stat()
        os.utime(part, ns=(found.st_atime_ns, found.st_mtime_ns))
    known[_key(target)] = before
    old = digest_of(target) if before else None
    return Entry(name=entry.name, part=entry.part, new=digest_of(part), old=old, link=target.is_symlink())


def _stamp(path: Path) -> Stamp | None:
    """Return the stamp of a file; None of what is no file, or a link."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return Stamp.of(found) if stat.S_ISREG(found.st_mode) else None


def _check_target(target: Path, change: Change, known: dict[str, Stamp | None]) -> None:
    """Raise if a target changed since the change was planned, or since its new contents were written."""
    now, wanted = _stamp(target), change.stamp or known[_key(target)]
    if wanted is not None and now is not None:
        check_unchanged(target, now, wanted)
    elif wanted != now:
        msg = f"{target} came or went while its new contents were written. No file was changed; run again."
        raise OutputError(msg)


def _put_in_place(journals: Sequence[Journal], known: dict[str, Stamp | None]) -> None:
    """Rename the new files, and remove the journals."""
    try:
        with shielded():
            replaced = _rename_all(journals, known)
    except OSError as error:
        msg = (
            f"Not all changed files could be renamed: {told(error)}. Remove the cause; the next run here "
            "completes the changes."
        )
        raise OutputError(msg) from error
    except (KeyboardInterrupt, SystemExit):  # the files must agree with each other before it goes on
        _rename_all(journals, known)
        raise
    if replaced:
        msg = f"{', '.join(replaced)}: replaced by another file while the inputs were changed; it has no flags or sky value."
        raise OutputError(msg)


def _rename_all(journals: Sequence[Journal], known: dict[str, Stamp | None]) -> list[str]:
    replaced = []
    for journal in journals:
        own = {e.name: known.get(_key(journal.folder / e.name)) for e in journal.entries}
        replaced += rename_rest(journal, own)
    for journal in reversed(journals):
        journal.remove()
    return replaced
