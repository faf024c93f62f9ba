"""From what a user types as `input` to files."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from drizframe.config.names import base_name
from drizframe.config.texts import read_text
from drizframe.config.wildcards import IsSplit, exposures_among, nobody_splits
from drizframe.errors import InputError, MissingInputError, ParameterError, UnreadableInputError, told

__all__ = ["SUFFIXES", "ExpandedInputs", "expand_inputs", "root_name"]

#: Ends of names of exposures, in the order in which they are looked for.
SUFFIXES = (
    "_crj.fits",
    "_flt.fits",
    "_flc.fits",
    "_sfl.fits",
    "_cal.fits",
    "_raw.fits",
    ".c0h",
    ".hhh",
    "_c0h.fits",
    "_c0f.fits",
    "_c1f.fits",
    ".fits",
)

_TABLE = re.compile(r"_(asn|asc)(\.fits?(\.gz)?)?$", re.IGNORECASE)
#: What damaged bytes lead to within a library that looks at them.
_DAMAGE = (
    OSError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    EOFError,
)
_URL = re.compile(r"(https?|ftps?|s3|gs|file|data|mast|ssh)://?", re.IGNORECASE)
#: Most lines of all lists of an input together.
_MAX_LINES = 100_000
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpandedInputs:
    """The files that an `input` stands for.

    Parameters
    ----------
    paths : tuple of pathlib.Path
        Exposures in processing order.
    ivm : tuple of pathlib.Path or None
        Inverse-variance file of each exposure.
    output_root : str or None
        Name of the product in an association table.
    notes : tuple of str
        Warnings: names that match nothing, duplicates, files that a wildcard leaves out.
    """

    paths: tuple[Path, ...]
    ivm: tuple[Path | None, ...]
    output_root: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Trail:
    """The lists that are being read, and how many lines all lists of an input have had."""

    names: tuple[str, ...] = ()
    lines: list[int] = field(default_factory=lambda: [0])
    split: IsSplit = nobody_splits

    def within(self, name: str) -> _Trail:
        """Return the trail within a further list; refuse one that names itself, directly or by others."""
        if name in self.names:
            way = ", which names ".join(repr(n) for n in (*self.names[self.names.index(name) :], name))
            msg = f"The list {name!r} names itself ({way}). Take that line out."
            raise InputError(msg)
        return _Trail((*self.names, name), self.lines, self.split)

    def count(self, name: str) -> None:
        """Count a line."""
        self.lines[0] += 1
        if self.lines[0] > _MAX_LINES:
            msg = f"The list {name!r}, with the lists that it names, has more than {_MAX_LINES} lines. Give fewer exposures."
            raise InputError(msg)


def root_name(name: str | PurePath) -> str:
    """Return a name cut at the first of the known suffixes that it contains; the folder, if any, is kept.

    Parameters
    ----------
    name : str or PurePath
        File name.
    """
    text = str(name)
    for suffix in SUFFIXES:
        found = text.find(suffix)
        if found > 0:
            return text[:found]
    return text


def _expand_name(text: str) -> str:
    """Resolve ``variable$rest``, ``~`` and environment variables in a name."""
    if "$" in text:
        variable, rest = text.split("$", 1)
        if variable and variable in os.environ and not variable.startswith(("/", ".")):
            text = os.path.join(os.environ[variable], rest)  # noqa: PTH118  (text may be empty or end in a slash)
    return os.path.expandvars(os.path.expanduser(text))  # noqa: PTH111  (kept as text for glob)


def _exists(name: str) -> bool:
    """Whether there is something of that name; a name that no system takes (too long, with NUL) is none."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def _matching(name: str) -> list[Path]:
    """Return the files that a name or a wildcard stands for."""
    text = _expand_name(name.strip())
    exact = Path(text)
    if _exists(text):
        return [exact]
    if not _WILD.search(text):
        return []
    return [Path(p) for p in sorted(glob.glob(text))]  # noqa: PTH207  (the pattern may be absolute)


def _lines(name: str) -> list[tuple[int, list[str]]]:
    """Return the lines of a list file as (number, words) without comments (``#``) and blank lines."""
    lines = read_text(_expand_name(name), "The list").splitlines()
    words = [(n, line.split("#", 1)[0].split()) for n, line in enumerate(lines, start=1)]
    return [(n, w) for n, w in words if w]


