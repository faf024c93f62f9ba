"""Where planes live: in memory up to a limit, past it in scratch files.

Scratch files are read and written through ordinary buffers, never memory-mapped: a map counts as resident
memory and would defeat the limit.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import threading
from collections.abc import Callable, Collection, MutableMapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from drizframe.engine.flat_parts import FlatParts
from drizframe.engine.scratch_folders import ScratchFolder, remove, scratch_parent
from drizframe.engine.stored_plane import StoredPlane, full_disk
from drizframe.errors import RunError
from drizframe.model import ChipUnit, PlaneKey, Window
from drizframe.system.interrupts import shielded

__all__ = ["Store"]

Array = np.ndarray[Any, Any]
#: Images with shape, type, file, flat parts and origin; and values.
Listed = tuple[list[tuple[Any, ...]], dict[PlaneKey, Any]]

#: Over the limit, planes leave memory until this part of it is free again: looking for them takes its time.
ROOM = 16


def _memory(array: Array) -> int:
    """Tell the memory that an array is a view of from that of others."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return id(array)


class Store:
    """Planes by key.

    Parameters
    ----------
    limit : int
        Bytes of planes that stay in memory; those that are needed latest go to scratch files.
    folder : str
        Where the folder for scratch files is made; blank: the system's temporary folder.
    """

    def __init__(self, limit: int, folder: str = "") -> None:
        self._limit = int(limit)
        self._parent = scratch_parent(folder)
        self._folder: ScratchFolder | None = None
        self._closed = False
        self._planes: dict[PlaneKey, StoredPlane] = {}
        self._resident: dict[PlaneKey, None] = {}  # in memory, the oldest first
        self._shared: dict[
            int, tuple[int, int]
        ] = {}  # of the memory of these: how many have it, and what it counts
        self._used = 0  # bytes of these
        self._when: Callable[[PlaneKey], Any] | None = None
        self._values: dict[PlaneKey, Any] = {}
        self._origins: dict[PlaneKey, Window] = {}
        self._lock = threading.RLock()
        self._files = itertools.count()
        self.spilled = 0
        self._apart = False

    @property
    def limit(self) -> int:
        """Bytes of planes that stay in memory."""
        return self._limit

    @property
    def used(self) -> int:
        """Bytes of planes that are in memory."""
        return self._used

    def expect(self, limit: int, when: Callable[[PlaneKey], Any] | None) -> None:
        """Set how much stays in memory from now on, and what goes first.

        Parameters
        ----------
        limit : int
            Bytes.
        when : callable or None
            ``when(key)``: the later a plane is needed next, the larger; the largest goes first.  None: what came first goes first.
        """
        with self._lock:
            self._limit, self._when = max(0, int(limit)), when
            self._make_room(None)

    def __enter__(self) -> Self:
        """Use the store as a context: scratch files go at its end."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Delete the scratch files."""
        self.close()

    def close(self) -> None:
        """Delete the scratch files and forget everything."""
        self.leave(())

    def leave(self, names: Collection[str]) -> None:
        """Forget everything, for the run is over; images of some names stay with those who hold them.

        Parameters
        ----------
        names : collection of str
            Names of planes.
        """
        with shielded(), self._lock:
            self._closed = True
            for key, plane in self._planes.items():
                plane.gone = key.name not in names
                if plane.gone and plane.file is not None and not plane.foreign:
                    plane.file.unlink(missing_ok=True)
            self._planes.clear()
            self._resident.clear()
            self._shared.clear()
            self._used = 0
            self._values.clear()
            folder, self._folder = self._folder, None
            if folder is not None and not names:
                remove(folder.path)

    def __contains__(self, key: PlaneKey) -> bool:
        """Whether there is something under the key."""
        return key in self._planes or key in self._values

    def by_chip(self, name: str) -> dict[ChipUnit, Any]:
        """Return a plane of every chip that has it, in order."""
        return {u: self.get(PlaneKey(name, u)) for u in self.chips(name)}

    def chips(self, name: str) -> list[ChipUnit]:
        """Return the chips that have a plane, in order."""
        return [k.unit for k in self.keys(name) if isinstance(k.unit, ChipUnit)]

    def keys(self, name: str) -> list[PlaneKey]:
        """Keys of all planes of that name, in order of their units."""
        found = [k for k in (*self._planes, *self._values) if k.name == name]
        return sorted(found, key=lambda k: (k.unit.scope, k.unit))

    def images(self) -> list[PlaneKey]:
        """Keys of all arrays."""
        return list(self._planes)

    def put(
        self,
        key: PlaneKey,
        value: Any,
        origin: Window | None = None,
        *,
        again: bool = False,
        as_value: bool = False,
    ) -> None:
        """Keep an array or a small value; what was there is replaced.

        Parameters
        ----------
        key : PlaneKey
            Its address.
        value : ndarray or object
            The array is not copied and must not be changed any more.
        origin : Window, optional
            The part of a frame that the array covers.
        again : bool
            Whether whoever put it can bring it again, in parts.  Over the limit it is forgotten then, and no scratch file holds it.
        as_value : bool
            Whether it is kept as it is, in memory, though it may be an array.
        """
        with self._lock:
            self._forget(key)
            if isinstance(value, np.ndarray) and value.ndim >= 2 and not as_value:
                self._admit(key, StoredPlane(value.shape, value.dtype, value, again=again))
            else:
                self._values[key] = value
            if origin is not None:
                self._origins[key] = origin

    def make(self, key: PlaneKey, shape: tuple[int, ...], dtype: Any, origin: Window | None = None) -> None:
        """Make room for a plane that tiles will fill."""
        with self._lock:
            self._forget(key)
            plane = StoredPlane(shape=shape, dtype=np.dtype(dtype))
            if plane.nbytes <= self._limit:
                plane.array = np.zeros(shape, dtype=dtype)
            else:
                plane.file, plane.flat = self._scratch(key), FlatParts()
                plane.folder = self._folder
                with full_disk(plane.file, plane.nbytes), plane.file.open("wb") as handle:
                    handle.truncate(plane.nbytes)
                self._count(plane.nbytes)
            self._admit(key, plane)
            if origin is not None:
                self._origins[key] = origin

    def write(self, key: PlaneKey, window: Window, data: Array) -> None:
        """Fill a part of a plane that `make` made; `window` counts from the plane's own first pixel."""
        with self._lock:
            plane = self._planes[key]
        plane.write(window, data)

    def get(self, key: PlaneKey, window: Window | None = None) -> Any:
        """Return what is under a key (arrays read-only), or None."""
        with self._lock:
            if key in self._values:
                return self._values[key]
            plane = self._planes.get(key)
            if plane is None:
                return None
        return plane.read(window)

    def whole(self, key: PlaneKey) -> Any:
        """Return what is under a key as it was put: an array that is in memory, not a view of it."""
        plane = self._planes.get(key)
        return self._values[key] if plane is None else plane.array

    def plane(self, key: PlaneKey) -> StoredPlane | None:
        """Return what holds an image, in memory or in a file; None for a value, or for nothing."""
        return self._planes.get(key)

    def room_for(self, nbytes: int, key: PlaneKey | None = None) -> bool:
        """Whether a plane of so many bytes fits into memory beside all that is there; with its key: that is not needed later."""
        if self._used + nbytes <= self._limit:
            return True
        when = self._when
        if when is None or key is None:
            return False
        with self._lock:
            at = when(key)
            later = sum(self._planes[k].nbytes for k in self._resident if when(k) > at)
            return self._used - later + nbytes <= self._limit

    def shared_folder(self) -> Path:
        """Return the folder of the scratch files, through which planes go to other processes from now on.

        Files there are no sign of too little memory any more.
        """
        self._apart = True
        return self._scratch_folder().path

    def listed(self) -> Listed:
        """Return where everything is, for a process that shares the disk only: no image is in memory after this.

        Those that whoever put them can bring again are forgotten.
        """
        with self._lock:
            for key in list(self._resident):
                self._move_out(key)
            planes = [
                (key, p.shape, p.dtype, str(p.file), p.flat, self._origins.get(key))
                for key, p in self._planes.items()
            ]
            return planes, dict(self._values)

    def attach(self, listed: Listed, folder: Path) -> None:
        """Have what another process listed; images that were put here by this one, under other keys, stay.

        Parameters
        ----------
        listed : tuple
            What `listed` gave there.
        folder : pathlib.Path
            Its scratch folder, which stays that of the other process.
        """
        planes, values = listed
        with self._lock:
            for key in [k for k, p in self._planes.items() if p.foreign]:
                del self._planes[key]
                self._origins.pop(key, None)
            self._apart, self._values = True, dict(values)
            for key, shape, dtype, file, flat, origin in planes:
                self._forget(key)
                self._planes[key] = StoredPlane(shape, dtype, file=Path(file), flat=flat, foreign=True)
                if origin is not None:
                    self._origins[key] = origin
            if self._folder is None:
                self._folder = ScratchFolder(folder, own=False)
                self._files = itertools.count(os.getpid() << 24)

    def detach(self) -> None:
        """Forget everything, and leave all files to the process that `listed` them."""
        with self._lock:
            self._folder = None
            self.leave(())

    def origin(self, key: PlaneKey) -> Window | None:
        """Return the part of a frame that a plane covers, if it is not all of it."""
        return self._origins.get(key)

    def shape(self, key: PlaneKey) -> tuple[int, ...] | None:
        """Return the shape of a plane, or None."""
        plane = self._planes.get(key)
        return None if plane is None else plane.shape

    def dtype(self, key: PlaneKey) -> np.dtype[Any] | None:
        """Return the type of the numbers of a plane, or None."""
        plane = self._planes.get(key)
        return None if plane is None else plane.dtype

    def rename(self, old: PlaneKey, new: PlaneKey) -> None:
        """Give a plane or value another key; what was there is replaced."""
        with self._lock:
            self._forget(new)
            shelves: tuple[MutableMapping[PlaneKey, Any], ...] = (self._planes, self._values, self._origins)
            for shelf in shelves:
                if old in shelf:
                    shelf[new] = shelf.pop(old)
            if old in self._resident:
                del self._resident[old]
                self._resident[new] = None

    def drop(self, key: PlaneKey) -> None:
        """Forget a plane."""
        with self._lock:
            self._forget(key)

    def _forget(self, key: PlaneKey) -> None:
        self._values.pop(key, None)
        self._origins.pop(key, None)
        old = self._planes.pop(key, None)
        if old is None:
            return
        self._leave(key, old.array)
        old.gone = True
        if old.file is not None and not old.foreign:
            old.file.unlink(missing_ok=True)

    def _admit(self, key: PlaneKey, plane: StoredPlane) -> None:
        """Keep a new plane; move others out until the limit holds, but not this one."""
        self._planes[key] = plane
        if plane.array is not None:
            self._resident[key] = None
            count, nbytes = self._shared.get(_memory(plane.array), (0, plane.nbytes))
            self._shared[_memory(plane.array)] = count + 1, nbytes
            self._used += 0 if count else nbytes
        self._make_room(key)

    def _leave(self, key: PlaneKey, array: Array | None) -> None:
        """Count a plane whose array is no longer in memory."""
        if array is not None and key in self._resident:
            del self._resident[key]
            count, nbytes = self._shared.pop(_memory(array))
            if count > 1:  # a mask of several chips
                self._shared[_memory(array)] = count - 1, nbytes
            else:
                self._used -= nbytes

    def _make_room(self, stays: PlaneKey | None) -> None:
        """Move planes out while the limit does not hold: first those that are needed latest."""
        if self._used <= self._limit:
            return
        goal = self._limit - self._limit // ROOM
        leaving = list(self._resident)
        if self._when is not None:
            leaving.sort(key=self._when, reverse=True)
        for key in leaving:
            if self._used <= goal:
                break
            if key == stays:
                continue
            self._move_out(key)

    def _move_out(self, key: PlaneKey) -> None:
        """Move a plane out of memory: into a file, if it cannot be brought again."""
        moved = self._planes[key]
        if moved.again:
            self._forget(key)
            return
        file = self._scratch(key)
        array = moved.array
        moved.spill(file)
        moved.folder = self._folder
        self._leave(key, array)
        self._count(moved.nbytes)

    def _count(self, nbytes: int) -> None:
        """Count what did not fit into memory."""
        self.spilled += 0 if self._apart else nbytes

    def _scratch(self, key: PlaneKey) -> Path:
        """Return a new path for the plane."""
        place = "_".join(str(v) for v in dataclasses.astuple(key.unit))
        name = f"{key.name}_{place}".replace("/", "_")
        # a plane that was renamed keeps its file
        return self._scratch_folder().path / f"{name}_{next(self._files)}.raw"

    def _scratch_folder(self) -> ScratchFolder:
        """Return the folder of scratch files."""
        if self._closed:  # a thread went on after the run was stopped
            msg = "The run has ended; no further planes are kept."
            raise RunError(msg)
        if self._folder is None:
            self._folder = ScratchFolder.new(self._parent)
        return self._folder
