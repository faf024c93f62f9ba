"""The new contents of an input that is edited: what changes, and nothing else, not a byte."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import UnreadableInputError, told
from drizframe.fits.opening import open_fits, open_stream, sound
from drizframe.stock.io.cards import readable
from drizframe.stock.io.checksums import wrong_sums
from drizframe.stock.io.single_exposure import single_exposure
from drizframe.stock.io.source import constant_shape
from drizframe.stock.io.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable
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


def _new_flags(flags: np.ndarray[Any, Any], resetbits: int | None) -> np.ndarray[Any, Any]:
    """Return flags with bits cleared, in the type they have."""
    if not resetbits:
        return flags
    return (flags.astype(np.int64) & ~np.int64(resetbits)).astype(flags.dtype)


def _flag(flags: np.ndarray[Any, Any], mask: np.ndarray[Any, Any], crbit: int | None) -> np.ndarray[Any, Any]:
    """Return flags with `crbit` set where a mask is 0."""
    if not crbit:
        return flags
    return np.where(np.asarray(mask) == 0, flags.astype(np.int64) | crbit, flags).astype(flags.dtype)


def _apply(hdus: HDUList, edit: FileEdit, resetbits: int | None, crbit: int | None) -> set[int]:
    """Change the open copy of a file; return the numbers of the extensions that changed."""
    changed = set(edit.sky)
    if "MDRIZSKY" in hdus[0].header:
        hdus[0].header.remove("MDRIZSKY", remove_all=True)
        changed.add(0)
    for index, level in edit.sky.items():
        hdus[index].header["MDRIZSKY"] = (plain(level), "Sky value computed by AstroDrizzle")
    flagged = {i for i, h in enumerate(hdus) if h.name in {"DQ", "SDQ"}} | set(edit.masks)
    for index in flagged:
        hdu = hdus[index]
        shape = constant_shape(hdu.header)
        if hdu.data is None and shape is None:
            continue
        old = (
            np.full(shape, hdu.header["PIXVALUE"], dtype=np.int16)
            if shape is not None
            else np.asarray(hdu.data)
        )
        new = _new_flags(old, resetbits)
        if index in edit.masks:
            new = _flag(new, edit.masks[index], crbit)
        if not np.array_equal(new, old):
            changed.add(index)
            hdu.data = new
            for key in ("PIXVALUE", "NPIX1", "NPIX2") if shape is not None else ():
                hdu.header.remove(key, ignore_missing=True)
    return changed


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
        raw = source.read()
    try:
        new = edited(raw, edit, resetbits, crbit)
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, fits.VerifyError) as error:
        msg = f"{edit.source} cannot be edited ({told(error)}). No file was changed; use drizframe.run."
        raise UnreadableInputError(msg) from error
    stream.write(new)


def _one_exposure(edit: FileEdit, exposure: Exposure, resetbits: int | None, crbit: int | None) -> bytes:
    """Return the file of one exposure of several."""
    buffer = io.BytesIO()
    with open_fits(edit.source, edit.stamp) as hdus, sound(edit.source):
        copy = single_exposure(hdus, exposure)
        _apply(copy, edit, resetbits, crbit)
        summed = any(k in h.header for h in copy for k in _SUMS)
        for hdu in copy:
            for key in _SUMS:
                hdu.header.remove(key, ignore_missing=True, remove_all=True)
        copy.writeto(buffer, output_verify="silentfix", checksum=summed)
    return buffer.getvalue()


def edited(raw: bytes, edit: FileEdit, resetbits: int | None, crbit: int | None) -> bytes:
    """Return a file with changes; extensions that do not change keep their bytes.

    Parameters
    ----------
    raw : bytes
        The file.
    edit, resetbits, crbit
        See `write_edit`.

    Notes
    -----
    Only extensions that change are written by the FITS library, each by itself: it repairs whatever it writes, and it
    renews checksums.  Those of a damaged extension would hold afterwards, and the damage could not be told any more;
    here they fail as they did.
    """
    from astropy.io import fits

    hdus = fits.open(io.BytesIO(raw), mode="readonly", memmap=False, uint=True)
    changed = _apply(hdus, edit, resetbits, crbit)
    failing = {index for index, _, _ in wrong_sums(io.BytesIO(raw))}
    spans = _spans(raw)
    pieces = []
    for index, (start, end) in enumerate(spans):
        old = raw[start:end]
        new = _written(hdus[index], f"{edit.target}[{index}]") if index in changed else old
        pieces.append(_with_old_sums(new, old) if index in changed & failing else new)
    return b"".join(pieces) + raw[spans[-1][1] :]


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
    start, end = _spans(made)[0 if alone else 1]
    return made[start:end]


def _spans(raw: bytes) -> list[tuple[int, int]]:
    """Return where each extension begins and ends."""
    from astropy.io import fits

    hdus = fits.open(io.BytesIO(raw), mode="readonly", memmap=False, disable_image_compression=True)
    places = [h.fileinfo() for h in hdus]
    return [(p["hdrLoc"], p["datLoc"] + p["datSpan"]) for p in places]


def _with_old_sums(new: bytes, old: bytes) -> bytes:
    """Return an extension with the checksums that it had."""
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
