"""Header blending: rules that say how keywords of many headers become one header and a table.

The grammar of a rules file, one rule a line::

    !VERSION = 1.1            !INSTRUMENT = ACS          # comment
    KEY                       column KEY of the table
    KEY COLUMN                column COLUMN with the values of KEY
    KEY OUTKEY FUNCTION       keyword OUTKEY of the product = FUNCTION(values of KEY)
    / SECTION TITLE           a column for every keyword of that section of the header
    <delete> KEY              (or a section) left out of the product

A ``*`` in KEY stands for any text.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.names import is_base_name
from drizframe.config.texts import read_text
from drizframe.errors import InputError, told

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["FUNCTIONS", "Rules", "blend", "choose_rules", "keyword_table", "packaged_rules", "parse_rules"]

NEWEST = 1.1  # version of the grammar
_COMMENTARY = frozenset({"", "COMMENT", "HISTORY"})


def _numbers(values: Sequence[Any]) -> list[Any]:
    """Return the values that are numbers."""
    return [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]


def _numeric(function: Callable[[list[Any]], Any]) -> Callable[[Sequence[Any]], Any]:
    """Return a function of all numbers; of other values the common one counts."""

    def apply(values: Sequence[Any]) -> Any:
        numbers = _numbers(values)
        return function(numbers) if numbers else _common(values)

    return apply


def _common(values: Sequence[Any], other: str = "MULTIPLE") -> Any:
    """Return the value that all share, else `other`."""
    return values[0] if all(v == values[0] for v in values[1:]) else other


#: Functions of the values of a keyword, in input order.
FUNCTIONS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "first": lambda v: v[0],
    "last": lambda v: v[-1],
    "min": _numeric(min),
    "max": _numeric(max),
    "mean": _numeric(lambda v: math.fsum(v) / len(v)),
    "sum": _numeric(lambda v: sum(v) if all(isinstance(x, int) for x in v) else math.fsum(v)),
    "stddev": _numeric(lambda v: float(np.std(v))),
    "multi": _common,
    "multi?": lambda v: _common(v, "?"),
    "float_one": lambda v: 1.0,  # noqa: ARG005
    "int_one": lambda v: 1,  # noqa: ARG005
    "zero": lambda v: 0,  # noqa: ARG005
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Blending rules, wildcards and sections not yet expanded.

    Parameters
    ----------
    name : str
        File name without folder; goes into ``RULEFILE``.
    version : float
        ``!VERSION``.
    instrument : str
        ``!INSTRUMENT``, upper case; may be empty.
    columns : tuple of (str, str)
        Keyword (or ``/section``) and column of the table.
    functions : tuple of (str, str, str)
        Keyword, keyword of the product, function.
    deleted : tuple of str
        Keywords (or ``/sections``) to leave out.
    """

    name: str
    version: float = 0.0
    instrument: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    functions: tuple[tuple[str, str, str], ...] = ()
    deleted: tuple[str, ...] = ()

    def merged(self, other: Rules) -> Rules:
        """Return these rules and those of `other` that are not here yet."""
        return dataclasses.replace(
            self,
            columns=tuple(dict.fromkeys(self.columns + other.columns)),
            functions=tuple(dict.fromkeys(self.functions + other.functions)),
            deleted=tuple(dict.fromkeys(self.deleted + other.deleted)),
        )


def parse_rules(text: str, name: str) -> Rules:
    """Return the rules in a text.

    Parameters
    ----------
    text : str
        Contents of a rules file.
    name : str
        Its name, for messages.

    Raises
    ------
    InputError
        If a line follows no form of the grammar.
    """
    version, instrument = 0.0, ""
    columns: dict[tuple[str, str], None] = {}
    functions: dict[tuple[str, str, str], None] = {}
    deleted: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line[0] in "# \t":
            continue
        header = re.fullmatch(r"!(VERSION|INSTRUMENT)\s*=\s*(\S+)\s*", line, re.IGNORECASE)
        try:
            if header and header[1].upper() == "VERSION":
                version = float(header[2])
            elif header:
                instrument = header[2].upper()
            else:
                _add_rule(line.rsplit("#", 1)[0].strip(), columns, functions, deleted)
        except ValueError as error:
            msg = (
                f"Line {number} of the rules {name!r} is wrong: {line!r} ({told(error)}). See the documentation "
                "of rules_file."
            )
            raise InputError(msg) from error
    return Rules(
        name=name,
        version=version,
        instrument=instrument,
        columns=tuple(columns),
        functions=tuple(functions),
        deleted=tuple(deleted),
    )


