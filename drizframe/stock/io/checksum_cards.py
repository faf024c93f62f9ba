"""``CHECKSUM`` and ``DATASUM`` of files that are not written by astropy as a whole (FITS standard, appendix J)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["data_sum", "put_checksums"]

_WORD = 2**32
#: Signs between digits and letters, which a checksum must not have.
_PUNCTUATION = frozenset({*range(0x3A, 0x41), *range(0x5B, 0x61)})


def data_sum(words: np.ndarray[Any, Any]) -> int:
    """Return the sum of 32-bit words in ones' complement; words of 0 add nothing.

    Parameters
    ----------
    words : ndarray of big-endian uint32
        Bytes of a file.
    """
    return _folded(int(words.sum(dtype=np.uint64)))


def _folded(total: int) -> int:
    """Carry what is beyond 32 bits around to the low end."""
    while total >= _WORD:
        total = (total & (_WORD - 1)) + (total >> 32)
    return total


def put_checksums(header: Header, data: int) -> None:
    """Write ``DATASUM`` and ``CHECKSUM`` of a header and its data; nothing may be changed in it afterwards.

    Parameters
    ----------
    header : Header
        Complete header of an HDU.
    data : int
        Sum of the data, from `data_sum`.
    """
    header["DATASUM"] = (str(data), "data unit checksum")
    header["CHECKSUM"] = ("0" * 16, "HDU checksum")
    text = np.frombuffer(header.tostring().encode("ascii"), dtype=">u4")
    header["CHECKSUM"] = _encoded(_WORD - 1 - _folded(data_sum(text) + data))


def _encoded(value: int) -> str:
    """Return 32 bits as 16 letters and digits; zeros in their place leave the sum as it is."""
    columns = []
    for byte in value.to_bytes(4, "big"):
        signs = [byte // 4 + ord("0")] * 4
        signs[0] += byte % 4
        for i in (0, 2):
            while signs[i] in _PUNCTUATION or signs[i + 1] in _PUNCTUATION:
                signs[i] += 1
                signs[i + 1] -= 1
        columns.append(signs)
    text = "".join(chr(columns[i][j]) for j in range(4) for i in range(4))
    return text[-1] + text[:-1]
