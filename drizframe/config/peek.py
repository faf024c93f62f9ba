"""The first header of a FITS file, read as text: enough to know what a file is, without building anything from it."""

from __future__ import annotations

import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

__all__ = ["RUN_COMMENT", "RUN_KEYWORD", "first_cards", "is_product"]

#: Keyword of products: which run wrote them (inputs and output, then parameters).
RUN_KEYWORD = "DRIZRUN"
RUN_COMMENT = "run: inputs and output - parameters"
_BLOCK, _CARD = 2880, 80
#: Blocks of the longest header that is looked through.
_BLOCKS = 400
_VALUE = re.compile(r"\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<plain>[^/\s]*))")
_OPENERS: dict[str, Callable[[Path], Any]] = {".gz": gzip.GzipFile, ".xz": lzma.LZMAFile}


def first_cards(path: Path, *, strict: bool = False) -> dict[str, str]:
    """Return the keywords of a file's primary header with their values as text.

    Parameters
    ----------
    path : pathlib.Path
        Any file; ``.gz`` and ``.xz`` are decompressed as far as needed.
    strict : bool
        Whether a file that cannot be read is an error.

    Returns
    -------
    dict of str to str
        Texts without quotes and trailing blanks; empty if it is no FITS file or cannot be read.

    Raises
    ------
    OSError
        With `strict`.
    """
    cards: dict[str, str] = {}
    try:
        if not path.is_file():
            return {}  # a device or a pipe would wait
        with _OPENERS.get(path.suffix.lower(), io.FileIO)(path) as stream:
            for number in range(_BLOCKS):
                block = stream.read(_BLOCK)
                if len(block) < _BLOCK or (number == 0 and not block.startswith(b"SIMPLE  =")):
                    return {} if number == 0 else cards
                if _read_block(block.decode("latin-1"), cards):
                    break
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        if strict and isinstance(error, OSError):
            raise
        return {}
    return cards


def _read_block(text: str, cards: dict[str, str]) -> bool:
    """Add the cards of a block; tell whether the header ends there."""
    for start in range(0, _BLOCK, _CARD):
        card = text[start : start + _CARD]
        if card.rstrip() == "END":
            return True
        if card[8:10] == "= ":
            found = _VALUE.match(card, 10)
            assert found is not None  # noqa: S101  (it may be empty)
            value = found["plain"] if found["text"] is None else found["text"].replace("''", "'").rstrip()
            cards.setdefault(card[:8].rstrip(), value)
    return False


def is_product(cards: Container[str]) -> bool:
    """Tell whether a primary header is that of a drizzled image, of drizframe or of another program."""
    return "NDRIZIM" in cards or RUN_KEYWORD in cards
