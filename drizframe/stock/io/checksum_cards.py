"""``CHECKSUM`` and ``DATASUM`` of files that are not written by astropy as a whole (FITS standard, appendix J)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["data_sum", "now", "put_checksums", "sum_cards", "summed_text"]

_WORD = 2**32
#: Signs between digits and letters, which a checksum must not have.
_PUNCTUATION = frozenset({*range(0x3A, 0x41), *range(0x5B, 0x61)})


def data_sum(words: np.ndarray[Any, Any], before: int = 0) -> int:
    """Return the sum of 32-bit words in ones' complement; words of 0 add nothing.

    Parameters
    ----------
    words : ndarray of big-endian uint32
        Bytes of a file.
    before : int
        Sum of what was summed already.
    """
    return _folded(before + int(words.sum(dtype=np.uint64)))


def now() -> str:
    """Return the time for the comments of the cards, as astropy spells it."""
    return datetime.now().isoformat()[:19]  # noqa: DTZ005  (local, as astropy)


def sum_cards(header: Header) -> None:
    """Make room for both cards at the end of a header; `summed_text` fills them.

    Parameters
    ----------
    header : Header
        Header that is changed.
    """
    when = now()
    header["DATASUM"] = ("0", f"data unit checksum updated {when}")
    header.set("CHECKSUM", "0" * 16, f"HDU checksum updated {when}", before="DATASUM")


def summed_text(header: Header, data: int) -> bytes:
    """Return a header that has both cards as a file holds it, with the sums in them.

    Parameters
    ----------
    header : Header
        Complete header of an HDU.
    data : int
        Sum of the data, from `data_sum`.
    """
    when = now()
    _put(header, data, f"data unit checksum updated {when}", f"HDU checksum updated {when}")
    found: bytes = header.tostring().encode("ascii")
    return found


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
    _put(header, data, "data unit checksum", "HDU checksum")


def _put(header: Header, data: int, *comments: str) -> None:
    header["DATASUM"] = (str(data), comments[0])
    header["CHECKSUM"] = ("0" * 16, comments[1])
    text = np.frombuffer(header.tostring().encode("ascii"), dtype=">u4")
    header["CHECKSUM"] = _encoded(_WORD - 1 - data_sum(text, data))


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
