"""Renamings of the files of a folder, and the journal that says which: done, or undone, as often as it takes.

A journal names files of its own folder only, by their base names, and is believed only from this user.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from stat import S_ISDIR
from typing import Any, Literal

from drizframe.errors import OutputError, told
from drizframe.system.folder_locks import hold
from drizframe.system.temporary import BACKUP, PART, beside, create, marked, remove

__all__ = [
    "ACTIVE",
    "Journal",
    "Move",
    "alone",
    "back",
    "finish",
    "forward",
    "is_measured",
    "measured",
    "stamp_of",
]

State = Literal["commit", "back"]

#: Names of journals of this process that are at work.
ACTIVE: set[str] = set()


@dataclass(frozen=True, slots=True)
class Move:
    """One renaming.

    Parameters
    ----------
    target, backup : str
        Base names of the file, and of what was there before.
    part : str or None
        Base name of what becomes `target`; None: `target` is removed.
    size, changed : int
        Of what is renamed, as `measured`.
    was : tuple of int or None
        What tells the file that is replaced from others (`stamp_of`); None: there was none.
    """

    target: str
    backup: str
    part: str | None
    size: int
    changed: int
    was: tuple[int, ...] | None = None


@dataclass(slots=True)
class Journal:
    """What is to be done in one folder.

    Parameters
    ----------
    path : pathlib.Path
        Its file.
    moves : list of Move
        In the order of the renamings.
    others : list of str
        Journals of the other folders of the act.
    state : {"commit", "back"}
        Whether they are being done, or undone.
    """

    path: Path
    moves: list[Move]
    others: list[str]
    state: State = "commit"

    @property
    def folder(self) -> Path:
        """Where the files are."""
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
    def read(cls, path: Path) -> Journal:
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


def _move(record: dict[str, Any]) -> Move:
    """Return the renaming that a record describes."""
    was = record.get("was")
    move = Move(**{**record, "was": None if was is None else tuple(was)})
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


def _of_ours(move: Move) -> bool:
    """Tell whether the files that come and go have names that only drizframe gives."""
    return marked(Path(move.backup), BACKUP) is not None and (
        move.part is None or marked(Path(move.part), PART) is not None
    )


@contextlib.contextmanager
def alone(folders: Collection[Path], seconds: float = 20.0) -> Iterator[None]:
    """Let one process at a time rename files in a folder, so that those of two runs of one name do not mix.

    Where a folder cannot be locked (network, Windows), and after some seconds, it goes on all the same.
    """
    with contextlib.ExitStack() as stack:
        for folder in sorted(folders):
            hold(stack, folder, seconds)
        yield


def forward(journals: Sequence[Journal]) -> None:
    """Rename what is not renamed yet; what is replaced gets another name."""
    for journal in journals:
        for move in journal.moves:
            target, backup = journal.folder / move.target, journal.folder / move.backup
            part = None if move.part is None else journal.folder / move.part
            done = not is_measured(target, move) if part is None else not os.path.lexists(part)
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


def back(journals: Sequence[Journal]) -> None:
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


def _put_back(folder: Path, move: Move) -> None:
    """Undo one renaming."""
    target, backup = folder / move.target, folder / move.backup
    part = None if move.part is None else folder / move.part
    kept = os.path.lexists(backup)
    if kept and not os.path.lexists(target):
        backup.replace(target)
    elif kept and (_one_file(backup, target) or (part is not None and os.path.lexists(part))):
        backup.unlink()  # it was not replaced yet
    elif kept and part is not None and is_measured(target, move):
        if target.is_dir() or backup.is_dir():
            remove(target)  # a folder is not replaced by a renaming
        backup.replace(target)
    elif kept:
        msg = (
            f"{target} is neither what was there before nor what should replace it: another program changed it. Move it, or "
            f"{backup.name}, away"
        )
        raise OSError(msg)
    elif part is not None and not os.path.lexists(part) and is_measured(target, move):
        remove(target)  # it was not there before
    if part is not None:
        remove(part)


def _one_file(one: Path, other: Path) -> bool:
    """Tell whether two names are of one file."""
    try:
        return os.path.samestat(one.lstat(), other.lstat())
    except OSError:
        return False


def is_measured(path: Path, move: Move) -> bool:
    """Tell whether a file is the one that a journal speaks of."""
    try:
        return measured(path) == (move.size, move.changed)
    except OSError:
        return False


def measured(path: Path) -> tuple[int, int]:
    """Return size and time of change of a file; of a folder, those of all files in it together."""
    found = path.lstat()
    if not S_ISDIR(found.st_mode):
        return found.st_size, found.st_mtime_ns
    inside = [(Path(folder) / name).lstat() for folder, _, names in os.walk(path) for name in names]
    return sum(f.st_size for f in inside), max((f.st_mtime_ns for f in inside), default=0)


def stamp_of(path: Path) -> tuple[int, ...] | None:
    """Return what tells a file from others; None if there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ino)


def finish(journals: Sequence[Journal]) -> None:
    """Remove what was replaced, then the journals."""
    for journal in journals:
        for move in journal.moves:
            remove(journal.folder / move.backup)
    for journal in journals:
        journal.path.unlink(missing_ok=True)
