"""What a run reads and writes, compared before the work: no input is written over, and no product of another run."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drizframe.config import Parameters
from drizframe.config.peek import RUN_KEYWORD, first_cards, is_product
from drizframe.config.texts import read_text
from drizframe.engine.identity import of_same_inputs
from drizframe.errors import OutputError, told
from drizframe.hooks import FAULTS, Writer, ask
from drizframe.model import Exposure
from drizframe.model.sources import stored

__all__ = ["ReadFiles", "check_existing", "check_targets", "stale_products"]

#: Parameters that name a file that is written.
_WRITTEN = frozenset({"runfile", "workdir"})


@dataclass(slots=True)
class ReadFiles:
    """The files that a run reads, by what the file system knows them by, so that links count as what they lead to."""

    known: dict[tuple[int, int], str] = field(default_factory=dict)
    paths: dict[tuple[int, int], Path] = field(default_factory=dict)

    def add(self, path: str | Path, what: str) -> None:
        """Remember a file, if it exists."""
        try:
            found = Path(path).expanduser().stat()
        except (OSError, ValueError):
            return
        if stat.S_ISREG(found.st_mode):
            self.known.setdefault((found.st_dev, found.st_ino), what)
            self.paths.setdefault((found.st_dev, found.st_ino), Path(path).expanduser())

    def what(self, path: Path) -> str | None:
        """Return what a path is read as; None if it is not read."""
        try:
            found = path.stat()
        except OSError:
            return None
        return self.known.get((found.st_dev, found.st_ino))

    @classmethod
    def of_run(cls, inputs: Any, exposures: Sequence[Exposure], parameters: Parameters) -> ReadFiles:
        """Return the files of a run.

        Parameters
        ----------
        inputs : Any
            As the user gave them: lists and association tables are read too.
        exposures : sequence of Exposure
            What they stand for.
        parameters : Parameters
            Texts that are names of files count: reference images, masks, sky files, rules.
        """
        files = cls()
        for exposure in exposures:
            if exposure.path is not None:
                files.add(exposure.path, f"the input {str(exposure.path)!r}")
            for path in _sources(exposure):
                files.add(path, f"{str(path)!r}, which is read with exposure {exposure.name}")
        for name in type(parameters).model_fields:
            value = getattr(parameters, name)
            if name not in _WRITTEN:
                for text in _texts(value):
                    files.add_named(text, f"parameter {name} = {text!r}")
                    for path in _among(text):
                        files.add(path, f"{str(path)!r}, which parameter {name} = {text!r} names")
        for text in _texts(inputs):
            files.add_named(text, f"the input {text!r}")
        return files

    def add_named(self, text: str, what: str) -> None:
        """Remember a file that a text names, with or without an extension or an ``@``, and the files that it lists."""
        for name in {text, text.strip().removeprefix("@"), re.sub(r"\[[^\]]*\]\s*$", "", text).strip()}:
            if not name:
                continue
            self.add(name, what)
            for listed in _listed(Path(name)):
                self.add(listed, f"{listed!r}, which {what} names")


def _sources(exposure: Exposure) -> Iterator[Path]:
    """Yield the files that hold planes of an exposure: flags, inverse-variance maps, flat fields."""
    holders = [*exposure.extra.values()]
    for chip in exposure.chips:
        holders += [stored(chip.load), *chip.extra.values()]
    for holder in holders:
        paths = getattr(holder, "paths", ())
        yield from (Path(p) for p in paths if isinstance(p, str | os.PathLike))


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in a value, its items and its mappings."""
    if isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        if isinstance(text, str):
            yield text
            if "," in text:
                yield from (part.strip() for part in text.split(","))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _texts(item)


def _among(text: str) -> list[Path]:
    """Return the FITS files that a wildcard or a folder stands for."""
    try:
        if any(c in text for c in "*?["):
            return [Path(p) for p in glob.glob(os.path.expanduser(text))]  # noqa: PTH111, PTH207  (it may be absolute)
        folder = Path(text).expanduser()
        return sorted(folder.glob("*.fits")) if text.strip() and folder.is_dir() else []
    except (OSError, ValueError):
        return []


