"""Files (and folders) of one run appear as one act: all of them, or none.

Every file is written under a temporary name beside its target.  At the end each folder gets a journal of its
renamings, then the files are renamed, then the journals go.  What an error stops is undone at once.  What a kill stops
is finished by the next run that writes there (`drizframe.system.recovery`).
"""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import NoReturn

from drizframe.errors import OutputError, OutputWarning, told
from drizframe.system.interrupts import shielded
from drizframe.system.renamings import ACTIVE, Journal, Move, alone, back, finish, forward, measured, stamp_of
from drizframe.system.temporary import BACKUP, JOURNAL, beside, remove

__all__ = ["Transaction", "current", "together"]

_CURRENT: ContextVar[Transaction | None] = ContextVar("drizframe_transaction", default=None)


def current() -> Transaction | None:
    """Return the transaction of the block that is running, if there is one."""
    return _CURRENT.get()


class Transaction:
    """Files that are to appear together.

    Parameters
    ----------
    what : str
        What they are, for messages.
    run : str
        What tells the run that they are of from others; writers put it into headers.
    """

    def __init__(self, what: str = "The products", run: str = "") -> None:
        self._what = what
        self.run = run
        self._parts: dict[Path, Path | None] = {}

    def add(self, part: Path, target: Path) -> None:
        """Let a temporary file become `target`."""
        old = self._parts.get(target)
        if old is not None:
            remove(old)
        self._parts[target] = part

    def remove(self, target: Path) -> None:
        """Let a file that does not belong to the others go."""
        self._parts.setdefault(target, None)

    def discard(self) -> None:
        """Delete the temporary files."""
        for part in self._parts.values():
            if part is not None:
                with contextlib.suppress(OSError):  # what stays, a later run removes
                    remove(part)

    def commit(self) -> None:
        """Make all of it so.

        Raises
        ------
        OutputError
            If a file cannot be renamed; then all is as it was.
        """
        if not self._parts:
            return
        with shielded(), alone({t.parent.resolve() for t in self._parts}):
            try:
                journals = self._journals()
            except OSError as error:  # a temporary file is gone, or its disk
                self._undo((), error)
            names = {j.path.name for j in journals}
            ACTIVE.update(names)
            try:
                self._carry_out(journals)
            finally:
                ACTIVE.difference_update(names)

    def _carry_out(self, journals: Sequence[Journal]) -> None:
        """Write the journals, rename, and remove them; or undo it."""
        try:
            for journal in journals:
                journal.write()
            self._parts = {}  # from here on they are the journals' business
            forward(journals)
        except OSError as error:
            self._undo(journals, error)
        except BaseException:  # the files must agree with each other before it goes on
            self._parts = {}
            forward(journals)
            finish(journals)
            raise
        try:
            finish(journals)
        except OSError as error:
            msg = (
                f"{self._what} are in place, but what they replaced cannot be removed: {told(error)}. The next run that writes there "
                f"removes it."
            )
            warnings.warn(msg, OutputWarning, stacklevel=2)

    def _undo(self, journals: Sequence[Journal], error: OSError) -> NoReturn:
        try:
            back(journals)
        except OSError as second:
            msg = (
                f"{self._what} cannot be put in place: {told(error)}. What was there before cannot be put back either: {told(second)}. "
                f"Remove the cause; the next run that writes there puts it back."
            )
            raise OutputError(msg) from error
        msg = f"{self._what} cannot be put in place: {told(error)}. Everything is as it was before."
        raise OutputError(msg) from error

    def _journals(self) -> list[Journal]:
        """Return one journal for each folder."""
        folders: dict[Path, list[Move]] = {}
        for target, part in self._parts.items():
            if part is None and not os.path.lexists(target):
                continue  # somebody else removed it
            size, changed = measured(target if part is None else part)
            move = Move(
                target=target.name, backup=beside(target, BACKUP).name, part=None if part is None else part.name,
                size=size, changed=changed, was=stamp_of(target),
            )  # fmt: skip
            folders.setdefault(target.parent.resolve(), []).append(move)
        name = beside(Path("products"), JOURNAL).name  # the same in all folders, and nobody can guess it
        paths = [folder / name for folder in folders]
        return [
            Journal(path, moves, [str(p) for p in paths if p != path])
            for path, moves in zip(paths, folders.values(), strict=True)
        ]


@contextlib.contextmanager
def together(what: str = "The products", *, run: str = "") -> Iterator[Transaction]:
    """Let all files that `staged` makes in the block appear at its end, or none of them.

    Parameters
    ----------
    what : str
        What they are, for messages.
    run : str
        What tells the run that they are of from others.

    Yields
    ------
    Transaction
        It takes files that are to be removed as well.

    Raises
    ------
    OutputError
        If a file cannot be put in place.
    """
    transaction = Transaction(what, run)
    token = _CURRENT.set(transaction)
    try:
        yield transaction
        transaction.commit()
    finally:
        _CURRENT.reset(token)
        with shielded():
            transaction.discard()
