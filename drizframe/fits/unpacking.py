"""Decompression in memory, up to a limit: a few bytes can claim to be very many."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from drizframe.errors import UnreadableInputError, told
from drizframe.fits.stamps import Stamp

__all__ = ["LIMIT", "PACKED", "packed_bytes"]

#: Largest file that is unpacked in memory, in bytes.
LIMIT = 2**30
#: Bytes that are read, and those that are unpacked, at a time.
_CHUNK, _PIECE = 2**16, 2**24
#: Memory that an xz file may ask for; `xz -9` asks for 65 MiB.
_DICTIONARY = 2**28

#: Ends of names of packed files, and what unpacks one stream of them.
PACKED: dict[str, Callable[[], Any]] = {
    ".gz": lambda: zlib.decompressobj(31),
    ".xz": lambda: lzma.LZMADecompressor(memlimit=_DICTIONARY),
    ".bz2": bz2.BZ2Decompressor,
}


def _pieces(path: Path, new: Callable[[], Any]) -> Iterator[bytes]:
    """Yield what a packed file holds; it may have several streams, and zeros behind them."""
    decoder, fresh = new(), True
    with path.open("rb") as stream:
        rest = b""
        while chunk := rest or stream.read(_CHUNK):
            if fresh and not chunk.strip(b"\0"):
                rest = b""
                continue
            fresh = False
            yield decoder.decompress(chunk, _PIECE)
            rest = getattr(decoder, "unconsumed_tail", b"")
            while not decoder.eof and not getattr(decoder, "needs_input", True):
                yield decoder.decompress(b"", _PIECE)
            if decoder.eof:
                rest, decoder, fresh = decoder.unused_data, new(), True
    if not fresh:
        msg = "the end is missing"
        raise EOFError(msg)


@lru_cache(maxsize=1)
def packed_bytes(path: str, stamp: Stamp) -> bytes:
    """Return the bytes of a packed file; the last file is kept, as its images are read in a row.

    Parameters
    ----------
    path : str
        The file; its name ends in one of `PACKED`.
    stamp : Stamp
        By which a change of it is noticed.

    Raises
    ------
    UnreadableInputError
        If it is damaged, or holds more than `LIMIT` bytes.
    """
    buffer = io.BytesIO()
    try:
        for piece in _pieces(Path(path), PACKED[Path(path).suffix.lower()]):
            buffer.write(piece)
            if buffer.tell() > LIMIT:
                msg = (
                    f"{path} ({stamp.size} bytes) unpacks to more than {LIMIT / 2**30:g} GiB, the most that is unpacked in "
                    "memory. If that is right, unpack it first and give the plain file."
                )
                raise UnreadableInputError(msg)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, UnreadableInputError):
            raise
        msg = f"{path} cannot be decompressed ({told(error)}). It is truncated or damaged; get it again."
        raise UnreadableInputError(msg) from error
    return buffer.getvalue()
