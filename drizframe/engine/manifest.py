"""The manifest: what a run has done, task by task, so that a later one need not do it again.

A journal has one line for each task that is done: a checksum, and what the task left; its arrays are in a file of their own.
A line that is torn does not count, and neither does one whose arrays are not what it says: nothing need be forced to the disk
for that, only so that a loss of power does not cost much.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from drizframe.engine.encoding import dtype_of
from drizframe.engine.fingerprint import digest_of_array
from drizframe.system.resumable import open_file, remove_folder, sync, sync_folder

__all__ = ["BadBlock", "Entry", "Manifest", "described"]

Array = np.ndarray[Any, Any]

#: Seconds between two times at which what was recorded is forced to the disk.
_SYNC = 5.0
_KEY = re.compile(r"[0-9a-f]{40}")


class BadBlock(Exception):  # noqa: N818  (says what was found, within this room)
    """Arrays that are not what the journal says."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A task that is done.

    Parameters
    ----------
    key : str
        Digest of all that its results depend on.
    step : str
        Name of its step.
    slot : str
        Digest of step, unit and window: there is one entry of each.
    arrays : sequence of (str, list of int, str)
        Type, shape and digest of each array of its block, one after the other.
    rest : object
        Whatever else it left, as `json` writes it.
    """

    key: str
    step: str
    slot: str
    arrays: Sequence[tuple[str, Sequence[int], str]] = ()
    rest: Any = None

    @property
    def nbytes(self) -> int:
        """Bytes of its block."""
        return sum(dtype_of(d).itemsize * int(np.prod(s, dtype=np.int64)) for d, s, _ in self.arrays)


def _line(entry: Entry) -> bytes:
    text = json.dumps([entry.key, entry.step, entry.slot, entry.arrays, entry.rest], separators=(",", ":"))
    return f"{_sum(text.encode())} {text}\n".encode()


def _sum(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def _entry(line: bytes) -> Entry | None:
    """Return what a line says; None for one that is torn."""
    told, _, text = line.partition(b" ")
    if told != _sum(text).encode():
        return None
    with contextlib.suppress(ValueError, TypeError, RecursionError):
        key, step, slot, arrays, rest = json.loads(text)
        if _KEY.fullmatch(key):  # it is the name of a file
            return Entry(key, str(step), str(slot), [(str(d), list(s), str(c)) for d, s, c in arrays], rest)
    return None


@dataclass(slots=True, eq=False)
class Manifest:
    """What is done, in a folder that this process holds alone.

    Parameters
    ----------
    folder : pathlib.Path
        See `drizframe.system.resumable.open_folder`.
    """

    folder: Path
    _entries: dict[str, Entry] = field(default_factory=dict)
    _slots: dict[str, str] = field(default_factory=dict)
    _journal: int = -1
    _fresh: list[Path] = field(default_factory=list)
    _synced: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Read the journal, and go on with it.

        Raises
        ------
        OSError
            If that cannot be.
        """
        path = self.folder / "journal"
        self._journal = open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        with os.fdopen(os.dup(self._journal), "rb") as file:
            data = file.read()
        for line in data.split(b"\n"):
            entry = _entry(line)
            if entry is not None:
                self._list(entry)
        if data and not data.endswith(b"\n"):
            os.write(self._journal, b"\n")  # the torn line ends here
        self._remove_unlisted()

    def _list(self, entry: Entry) -> None:
        """Remember an entry in place of that of its slot."""
        self._entries.pop(self._slots.get(entry.slot, ""), None)
        self._slots[entry.slot] = entry.key
        self._entries[entry.key] = entry

    def _remove_unlisted(self) -> None:
        """Remove blocks that were being written when a run was killed, and those of entries that others replaced."""
        known = {self._block(key).name for key in self._entries}
        for name in os.listdir(self.folder):  # noqa: PTH208  (faster)
            if name.endswith(".block") and name not in known:
                with contextlib.suppress(OSError):
                    (self.folder / name).unlink()

    def __len__(self) -> int:
        """Return how many tasks are done."""
        return len(self._entries)

    def _block(self, key: str) -> Path:
        return self.folder / f"{key}.block"

    def find(self, key: str) -> Entry | None:
        """Return the entry of a task, if it is listed and its block is as large as it should be."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        try:
            if entry.nbytes and self._block(key).lstat().st_size != entry.nbytes:
                return None
        except (OSError, ValueError, TypeError, OverflowError):
            return None
        return entry

    def arrays(self, entry: Entry) -> list[Array]:
        """Read the block of an entry.

        Raises
        ------
        BadBlock
            If it is not what the journal says.
        """
        found = []
        try:
            handle = open_file(self._block(entry.key), os.O_RDONLY) if entry.nbytes else -1
            with contextlib.ExitStack() as stack:
                file = None if handle < 0 else stack.enter_context(os.fdopen(handle, "rb", buffering=0))
                for dtype, shape, told in entry.arrays:
                    array = np.empty(shape, dtype_of(dtype))
                    view = array.reshape(-1).view(np.uint8).data
                    while view:
                        count = 0 if file is None else file.readinto(view) or 0
                        if not count:
                            raise BadBlock("is too short")
                        view = view[count:]
                    if digest_of_array(array) != told:
                        raise BadBlock("was changed")
                    found.append(array)
        except (OSError, ValueError, TypeError, OverflowError, MemoryError) as error:
            raise BadBlock(f"cannot be read ({type(error).__name__})") from error
        return found

    def add(self, entry: Entry, arrays: Sequence[Array]) -> None:
        """Record a task that is done; what was recorded of its slot goes.

        Raises
        ------
        OSError
            If that cannot be written; the task is not listed then.
        """
        block = self._block(entry.key)
        before = self._slots.get(entry.slot)
        self._remove_block(entry.key)
        try:
            if entry.nbytes:
                self._write(block, arrays)
                self._fresh.append(block)
            self._write_line(_line(entry))
        except BaseException:
            self._remove_block(entry.key)
            raise
        self._list(entry)
        if before is not None and before != entry.key:
            self._remove_block(before)
        if time.monotonic() - self._synced > _SYNC:
            self.sync()

    def _write_line(self, line: bytes) -> None:
        if os.write(self._journal, line) != len(line):
            msg = f"the journal in {self.folder} takes no more"
            raise OSError(msg)

    def _write(self, block: Path, arrays: Sequence[Array]) -> None:
        handle = open_file(block, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with os.fdopen(handle, "wb", buffering=0) as file:
            for array in arrays:
                view = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
                while view:
                    view = view[file.write(view) or 0 :]

    def _remove_block(self, key: str) -> None:
        with contextlib.suppress(OSError):
            self._block(key).unlink(missing_ok=True)

    def forget(self, step: str, slots: Collection[str]) -> None:
        """Remove blocks of a step that has no such tasks any more."""
        gone = [e for e in self._entries.values() if e.step == step and e.slot not in slots]
        for entry in gone:
            del self._entries[entry.key], self._slots[entry.slot]
            self._remove_block(entry.key)

    def sync(self) -> None:
        """Force what was recorded to the disk: first the blocks, then the journal that names them.

        Raises
        ------
        OSError
            If the disk fails.
        """
        for path in self._fresh:
            sync(path)
        self._fresh.clear()
        os.fsync(self._journal)
        sync_folder(self.folder)
        self._synced = time.monotonic()

    def close(self) -> None:
        """Leave everything to a later run."""
        if self._journal >= 0:
            with contextlib.suppress(OSError):
                self.sync()
            os.close(self._journal)
            self._journal = -1

    def remove(self) -> None:
        """Remove everything: the run is over."""
        self._fresh.clear()
        if self._journal >= 0:
            os.close(self._journal)
            self._journal = -1
        remove_folder(self.folder)


def described(arrays: Sequence[Array]) -> list[tuple[str, list[int], str]]:
    """Return what an entry says of arrays."""
    return [(a.dtype.str, list(a.shape), digest_of_array(a)) for a in arrays]
