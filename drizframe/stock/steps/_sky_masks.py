"""The catalogue of user masks for the sky (`skymask_cat`)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import InputError, ShapeError, told
from drizframe.fits.beside import opened_fits
from drizframe.model.sources import stored
from drizframe.stock.steps._sky_files import read_lines

if TYPE_CHECKING:
    from drizframe.model import Chip, Exposure

__all__ = ["Extension", "FileSpec", "MaskLine", "parse_mask_line", "read_mask_catalogue", "user_masks"]

Mask = np.ndarray[Any, np.dtype[np.uint8]]

_CLOSING = {"[": "]", "{": "}", "(": ")"}
_QUOTES = "'\""
_PAIR = re.compile(r"\(?\s*(?P<q>['\"]?)(?P<name>[^'\",()]*?)(?P=q)\s*(?:,\s*(?P<ver>\d+|\*)\s*)?\)?\Z")


class LineError(ValueError):
    """A line of the catalogue is not written as it should be."""


@dataclass(frozen=True, slots=True)
class Extension:
    """One extension of a FITS file, or all of one name.

    Parameters
    ----------
    index : int or None
        Number of the HDU, from 0.
    name : str
        EXTNAME, if there is no number.
    version : int or None
        EXTVER; None: all of that name.
    """

    index: int | None = None
    name: str = ""
    version: int | None = 1


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file and the extensions that were asked for; `name` is blank where a mask is left out."""

    name: str
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True, slots=True)
class MaskLine:
    """An image and its masks, and the number of the line."""

    image: FileSpec
    masks: tuple[FileSpec, ...]
    number: int = 0


def _split(text: str) -> Iterator[str]:
    """Split at commas that stand outside of quotes and brackets."""
    start, quote, closing = 0, "", []
    for k, c in enumerate(text):
        if quote:
            quote = "" if c == quote else quote
        elif c in _QUOTES:
            quote = c
        elif c in _CLOSING:
            closing.append(_CLOSING[c])
        elif closing and c == closing[-1]:
            closing.pop()
        elif c in "])}":
            msg = f"{c!r} closes nothing"
            raise LineError(msg)
        elif c == "," and not closing:
            yield text[start:k]
            start = k + 1
    if quote or closing:
        msg = f"{quote or closing[-1]!r} is missing at the end"
        raise LineError(msg)
    yield text[start:]


def _extension(text: str) -> Extension:
    """Read ``n``, ``name``, ``'name'``, ``'name',ver`` or ``('name',ver)``."""
    body = text.strip()
    if body.isdigit():
        return Extension(index=int(body))
    found = _PAIR.match(body)
    if found is None or not found["name"].strip() or body.startswith("(") != body.endswith(")"):
        msg = f"{text.strip()!r} is no extension; write a number, 'name' or ('name', version)"
        raise LineError(msg)
    version = found["ver"]
    number = 1 if version is None else None if version == "*" else int(version)
    return Extension(name=found["name"].strip().upper(), version=number)


def _extensions(text: str) -> tuple[Extension, ...]:
    """Read what follows a file name: ``[…]`` for one extension, ``{…}`` for several, or nothing."""
    body = text.strip()
    if not body:
        return ()
    if body[0] == "[" and body[-1] == "]":
        return (_extension(body[1:-1]),)
    if body[0] == "{" and body[-1] == "}":
        return tuple(_extension(item) for item in _split(body[1:-1]))
    msg = f"{body!r} after the file name is no extension"
    raise LineError(msg)


def _file(text: str) -> FileSpec:
    """Read one field."""
    body = text.strip()
    if not body or body.lower() == "none":
        return FileSpec("")
    if body[0] in _QUOTES:
        name, _, rest = body[1:].partition(body[0])
        return FileSpec(name, _extensions(rest))
    at = min((body.index(c) for c in "[{" if c in body), default=len(body))
    return FileSpec(body[:at].strip(), _extensions(body[at:]))


def parse_mask_line(text: str, number: int = 0) -> MaskLine:
    """Read one line of the catalogue.

    Parameters
    ----------
    text : str
        ``image[spec], mask1[spec], mask2[spec], …``; names with commas or brackets in quotes; an empty field
        or ``None`` leaves a mask out.
    number : int
        Number of the line.

    Raises
    ------
    LineError
        If it is not written so.
    """
    fields = [_file(field) for field in _split(text)]
    if not fields[0].name:
        msg = "it names no image"
        raise LineError(msg)
    return MaskLine(fields[0], tuple(fields[1:]), number)


