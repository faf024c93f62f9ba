"""Opening FITS files read-only, plain or packed, after a look at what they claim to hold."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from drizframe.errors import DrizframeError, MissingInputError, UnreadableInputError, told
from drizframe.fits.stamps import Stamp, check_unchanged
from drizframe.fits.structure import structure_of
from drizframe.fits.unpacking import PACKED, packed_bytes
from drizframe.hooks import owner_of

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

__all__ = ["SUFFIXES", "open_fits", "open_stream", "sound"]

#: Names that the FITS reader takes.
SUFFIXES = tuple(
    stem + end for stem in (".fits", ".fit", ".fts") for end in ("", ".gz", ".xz", ".bz2", ".fz")
)

#: What damaged bytes lead to; `open_fits` takes these for damage wherever they come from.
_DAMAGE = (OSError, EOFError, ValueError, TypeError, struct.error)


@contextmanager
def sound(path: str | Path) -> Iterator[None]:
    """Let any error of a library that looks at the bytes of a file name the file.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.

    Raises
    ------
    UnreadableInputError
        In place of the library's error; errors of drizframe, of plugins and a lack of memory stay what they are.
    """
    try:
        yield
    except (DrizframeError, MemoryError):
        raise
    except Exception as error:  # libraries have exceptions of their own for bytes that make no sense
        if owner_of(error) is not None:
            raise  # a plugin's instrument failed; the file may be sound
        text = told(error)
        kind = "" if isinstance(error, OSError | ValueError) else f"{type(error).__name__}: "
        msg = f"{path} cannot be read ({kind}{text}). It is truncated or damaged; get it again."
        raise UnreadableInputError(msg) from error


@contextmanager
def open_stream(path: str | Path, stamp: Stamp | None = None) -> Iterator[IO[bytes]]:
    """Open a file for reading, decompressed; it must not change meanwhile.

    Parameters
    ----------
    path : str or pathlib.Path
        The file; ``.gz``, ``.xz`` and ``.bz2`` are decompressed in memory.
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
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        msg = f"{path} cannot be opened ({error.strerror}). Look at its permissions."
        raise UnreadableInputError(msg) from error
    try:
        before = Stamp.of(os.fstat(number))
        check_unchanged(path, before, stamp or before)
        try:
            if path.suffix.lower() in PACKED:
                yield io.BytesIO(packed_bytes(str(path), before))
            else:
                with os.fdopen(os.dup(number), "rb") as handle:
                    yield handle
        except Exception:
            check_unchanged(path, Stamp.of(os.fstat(number)), before)  # it explains what failed
            raise
        check_unchanged(path, Stamp.of(os.fstat(number)), before)
    finally:
        os.close(number)


def _load(hdus: HDUList, count: int) -> None:
    """Load so many HDUs, and no more."""
    for i in range(count):
        hdus[i]
    hdus._read_all = True  # noqa: SLF001  (there is no public way to say so)


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
        If it is not FITS, damaged, or claims more than it can hold.
    """
    from astropy.io import fits
    from astropy.io.fits import VerifyError

    with open_stream(path, stamp) as stream:
        try:
            found = structure_of(str(path), stamp or Stamp.of(Path(path).stat()))
            hdus = fits.open(stream, mode="readonly", memmap=False, uint=True)
            if found.tail:  # astropy would stumble over what follows the last HDU
                _load(hdus, len(found.names))
        except (DrizframeError, MemoryError):
            raise
        except Exception as error:
            msg = (
                f"{path} cannot be read as FITS ({told(error)}). Give a FITS file, or get the file again if it is "
                "damaged."
            )
            raise UnreadableInputError(msg) from error
        try:
            yield hdus
        except DrizframeError:
            raise
        except (*_DAMAGE, VerifyError) as error:
            if owner_of(error) is not None:
                raise  # a plugin's instrument failed; the file may be sound
            msg = f"{path} cannot be read ({told(error)}). It is truncated or damaged; get it again."
            raise UnreadableInputError(msg) from error
        finally:
            hdus.close()