def _add_rule(
    line: str, columns: dict[Any, None], functions: dict[Any, None], deleted: dict[str, None]
) -> None:
    """Sort one rule into its kind."""
    if line.startswith("/"):
        title = "/" + line[1:].strip()
        columns[title, title] = None
        return
    words = line.split()
    if words[0].lower() == "<delete>":
        rest = line[len(words[0]) :].strip()
        if not rest:
            msg = "<delete> names no keyword"
            raise ValueError(msg)
        deleted["/" + rest[1:].strip() if rest.startswith("/") else rest.upper()] = None
        return
    if len(words) > 3:
        msg = f"{len(words)} words; at most keyword, new keyword and function"
        raise ValueError(msg)
    key = words[0].upper()
    target = words[1].upper() if len(words) > 1 and "*" not in key else key
    if len(words) == 3 and words[2].lower() in FUNCTIONS:
        functions[key, target, words[2].lower()] = None
    else:
        columns[key, target] = None


@cache
def packaged_rules(name: str) -> Rules | None:
    """Return the rules that come with drizframe for an instrument (``"acs"``), or None."""
    if not is_base_name(name):  # of a header
        return None
    place = resources.files("drizframe.stock.io") / "rules" / f"{name}.rules"
    return parse_rules(place.read_text(encoding="utf-8"), place.name) if place.is_file() else None


def _in_folder(folder: Path, instrument: str) -> Rules | None:
    """Return the first rules in a folder that are for an instrument."""
    for path in sorted(p for p in folder.glob("*.rules") if p.is_file()):
        rules = parse_rules(read_text(path, "The rules file"), path.name)
        own = rules.instrument or path.name.split("_", maxsplit=1)[0].removesuffix(".rules").upper()
        if rules.version <= NEWEST and own == instrument.upper():
            return rules
    return None


def choose_rules(
    rules_file: str | Path | None, instruments: Sequence[str], telescope: str = "", folder: Path | None = None
) -> Rules | None:
    """Return the rules for some instruments.

    Parameters
    ----------
    rules_file : str, pathlib.Path or None
        The user's file; blank: search.
    instruments : sequence of str
        Instruments of the inputs in order; rules of further ones are appended.
    telescope : str
        ``TELESCOP``: its rules are used for an unknown instrument.
    folder : pathlib.Path, optional
        Where the user may have put ``*.rules`` files.

    Returns
    -------
    Rules or None
        None: no rules for any of them; then keywords that all inputs share are kept.

    Raises
    ------
    MissingInputError
        If `rules_file` does not exist.
    """
    if rules_file is not None and str(rules_file).strip():
        return parse_rules(read_text(rules_file, "rules_file"), Path(rules_file).name)
    found: Rules | None = None
    for name in dict.fromkeys(i.lower() for i in instruments):
        own = (_in_folder(folder, name) if folder is not None else None) or packaged_rules(name)
        if own is not None:
            found = own if found is None else found.merged(own)
    return found or (packaged_rules(telescope.strip().lower()) if telescope.strip() else None)


def _section(header: Header, title: str) -> list[str]:
    """Return the keywords of a section: from the card after the title up to the next title."""
    cards = list(header.cards)
    start = next((i for i, c in enumerate(cards) if c.keyword in _COMMENTARY and title in str(c.value)), None)
    if start is None:
        return []
    keys = []
    for card in cards[start + 1 :]:
        if card.keyword in _COMMENTARY and "/" in str(card.value):
            break
        if card.keyword not in _COMMENTARY:
            keys.append(card.keyword)
    return keys


