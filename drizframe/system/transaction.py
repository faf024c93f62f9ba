"""Files (and folders) of one run appear as one act: all of them, or none.

Every file is written under a temporary name beside its target.  At the end each folder gets a journal of its
renamings, then the files are renamed, then the journals go.  What an error stops is undone at once.  What a kill stops
is finished by the next run that writes there: journals in all folders mean that everything was written, so the rest is
renamed; a journal without those of the other folders means that nothing was renamed yet, so the temporary files go.

A journal names files of its own folder only, by their base names, and is believed only from this user.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from stat import S_ISDIR
from typing import Any, Literal, NoReturn

from drizframe.errors import DrizframeWarning, OutputError, told
from drizframe.system.interrupts import shielded
from drizframe.system.temporary import BACKUP, JOURNAL, PART, beside, create, marked, remove, sweep_parts

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["Transaction", "current", "recover_products", "together"]

State = Literal["commit", "back"]

_CURRENT: ContextVar[Transaction | None] = ContextVar("drizframe_transaction", default=None)
#: Names of journals of this process that are at work.
_ACTIVE: set[str] = set()


def current() -> Transaction | None:
    """Return the transaction of the block that is running, if there is one."""
    return _CURRENT.get()


@dataclass(frozen=True, slots=True)
class _Move:
    """One renaming: base names, and size and time of what is renamed (`_measured`); `part` None: `target` is removed.

    `was` is what tells the file that is replaced from others; None: there was none.
    """

    target: str
    backup: str
    part: str | None
    size: int
    changed: int
    was: tuple[int, ...] | None = None


@dataclass(slots=True)
class _Journal:
    """What is to be done in one folder."""

    path: Path
    moves: list[_Move]
    others: list[str]
    state: State = "commit"

    @property
    def folder(self) -> Path:
        return self.path.parent

    def write(self) -> None:
        """Write it so that it is whole or not there."""
        record = {"state": self.state, "with": self.others, "moves": [asdict(m) for m in self.moves]}
        part = beside(self.path.with_name("journal"))
        create(part)
        try:
            part.write_text(json.dumps(record, indent=1), encoding="utf-8")
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)

    @classmethod
    def read(cls, path: Path) -> _Journal:
        """Read one; names that lead out of its folder are refused."""
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            moves = [_move(m) for m in record["moves"]]
            others = [str(o) for o in record["with"]]
            state = record["state"]
            names = [n for m in moves for n in (m.target, m.backup, m.part) if n is not None]
            if state not in ("commit", "back") or any(not _base(n) for n in names):
                raise ValueError(state)  # noqa: TRY301  (as any other fault of its contents)
            if not all(_of_ours(m) for m in moves):
                raise ValueError("it names files that are not temporary ones")  # noqa: TRY301
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            msg = (
                f"{path} is no list of renamings that drizframe wrote ({type(error).__name__}: {told(error)}). Check the products in "
                f"that folder, then delete it."
            )
            raise OutputError(msg) from error
        return cls(path, moves, others, state)


def _move(record: dict[str, Any]) -> _Move:
    """Return the renaming that a record describes."""
    was = record.get("was")
    move = _Move(**{**record, "was": None if was is None else tuple(was)})
    numbers = (move.size, move.changed, *(move.was or (0,) * 3))
    if len(numbers) != 5 or not all(type(n) is int for n in numbers):
        msg = "sizes and times are whole numbers"
        raise ValueError(msg)
    return move


def _base(name: Any) -> bool:
    """Tell whether a text is the name of a file, without a folder."""
    return (
        isinstance(name, str) and name not in ("", ".", "..") and Path(name).name == name and "\0" not in name
    )


def _of_ours(move: _Move) -> bool:
    """Tell whether the files that come and go have names that only drizframe gives."""
    return marked(Path(move.backup), BACKUP) is not None and (
        move.part is None or marked(Path(move.part), PART) is not None
    )


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
        with shielded(), _alone({t.parent.resolve() for t in self._parts}):
            try:
                journals = self._journals()
            except OSError as error:  # a temporary file is gone, or its disk
                self._undo((), error)
            names = {j.path.name for j in journals}
            _ACTIVE.update(names)
            try:
                self._carry_out(journals)
            finally:
                _ACTIVE.difference_update(names)

    def _carry_out(self, journals: Sequence[_Journal]) -> None:
        """Write the journals, rename, and remove them; or undo it."""
        try:
            for journal in journals:
                journal.write()
            self._parts = {}  # from here on they are the journals' business
            _forward(journals)
        except OSError as error:
            self._undo(journals, error)
        except BaseException:  # the files must agree with each other before it goes on
            self._parts = {}
            _forward(journals)
            _finish(journals)
            raise
        try:
            _finish(journals)
        except OSError as error:
            msg = (
                f"{self._what} are in place, but what they replaced cannot be removed: {told(error)}. The next run that writes there "
                f"removes it."
            )
            warnings.warn(msg, DrizframeWarning, stacklevel=2)

    def _undo(self, journals: Sequence[_Journal], error: OSError) -> NoReturn:
        try:
            _back(journals)
        except OSError as second:
            msg = (
                f"{self._what} cannot be put in place: {told(error)}. What was there before cannot be put back either: {told(second)}. "
                f"Remove the cause; the next run that writes there puts it back."
            )
            raise OutputError(msg) from error
        msg = f"{self._what} cannot be put in place: {told(error)}. Everything is as it was before."
        raise OutputError(msg) from error

    def _journals(self) -> list[_Journal]:
        """Return one journal for each folder."""
        folders: dict[Path, list[_Move]] = {}
        for target, part in self._parts.items():
            if part is None and not os.path.lexists(target):
                continue  # somebody else removed it
            size, changed = _measured(target if part is None else part)
            move = _Move(
                target=target.name, backup=beside(target, BACKUP).name, part=None if part is None else part.name,
                size=size, changed=changed, was=_stamp(target),
            )  # fmt: skip
            folders.setdefault(target.parent.resolve(), []).append(move)
        name = beside(Path("products"), JOURNAL).name  # the same in all folders, and nobody can guess it
        paths = [folder / name for folder in folders]
        return [
            _Journal(path, moves, [str(p) for p in paths if p != path])
            for path, moves in zip(paths, folders.values(), strict=True)
        ]


@contextlib.contextmanager
def _alone(folders: Collection[Path], seconds: float = 20.0) -> Iterator[None]:
    """Let one process at a time rename files in a folder, so that those of two runs of one name do not mix.

    Where a folder cannot be locked (network, Windows), and after some seconds, it goes on all the same.
    """
    with contextlib.ExitStack() as stack:
        for folder in sorted(folders) if fcntl is not None else ():
            with contextlib.suppress(OSError):
                handle = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, handle)
                _lock(handle, time.monotonic() + seconds)
        yield


def _lock(handle: int, until: float) -> None:
    """Wait for the lock of an open folder."""
    assert fcntl is not None  # noqa: S101  (asked before)
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _forward(journals: Sequence[_Journal]) -> None:
    """Rename what is not renamed yet; what is replaced gets another name."""
    for journal in journals:
        for move in journal.moves:
            target, backup = journal.folder / move.target, journal.folder / move.backup
            part = None if move.part is None else journal.folder / move.part
            done = not _is(target, move) if part is None else not os.path.lexists(part)
            if done:
                continue
            if os.path.lexists(target) and not os.path.lexists(backup):
                _set_aside(target, backup, keep=part is not None and not part.is_dir())
            if part is not None:
                part.replace(target)


def _set_aside(target: Path, backup: Path, *, keep: bool) -> None:
    """Give a file a second name, or, without `keep` or where that is not possible, another name."""
    if keep:
        with contextlib.suppress(OSError, NotImplementedError):
            os.link(target, backup, follow_symlinks=False)
            return
    target.replace(backup)


def _back(journals: Sequence[_Journal]) -> None:
    """Undo all renamings, and remove the temporary files."""
    for journal in journals:
        if os.path.lexists(journal.path):
            journal.state = "back"
            journal.write()
    for journal in journals:
        for move in reversed(journal.moves):
            _put_back(journal.folder, move)
    for journal in journals:
        journal.path.unlink(missing_ok=True)


def _put_back(folder: Path, move: _Move) -> None:
    """Undo one renaming."""
    target, backup = folder / move.target, folder / move.backup
    part = None if move.part is None else folder / move.part
    kept = os.path.lexists(backup)
    if kept and not os.path.lexists(target):
        backup.replace(target)
    elif kept and (_one_file(backup, target) or (part is not None and os.path.lexists(part))):
        backup.unlink()  # it was not replaced yet
    elif kept and part is not None and _is(target, move):
        if target.is_dir() or backup.is_dir():
            remove(target)  # a folder is not replaced by a renaming
        backup.replace(target)
    elif kept:
        msg = (
            f"{target} is neither what was there before nor what should replace it: another program changed it. Move it, or "
            f"{backup.name}, away"
        )
        raise OSError(msg)
    elif part is not None and not os.path.lexists(part) and _is(target, move):
        remove(target)  # it was not there before
    if part is not None:
        remove(part)


def _one_file(one: Path, other: Path) -> bool:
    """Tell whether two names are of one file."""
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except OSError:
        return False


def _is(path: Path, move: _Move) -> bool:
    """Tell whether a file is the one that a journal speaks of."""
    try:
        return _measured(path) == (move.size, move.changed)
    except OSError:
        return False


def _measured(path: Path) -> tuple[int, int]:
    """Return size and time of change of a file; of a folder, those of all files in it together."""
    found = path.lstat()
    if not S_ISDIR(found.st_mode):
        return found.st_size, found.st_mtime_ns
    inside = [(Path(folder) / name).lstat() for folder, _, names in os.walk(path) for name in names]
    return sum(f.st_size for f in inside), max((f.st_mtime_ns for f in inside), default=0)


def _stamp(path: Path) -> tuple[int, ...] | None:
    """Return what tells a file from others; None if there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ino)


