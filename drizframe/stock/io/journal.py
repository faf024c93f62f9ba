"""The journal of edits as a file: written whole, and read as something that anybody may have put there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from drizframe.config.names import is_base_name
from drizframe.errors import OutputError
from drizframe.stock.io.locks import Holder, own_file, write_exclusively, write_new
from drizframe.system.owners import MARK, Mark
from drizframe.system.temporary import beside

__all__ = [
    "ARCHIVE",
    "JOURNAL",
    "Entry",
    "Journal",
    "digest_of",
    "journal_in",
    "new_part",
    "sweep_orphans",
    "sync",
]

#: Folder of copies of inputs.
ARCHIVE = "OrIg_files"
#: Name of the journal, in the folder of the files that are changed.
JOURNAL = ".drizframe-edits.json"
#: End of temporary names that only a journal may judge.
_EDIT = ".edit"
_PART = re.compile(rf"\..*\.{MARK}\{_EDIT}", re.DOTALL)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FORMAT = 2
_LARGEST = 64 * 2**20  # bytes of a journal; one of 10,000 files has 5 MiB
_CHUNK = 1 << 22


def new_part(target: Path) -> str:
    """Return a name for the new contents of a file, until they are renamed."""
    return beside(target, _EDIT).name


def sweep_orphans(folder: Path, journal: Journal | None) -> None:
    """Remove new contents that no journal speaks of any more and whose process has ended.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of inputs, whose guard is held.
    journal : Journal or None
        What it has.
    """
    needed = {e.part for e in journal.entries} if journal else set()
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208  (names only)
            found = _PART.fullmatch(name) if name.endswith(_EDIT) and name not in needed else None
            if found is None or not own_file(folder / name):
                continue
            mark = Mark.parse("-".join(found[g] for g in ("machine", "pid", "start", "random")))
            if mark is not None and mark.gone:
                with contextlib.suppress(OSError):
                    (folder / name).unlink()


def digest_of(path: Path) -> str:
    """Return the SHA-256 sum of a file, in hexadecimal digits."""
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    found = hashlib.sha256()
    with os.fdopen(number, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def sync(path: Path) -> None:
    """Force a file or folder to the disk."""
    if os.name == "nt" and path.is_dir():
        return  # it has no such call for folders
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One renaming within a folder.

    Parameters
    ----------
    name, part : str
        Base names of the target, and of the file with its new contents.
    new, old : str or None
        SHA-256 sums of the new contents, and of those that are replaced; None: not written yet; not there.
    link : bool
        Whether the target is a link, which is replaced.
    """

    name: str
    part: str
    new: str | None = None
    old: str | None = None
    link: bool = False


@dataclass(slots=True)
class Journal:
    """What is to be done in one folder.

    Parameters
    ----------
    folder : pathlib.Path
        The folder; all names are of files in it.
    holder : Holder
        The process that does it.
    transaction : str
        The same in all folders of one act.
    entries : list of Entry
        In the order of the renamings.
    committed : bool
        Whether all new files are written.
    others : tuple of str
        The other folders of the act.
    """

    folder: Path
    holder: Holder
    transaction: str
    entries: list[Entry] = field(default_factory=list)
    committed: bool = False
    others: tuple[str, ...] = ()
    made: bool = False  # whether its file is this object's

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / JOURNAL

    def write(self, *, new: bool = False) -> None:
        """Write it so that it is whole or not there; `new`: there must be none.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        record = {
            "format": _FORMAT, "state": "commit" if self.committed else "prepare", "transaction": self.transaction,
            **self.holder.record(), "with": list(self.others), "files": [asdict(e) for e in self.entries],
        }  # fmt: skip
        text = json.dumps(record, indent=1)
        if new:
            write_exclusively(self.path, text)
            self.made = True
        else:
            fresh = beside(self.path)
            try:
                write_new(fresh, text)
                fresh.replace(self.path)
            finally:
                fresh.unlink(missing_ok=True)
        sync(self.folder)

    def belongs_to(self, other: Journal) -> bool:
        """Tell whether two journals are of one act, as both of them say."""
        return (
            (self.transaction, self.holder.mark) == (other.transaction, other.holder.mark)
            and str(self.folder) in other.others
            and str(other.folder) in self.others
        )

    def remove(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)
        sync(self.folder)


def journal_in(folder: Path) -> Journal | None:
    """Return the journal of a folder, or None if it has none.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.

    Raises
    ------
    OutputError
        If it is not one that this user's drizframe wrote for files of that folder.
    """
    path = folder / JOURNAL
    if not os.path.lexists(path):
        return None
    try:
        if not own_file(path):
            _complain("it is a link, or belongs to another user")
        if path.lstat().st_size > _LARGEST:
            _complain("it is too long")
        record = json.loads(path.read_text(encoding="utf-8"))
        return _parsed(folder, record)
    except FileNotFoundError:
        return None  # whoever wrote it has just finished
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        text = str(error) if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {error}"
        msg = (
            f"{path} cannot be read as a list of changes that drizframe wrote ({text:.300}). Nothing in it is done. "
            "Compare the inputs in that folder with their archived copies, then delete it."
        )
        raise OutputError(msg) from error


def _complain(why: str) -> None:
    raise ValueError(why)


def _parsed(folder: Path, record: Any) -> Journal:
    """Return the journal that a record describes; `ValueError` if it does not describe one."""
    holder = Holder.parse(record)
    state, transaction = record.get("state"), record.get("transaction")
    if (
        record.get("format") != _FORMAT
        or state not in ("prepare", "commit")
        or not isinstance(transaction, str)
    ):
        _complain("it is of another version, or of another program")
    files = record.get("files")
    if not isinstance(files, list):
        _complain("it lists no files")
    entries = [_entry(f, committed=state == "commit") for f in files]
    names = [n for e in entries for n in (e.name, e.part)]
    if len(set(names)) != len(names):
        _complain("it names a file twice")
    others = record.get("with", [])
    if not isinstance(others, list) or not all(isinstance(o, str) for o in others):
        _complain("it does not tell what belongs to it")
    return Journal(folder, holder, transaction, entries, state == "commit", tuple(others))


def _entry(record: Any, *, committed: bool) -> Entry:
    if not isinstance(record, dict) or set(record) != {"name", "part", "new", "old", "link"}:
        _complain("an entry is not complete")
    name, part, new, old = record["name"], record["part"], record["new"], record["old"]
    for text in (name, part):
        if not isinstance(text, str) or not is_base_name(text, any_characters=True):
            _complain(f"{text!r} is not the name of a file in that folder")
    if name == JOURNAL or _PART.fullmatch(name) or not _PART.fullmatch(part):
        _complain(f"{part!r} is not a temporary file of drizframe for {name!r}")
    for text, needed in ((new, committed), (old, False)):
        if (text is None and needed) or (
            text is not None and not (isinstance(text, str) and _DIGEST.fullmatch(text))
        ):
            _complain(f"{text!r} is no checksum")
    return Entry(name=name, part=part, new=new, old=old, link=record["link"] is True)