def _listed(path: Path) -> list[str]:
    """Return the words of a text file that may be names of files; none of a file that is no text."""
    try:
        if not path.is_file() or path.suffix.lower() in {".fits", ".fit", ".fts", ".gz", ".xz", ".fz"}:
            return []
        lines = read_text(path, "The file").splitlines()
    except (OSError, ValueError):  # no text, or a name that no file can have
        return []
    words = {part.strip(" '\"") for line in lines for part in re.split(r"[,\[\]{}]", line)}
    words |= {word.strip("'\"") for line in lines for word in re.split(r"[\s,\[\]{}]+", line)}
    return sorted(w for w in words if w)


def check_targets(
    planned: Iterable[Path], files: ReadFiles, *, edited: Iterable[Path] = (), folders: Container[Path] = ()
) -> None:
    """Raise `OutputError` if a file that will be written is read too, is written twice, or cannot be written.

    Parameters
    ----------
    planned : iterable of pathlib.Path
        Files that will be written.
    files : ReadFiles
        Files that are read.
    edited : iterable of pathlib.Path
        Files that are changed in place on purpose.
    folders : container of pathlib.Path
        Those that will be folders, and may replace one.
    """
    seen: set[Path] = set()
    for path in planned:
        what = files.what(path)
        if what is not None:
            msg = f"{str(path)!r} would be written over, but it is {what}. Give another output."
            raise OutputError(msg)
        place = path.parent.resolve() / path.name
        if place in seen:
            msg = f"Two products of this run would be called {str(path)!r}. Give another output, or name the inputs apart."
            raise OutputError(msg)
        seen.add(place)
        _check_place(path, folder=path in folders)
    for path in edited:
        _check_place(path)
        if path.exists() and not os.access(path, os.W_OK):
            msg = (
                f"{path} is read-only, so its flags and sky value cannot be written. Change its permissions, or use "
                f"drizframe.run, which leaves inputs as they are."
            )
            raise OutputError(msg)


def _check_place(path: Path, *, folder: bool = False) -> None:
    """Refuse a path where no file (or folder) can be made or replaced."""
    home = path.parent
    if not home.is_dir():
        msg = f"The folder {str(home)!r} does not exist, so {path.name} cannot be written. Make it, or give another output."
        raise OutputError(msg)
    if not os.access(home, os.W_OK | os.X_OK):
        msg = f"The folder {str(home)!r} is not writable, so {path.name} cannot be written. Change its permissions."
        raise OutputError(msg)
    try:
        found, about = path.lstat(), home.stat()
    except OSError:
        return
    if stat.S_ISDIR(found.st_mode) and not folder:
        msg = f"{str(path)!r} is a folder; a product of that name cannot be written. Give another output."
        raise OutputError(msg)
    user = getattr(os, "geteuid", lambda: 0)()
    if about.st_mode & stat.S_ISVTX and user not in (0, found.st_uid, about.st_uid):
        msg = f"{str(path)!r} belongs to another user, and only they may replace it in this folder. Give another output."
        raise OutputError(msg)


@dataclass(frozen=True, slots=True)
class _There:
    """What a file is that stands where a product will: its run, whether it is a product of anybody, and why nobody knows."""

    run: str
    product: bool
    fault: str = ""

    @classmethod
    def of(cls, path: Path, writer: Writer | None) -> _There:
        """Ask the writer whose name it has, or the header of a FITS file."""
        if writer is not None and writer.run_of is not None:
            try:
                run = str(ask(writer, writer.run_of, path) or "")
            except MemoryError:
                raise
            except FAULTS as error:  # it is of another kind, or damaged; or the writer is wrong
                return cls(
                    "",
                    False,
                    f"run_of(path) of {writer.label} failed on it: {type(error).__name__}: {told(error)}",
                )
            return cls(run, bool(run))
        cards = _cards(path)
        return cls(cards.get(RUN_KEYWORD, ""), is_product(cards))

    @property
    def origin(self) -> str:
        """Say what it is."""
        if self.run:
            return "the product of a run with other inputs or another output"
        if self.product:
            return "the product of another program or version"
        return (
            f"no product of drizframe as far as is known ({self.fault})"
            if self.fault
            else "no product of drizframe"
        )