def read_mask_catalogue(path: str, warn: Callable[[str], None]) -> list[MaskLine]:
    """Read a catalogue of user masks.

    Parameters
    ----------
    path : str
        The file; blank lines and lines that begin with ``#`` are comments.
    warn : callable
        Told about lines that are not written as they should be; these are left out.

    Raises
    ------
    MissingInputError, UnreadableInputError
        If the file is not there or not text.
    """
    lines = []
    for number, line in enumerate(read_lines(path, "skymask_cat"), start=1):
        if line.strip() and not line.strip().startswith("#"):
            try:
                lines.append(parse_mask_line(line, number))
            except LineError as error:
                warn(f"{path}, line {number}, is left out: {told(error)}.")
    return lines


def _open(name: str) -> AbstractContextManager[Any]:
    """Open a FITS file for reading."""
    return opened_fits(Path(name).expanduser(), f"skymask_cat names {name!r}")


def _resolve(hdus: Any, extensions: Iterable[Extension], name: str) -> list[Any]:
    """Return the HDUs that were asked for."""
    found: list[Any] = []
    for wanted in extensions:
        if wanted.index is not None:
            matching = [hdus[wanted.index]] if wanted.index < len(hdus) else []
        else:
            matching = [h for h in hdus if h.name == wanted.name and wanted.version in (None, h.ver)]
        if not matching:
            what = wanted.index if wanted.index is not None else (wanted.name, wanted.version or "*")
            msg = (
                f"skymask_cat asks for extension {what!r} of {name!r}, which has none. "
                f"It has {len(hdus)} HDUs."
            )
            raise InputError(msg)
        found += matching
    return found


def _load(spec: FileSpec) -> list[Mask | None]:
    """Return the masks of one field; a field that is left out is one None."""
    if not spec.name:
        return [None]
    with _open(spec.name) as hdus:
        images = [h.data for h in _resolve(hdus, spec.extensions or (Extension(index=0),), spec.name)]
    if any(image is None for image in images):
        msg = (
            f"The mask {spec.name!r} holds no image in the extension that skymask_cat names. "
            "Give its number, [1] say."
        )
        raise InputError(msg)
    return [(np.nan_to_num(image, nan=0.0) != 0).astype(np.uint8) for image in images]


def _targets(line: MaskLine, exposure: Exposure) -> list[Chip | None]:
    """Return the chips that the masks of a line belong to; None where a chip is not used in this run."""
    if not line.image.extensions:
        return list(exposure.chips)
    for chip in exposure.chips:
        # a reader's source may know whether its files were changed
        check = getattr(stored(chip.load), "check", None)
        if check is not None:
            check()
    with _open(str(exposure.path)) as hdus:
        named = _resolve(hdus, line.image.extensions, str(exposure.path))
        versions = [(h.name, h.ver) for h in named]
    chips = {("SCI", chip.extver): chip for chip in exposure.chips}
    return [chips.get(version) for version in versions]


def _same_file(name: str, exposure: Exposure) -> bool:
    try:
        return exposure.path is not None and os.path.samefile(Path(name).expanduser(), exposure.path)  # noqa: PTH121
    except OSError:
        return False


def user_masks(lines: Sequence[MaskLine], exposure: Exposure, warn: Callable[[str], None]) -> dict[int, Mask]:
    """Return the user masks of an exposure.

    Parameters
    ----------
    lines : sequence of MaskLine
        The catalogue.  A line belongs to the exposure if it names the same file; other lines are left alone.
    exposure : Exposure
        The exposure.
    warn : callable
        Told about masks that belong to no chip.

    Returns
    -------
    dict of int to ndarray of uint8, shape (ny, nx)
        By index of the chip; 1 = use.  Masks of several lines must all say so.

    Raises
    ------
    MissingInputError, UnreadableInputError, InputError
        If a mask, or an extension, is not there.
    ShapeError
        If a mask does not have the shape of its chip.
    """
    found: dict[int, Mask] = {}
    for line in lines:
        if not _same_file(line.image.name, exposure):
            continue
        targets = _targets(line, exposure)
        masks = [mask for spec in line.masks for mask in _load(spec)]
        if len(masks) > len(targets):
            warn(
                f"skymask_cat, line {line.number}: {len(masks)} masks for {len(targets)} chips; the last "
                "are not used."
            )
        for chip, mask in zip(targets, masks, strict=False):
            if chip is None or mask is None:
                continue
            if mask.shape != chip.shape:
                msg = (
                    f"skymask_cat, line {line.number}: the mask for chip {chip.extver} of {exposure.name} "
                    "has shape "
                    f"{mask.shape}, but the chip has {chip.shape}. Give the mask on the pixels of the chip."
                )
                raise ShapeError(msg)
            index = exposure.chips.index(chip)
            found[index] = mask if index not in found else found[index] & mask
    return found
