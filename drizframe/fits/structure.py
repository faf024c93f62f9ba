"""What a FITS file claims to hold, read from its blocks and held against its size before a library opens it."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from drizframe.errors import UnreadableInputError
from drizframe.fits.stamps import Stamp
from drizframe.fits.unpacking import PACKED, packed_bytes

__all__ = ["MAX_PIXELS", "Structure", "structure_of"]

_BLOCK, _CARD = 2880, 80
#: Longest header, in blocks.
_MAX_BLOCKS = 500
#: Bytes behind the last HDU in which a further one is looked for.
_SEARCH = 2880 * 4096
#: Most HDUs of a file.
_MAX_HDUS = 2000
#: Most axes of an array.
_MAX_AXES = 9
#: Pixels of the largest image that is stored tile-compressed or as one number, and so is larger than its file.
MAX_PIXELS = 2**27
_MANDATORY = re.compile(
    rb"(SIMPLE|XTENSION|BITPIX|Z?NAXIS\d*|PCOUNT|GCOUNT|GROUPS|EXTNAME|EXTVER|NEXTEND|ZIMAGE|ZBITPIX|ZTILE\d+|NPIX[12]) *"
)
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_BITPIX = (8, 16, 32, 64, -32, -64)


@dataclass(frozen=True, slots=True)
class Structure:
    """Layout of a file.

    Parameters
    ----------
    names : tuple of str
        ``EXTNAME`` of each HDU.
    headers : tuple of (int, int)
        Where the header of each begins and where its data begin, in bytes.
    tail : int
        Bytes behind the last HDU.
    note : str
        What is odd but no error; blank: nothing.
    """

    names: tuple[str, ...]
    headers: tuple[tuple[int, int], ...]
    tail: int = 0
    note: str = ""


@lru_cache(maxsize=4096)
def structure_of(path: str, stamp: Stamp) -> Structure:
    """Return the layout of a file.

    Parameters
    ----------
    path : str
        The file, packed or not.
    stamp : Stamp
        By which a change of it is noticed.

    Raises
    ------
    UnreadableInputError
        If it is no FITS file, is shorter than its headers say, or claims what cannot be.
    """
    if Path(path).suffix.lower() in PACKED:
        data = packed_bytes(path, stamp)
        return _walk(io.BytesIO(data), len(data), path)
    with Path(path).open("rb") as stream:
        return _walk(stream, stamp.size, path)


def _walk(stream: BinaryIO, size: int, path: str) -> Structure:
    """Go through all HDUs of a file."""
    names: list[str] = []
    headers: list[tuple[int, int]] = []
    claimed = ""
    at = 0
    while True:
        where = f"{path}[{len(names)}]"
        stream.seek(at)
        start = stream.read(_CARD)
        if not names and not start.startswith(b"SIMPLE"):
            msg = f"{path} cannot be read as FITS (it does not begin with SIMPLE). Give a FITS file, or get it again."
            raise UnreadableInputError(msg)
        if names and not start.startswith(b"XTENSION"):
            break
        if len(names) == _MAX_HDUS:
            msg = f"{path} has more than {_MAX_HDUS} extensions. Give the images in files of their own."
            raise UnreadableInputError(msg)
        cards, data = _header(stream, at, path, len(names))
        _check_kind(cards, where, first=not names)
        names.append(_text(cards.get("EXTNAME", "")))
        headers.append((at, data))
        claimed = claimed or cards.get("NEXTEND", "")
        length = _length(cards, where)
        if data + length > size:
            name = names[-1] or ("PRIMARY" if len(names) == 1 else "no name")
            msg = (
                f"{path} is truncated: extension {len(names) - 1} ({name}) ends at byte {data + length}, the file has "
                f"{size}. Get it again."
            )
            raise UnreadableInputError(msg)
        at = data + -(-length // _BLOCK) * _BLOCK
        if at >= size:
            break
    note = _ending(stream, size, at, path, len(names) - 1, claimed)
    return Structure(tuple(names), tuple(headers), max(0, size - at), note)


def _header(stream: BinaryIO, at: int, path: str, number: int) -> tuple[dict[str, str], int]:
    """Return the mandatory keywords of a header, the first card of each, and where its data begin."""
    cards: dict[str, str] = {}
    stream.seek(at)
    for count in range(1, _MAX_BLOCKS + 1):
        block = stream.read(_BLOCK)
        if len(block) < _BLOCK:
            msg = f"{path} is truncated: the header of extension {number} has no END. Get the file again."
            raise UnreadableInputError(msg)
        for i in range(0, _BLOCK, _CARD):
            card = block[i : i + _CARD]
            if card.rstrip() == b"END":
                return cards, at + count * _BLOCK
            if card[8:9] == b"=" and _MANDATORY.fullmatch(card[:8]):
                cards.setdefault(card[:8].decode("ascii").rstrip(), card[9:].decode("latin-1"))
    msg = f"{path}[{number}] is damaged: its header is longer than {_MAX_BLOCKS * _BLOCK} bytes. Get the file again."
    raise UnreadableInputError(msg)


def _text(value: str) -> str:
    """Return a value without its comment and quotes."""
    found = re.match(r"\s*'((?:[^']|'')*)'", value)
    return (found[1] if found else value.split("/", 1)[0]).strip()


def _number(cards: dict[str, str], key: str, where: str, default: int | None = None) -> int:
    """Return a keyword as a whole number."""
    if key not in cards and default is not None:
        return default
    if key not in cards:
        msg = f"{where} is damaged: its header has no {key}. Add the keyword, or get the file again."
        raise UnreadableInputError(msg)
    text = cards[key].split("/", 1)[0].strip()
    if not _WHOLE.fullmatch(text):
        msg = f"{where} is damaged: {key} is {text!r}, it must be a whole number. Correct it, or get the file again."
        raise UnreadableInputError(msg)
    return int(text)


def _refuse(where: str, key: str, value: object, allowed: str) -> None:
    msg = f"{where} is damaged: {key} is {value!r}; {allowed}. Correct it, or get the file again."
    raise UnreadableInputError(msg)


def _check_kind(cards: dict[str, str], where: str, *, first: bool) -> None:
    """Refuse a header that does not say which kind of HDU it heads."""
    if first and _text(cards.get("SIMPLE", "")) != "T":
        _refuse(where, "SIMPLE", _text(cards.get("SIMPLE", "")), "a FITS file has T")
    if not first and not _text(cards.get("XTENSION", "")):
        _refuse(where, "XTENSION", "", "it says IMAGE, BINTABLE or TABLE")


def _axes(cards: dict[str, str], where: str, prefix: str = "") -> list[int]:
    """Return the lengths of all axes."""
    count = _number(cards, prefix + "NAXIS", where)
    if not 0 <= count <= _MAX_AXES:
        _refuse(where, prefix + "NAXIS", count, f"it lies between 0 and {_MAX_AXES}")
    axes = [_number(cards, f"{prefix}NAXIS{i}", where) for i in range(1, count + 1)]
    for i, length in enumerate(axes, start=1):
        if length < 0:
            _refuse(where, f"{prefix}NAXIS{i}", length, "no axis has a length below 0")
    return axes


def _product(axes: list[int]) -> int:
    total = 1
    for length in axes:
        total *= length
    return total if axes else 0


def _length(cards: dict[str, str], where: str) -> int:
    """Return the bytes of data that a header claims."""
    bits = _number(cards, "BITPIX", where)
    if bits not in _BITPIX:
        _refuse(where, "BITPIX", bits, f"it is one of {', '.join(map(str, _BITPIX))}")
    axes = _axes(cards, where)
    extra, groups = _number(cards, "PCOUNT", where, 0), _number(cards, "GCOUNT", where, 1)
    image = "XTENSION" not in cards or _text(cards["XTENSION"]).upper() == "IMAGE"
    grouped = image and axes[:1] == [0] and _text(cards.get("GROUPS", "")) == "T"
    if image and not grouped and (extra, groups) != (0, 1):
        _refuse(where, "PCOUNT, GCOUNT", (extra, groups), "an image has 0 and 1")
    if extra < 0 or groups < 1:
        _refuse(where, "PCOUNT, GCOUNT", (extra, groups), "they are at least 0 and 1")
    if _text(cards.get("ZIMAGE", "")) == "T":
        _check_tiles(cards, where)
    if "NPIX1" in cards and "NPIX2" in cards and not axes:
        _check_constant(cards, where)
    return abs(bits) // 8 * groups * (extra + _product(axes[1:] if grouped else axes))


def _check_size(pixels: int, where: str, what: str) -> None:
    if pixels > MAX_PIXELS:
        msg = (
            f"{where}: {what} {pixels} pixels, more than the {MAX_PIXELS} that are unpacked in memory. Correct the "
            "header; if that is right, write it as a plain image (funpack)."
        )
        raise UnreadableInputError(msg)


def _check_tiles(cards: dict[str, str], where: str) -> None:
    """Refuse a tile-compressed image of absurd size."""
    if _number(cards, "ZBITPIX", where) not in _BITPIX:
        _refuse(where, "ZBITPIX", _text(cards["ZBITPIX"]), f"it is one of {', '.join(map(str, _BITPIX))}")
    axes = _axes(cards, where, "Z")
    _check_size(_product(axes), where, "the compressed image claims")
    for i, length in enumerate(axes, start=1):
        tile = _number(cards, f"ZTILE{i}", where, length if i == 1 else 1)
        if not 1 <= tile <= max(length, 1):
            _refuse(where, f"ZTILE{i}", tile, f"it lies between 1 and ZNAXIS{i} = {length}")


def _check_constant(cards: dict[str, str], where: str) -> None:
    """Refuse an image of one number that is absurdly large."""
    axes = [_number(cards, key, where) for key in ("NPIX1", "NPIX2")]
    if min(axes) < 1:
        _refuse(where, "NPIX1, NPIX2", tuple(axes), "both are at least 1")
    _check_size(_product(axes), where, "NPIX1 and NPIX2 claim")


def _ending(stream: BinaryIO, size: int, at: int, path: str, last: int, claimed: str) -> str:
    """Look at what follows the last HDU; return a note on it."""
    rest = max(0, size - at)
    place = _further(stream, at, size) if rest else None
    if place is not None:
        msg = (
            f"{path} is damaged after extension {last}, which ends at byte {at}: what follows there is no extension, but at "
            f"byte {place} a header begins. A block was lost or doubled; get it again."
        )
        raise UnreadableInputError(msg)
    count = int(claimed.split("/", 1)[0]) if _WHOLE.fullmatch(claimed.split("/", 1)[0].strip()) else None
    if count is not None and count > last:
        if rest:
            msg = f"{path} is damaged after extension {last}: NEXTEND says {count} extensions. Get it again."
            raise UnreadableInputError(msg)
        return f"{path}: NEXTEND says {count} extensions, but there are {last}"
    if rest:
        return f"{path}: {rest} bytes after extension {last} are no extension; the file may be truncated"
    return ""


def _further(stream: BinaryIO, at: int, size: int) -> int | None:
    """Return where a further extension begins, if one does."""
    for place in range(at - at % _BLOCK, min(size, at + _SEARCH), _BLOCK):
        stream.seek(place)
        if stream.read(9) in {b"XTENSION=", b"SIMPLE  ="}:
            return place
    return None
