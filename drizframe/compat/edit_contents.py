"""The new contents of an input that is edited: what changes, and nothing else, not a byte."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from drizframe.compat.edit_flags import PIECE, EditedFlags
from drizframe.errors import UnreadableInputError, told
from drizframe.fits.opening import open_fits, open_stream, sound
from drizframe.model import HeldImage, LazyImage, blocks
from drizframe.stock.io.block_file import stand_in
from drizframe.stock.io.cards import readable
from drizframe.stock.io.checksum_cards import data_sum, now, sum_cards, summed_text
from drizframe.stock.io.checksums import word_sum, wrong_sums
from drizframe.stock.io.data_unit import UNIT
from drizframe.stock.io.single_exposure import single_exposure
from drizframe.stock.io.source import constant_shape
from drizframe.stock.io.stored_pixels import stored_pixels
from drizframe.stock.io.text import plain

if TYPE_CHECKING:
    from pathlib import Path

    from astropy.io.fits import HDUList

    from drizframe.compat.edits import FileEdit
    from drizframe.model import Exposure

__all__ = ["check_editable", "write_edit"]

_CARD = 80
_SUMS = ("DATASUM", "CHECKSUM")


def check_editable(path: Path, numbers: Iterable[int]) -> None:
    """Refuse a file whose extensions the FITS library reads but would not write again; asked before the work.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    numbers : iterable of int
        Extensions that will change.

    Raises
    ------
    UnreadableInputError
        If a header holds what cannot be written.
    """
    from astropy.io.fits import VerifyError

    with open_fits(path) as hdus, sound(path):
        for index in sorted(set(numbers)):
            hdu = hdus[index]
            readable(hdu.header, f"{path}[{index}]", "other")  # of what is left out, the reader has told
            try:
                hdu.verify("silentfix")
            except VerifyError as error:
                text = " ".join(
                    str(error).replace("Note: astropy.io.fits uses zero-based indexing.", "").split()
                )
                msg = f"{path}[{index}] cannot be edited ({text}). Repair its header, or use drizframe.run, which edits nothing."
                raise UnreadableInputError(msg) from error


def _apply(
    hdus: HDUList, edit: FileEdit, resetbits: int | None, crbit: int | None
) -> tuple[set[int], dict[int, LazyImage]]:
    """Change the open copy of a file.

    Returns the numbers of the extensions that changed; and those images among them that are not whole in memory, for which
    the extension has a stand-in.
    """
    changed = set(edit.sky)
    if "MDRIZSKY" in hdus[0].header:
        hdus[0].header.remove("MDRIZSKY", remove_all=True)
        changed.add(0)
    for index, level in edit.sky.items():
        hdus[index].header["MDRIZSKY"] = (plain(level), "Sky value computed by AstroDrizzle")
    flagged = {i for i, h in enumerate(hdus) if h.name in {"DQ", "SDQ"}} | set(edit.masks)
    images: dict[int, LazyImage] = {}
    for index in flagged:
        hdu = hdus[index]
        shape, pixels = constant_shape(hdu.header), stored_pixels(hdu, edit.source)
        if pixels is None and shape is None and hdu.data is None:
            continue
        old: LazyImage
        if pixels is not None:
            old = pixels
        elif shape is not None:
            old = HeldImage(np.broadcast_to(np.full((), hdu.header["PIXVALUE"], dtype=np.int16), shape))
        else:
            old = HeldImage(np.atleast_2d(np.asarray(hdu.data)))
        new = EditedFlags(old, edit.masks.get(index, ()), resetbits, crbit)
        if not new.differ():
            continue
        changed.add(index)
        if pixels is None and shape is None:
            hdu.data = new.read().reshape(hdu.data.shape)
            continue
        images[index] = new
        hdu.data = stand_in(new.shape, new.dtype)
        for key in ("PIXVALUE", "NPIX1", "NPIX2") if shape is not None else ():
            hdu.header.remove(key, ignore_missing=True)
    return changed, images


def write_edit(stream: IO[bytes], edit: FileEdit, resetbits: int | None, crbit: int | None) -> None:
    """Write the changed copy of a file.

    Parameters
    ----------
    stream : binary file
        Where to.
    edit : FileEdit
        What changes.
    resetbits, crbit : int or None
        Bits to clear in all flags, and to set where a mask is 0.

    Raises
    ------
    InputError
        If the file is not the one that the run was planned with.
    """
    from astropy.io import fits

    if edit.exposure is not None:
        stream.write(_one_exposure(edit, edit.exposure, resetbits, crbit))
        return
    with open_stream(edit.source, edit.stamp) as source:
        try:
            write_edited(stream, source, edit, resetbits, crbit)
        except (
            ValueError, TypeError, LookupError, AttributeError, ArithmeticError, fits.VerifyError,
        ) as error:  # fmt: skip
            msg = f"{edit.source} cannot be edited ({told(error)}). No file was changed; use drizframe.run."
            raise UnreadableInputError(msg) from error


def _one_exposure(edit: FileEdit, exposure: Exposure, resetbits: int | None, crbit: int | None) -> bytes:
    """Return the file of one exposure of several."""
    buffer = io.BytesIO()
    with open_fits(edit.source, edit.stamp) as hdus, sound(edit.source):
        copy = single_exposure(hdus, exposure)
        for index, image in _apply(copy, edit, resetbits, crbit)[1].items():
            copy[index].data = image.read()
        summed = any(k in h.header for h in copy for k in _SUMS)
        for hdu in copy:
            for key in _SUMS:
                hdu.header.remove(key, ignore_missing=True, remove_all=True)
        copy.writeto(buffer, output_verify="silentfix", checksum=summed)
    return buffer.getvalue()


def write_edited(
    stream: IO[bytes], source: IO[bytes], edit: FileEdit, resetbits: int | None, crbit: int | None
) -> None:
    """Write a file with changes; extensions that do not change keep their bytes.

    Parameters
    ----------
    stream, source : binary file
        Where to, and the file as it is.
    edit, resetbits, crbit
        See `write_edit`.

    Notes
    -----
    Only headers that change are written by the FITS library, each by itself: it repairs whatever it writes, and it
    renews checksums.  Those of a damaged extension would hold afterwards, and the damage could not be told any more;
    here they fail as they did.
    """
    from astropy.io import fits

    source.seek(0)
    hdus = fits.open(source, mode="readonly", memmap=False, uint=True)
    changed, images = _apply(hdus, edit, resetbits, crbit)
    source.seek(0)
    failing = {index for index, _, _ in wrong_sums(source)}
    spans = _spans(source)
    for index, span in enumerate(spans):
        if index not in changed:
            _copy(stream, source, span.header, span.end)
            continue
        old = _bytes(source, span.header, span.data) if index in failing else b""
        where = f"{edit.target}[{index}]"
        if index in images:
            image = images[index]
            stream.write(_with_old_sums(_header(hdus[index], where, _sum(_pixels(image))), old))
            stream.writelines(_pixels(image))
        elif span.complete and stored_pixels(hdus[index], edit.source) is not None:
            total = word_sum(source, span.data, span.end - span.data)
            stream.write(_with_old_sums(_header(hdus[index], where, total), old))
            _copy(stream, source, span.data, span.end)
        else:
            stream.write(_with_old_sums(_written(hdus[index], where), old))
    _copy(stream, source, spans[-1].end, None)


def _header(hdu: Any, where: str, total: int) -> bytes:
    """Return the changed header of an image as the FITS library writes it; what sums it has are those of data of that sum."""
    readable(hdu.header, where, "other")  # of what is left out, the reader has told
    hdu.verify("silentfix")
    hdu.update_header()
    if "CHECKSUM" in hdu.header:
        sum_cards(hdu.header)
        return summed_text(hdu.header, total)
    if "DATASUM" in hdu.header:
        hdu.header["DATASUM"] = (str(total), f"data unit checksum updated {now()}")
    found: bytes = hdu.header.tostring().encode("ascii")
    return found


def _pixels(image: LazyImage) -> Iterator[bytes]:
    """Yield the pixels of an image as a file holds them, in pieces that end with a 32-bit word, and what fills the last block."""
    length, rest = 0, b""
    for window in blocks(image, PIECE):
        part = np.ascontiguousarray(image.read(window), dtype=image.dtype.newbyteorder(">")).tobytes()
        length += len(part)
        part = rest + part if rest else part
        cut = len(part) - len(part) % 4
        rest = part[cut:]
        yield part[:cut] if rest else part
    yield rest + bytes(-length % UNIT)


def _sum(pieces: Iterable[bytes]) -> int:
    total = 0
    for piece in pieces:
        total = data_sum(np.frombuffer(piece, dtype=">u4"), total)
    return total


def _written(hdu: Any, where: str) -> bytes:
    """Return one extension as it stands in a file."""
    from astropy.io import fits

    readable(hdu.header, where, "other")  # of what is left out, the reader has told
    alone = isinstance(hdu, fits.PrimaryHDU)
    buffer = io.BytesIO()
    summed: bool | str = "CHECKSUM" in hdu.header or ("datasum" if "DATASUM" in hdu.header else False)
    fits.HDUList([hdu] if alone else [fits.PrimaryHDU(), hdu]).writeto(
        buffer, output_verify="silentfix", checksum=summed
    )
    made = buffer.getvalue()
    span = _spans(buffer)[0 if alone else 1]
    return made[span.header : span.end]


class _Span(NamedTuple):
    """Where the header of an extension begins, its data, and what follows; whether all of it is there."""

    header: int
    data: int
    end: int
    complete: bool


def _spans(stream: IO[bytes]) -> list[_Span]:
    """Return where each extension lies in a file."""
    from astropy.io import fits

    stream.seek(0)
    hdus = fits.open(stream, mode="readonly", memmap=False, disable_image_compression=True)
    places = [h.fileinfo() for h in hdus]
    size = stream.seek(0, os.SEEK_END)
    ends = [p["datLoc"] + p["datSpan"] for p in places]
    return [_Span(p["hdrLoc"], p["datLoc"], end, end <= size) for p, end in zip(places, ends, strict=True)]


def _copy(stream: IO[bytes], source: IO[bytes], start: int, end: int | None) -> None:
    """Copy a part of a file, or all from there on."""
    source.seek(start)
    left = sys.maxsize if end is None else end - start
    while left > 0 and (piece := source.read(min(left, PIECE))):
        stream.write(piece)
        left -= len(piece)


def _bytes(source: IO[bytes], start: int, end: int) -> bytes:
    source.seek(start)
    return source.read(end - start)


def _with_old_sums(new: bytes, old: bytes) -> bytes:
    """Return an extension, or its header, with the checksums that it had; blank: with those that it has."""
    for key in _SUMS:
        mark = f"{key:<8}= ".encode("ascii")
        here, there = _card(new, mark), _card(old, mark)
        if here >= 0 and there >= 0:
            new = new[:here] + old[there : there + _CARD] + new[here + _CARD :]
    return new


def _card(raw: bytes, mark: bytes) -> int:
    """Return where the card of a keyword begins in an extension; -1 if it has none."""
    for start in range(0, len(raw), _CARD):
        if raw.startswith(mark, start):
            return start
        if raw.startswith(b"END     ", start):
            break
    return -1
