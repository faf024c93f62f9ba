"""The checksums of the FITS standard: sums of 32-bit words, by which a damaged file can be told.

``DATASUM`` is the sum of the data of an extension; ``CHECKSUM`` makes the sum of all of it, header and data, -0.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import UnreadableInputError
from drizframe.fits.opening import open_stream, sound

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["verify_sums", "word_sum", "wrong_sums"]

_ONES = 0xFFFFFFFF
_CHUNK = 1 << 24  # bytes; a multiple of the block of FITS is not needed, one of 4 is


def word_sum(stream: IO[bytes], start: int, length: int) -> int:
    """Return the ones'-complement sum of the big-endian 32-bit words of a part of a file.

    Parameters
    ----------
    stream : binary file
        The file.
    start, length : int
        The part, in bytes; FITS fills all of them up to blocks of 2880.

    Returns
    -------
    int
        0 for nothing but zeros, else 1 to 2^32 - 1.
    """
    stream.seek(start)
    total = 0
    while length > 0:
        chunk = stream.read(min(_CHUNK, length))
        if not chunk:
            break  # truncated: whatever sum it should have, it has another
        length -= len(chunk)
        words = np.frombuffer(chunk + bytes(-len(chunk) % 4), dtype=">u4")
        total += int(words.sum(dtype=np.uint64))
    while total >> 32:
        total = (total & _ONES) + (total >> 32)
    return total


def _value(header: Header, key: str) -> str:
    """Return the text of a card; blank if there is none, or it cannot be parsed, which is told with the other cards."""
    from astropy.io.fits import VerifyError

    try:
        return str(header.get(key, "")).strip()
    except (VerifyError, ValueError, TypeError, AttributeError, LookupError):
        return ""


def _failing(stream: IO[bytes], header: Header, place: dict[str, Any]) -> list[str]:
    """Return which of the two keywords of an extension do not hold."""
    values = {key: _value(header, key) for key in ("DATASUM", "CHECKSUM")}
    wanted = [key for key, value in values.items() if value]
    if not wanted:
        return []
    data = word_sum(stream, place["datLoc"], place["datSpan"])
    wrong = []
    if "DATASUM" in wanted:
        text = values["DATASUM"]
        if not text.isdigit() or int(text) % _ONES != data % _ONES:
            wrong.append("DATASUM")
    if "CHECKSUM" in wanted:
        head = word_sum(stream, place["hdrLoc"], place["datLoc"] - place["hdrLoc"])
        if (head + data) % _ONES:
            wrong.append("CHECKSUM")
    return wrong


def wrong_sums(stream: IO[bytes], path: Path | str = "the file") -> list[tuple[int, str, list[str]]]:
    """Return the extensions of a FITS file whose checksums do not hold.

    Parameters
    ----------
    stream : binary file
        The file, decompressed.
    path : pathlib.Path or str
        Its name, for messages.

    Returns
    -------
    list of (int, str, list of str)
        Number and name of the extension, and the keywords.
    """
    from astropy.io import fits

    found = []
    with warnings.catch_warnings():  # of what is wrong besides, the reader tells
        warnings.simplefilter("ignore")
        hdus = fits.open(stream, mode="readonly", memmap=False, disable_image_compression=True)
        places = [(h.header, h.fileinfo(), h.name or "PRIMARY", h.ver) for h in hdus]
    for index, (header, place, name, version) in enumerate(places):
        wrong = _failing(stream, header, place)
        if wrong:
            found.append((index, name if name == "PRIMARY" else f"{name},{version}", wrong))
    return found


def verify_sums(paths: Sequence[str], how: str) -> tuple[str, ...]:
    """Say which files do not have the checksums that they carry.

    Parameters
    ----------
    paths : sequence of str
        Files.
    how : {"warn", "error", "no"}
        The parameter ``verify_inputs``.

    Returns
    -------
    tuple of str
        Warnings, one for each file.

    Raises
    ------
    UnreadableInputError
        With "error", for the first such file.
    """
    notes = []
    for path in dict.fromkeys(paths) if how != "no" else ():
        with open_stream(Path(path)) as stream, sound(path):
            wrong = wrong_sums(stream, path)
        if not wrong:
            continue
        where = "; ".join(f"{' and '.join(keys)} of {name}" for _, name, keys in wrong)
        text = f"{path}: a checksum does not hold ({where}): the file was damaged, or changed by a program that left its checksums"
        if how == "error":
            msg = f"{text}. Get it again, or set verify_inputs='warn'."
            raise UnreadableInputError(msg)
        notes.append(text)
    return tuple(notes)
