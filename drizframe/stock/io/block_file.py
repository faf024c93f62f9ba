"""FITS files whose images come in parts: none of them is whole in memory."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.model import LazyImage, Window, blocks
from drizframe.stock.io.checksum_cards import sum_cards, summed_text
from drizframe.stock.io.data_unit import UNIT, DataUnit
from drizframe.system.raw_files import write_at

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["BlockFile", "stand_in"]


def stand_in(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return what an HDU is given in place of pixels that come later: of their shape and type, without taking memory.

    Parameters
    ----------
    shape : tuple of int
        Axes of the image.
    dtype : numpy.dtype
        Type of its pixels.
    """
    return np.broadcast_to(np.zeros((), dtype), shape)


class BlockFile:
    """A FITS file that is being written; its bytes are those that astropy would write if it had the images.

    Parameters
    ----------
    path : pathlib.Path
        An empty file, there at the latest when something is written.
    hdus : sequence of HDU
        What it consists of.  Headers are changed as astropy changes them when it writes.
    fills : mapping of int to float
        Which of `hdus` have a `stand_in` for their pixels, by number; and what stands where no pixels come.
    """

    def __init__(self, path: Path, hdus: Sequence[Any], fills: Mapping[int, float]) -> None:
        from astropy.io import fits

        listed = fits.HDUList(list(hdus))
        listed.update_extend()
        self._path = path
        self._headers: list[tuple[int, Header, DataUnit | None]] = []
        self._ready: list[tuple[int, bytes]] = []
        self._images: dict[int, DataUnit] = {}
        place = 0
        for number, hdu in enumerate(listed):
            start = place
            if number not in fills and hdu.data is not None:
                content = _by_astropy(hdu, primary=number == 0)
                self._ready.append((start, content))
                place += len(content)
                continue
            hdu.verify("silentfix")
            sum_cards(hdu.header)
            place += len(hdu.header.tostring())
            unit = None
            if number in fills:
                unit = self._images[number] = DataUnit(place, hdu.data.shape, hdu.data.dtype, fills[number])
                place = unit.end
            self._headers.append((start, hdu.header, unit))
        self._size = place

    def move(self, path: Path) -> None:
        """Let another empty file be written, before anything is.

        Parameters
        ----------
        path : pathlib.Path
            It.
        """
        self._path = path

    def write(self, number: int, window: Window, array: np.ndarray[Any, Any]) -> None:
        """Write a part of an image.

        Parameters
        ----------
        number : int
            Of its HDU.
        window : Window
            Where the part lies; windows of an image do not overlap.
        array : ndarray, shape (..., rows, columns)
            Its pixels.
        """
        with self._path.open("r+b", buffering=0) as stream:
            self._images[number].write(stream, window, array)

    def write_all(self, number: int, image: LazyImage) -> None:
        """Write an image, block by block.

        Parameters
        ----------
        number : int
            Of its HDU.
        image : LazyImage
            Its pixels.
        """
        with self._path.open("r+b", buffering=0) as stream:
            for window in blocks(image):
                self._images[number].write(stream, window, image.read(window))

    def close(self) -> None:
        """Write what is no pixel: headers with their sums, and tables."""
        with self._path.open("r+b", buffering=0) as stream:
            stream.truncate(self._size)
            for start, content in self._ready:
                write_at(stream, start, content)
            for start, header, unit in self._headers:
                if unit is not None:
                    unit.complete(stream)
                write_at(stream, start, summed_text(header, 0 if unit is None else unit.sum))


def _by_astropy(hdu: Any, *, primary: bool) -> bytes:
    """Return an HDU that has its data, as a file holds it."""
    from astropy.io import fits

    stream = io.BytesIO()
    fits.HDUList([hdu] if primary else [fits.PrimaryHDU(), hdu]).writeto(
        stream, output_verify="silentfix", checksum=True
    )
    return stream.getvalue() if primary else stream.getvalue()[UNIT:]