def _keys(pattern: str, headers: Iterable[Header]) -> list[str]:
    """Return the keywords that a wildcard or a section means in the first header that has any."""
    if not pattern.startswith("/") and "*" not in pattern:
        return [pattern]
    for header in headers:
        if pattern.startswith("/"):
            keys = _section(header, pattern[1:])
        else:
            keys = [
                k for k in dict.fromkeys(header) if k not in _COMMENTARY and fnmatch.fnmatchcase(k, pattern)
            ]
        if keys:
            return keys
    return []


def _expanded(rules: Rules, headers: Sequence[Header]) -> Rules:
    """Return rules without wildcards and sections."""

    def special(key: str) -> bool:
        return key.startswith("/") or "*" in key

    columns = [(k, k if special(key) else t) for key, t in rules.columns for k in _keys(key, headers)]
    functions = [
        (k, k if special(key) else t, f) for key, t, f in rules.functions for k in _keys(key, headers)
    ]
    deleted = [k for key in rules.deleted for k in _keys(key, headers)]
    return dataclasses.replace(
        rules,
        columns=tuple(dict.fromkeys(columns)),
        functions=tuple(dict.fromkeys(functions)),
        deleted=tuple(deleted),
    )


def _values(headers: Sequence[Header], key: str) -> list[Any]:
    from astropy.io.fits.card import Undefined

    return [h[key] for h in headers if key in h and not isinstance(h[key], Undefined)]


def blend(rules: Rules | None, headers: Sequence[Header], context: Sequence[Header] = ()) -> Header:
    """Return one header for many.

    Parameters
    ----------
    rules : Rules or None
        None: keywords that all headers share with one value are kept, the others are left out.
    headers : sequence of Header
        Headers of one kind in input order; not changed.
    context : sequence of Header
        Headers in which wildcards and sections are looked for; default: the first of `headers`.

    Returns
    -------
    Header
        A copy of the first header with the rules applied.
    """
    result = headers[0].copy()
    if rules is None:
        for key in [k for k in dict.fromkeys(result) if k not in _COMMENTARY]:
            if any(key not in h or h[key] != result[key] for h in headers[1:]):
                result.remove(key, ignore_missing=True, remove_all=True)
        return result
    own = _expanded(rules, context or headers[:1])
    products = {out for _, out, _ in own.functions}
    for key in [k for k, _ in own.columns if k not in products] + list(own.deleted):
        result.remove(key, ignore_missing=True, remove_all=True)
    for title in (t[1:] for t in rules.deleted if t.startswith("/")):
        for i in reversed(
            [i for i, c in enumerate(result.cards) if c.keyword in _COMMENTARY and title in str(c.value)]
        ):
            del result[i]
    for key, out, function in own.functions:
        values = _values(headers, key)
        if values:
            comment = headers[0].comments[key] if key == out and key in headers[0] else ""
            result[out] = (FUNCTIONS[function](values), result.comments[out] if out in result else comment)
    return result


def keyword_table(
    rules: Rules | None, rows: Sequence[Mapping[str, Any]], context: Sequence[Header] = ()
) -> dict[str, list[Any]]:
    """Return the columns of the table of input keywords.

    Parameters
    ----------
    rules : Rules or None
        None: keywords whose values differ between rows.
    rows : sequence of mapping
        Keywords of each chip: those of its primary header win over those of its science header.
    context : sequence of Header
        Headers in which wildcards and sections are looked for.

    Returns
    -------
    dict of str to list
        A value, or None where a chip lacks the keyword, for each row.
    """
    if rules is not None:
        return {out: [row.get(key) for row in rows] for key, out in _expanded(rules, context).columns}
    keys = [k for k in dict.fromkeys(k for row in rows for k in row) if k not in _COMMENTARY]
    first = ("ROOTNAME", "EXTNAME", "EXTVER")
    chosen = [k for k in first if k in keys]
    chosen += [k for k in keys if k not in first and any(row.get(k) != rows[0].get(k) for row in rows[1:])]
    return {k: [row.get(k) for row in rows] for k in chosen}
