"""Finishing what an interrupted commit of edits left: every run that reads inputs begins with it.

A run that finds a journal of a process that has ended finishes it: it deletes the temporary files of one that was
still preparing, and renames those of one that was committing.  Where files of several folders are changed at once, each
journal names the other folders; those that name each other are finished together, and if one says "commit" all do.

A journal is a file that anybody may have put there.  It is believed only if it belongs to this user, names plain files
of its folder that belong to this user, and these hold what it says they hold.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from drizframe.errors import OutputError, told
from drizframe.fits.stamps import Stamp
from drizframe.stock.io.journal import (
    ARCHIVE,
    JOURNAL,
    Entry,
    Journal,
    digest_of,
    journal_in,
    sweep_orphans,
    sync,
)
from drizframe.stock.io.locks import folder_guards, own_file, sweep_locks
from drizframe.system.temporary import sweep_parts

__all__ = [
    "ACTIVE",
    "recover",
    "recover_folders",
    "recover_guarded",
    "rename_rest",
    "settle_folders",
    "tidy_folders",
]

#: Transactions of this process that are at work.
ACTIVE: set[str] = set()


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
        return recover_guarded(sorted(places))


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


def settle_folders(folders: Iterable[Path]) -> list[str]:
    """Finish, and tidy up, what runs that have ended left in folders of inputs and of the copies of inputs.

    Parameters
    ----------
    folders : iterable of pathlib.Path
        Folders of inputs; the copies are in a folder of each, or of the working directory.

    Returns
    -------
    list of str
        What was done.

    Raises
    ------
    OutputError
        If another run is editing files there, or what is left cannot be finished.
    """
    places = {f for f in folders if f.is_dir()}
    copies = {f / ARCHIVE for f in (*places, Path.cwd())}
    places |= {f for f in copies if f.is_dir() and not f.is_symlink()}
    notes = recover_folders(places)
    tidy_folders(f for f in places if os.access(f, os.W_OK))
    return notes


def recover_guarded(folders: Sequence[Path]) -> list[str]:
    """Do the work of `recover_folders`; for a caller that holds the guards of the folders.

    Parameters
    ----------
    folders : sequence of pathlib.Path
        Folders of inputs.

    Returns
    -------
    list of str
        What was done.

    Raises
    ------
    OutputError
        See `recover_folders`.
    """
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
    if holder.gone or (holder.is_this and journal.transaction not in ACTIVE):
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
    replaced = rename_rest(journal, {})
    journal.remove()
    note = (
        f"an earlier run stopped while it changed {len(journal.entries)} files; the changes are now complete"
    )
    if replaced:
        note += f", but for {', '.join(replaced)}: there is another file now, which stays as it is"
    return note


def _rename(part: Path, target: Path) -> None:
    part.replace(target)


def rename_rest(journal: Journal, known: dict[str, Stamp | None]) -> list[str]:
    """Rename what is not renamed yet.

    Parameters
    ----------
    journal : Journal
        One that says "commit".
    known : dict of str to Stamp or None
        By name: stamps of targets whose contents need no second look.

    Returns
    -------
    list of str
        Names of targets that others have replaced, which stay.
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