def _cards(path: Path) -> dict[str, str]:
    """Return the first header of a file; one that cannot be read may be a product, so nothing may be written beside it."""
    try:
        return first_cards(path, strict=True)
    except OSError as error:
        msg = (
            f"{path} stands where this run writes, and cannot be read to see what it is: {told(error)}. Move it away, or give "
            f"another output."
        )
        raise OutputError(msg) from error


def check_existing(
    planned: Iterable[Path], mosaic: Mapping[Path, Writer], identity: str, *, overwrite: bool
) -> None:
    """Raise `OutputError` if a file that will be replaced is not this run's to replace, unless `overwrite`.

    A file of a mosaic must be of the same inputs and output.  Images of single steps are named after their exposures;
    those of any run are replaced, but nothing else is.  A folder that is no product is never replaced.

    Parameters
    ----------
    planned : iterable of pathlib.Path
        Files that will be written.
    mosaic : mapping of pathlib.Path to Writer
        Names that files of the mosaic may have, and whose they are.
    identity : str
        Of this run; products of the same inputs and output are its own.
    overwrite : bool
        Whether anything may be replaced.
    """
    strange: dict[str, list[str]] = {}
    for path in planned:
        if not os.path.lexists(path) or (overwrite and not path.is_dir()):
            continue
        there = _There.of(path, mosaic.get(path))
        if path.is_dir() and not there.run:
            msg = f"{path} is a folder, and {there.origin}. Give another output, or move it away."
            raise OutputError(msg)
        ours = of_same_inputs(there.run, identity) if path in mosaic else bool(there.run)
        if not (overwrite or ours):
            strange.setdefault(there.origin, []).append(str(path))
    _refuse(strange)


def _refuse(strange: Mapping[str, Sequence[str]]) -> None:
    for what, names in strange.items():
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        msg = (
            f"{shown}: there already, and {what}. Give another output, move it away, or set overwrite_products=True "
            f"(--overwrite on the command line) to replace it."
        )
        raise OutputError(msg)


def stale_products(
    stem: Path,
    planned: Sequence[Path],
    mosaic: Mapping[Path, Writer],
    files: ReadFiles,
    identity: str,
    *,
    overwrite: bool,
    own: Collection[Path] = (),
) -> tuple[list[Path], list[str]]:
    """Return products under the name of this run's that it does not make: they would stand beside it as if of one run.

    Parameters
    ----------
    stem : pathlib.Path
        Root and tag of the products.
    planned : sequence of pathlib.Path
        Files that will be written; without one of the mosaic nothing is stale.
    mosaic : mapping of pathlib.Path to Writer
        Names that files of the mosaic may have, and whose they are.
    files : ReadFiles
        Files that are read; they stay.
    identity : str
        Of this run.
    overwrite : bool
        Whether products of other runs may be replaced.
    own : collection of pathlib.Path
        Other forms of the same result; they stay.

    Returns
    -------
    stale : list of pathlib.Path
        They are to be removed together with the writing of the others.
    notes : list of str
        About files that are no products and stay.

    Raises
    ------
    OutputError
        If there is a product of another run, unless `overwrite`.
    """
    if not set(mosaic) & set(planned):
        return [], []
    stale, notes = [], []
    strange: dict[str, list[str]] = {}
    for path, writer in mosaic.items():
        if path in planned or path in own or not os.path.lexists(path) or files.what(path) is not None:
            continue
        there = _There.of(path, writer)
        if of_same_inputs(there.run, identity) or (overwrite and there.product):
            stale.append(path)
        elif there.product:
            strange.setdefault(there.origin + ", which this run does not make", []).append(str(path))
        elif there.fault or not path.name.removeprefix(stem.name).startswith("."):
            why = f" as far as is known ({there.fault})" if there.fault else ""
            notes.append(
                f"{path} stands beside the products of this run but is not one of them{why}; it stays."
            )
    _refuse(strange)
    return stale, notes
