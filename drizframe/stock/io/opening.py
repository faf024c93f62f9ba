"""Opening FITS files read-only: plain, gzip and xz; truncation is found at once."""

from __future__ import annotations

import functools
import gzip
import io
import lzma
import os
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from drizframe.errors import DrizframeError, MissingInputError, UnreadableInputError
from drizframe.hooks import owner_of
from drizframe.stock.io.stamps import Stamp, check_unchanged

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

__all__ = ["SUFFIXES", "check_complete", "open_fits", "open_stream"]

#: Names that the FITS reader takes.
SUFFIXES = (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz", ".fits.xz", ".fit.xz", ".fits.fz")

_OPENERS = {".gz": gzip.decompress, ".xz": lzma.decompress}
_DAMAGE = (OSError, EOFError, ValueError, TypeError, zlib.error, lzma.LZMAError)


@functools.lru_cache(maxsize=1)
def _decompressed(path: str, stamp: Stamp) -> bytes:
    """Return the bytes of a compressed file; the last file is kept, as its images are read in a row."""
    opener = _OPENERS[Path(path).suffix.lower()]
    try:
        return opener(Path(path).read_bytes())
    except _DAMAGE as error:
        msg = f"{path} cannot be decompressed ({error}). It is truncated or damaged; get it again."
        raise UnreadableInputError(msg) from error


@contextmanager
def open_stream(path: str | Path, stamp: Stamp | None = None) -> Iterator[IO[bytes]]:
    """Open a file for reading, decompressed; it must not change meanwhile.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; ``.gz`` and ``.xz`` are decompressed in memory.
    stamp : Stamp, optional
        Of the file as it must be; it is compared before and after.

    Raises
    ------
    MissingInputError
        If there is no such file.
    UnreadableInputError
        If it is no file, or cannot be decompressed.
    InputError
        If it is not the file of that stamp, or is changed while it is read.
    """
    path = Path(path)
    if not path.exists():
        msg = f"{path} does not exist. Check the name and the folder (here: {Path.cwd()})."
        raise MissingInputError(msg)
    if not path.is_file():
        msg = f"{path} is not a file. Give the name of a FITS file."
        raise UnreadableInputError(msg)
    number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        before = Stamp.of(os.fstat(number))
        check_unchanged(path, before, stamp or before)
        try:
            if path.suffix.lower() in _OPENERS:
                yield io.BytesIO(_decompressed(str(path), before))
            else:
                with os.fdopen(os.dup(number), "rb") as handle:
                    yield handle
        except Exception:
            check_unchanged(path, Stamp.of(os.fstat(number)), before)  # it explains what failed
            raise
        check_unchanged(path, Stamp.of(os.fstat(number)), before)
    finally:
        os.close(number)


@contextmanager
def open_fits(path: str | Path, stamp: Stamp | None = None) -> Iterator[HDUList]:
    """Open a FITS file for reading; nothing is mapped into memory or scaled before it is asked for.

    Parameters
    ----------
    path, stamp
        As for `open_stream`.

    Raises
    ------
    MissingInputError, InputError
        As `open_stream`.
    UnreadableInputError
        If it is not FITS, or damaged.
    """
    from astropy.io import fits

    with open_stream(path, stamp) as stream:
        try:
            hdus = fits.open(stream, mode="readonly", memmap=False, uint=True)
        except _DAMAGE as error:
            msg = (
                f"{path} cannot be read as FITS ({error}). Give a FITS file, or get the file again if it is "
                "damaged."
            )
            raise UnreadableInputError(msg) from error
        try:
            yield hdus
        except DrizframeError:
            raise
        except _DAMAGE as error:
            if owner_of(error) is not None:
                raise  # a plugin's instrument failed; the file may be sound
            msg = f"{path} cannot be read ({error}). It is truncated or damaged; get it again."
            raise UnreadableInputError(msg) from error
        finally:
            hdus.close()


def check_complete(hdus: HDUList, path: Path) -> str:
    """Raise `UnreadableInputError` if the file is shorter than its headers say.

    Parameters
    ----------
    hdus : HDUList
        The open file.
    path : pathlib.Path
        Its name.

    Returns
    -------
    str
        A note if ``NEXTEND`` counts more extensions than there are, or if bytes follow that are no extension;
        empty otherwise.  (Files that were cut out of larger ones often keep its ``NEXTEND``, so this is no error.)
    """
    stat = path.stat()
    packed = path.suffix.lower() in _OPENERS
    size = len(_decompressed(str(path), Stamp.of(stat))) if packed else stat.st_size
    with warnings.catch_warnings():  # astropy warns about the same, but goes on without the missing part
        warnings.simplefilter("ignore")
        last = len(hdus) - 1
        claimed = hdus[0].header.get("NEXTEND")
        ends = [(h.fileinfo()["datLoc"], h.size, h.fileinfo()["datSpan"]) for h in hdus]
    for index, (start, length, _) in enumerate(ends):
        if start + length > size:
            msg = (
                f"{path} is truncated: extension {index} ({hdus[index].name or 'PRIMARY'}) ends at byte "
                f"{start + length}, "
                f"the file has {size}. Get it again."
            )
            raise UnreadableInputError(msg)
    end = ends[-1][0] + ends[-1][2]
    if not isinstance(claimed, int) or claimed <= last:
        rest = size - end
        return (
            f"{path}: {rest} bytes after extension {last} are no extension; the file may be truncated"
            if rest > 0
            else ""
        )
    if end != size:
        msg = f"{path} is damaged after extension {last}: NEXTEND says {claimed} extensions. Get it again."
        raise UnreadableInputError(msg)
    return f"{path}: NEXTEND says {claimed} extensions, but there are {last}"
