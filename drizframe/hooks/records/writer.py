"""Writers: mosaics to files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from drizframe.errors import RecordError
from drizframe.hooks.records.base import Component
from drizframe.hooks.records.fields import check_fields, text, texts
from drizframe.hooks.records.product import Product, Sink
from drizframe.hooks.records.signatures import Calls

__all__ = ["Writer"]

_ENDING = re.compile(r"(?:[\w.+-]|\{layer\})+/?")
_NOW = (
    "Writer(open=…, endings=(…,)), where open(product) returns a sink with write(plane, window, array), close() -> paths and "
    "abort(); product.stage(target) says where to write. See the page of drizframe_writers"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Writer(Component):
    """Mosaics to files.

    Parameters
    ----------
    open : callable
        ``open(product) -> Sink``: begins to write a `Product`.
    endings : tuple of str
        What its files add to root and tag: ``(".npz",)``; ``("_{layer}.fits",)`` for one file a layer; with a slash at
        the end for a folder, ``(".zarr/",)``.  A run whose output has such an ending, with a dot and in any case, takes
        this writer; of several that of the longest.  The ending is cut off, so that ``x.tar.gz`` and ``x.TAR.GZ`` are
        both the file ``x.tar.gz``.
    form : {"", "parts", "one"}
        "parts": the writer for ``build=False`` where none is named; "one": for ``build=True``.  Only one writer of each.
    headers : callable or None
        ``headers(product) -> (headers, table, notes)``: headers of a mosaic by part ("primary" and names of layers), its
        table of input keywords, and warnings; `product` is a `RunProducts`.  None: as the writer for `build` makes them.
    planes : callable or None
        ``planes(product) -> list[Path]``: writes the intermediate planes that `product` (a `RunProducts`) asks for.
        None: the writer for `build` does.
    plane_files : callable or None
        ``plane_files(product) -> list[Path]``: all files that `planes` will write; asked before the work, so that
        no input or product of another run is overwritten.
    check : callable or None
        ``check(parameters) -> None``: raises, before any work is done, for parameters that it cannot honour.
    run_of : callable or None
        ``run_of(path) -> str``: which run (`Product.run`) a file is of; blank if it is of none.  If it raises, the file
        is of none, and the user is told.  None: as the header of a FITS file says, so that files of other formats are
        replaced with ``overwrite_products`` only, and folders never.
    """

    family: ClassVar[str] = "writer"
    takes_options: ClassVar[bool] = False
    CALLS: ClassVar[Calls] = {
        "open": "product",
        "headers": "product",
        "planes": "product",
        "plane_files": "product",
        "check": "parameters",
        "run_of": "path",
    }

    open: Callable[[Product], Sink] | None = None
    endings: tuple[str, ...] = ()
    form: Literal["", "parts", "one"] = ""
    headers: Callable[..., Any] | None = None
    planes: Callable[..., list[Path]] | None = None
    plane_files: Callable[..., list[Path]] | None = None
    check: Callable[..., None] | None = None
    run_of: Callable[[Path], str] | None = None

    def _check_types(self) -> None:
        Component._check_types(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        check_fields(self.label, self, endings=texts(tuple), form=text)

    def _check(self) -> None:
        if self.reference is not None or self.fast is not None:
            msg = f"{self.label} has a `reference`, as writers of contract 1 had. Write {_NOW}."
            raise RecordError(msg)
        if self.open is None:
            msg = f"{self.label} has no open(product). Write {_NOW}."
            raise RecordError(msg)
        if not self.endings or not all(_ENDING.fullmatch(e) for e in self.endings):
            msg = (
                f"{self.label} has endings = {self.endings!r}. Say what its files add to the root of the names, such as ('.npz',), "
                f"('_{{layer}}.fits',) for one a layer, or ('.zarr/',) for a folder."
            )
            raise RecordError(msg)
        glued = [e for e in self.endings if e[0].isalnum()]
        if glued:
            msg = (
                f"{self.label} has the ending {glued[0]!r}, which would be a part of the root: mosaic{glued[0]}. Begin it with a dot or "
                f"a line: '.{glued[0]}', '_{glued[0]}'."
            )
            raise RecordError(msg)
        if self.form not in ("", "parts", "one"):
            msg = f"{self.label} has form = {self.form!r}; choose '', 'parts' (build=False) or 'one' (build=True)."
            raise RecordError(msg)
        if (self.planes is None) != (self.plane_files is None):
            msg = f"{self.label}: planes and plane_files go together, so that what is written is known before the work."
            raise RecordError(msg)

    @property
    def suffixes(self) -> frozenset[str]:
        """What names of its files end in, from the first dot on: ``{".npz"}``, ``{".tar.gz"}``."""
        tails = (e[e.index(".") :] for e in self._tails if "." in e)
        return frozenset(t for t in tails if t.strip("."))

    @property
    def _tails(self) -> frozenset[str]:
        """What comes after the names of layers, in small letters."""
        tails = (e.rstrip("/").rpartition("{layer}")[2].lower() for e in self.endings)
        return frozenset(tails) - {""}

    def ending_of(self, name: str) -> str:
        """Return what of a name is the ending of its files, as it stands there; blank: nothing, or nothing else is left.

        Parameters
        ----------
        name : str
            Of a file, without a folder.
        """
        low = name.lower()
        found = max((len(t) for t in self._tails | self.suffixes if low.endswith(t) and low != t), default=0)
        return name[len(name) - found :]

    def targets(self, stem: Path, layers: Iterable[str]) -> dict[Path, bool]:
        """Return the files for layers of a mosaic, each with whether it is a folder.

        Parameters
        ----------
        stem : pathlib.Path
            Root and tag of the names; an ending that it has already is not added.
        layers : iterable of str
            Names of the layers.
        """
        names = list(layers)
        found: dict[Path, bool] = {}
        for ending in self.endings:
            bare = ending.rstrip("/")
            for layer in names if "{layer}" in bare else names[:1]:
                end = bare.format(layer=layer)
                name = stem.name if stem.name.endswith(end) else stem.name + end
                found[stem.with_name(name)] = bare != ending
        return found
