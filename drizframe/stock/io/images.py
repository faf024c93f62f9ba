"""Writing one image to a FITS file, whole or as a sparse file that holds only a part of its frame."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.peek import RUN_COMMENT, RUN_KEYWORD
from drizframe.model import LazyImage, Window, blocks, lazy
from drizframe.stock.io.atomic import staged
from drizframe.stock.io.background import soon
from drizframe.stock.io.block_file import BlockFile, stand_in
from drizframe.stock.io.checksum_cards import put_checksums
from drizframe.stock.io.data_unit import DataUnit
from drizframe.stock.io.provenance import put_provenance
from drizframe.system.raw_files import write_at
from drizframe.system.transaction import current

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Provenance

__all__ = ["made_by", "primary_hdu", "put_run", "write_image", "write_part"]

_MADE: ContextVar[Provenance | None] = ContextVar("drizframe_made", default=None)


def primary_hdu(data: np.ndarray[Any, Any] | None, header: Header | None = None) -> Any:
    """Return a primary HDU; the structural keywords follow the image.

    Parameters
    ----------
    data : ndarray or None
        Image.
    header : Header, optional
        Further keywords; not changed.
    """
    from astropy.io import fits

    copied = None if header is None else header.copy()
    return fits.PrimaryHDU(data=data, header=copied)


@contextlib.contextmanager
def made_by(provenance: Provenance | None) -> Iterator[None]:
    """Let the files that are written in this block say what made them."""
    token = _MADE.set(provenance)
    try:
        yield
    finally:
        _MADE.reset(token)


def put_run(header: Header) -> None:
    """Name the run whose files are being written, and what made it, in place of those of the input; see `Transaction`."""
    put_provenance(header, _MADE.get())
    header.remove(RUN_KEYWORD, ignore_missing=True)
    act = current()
    if act is not None and act.run:
        header[RUN_KEYWORD] = (act.run, RUN_COMMENT)


def write_image(
    path: Path,
    data: np.ndarray[Any, Any] | LazyImage,
    header: Header | None = None,
    tables: Sequence[Any] = (),
) -> Path:
    """Write an image, block by block, into the primary HDU of a file, which is replaced if it exists.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    data : ndarray or LazyImage, shape (ny, nx) or (planes, ny, nx)
        Image.
    header : Header, optional
        Its keywords; default: the minimal ones.
    tables : sequence of HDU
        Extensions that the header refers to: look-up tables of distortion.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    OutputError
        If it cannot be written; an older file of that name is then still there.
    """
    hdu = primary_hdu(stand_in(data.shape, data.dtype), header)
    if "EXTEND" not in hdu.header:
        hdu.header["EXTEND"] = True
    put_run(hdu.header)
    file, image = BlockFile(path, [hdu, *tables], {0: 0.0}), lazy(data)

    def write() -> None:
        with staged(path) as (part,):
            file.move(part)
            file.write_all(0, image)
            file.close()

    soon(write)
    return path


def write_part(
    path: Path,
    data: np.ndarray[Any, Any] | LazyImage,
    window: Window,
    shape: tuple[int, int],
    header: Header | None = None,
) -> Path:
    """Write an image that is zero outside a window; the zeros take no room on disks that know sparse files.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    data : ndarray or LazyImage of float32, shape of `window`
        The part that may differ from 0.
    window : Window
        Where it lies in the whole image.
    shape : tuple of int
        Rows and columns of the whole image.
    header : Header, optional
        Keywords.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    head = primary_hdu(None, header).header
    head["BITPIX"], head["NAXIS"] = -32, 2
    head.set("NAXIS1", shape[1], after="NAXIS")
    head.set("NAXIS2", shape[0], after="NAXIS1")
    head.set("EXTEND", True, after="NAXIS2")
    put_run(head)
    put_checksums(head, 0)
    unit = DataUnit(len(head.tostring()), shape, np.dtype(np.float32))
    image = lazy(data)

    def write() -> None:
        with staged(path) as (part,), part.open("r+b", buffering=0) as stream:
            stream.truncate(unit.end)
            for own in blocks(image):
                y, x = window.y0, window.x0
                place = Window(own.y0 + y, own.y1 + y, own.x0 + x, own.x1 + x)
                unit.write(stream, *_widened(place, image.read(own), shape[1]))
            put_checksums(head, unit.sum)
            write_at(stream, 0, head.tostring().encode("ascii"))

    soon(write)
    return path


def _widened(place: Window, part: np.ndarray[Any, Any], columns: int) -> tuple[Window, np.ndarray[Any, Any]]:
    """Return whole rows, in which all else is zero, if the part is most of them: they are written at once, not one by one."""
    if place.shape[1] == columns or 2 * place.shape[1] < columns:
        return place, part
    rows = np.zeros((place.shape[0], columns), dtype=part.dtype)
    rows[:, place.x0 : place.x1] = part
    return Window(place.y0, place.y1, 0, columns), rows
