"""Replacing several files as one act: all of them, or none; an interruption is made good on the next run.

First every new file is written under a temporary name next to its target, then the journals say "commit", then the
temporary files are renamed, then the journals go.  Each folder has its own journal, which names files of that folder
only.  A run that finds a journal of a process that has ended finishes it: it deletes the temporary files of one that was
still preparing, and renames those of one that was committing.  Where files of several folders are changed at once, each
journal names the other folders; those that name each other are finished together, and if one says "commit" all do.

A journal is a file that anybody may have put there.  It is believed only if it belongs to this user, names plain files
of its folder that belong to this user, and these hold what it says they hold.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from drizframe.errors import OutputError, told
from drizframe.fits.stamps import Stamp, check_unchanged
from drizframe.stock.io.atomic import check_folder
from drizframe.stock.io.entries import (
    JOURNAL,
    Entry,
    Journal,
    digest_of,
    journal_in,
    new_part,
    sweep_orphans,
    sync,
)
from drizframe.stock.io.locks import Holder, folder_guards, own_file, sweep_locks
from drizframe.stock.io.rights import check_owner, keep_rights
from drizframe.system.interrupts import shielded
from drizframe.system.temporary import sweep_parts

__all__ = ["JOURNAL", "Change", "commit", "recover", "recover_folders", "tidy_folders"]

#: Transactions of this process that are at work.
_ACTIVE: set[str] = set()


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


# -- what an earlier run left
# ----------------------------------------------------------------------------------------------------------


def recover(folder: Path) -> str:
    """Finish what an interrupted run left in a folder; see `recover_folders`."""
    return " ".join(recover_folders([folder]))


def recover_folders(folders: Iterable[Path]) -> list[str]:
    """Finish what interrupted runs left in some folders, before anything there is read.

    Parameters
    ----------
    folders : iterable of pathlib.Path
        Folders of inputs.

    Returns
    -------
    list of str
        What was done; empty if nothing was left.

    Raises
    ------
    OutputError
        If a journal cannot be believed, another process is at work, or a file cannot be renamed.
    """
    places = {f.resolve() for f in folders if os.path.lexists(f / JOURNAL)}
    if not places:
        return []
    places |= {f for p in places for f in _of_the_same_act(p)}
    with folder_guards(places):
        return _recover(sorted(places))


def _of_the_same_act(folder: Path) -> list[Path]:
    """Return the other folders whose journals belong to that of a folder: each names the other."""
    journal = journal_in(folder)
    found = []
    for other in map(Path, journal.others if journal else ()):
        there = journal_in(other) if other.is_absolute() and own_file(other / JOURNAL) else None
        if journal is not None and there is not None and there.belongs_to(journal):
            found.append(other)
    return found


def tidy_folders(folders: Iterable[Path]) -> None:
    """Remove what processes that have ended left in folders of inputs: locks and temporary files.

    Parameters
    ----------
    folders : iterable of pathlib.Path
        Existing folders; what journals name is left alone.
    """
    for folder in sorted({f.resolve() for f in folders if f.is_dir()}):
        with folder_guards([folder]):
            journal = journal_in(folder)
            sweep_locks(folder)
            sweep_orphans(folder, journal)
            sweep_parts(folder)


def _recover(folders: Sequence[Path]) -> list[str]:
    """Do the work of `recover_folders`, under the guards of the folders."""
    journals = [j for j in map(journal_in, folders) if j is not None]
    for journal in journals:
        _check_ended(journal)
    decided = {j.transaction for j in journals if j.committed}
    for journal in journals:
        if journal.transaction in decided:
            _check_parts(journal)
    for journal in journals:
        if journal.transaction in decided and not journal.committed:
            _decide(journal)  # before any is finished: its word may be needed when the others are gone
    notes = []
    for journal in journals:
        forward = journal.transaction in decided
        try:
            notes.append(_finish(journal) if forward else _undo(journal))
        except OSError as error:
            if isinstance(error, OutputError):
                raise
            msg = f"What an earlier run began in {journal.folder} cannot be finished: {told(error)}. Remove the cause, and run again."
            raise OutputError(msg) from error
    return notes


def _decide(journal: Journal) -> None:
    """Let a journal say "commit", as another of its act does."""
    if any(e.new is None for e in journal.entries):
        _refuse(
            journal, "it does not say what the files should hold, though changes of other folders are decided"
        )
    journal.committed = True
    try:
        journal.write()
    except OSError as error:
        msg = f"What an earlier run began in {journal.folder} cannot be finished: {told(error)}. Remove the cause, and run again."
        raise OutputError(msg) from error


def _check_ended(journal: Journal) -> None:
    """Refuse to touch what another process is doing."""
    holder = journal.holder
    if holder.gone or (holder.is_this and journal.transaction not in _ACTIVE):
        return
    msg = (
        f"{str(holder).capitalize()} is writing files in {journal.folder} ({JOURNAL}). Wait for it to end. If it has ended "
        "on another machine, run there once more, or compare the inputs with their archived copies and delete the journal."
    )
    raise OutputError(msg)


def _check_parts(journal: Journal) -> None:
    """Refuse a journal whose temporary files are not what it says."""
    for entry in journal.entries:
        part, target = journal.folder / entry.part, journal.folder / entry.name
        if os.path.lexists(part) and (not own_file(part) or digest_of(part) != entry.new):
            _refuse(journal, f"{part.name} does not hold what was written")
        user = getattr(os, "geteuid", lambda: 0)()
        if os.path.lexists(target) and user not in (0, target.lstat().st_uid):
            _refuse(journal, f"{target.name} belongs to another user")


def _refuse(journal: Journal, why: str) -> None:
    msg = (
        f"{journal.path} is not believed: {why}. Compare the inputs in that folder with their archived copies, then delete "
        "it."
    )
    raise OutputError(msg)


def _undo(journal: Journal) -> str:
    for entry in journal.entries:
        if own_file(journal.folder / entry.part):
            (journal.folder / entry.part).unlink()
    journal.remove()
    return (
        f"In {journal.folder}, an earlier run stopped while it prepared changes of {len(journal.entries)} files; none was "
        "changed."
    )


def _finish(journal: Journal) -> str:
    replaced = _forward(journal, {})
    journal.remove()
    note = (
        f"an earlier run stopped while it changed {len(journal.entries)} files; the changes are now complete"
    )
    if replaced:
        note += f", but for {', '.join(replaced)}: there is another file now, which stays as it is"
    return note


def _rename(part: Path, target: Path) -> None:
    part.replace(target)


def _forward(journal: Journal, known: dict[str, Stamp | None]) -> list[str]:
    """Rename what is not renamed yet; return the names of targets that others have replaced, which stay.

    `known` are stamps of targets whose contents need no second look.
    """
    replaced = []
    for entry in journal.entries:
        part, target = journal.folder / entry.part, journal.folder / entry.name
        if not os.path.lexists(part):  # it was renamed before the interruption
            continue
        if _as_recorded(target, entry, known):
            _rename(part, target)
        else:
            part.unlink()
            replaced.append(entry.name)
    sync(journal.folder)
    return replaced


def _as_recorded(target: Path, entry: Entry, known: dict[str, Stamp | None]) -> bool:
    """Tell whether a target still is what it was when its change was prepared."""
    try:
        found = target.lstat()
    except FileNotFoundError:
        return entry.old is None
    if not stat.S_ISREG(found.st_mode):
        return stat.S_ISLNK(found.st_mode) and entry.old is None and entry.link
    if entry.name in known and known[entry.name] == Stamp.of(found):
        return True
    return entry.old is not None and digest_of(target) in (entry.old, entry.new)


# -- a commit
# ----------------------------------------------------------------------------------------------------------


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
        notes += _recover(folders)
        journals, known = _planned(changes, folders)
        transaction = journals[0].transaction
        _ACTIVE.add(transaction)
        try:
            _prepare(journals, changes, known)
            _put_in_place(journals, known)
        finally:
            _ACTIVE.discard(transaction)
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
            replaced = _forward_all(journals, known)
    except OSError as error:
        msg = (
            f"Not all changed files could be renamed: {told(error)}. Remove the cause; the next run here "
            "completes the changes."
        )
        raise OutputError(msg) from error
    except (KeyboardInterrupt, SystemExit):  # the files must agree with each other before it goes on
        _forward_all(journals, known)
        raise
    if replaced:
        msg = f"{', '.join(replaced)}: replaced by another file while the inputs were changed; it has no flags or sky value."
        raise OutputError(msg)


def _forward_all(journals: Sequence[Journal], known: dict[str, Stamp | None]) -> list[str]:
    replaced = []
    for journal in journals:
        own = {e.name: known.get(_key(journal.folder / e.name)) for e in journal.entries}
        replaced += _forward(journal, own)
    for journal in reversed(journals):
        journal.remove()
    return replaced