def _from_list(name: str, notes: list[str], trail: _Trail) -> list[tuple[Path, Path | None]]:
    """Return exposures and inverse-variance files of an ``@file``."""
    trail = trail.within(name)
    pairs: list[tuple[Path, Path | None]] = []
    for number, words in _lines(name):
        trail.count(name)
        if len(words) > 2:
            msg = (
                f"Line {number} of {name!r} has {len(words)} words; it may have an exposure and an "
                "inverse-variance file. "
                f"Quote nothing, and use names without blanks."
            )
            raise InputError(msg)
        exposures = _one(words[0], notes, trail)
        if len(words) == 1:
            pairs += exposures
            continue
        maps = _matching(words[1])
        if not maps:
            msg = (
                f"Line {number} of {name!r}: the inverse-variance file {words[1]!r} does not exist. Correct "
                "the name."
            )
            raise MissingInputError(msg)
        if len(maps) != len(exposures):
            msg = (
                f"Line {number} of {name!r}: {len(exposures)} exposures but {len(maps)} inverse-variance "
                "files. Give one for each."
            )
            raise InputError(msg)
        pairs += [(p, m) for (p, _), m in zip(exposures, maps, strict=True)]
    return pairs


def _refuse_url(text: str) -> None:
    """Raise `InputError` for an address in the network: files are not fetched."""
    found = _URL.match(text.strip())
    if found:
        msg = (
            f"input {text!r} is an address ({found[1]}) and no file name; files are not fetched. Download it, for instance by "
            "astropy.utils.data.download_file, and give the name of what you have then."
        )
        raise InputError(msg)


def _one(item: Any, notes: list[str], trail: _Trail) -> list[tuple[Path, Path | None]]:
    """Return the exposures of one name, wildcard, comma list or ``@file``."""
    if isinstance(item, os.PathLike):
        item = os.fspath(item)
    if not isinstance(item, str):
        msg = (
            f"input holds {item!r}; give file names (text or pathlib.Path), a wildcard, '@list', or a list "
            "of these."
        )
        raise ParameterError(msg)
    if not item.strip():
        notes.append("a blank name is left out")
        return []
    if _exists(item) and not item.startswith("@"):
        return [(Path(item), None)]
    _refuse_url(item)
    if "," in item:
        return [pair for part in item.split(",") if part.strip() for pair in _one(part.strip(), notes, trail)]
    if item.strip().startswith("@"):
        return _from_list(item.strip()[1:], notes, trail)
    found = _matching(item)
    if not found:
        notes.append(f"input {item!r} matches no file; it is left out")
    return [(p, None) for p in _exposures(item, found, notes, trail.split)]


def _exposures(item: str, found: list[Path], notes: list[str], split: IsSplit) -> list[Path]:
    """Return what a name means: itself, or of a wildcard the exposures."""
    if len(found) == 1 and found[0] == Path(_expand_name(item.strip())):
        return found
    taken, left = exposures_among(found, _members, split)
    if left:
        notes.append(
            f"input {item!r} leaves out {len(found) - len(taken)} files, {left}. Name them to take them"
        )
    return taken


def _members(table: Path) -> list[Path]:
    """Return the members of an association; none of a table that cannot be used, of which an error will tell."""
    try:
        return _association(table)[0]
    except InputError:
        return []


def _member_path(folder: Path, root: str) -> Path | None:
    """Return the file of an association's member, in the order in which suffixes are tried."""
    names = [root, f"{root}.fits"]
    for suffix in SUFFIXES:
        names += [root + suffix, (root + suffix).lower()]
    return next((folder / n for n in names if _exists(str(folder / n)) and (folder / n).is_file()), None)


def _check_link(member: Path, table: Path) -> None:
    """Refuse a member that is a link out of the folder: who wrote the table may have made it.

    Links of a whole set, the table among them, to where the files are do not lead out of their folder.
    """
    folders = {table.parent.resolve(), table.resolve().parent}
    if member.is_symlink() and member.resolve().parent not in folders:
        msg = (
            f"{table}: its member {member.name} is a link to {str(member.resolve())!r}, out of the folder of the table. "
            "Link the table from there too, or name the files themselves."
        )
        raise InputError(msg)