def _finish(journals: Sequence[_Journal]) -> None:
    """Remove what was replaced, then the journals."""
    for journal in journals:
        for move in journal.moves:
            remove(journal.folder / move.backup)
    for journal in journals:
        journal.path.unlink(missing_ok=True)


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
    return mark.gone or (mark.is_this and path.name not in _ACTIVE)


def _belonging(path: Path) -> tuple[list[_Journal], bool]:
    """Return a journal with those of the other folders, and whether all of these are there.

    A journal of another folder counts if both say that they belong together: nobody else's word leads out of here.
    """
    journal = _Journal.read(path)
    others = [Path(o) for o in journal.others]
    if not all(o.name == path.name and _left_behind(o) for o in others):
        return [journal], False
    found = [_Journal.read(o) for o in others]
    whole = all(str(path) in o.others for o in found)
    return ([journal, *found] if whole else [journal]), whole


def _recover(path: Path) -> list[str]:
    """Finish or undo what one journal and those of the other folders say."""
    path = path.parent.resolve() / path.name
    folders = {j.folder for j in _belonging(path)[0]}
    with shielded(), _alone(folders):
        if not _left_behind(path):
            return []  # another run was faster
        journals, whole = _belonging(path)
        moves = [(j, m) for j in journals for m in j.moves]
        undo = any(j.state == "back" for j in journals)
        undo = undo or (not whole and any(_pending(j, m) for j, m in moves))
        undo = undo or not all(_can_be_finished(j, m) for j, m in moves)
        if undo:
            _back(journals)
        else:
            _forward(journals)
            _finish(journals)
    how = "none was replaced" if undo else "they are complete now"
    return [f"An earlier run stopped while it put {len(moves)} products in place in {path.parent}; {how}."]


def _pending(journal: _Journal, move: _Move) -> bool:
    """Tell whether a renaming is still to be done."""
    if move.part is None:
        return _is(journal.folder / move.target, move)
    return os.path.lexists(journal.folder / move.part)


def _can_be_finished(journal: _Journal, move: _Move) -> bool:
    """Tell whether a temporary file is as it was written, and so is what it will replace; or all is done."""
    if move.part is None or not _pending(journal, move):
        return True
    now = _stamp(journal.folder / move.target)
    same = now == move.was or (now is None and _stamp(journal.folder / move.backup) == move.was)
    return same and _is(journal.folder / move.part, move)
