"""What a killed run left among products: finished or undone by the next run that writes there.

Journals in all folders mean that everything was written, so the rest is renamed; a journal without those of the other
folders means that nothing was renamed yet, so the temporary files go.
"""

from __future__ import annotations

import os
from pathlib import Path

from drizframe.errors import OutputError, told
from drizframe.system.interrupts import shielded
from drizframe.system.renamings import (
    ACTIVE,
    Journal,
    Move,
    alone,
    back,
    finish,
    forward,
    is_measured,
    stamp_of,
)
from drizframe.system.temporary import JOURNAL, marked, sweep_parts

__all__ = ["recover_products"]


def recover_products(folder: Path) -> list[str]:
    """Finish or undo what processes that have ended began in a folder, and remove their temporary files.

    Parameters
    ----------
    folder : pathlib.Path
        Where products are written.

    Returns
    -------
    list of str
        What was done.

    Raises
    ------
    OutputError
        If a journal is damaged, or a file cannot be renamed.
    """
    notes = []
    try:
        for name in sorted(os.listdir(folder)) if folder.is_dir() else ():  # noqa: PTH208
            if _left_behind(folder / name):
                notes += _recover(folder / name)
        sweep_parts(folder)
    except OutputError:
        raise
    except OSError as error:
        msg = f"What an earlier run began in {str(folder)!r} cannot be finished: {told(error)}. Remove the cause, and run again."
        raise OutputError(msg) from error
    return notes


def _left_behind(path: Path) -> bool:
    """Tell whether a path is a journal of this user that nobody works on any more."""
    mark = marked(path, JOURNAL)
    if mark is None or path.is_symlink() or not path.is_file():
        return False
    user = getattr(os, "geteuid", lambda: path.lstat().st_uid)()
    if path.lstat().st_uid != user:
        return False
    return mark.gone or (mark.is_this and path.name not in ACTIVE)


def _belonging(path: Path) -> tuple[list[Journal], bool]:
    """Return a journal with those of the other folders, and whether all of these are there.

    A journal of another folder counts if both say that they belong together: nobody else's word leads out of here.
    """
    journal = Journal.read(path)
    others = [Path(o) for o in journal.others]
    if not all(o.name == path.name and _left_behind(o) for o in others):
        return [journal], False
    found = [Journal.read(o) for o in others]
    whole = all(str(path) in o.others for o in found)
    return ([journal, *found] if whole else [journal]), whole


def _recover(path: Path) -> list[str]:
    """Finish or undo what one journal and those of the other folders say."""
    path = path.parent.resolve() / path.name
    folders = {j.folder for j in _belonging(path)[0]}
    with shielded(), alone(folders):
        if not _left_behind(path):
            return []  # another run was faster
        journals, whole = _belonging(path)
        moves = [(j, m) for j in journals for m in j.moves]
        undo = any(j.state == "back" for j in journals)
        undo = undo or (not whole and any(_pending(j, m) for j, m in moves))
        undo = undo or not all(_can_be_finished(j, m) for j, m in moves)
        if undo:
            back(journals)
        else:
            forward(journals)
            finish(journals)
    how = "none was replaced" if undo else "they are complete now"
    return [f"An earlier run stopped while it put {len(moves)} products in place in {path.parent}; {how}."]


def _pending(journal: Journal, move: Move) -> bool:
    """Tell whether a renaming is still to be done."""
    if move.part is None:
        return is_measured(journal.folder / move.target, move)
    return os.path.lexists(journal.folder / move.part)


def _can_be_finished(journal: Journal, move: Move) -> bool:
    """Tell whether a temporary file is as it was written, and so is what it will replace; or all is done."""
    if move.part is None or not _pending(journal, move):
        return True
    now = stamp_of(journal.folder / move.target)
    same = now == move.was or (now is None and stamp_of(journal.folder / move.backup) == move.was)
    return same and is_measured(journal.folder / move.part, move)