def _association(path: Path) -> tuple[list[Path], str]:
    """Return the members and the product name of an association table."""
    from astropy.io import fits
    from astropy.io.fits import VerifyError

    if not path.is_file():
        msg = f"{path} is not a file. Give the name of an association table."
        raise UnreadableInputError(msg)
    try:
        with fits.open(path, memmap=False) as hdus:
            if (
                hdus[1].fileinfo()["datLoc"] + hdus[1].size > path.stat().st_size
                and path.suffix.lower() == ".fits"
            ):
                msg = "it claims more rows than it has"
                raise ValueError(msg)
            table = hdus[1].data
            rows = [
                (str(r["MEMNAME"]).strip(), str(r["MEMTYPE"]).strip().upper(), bool(r["MEMPRSNT"]))
                for r in table
            ]
            check = str(hdus[0].header.get("DUPCHECK", "PERFORM")).strip().upper() == "PERFORM"
    except (*_DAMAGE, VerifyError) as error:
        text = told(error)
        msg = f"{path} is not an association table with columns MEMNAME, MEMTYPE and MEMPRSNT ({text})."
        raise UnreadableInputError(msg) from error
    members, missing, both = [], [], []
    for name, kind, present in rows:
        if not (present and kind.startswith("EXP")):
            continue
        root = base_name(name, f"{path}: MEMNAME of a member").lower()
        found = _member_path(path.parent, root)
        if found is None:
            missing.append(root)
            continue
        _check_link(found, path)
        corrected = path.parent / f"{root}_flc.fits"
        if check and corrected.is_file() and corrected != found:
            both.append(f"{found.name} and {corrected.name}")
        members.append(found)
    if missing:
        msg = (
            f"{path}: no file for {', '.join(missing)} in {path.parent.resolve()}. Add the files, or set "
            "MEMPRSNT to false."
        )
        raise MissingInputError(msg)
    if both:
        msg = (
            f"{path}: both uncorrected and corrected files exist ({'; '.join(both)}). "
            f"Name the files that you want in a list, or move the others away."
        )
        raise InputError(msg)
    return members, _product(path, rows)


def _product(path: Path, rows: Iterable[tuple[str, str, bool]]) -> str:
    """Return the name of an association's product."""
    for wanted in ("PROD-DTH", "PROD-RPT", "PROD-CRJ"):
        for name, kind, _ in rows:
            if kind.startswith(wanted):
                return base_name(name, f"{path}: MEMNAME of the product").lower()
    return path.name.split("_", 1)[0].lower()


def expand_inputs(given: Any, split: IsSplit = nobody_splits) -> ExpandedInputs:
    """Return the files that an `input` stands for.

    Parameters
    ----------
    given : str, pathlib.Path, or sequence of these
        One file; names separated by commas; wildcards; ``@list`` (second column: inverse-variance files);
        association tables (``*_asn.fits``).  Files of a text are sorted by name, a sequence keeps its order,
        as do lines of a list.  A wildcard stands for the exposures that it matches: products, files of single
        steps, masks, weights, and second versions of an exposure are left out with a note.
    split : callable
        ``split(cards) -> bool``: whether files of the instrument with these keywords may hold several exposures, which may
        stand beside them as files of their own.

    Returns
    -------
    ExpandedInputs

    Raises
    ------
    MissingInputError
        If no file is left, or a member of an association is missing.
    InputError
        If a list file is wrong.
    ParameterError
        If `given` is no name or list of names.
    """
    is_text = isinstance(given, str | os.PathLike)
    if not is_text and not isinstance(given, Sequence):
        msg = (
            f"input is {given!r}; give file names (text or pathlib.Path), a wildcard, '@list', or a list of "
            "these."
        )
        raise ParameterError(msg)
    notes: list[str] = []
    trail = _Trail(split=split)
    pairs = (
        _one(given, notes, trail)
        if is_text
        else [pair for item in given for pair in _one(item, notes, trail)]
    )
    root = None
    plain: list[tuple[Path, Path | None]] = []
    from_tables: list[tuple[Path, Path | None]] = []
    for path, ivm in pairs:
        if _TABLE.search(path.name):
            members, product = _association(path)
            root = root or product
            from_tables += [(m, None) for m in members]
        else:
            plain.append((path, ivm))
    if is_text and not str(given).strip().startswith("@"):
        plain.sort(key=lambda pair: str(pair[0]))
    found = plain + from_tables
    if not found:
        left = "".join(f" {n}." for n in notes if "leaves out" in n)
        msg = f"input {given!r} matches no {'exposure' if left else 'file'} in {Path.cwd()}. Check names and folder.{left}"
        raise MissingInputError(msg)
    paths = [p for p, _ in found]
    notes += [
        f"{p} is given {paths.count(p)} times; it counts each time"
        for p in dict.fromkeys(paths)
        if paths.count(p) > 1
    ]
    return ExpandedInputs(
        paths=tuple(paths), ivm=tuple(m for _, m in found), output_root=root, notes=tuple(notes)
    )
