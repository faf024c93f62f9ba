"""Auxiliary FITS files (reference images, masks, flats): what they claim against what they have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from drizframe.errors import DrizframeError, MissingInputError, UnreadableInputError, told
from drizframe.fits.stamps import Stamp
from drizframe.fits.structure import structure_of

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

__all__ = ["opened_fits"]

#: What damaged bytes lead to within a library that looks at them.
_DAMAGE = (
    OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RuntimeError,
)  # fmt: skip
_PACKED = (".gz", ".bz2", ".xz", ".zip")
#: Bytes of the largest image that is stored in a smaller file.
_LIMIT = 2**30
#: Bytes up to the end of the last extension of any such file.
_LARGEST = 2**32


@contextmanager
def opened_fits(path: Path, what: str) -> Iterator[HDUList]:
    """Open a FITS file that the user named besides the inputs; all its HDUs are looked at first.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    what : str
        Who names it, for messages: ``"skymask_cat names 'x.fits'"``.

    Raises
    ------
    MissingInputError
        If it does not exist.
    UnreadableInputError
        If it is no FITS file, damaged (also where that shows only in the block), or claims more than it has.
    """
    from astropy.io import fits
    from astropy.io.fits import VerifyError

    if not path.exists():
        msg = f"{what}, which does not exist (looked in {str(Path.cwd())!r}). Correct the name."
        raise MissingInputError(msg)
    if not path.is_file():
        msg = f"{what}, which cannot be read as FITS: it is a folder, a device or a pipe. Give the name of a FITS file."
        raise UnreadableInputError(msg)
    _check_layout(path, what)
    try:
        with fits.open(path, mode="readonly", memmap=False) as hdus:
            _check_claims(hdus, path, what)
            yield hdus
    except DrizframeError:
        raise
    except (*_DAMAGE, VerifyError) as error:
        text = told(error)
        msg = f"{what}, which cannot be read as FITS: {text}. Get the file again."
        raise UnreadableInputError(msg) from error


def _check_layout(path: Path, what: str) -> None:
    """Refuse a file whose headers claim what cannot be, before a library believes them."""
    try:
        structure_of(str(path), Stamp.of(path.stat()))
    except UnreadableInputError as error:
        msg = f"{what}, which cannot be read as FITS: {error}"
        raise UnreadableInputError(msg) from error
    except OSError as error:
        msg = f"{what}, which cannot be read: {error.strerror}. Look at its permissions."
        raise UnreadableInputError(msg) from error


def _check_claims(hdus: HDUList, path: Path, what: str) -> None:
    """Refuse HDUs that claim more bytes than the file has, or absurdly many."""
    from astropy.io import fits

    size = path.stat().st_size
    for index, hdu in enumerate(hdus):
        if isinstance(hdu, fits.CompImageHDU):
            axes = [int(hdu.header[f"NAXIS{i}"]) for i in range(1, int(hdu.header["NAXIS"]) + 1)]
            claimed, limit = 8, _LIMIT
            for length in axes:
                claimed *= length
        else:
            claimed = hdu.fileinfo()["datLoc"] + hdu.size
            limit = _LIMIT if path.suffix.lower() in _PACKED else min(size, _LARGEST)
        if not 0 <= claimed <= limit:
            msg = f"{what}, whose extension {index} claims {claimed} bytes; the file has {size}. Get the file again."
            raise UnreadableInputError(msg)
