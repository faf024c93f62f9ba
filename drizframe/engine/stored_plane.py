"""One image of the store: in memory, or in a scratch file that is read and written through ordinary buffers."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from drizframe.engine.flat_parts import FlatParts
from drizframe.engine.scratch_folders import ScratchFolder
from drizframe.errors import OutputError, RunError, told
from drizframe.model import Window
from drizframe.system.raw_files import read_at, write_at

__all__ = ["StoredPlane", "full_disk"]

Array = np.ndarray[Any, Any]


@contextlib.contextmanager
def full_disk(file: Path, nbytes: int) -> Iterator[None]:
    """Say which disk is full, and what is needed."""
    try:
        yield
    except OSError as error:
        folder = file.parent.parent
        try:
            free = f"{shutil.disk_usage(folder).free / 2**20:.0f} MiB are free"
        except OSError:
            free = "the folder cannot be asked how much is free"
        msg = (
            f"Scratch files cannot be written in {str(folder)!r}: {told(error)}. The next plane needs "
            f"{nbytes / 2**20:.1f} MiB, {free}. Make room there, name a folder on another disk with workdir, or "
            f"raise max_memory so that more stays in memory."
        )
        raise OutputError(msg) from error


def _read(file: Path, out: Array, shape: tuple[int, int], window: Window) -> None:
    """Read a window of images that lie in a scratch file one after the other.

    Parameters
    ----------
    file : pathlib.Path
        The file.
    out : ndarray, shape (images, rows, columns) of the window
        Gets the pixels.
    shape : tuple of int
        Rows and columns of an image.
    window : Window
        What of them is read.

    Raises
    ------
    OutputError
        If it does not hold what was written.
    """
    if out.size == 0:
        return
    (ny, nx), size = shape, out.dtype.itemsize
    lines = (out.reshape(len(out), 1, -1) if window.shape[1] == nx else out).view(np.uint8)
    why = ""
    try:
        with file.open("rb", buffering=0) as stream:
            for k, image in enumerate(lines):
                for row, line in enumerate(image):
                    got = read_at(stream, ((k * ny + window.y0 + row) * nx + window.x0) * size, line)
                    if got < line.nbytes:
                        why = f"{got} bytes instead of {line.nbytes}"
    except OSError as error:
        why = str(error)
    if not why:
        return
    msg = (
        f"The scratch file {file} does not hold what was written to it ({why}). Leave {str(file.parent.parent)!r} alone as "
        f"long as a run or its result is in use, or name another folder with workdir."
    )
    raise OutputError(msg)


@dataclass(slots=True, eq=False)
class StoredPlane:
    """One array, in memory or in a file; who holds it may read it when the run is over."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    array: Array | None = None
    file: Path | None = None
    folder: ScratchFolder | None = None
    gone: bool = False
    again: bool = False
    foreign: bool = False
    flat: FlatParts | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def nbytes(self) -> int:
        """Bytes of all its numbers."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def read(self, window: Window | None = None) -> Array:
        """Return the plane or a part of it; the last two axes are rows and columns."""
        with self.lock:
            if self.array is not None:
                view = self.array if window is None else self.array[(..., *window.slices)]
                view = view.view()
                view.flags.writeable = False
                return view
            return self._from_file(window)

    def _from_file(self, window: Window | None) -> Array:
        if self.gone:
            msg = "This image is gone: it was in a scratch file, and its run is over. Read it before."
            raise RunError(msg)
        assert self.file is not None  # noqa: S101  (a plane is in memory or in a file)
        *stack, ny, nx = self.shape
        part = Window(0, ny, 0, nx) if window is None else window.intersection(Window(0, ny, 0, nx))
        found = np.empty((*stack, *part.shape), dtype=self.dtype)
        if part.empty:  # of an exposure that lies off the frame
            return found
        if self.flat is None or not self.flat.all_of(part):
            _read(self.file, found.reshape(-1, *part.shape), (ny, nx), part)
        if self.flat is not None:
            self.flat.put_into(found, part)
        return found

    def write(self, window: Window, data: Array) -> None:
        """Replace a part of the plane."""
        with self.lock:
            if self.array is not None:
                self.array[(..., *window.slices)] = data
                return
            data = np.asarray(data, dtype=self.dtype)
            if self.flat is not None:
                if self.flat.take(window, data):
                    return
                for place, value in self.flat.give_up(window):
                    self._to_file(place, np.broadcast_to(value, (*data.shape[:-2], *place.shape)))
            self._to_file(window, data)

    def _to_file(self, window: Window, data: Array) -> None:
        assert self.file is not None  # noqa: S101
        ny, nx = self.shape[-2:]
        if data.size == 0:
            return
        stack = np.ascontiguousarray(data).reshape(-1, *data.shape[-2:])
        lines = stack.reshape(len(stack), 1, -1) if window.shape[1] == nx else stack
        with full_disk(self.file, data.nbytes), self.file.open("r+b", buffering=0) as handle:
            for k, layer in enumerate(lines.view(np.uint8)):
                for row, line in enumerate(layer):
                    place = ((k * ny + window.y0 + row) * nx + window.x0) * self.dtype.itemsize
                    write_at(handle, place, line)

    def spill(self, file: Path) -> None:
        """Move the array into a file."""
        with self.lock:
            if self.array is None:
                return
            with full_disk(file, self.nbytes), file.open("wb") as handle:
                # not ndarray.tofile, which does not tell if the last of it does not fit
                handle.write(np.ascontiguousarray(self.array).reshape(-1).view(np.uint8).data)
            self.file, self.array = file, None
