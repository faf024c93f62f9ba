"""Sky values that users give: files of values, and header keywords."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from drizframe.config.texts import read_text
from drizframe.errors import InputError

if TYPE_CHECKING:
    from drizframe.model import Chip, Exposure

__all__ = ["SkyFile", "header_sky", "keyword_sky", "read_lines", "read_sky_file"]

#: The keyword that holds the sky of a chip.
SKY_KEYWORD = "MDRIZSKY"

_APPLIED = re.compile(r"#.*applied.*?[=:]\s*(\S*)", re.IGNORECASE)
_YES = frozenset({"yes", "true", "y", "t"})


@dataclass(frozen=True, slots=True)
class SkyFile:
    """The contents of a file of sky values.

    Parameters
    ----------
    path : str
        Its name, for messages.
    entries : tuple of (str, tuple of float)
        Image name and values, in the unit of the image, in order of the lines.
    applied : bool
        Whether a comment says that the values were subtracted from the images already.
    """

    path: str
    entries: tuple[tuple[str, tuple[float, ...]], ...]
    applied: bool = False

    def values_of(self, exposure: Exposure) -> tuple[float, ...] | None:
        """Return the values of an exposure, None if it is not listed.

        A line names the file as it was given, by its base name, or by the root before the last underscore;
        the closest of these counts, and the last line of several equal ones.
        """
        best: tuple[int, tuple[float, ...]] | None = None
        for name, values in self.entries:
            rank = _closeness(name, exposure)
            if rank and (best is None or rank >= best[0]):
                best = (rank, values)
        return None if best is None else best[1]

    def value_of(self, exposure: Exposure, chip: Chip) -> float | None:
        """Return the value of one chip: the only one of the line, or that of its EXTVER; None if not listed.

        Raises
        ------
        InputError
            If there are several values but none for this chip.
        """
        values = self.values_of(exposure)
        if values is None:
            return None
        if len(values) == 1:
            return values[0]
        if not 1 <= chip.extver <= len(values):
            msg = (
                f"{self.path} gives {len(values)} sky values for {exposure.name}, but none for its chip "
                f"{chip.extver}. "
                f"Give one value for all chips, or one for each."
            )
            raise InputError(msg)
        return values[chip.extver - 1]


def _closeness(name: str, exposure: Exposure) -> int:
    """How well a name fits an exposure: 3 the same path, 2 the same base name, 1 the same root, 0 not."""
    if exposure.path is not None:
        if PurePath(name) == PurePath(exposure.path):
            return 3
        if PurePath(name).name == PurePath(exposure.path).name:
            return 2
    stem = PurePath(name).name.split(".")[0]
    if name == exposure.name:
        return 2
    return int(exposure.name in (stem, stem.rpartition("_")[0]))


def read_lines(path: str, what: str) -> list[str]:
    """Return the lines of a text file that the user named.

    Parameters
    ----------
    path : str
        The file.
    what : str
        Name of the parameter, for messages.

    Raises
    ------
    MissingInputError
        If it does not exist.
    UnreadableInputError
        If it is not text.
    """
    return read_text(path, f"{what}: the file").splitlines()


def _numbers(fields: Sequence[str], where: str) -> tuple[float, ...]:
    """Return the values of a line."""
    values = []
    for field in fields:
        try:
            value = float(field)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            msg = (
                f"{where}: {field!r} is not a sky value. "
                "A line is: file name, then one number, or one for each chip."
            )
            raise InputError(msg)
        values.append(value)
    if not values:
        msg = (
            f"{where} names a file but gives no sky value. "
            "A line is: file name, then one number, or one for each chip."
        )
        raise InputError(msg)
    return tuple(values)


def read_sky_file(path: str, what: str) -> SkyFile:
    """Read a file of sky values.

    Parameters
    ----------
    path : str
        The file: ``image value [value …]`` a line; blank lines and lines that begin with ``#`` are comments,
        but ``# applied = yes`` says that the images are sky-subtracted.
    what : str
        Name of the parameter, for messages.

    Returns
    -------
    SkyFile

    Raises
    ------
    MissingInputError, UnreadableInputError
        If the file is not there or not text.
    InputError
        If a line has no number, or something else than numbers.
    """
    entries, applied = [], False
    for number, line in enumerate(read_lines(path, what), start=1):
        text = line.strip()
        if text.startswith("#"):
            found = _APPLIED.match(text)
            applied = applied if found is None else found[1].lower() in _YES
        elif text:
            name, *fields = text.split()
            entries.append((name, _numbers(fields, f"{path}, line {number}")))
    return SkyFile(path, tuple(entries), applied)


def _number(value: object, key: str, exposure: Exposure, chip: Chip) -> float:
    """Return a header value as a number."""
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        where = f"{exposure.path or exposure.name}[SCI,{chip.extver}]"
        msg = (
            f"{where}: {key} is {value!r}; a sky value is a finite number. Correct the keyword, or remove it."
        )
        raise InputError(msg)
    return number


def header_sky(exposure: Exposure, chip: Chip) -> float:
    """Return the sky that an earlier run left in the science header; 0 if there is none."""
    value = chip.header.get(SKY_KEYWORD)
    return 0.0 if value is None else _number(value, SKY_KEYWORD, exposure, chip)


def keyword_sky(exposure: Exposure, chip: Chip, key: str) -> float:
    """Return the sky that the user recorded in the science header.

    Raises
    ------
    InputError
        If the keyword is missing or no number.
    """
    value = chip.header.get(key)
    if value is None:
        msg = (
            f"skyuser names the keyword {key!r}, which the science header of {exposure.name}, chip "
            f"{chip.extver}, lacks. "
            f"Add it, or give a file as '@name'."
        )
        raise InputError(msg)
    return _number(value, key, exposure, chip)
