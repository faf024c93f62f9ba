"""Images that came without a file, in the scratch folder, for workers in other processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from drizframe.errors import OutputError, told
from drizframe.model import Chip

__all__ = ["ScratchSource"]

Array = np.ndarray[Any, Any]

#: Kinds of images that the source of a chip may have.
KINDS = ("sci", "err", "dq", "ivm", "time")


@dataclass(frozen=True, slots=True, eq=False)
class ScratchSource:
    """Reads the images of one chip; small and picklable.

    Parameters
    ----------
    places : mapping of str to (str, tuple of int, str)
        Kind of image to its file, its shape and its type.
    """

    places: Mapping[str, tuple[str, tuple[int, int], str]]

    @classmethod
    def of(cls, chip: Chip, folder: Path, name: str) -> ScratchSource:
        """Write the images of a chip into files.

        Parameters
        ----------
        chip : Chip
            Its source is asked for each kind of image.
        folder : pathlib.Path
            The scratch folder.
        name : str
            How the files are called, without their endings.

        Raises
        ------
        OutputError
            If there is no room for them.
        """
        places = {}
        for number, kind in enumerate(KINDS):
            image = chip.load(kind)
            if image is None:
                continue
            plain = np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("="))
            file = folder / f"{name}_{kind}_{number}.raw"
            try:
                with file.open("wb") as stream:
                    stream.write(plain.reshape(-1).view(np.uint8).data)
            except OSError as error:
                msg = (
                    f"Images in memory cannot be written for worker processes in {str(folder.parent)!r}: {told(error)}. "
                    f"{plain.nbytes / 2**20:.1f} MiB are needed for the next. Name a folder with more room with workdir."
                )
                raise OutputError(msg) from error
            places[kind] = str(file), plain.shape, plain.dtype.str
        return cls(places)

    def __call__(self, kind: str) -> Array | None:
        """Return the image of that kind, or None."""
        place = self.places.get(kind)
        return None if place is None else self.rows(kind, 0, place[1][0])

    def rows(self, kind: str, first: int, stop: int) -> Array | None:
        """Return rows of the image of that kind, or None."""
        place = self.places.get(kind)
        if place is None:
            return None
        file, (_, nx), dtype = place
        size = np.dtype(dtype).itemsize
        count = (stop - first) * nx
        return np.fromfile(file, dtype=dtype, count=count, offset=first * nx * size).reshape(stop - first, nx)
