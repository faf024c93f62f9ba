"""What tells values, inputs and code from others: digests that are equal only for equals, and nothing for what cannot be told."""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import os
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import told
from drizframe.grids.wcs import WcsState
from drizframe.hooks import Component
from drizframe.model import Chip, Exposure, Frame
from drizframe.model.sources import stored

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["Printer", "Unknown", "code_stamp", "digest_of_array", "file_stamp"]

#: Bytes of a digest.
SIZE = 20
#: Libraries whose functions are known by their names: their versions count by themselves.
_LIBRARIES = frozenset({"astropy", "builtins", "functools", "math", "numpy", "operator", "scipy"})
#: Kinds of images that the source of a chip may have.
_KINDS = ("sci", "err", "dq", "ivm", "time")


class Unknown(Exception):  # noqa: N818  (says what a value is, within this room)
    """Something of which nobody can tell whether it is the same as before."""


def digest_of_array(array: np.ndarray[Any, Any]) -> str:
    """Return a digest of the bytes of an array, in row order."""
    plain = np.ascontiguousarray(array)
    return hashlib.blake2b(plain.reshape(-1).view(np.uint8).data, digest_size=SIZE).hexdigest()


def file_stamp(path: str | Path) -> list[Any]:
    """Return by what a file is known to be as it was: size, place and times; a text if it is not there."""
    try:
        found = os.stat(path)  # noqa: PTH116  (a text may be given)
    except OSError as error:
        return [type(error).__name__]
    return [found.st_size, found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns]


@functools.cache
def code_stamp(package: str) -> str:
    """Return a digest of the files of a package that is imported: of their names, sizes and times.

    Raises
    ------
    Unknown
        If it has no files.
    """
    module = sys.modules.get(package)
    places = [Path(p) for p in getattr(module, "__path__", ())]
    file = getattr(module, "__file__", None)
    if not places and not file:
        raise Unknown(f"package {package!r}, which has no files")
    found = [(str(file), file_stamp(file))] if file and not places else []
    for place in places:
        for folder, _, names in os.walk(place):
            for name in names:
                if name.endswith((".py", ".so", ".pyd")):
                    path = os.path.join(folder, name)  # noqa: PTH118  (faster)
                    one = os.stat(path)  # noqa: PTH116
                    found.append((os.path.relpath(path, place), [one.st_size, one.st_mtime_ns]))
    return hashlib.blake2b(repr(sorted(found)).encode(), digest_size=SIZE).hexdigest()


class Printer:
    """Makes digests of values.

    Parameters
    ----------
    packages : collection of str
        Packages whose code is known: their functions are told by their names.
    provider_of : callable
        ``provider_of(component)``: distribution and version of a component that is known; blank for others.
    """

    def __init__(self, packages: Collection[str], provider_of: Callable[[Component], str]) -> None:
        self._packages = frozenset(packages) | _LIBRARIES
        self._provider_of = provider_of

    def __call__(self, *values: Any) -> str:
        """Return a digest: the same for the same values, and only for these.

        Raises
        ------
        Unknown
            If a value is of a kind that cannot be told.
        """
        digest = hashlib.blake2b(digest_size=SIZE)
        self._feed(digest.update, values)
        return digest.hexdigest()

    def _feed(self, update: Callable[[bytes], Any], value: Any) -> None:
        """Hand a value on, so that no two values give the same bytes: each with its kind, and containers with their lengths."""
        kind = type(value)
        if value is None or kind in (bool, int, str, bytes, float, complex):
            data = value if kind is bytes else (value.hex() if kind is float else repr(value)).encode()
            update(f"{kind.__name__}:{len(data)}:".encode() + data)
        elif isinstance(value, np.ndarray | np.generic):
            self._feed_numbers(update, value)
        elif isinstance(value, Mapping):
            self._feed_items(update, "mapping", [part for item in self._sorted(value) for part in item])
        elif isinstance(value, list | tuple):
            self._feed_items(update, "sequence", value)
        elif isinstance(value, set | frozenset):
            self._feed_items(update, "set", sorted(self(v) for v in value))
        elif isinstance(value, PurePath | enum.Enum | type | ModuleType):
            self._feed_items(update, "name", [kind.__qualname__, self._name_of(value)])
        else:
            self._feed_object(update, value)

    def _sorted(self, value: Mapping[Any, Any]) -> list[Any]:
        if all(isinstance(k, str) for k in value):
            return sorted(value.items())
        return sorted(((self(k), v) for k, v in value.items()), key=lambda item: item[0])

    def _name_of(self, value: Any) -> str:
        if isinstance(value, type):
            self._check_code(value.__module__, value.__qualname__)
            return f"{value.__module__}.{value.__qualname__}"
        if isinstance(value, ModuleType):
            self._check_code(value.__name__, value.__name__)
            return value.__name__
        return f"{value.name} {value.value}" if isinstance(value, enum.Enum) else str(value)

    def _feed_items(self, update: Callable[[bytes], Any], kind: str, items: Any) -> None:
        update(f"{kind}:{len(items)}:".encode())
        for item in items:
            self._feed(update, item)

    def _feed_numbers(self, update: Callable[[bytes], Any], value: Any) -> None:
        if value.dtype.kind not in "biufcSU":
            raise Unknown(f"an array of {value.dtype}")
        mask = getattr(value, "mask", None)
        self._feed_items(update, "array", [value.dtype.str, list(value.shape), mask is not None])
        update(digest_of_array(np.asarray(value)).encode())
        if mask is not None:
            self._feed(update, np.asarray(mask))

    def _feed_object(self, update: Callable[[bytes], Any], value: Any) -> None:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        if isinstance(value, Component):
            items: list[Any] = [value.family, value.name, self._component(value)]
        elif isinstance(value, functools.partial):
            items = [value.func, list(value.args), dict(value.keywords)]
        elif isinstance(value, FunctionType | BuiltinFunctionType):
            items = [self._function(value)]
        elif isinstance(value, Chip):
            items = self._chip(value)
        elif isinstance(value, Exposure | Frame) or dataclasses.is_dataclass(value):
            items = self._fields(value)
        elif hasattr(value, "model_dump"):
            items = self._model(value)
        elif hasattr(value, "tostring") and kind.startswith("astropy.io.fits."):
            items = [_header_text(value)]
        elif hasattr(value, "to_header_string"):
            items = _wcs_facts(value)
        else:
            raise Unknown(f"{kind} {value!r:.60}")
        self._feed_items(update, kind, items)

    def _component(self, value: Component) -> str:
        provider = self._provider_of(value)
        if not provider:
            raise Unknown(f"the {value.label}, which is of this session")
        return provider

    def _function(self, value: Any) -> str:
        name, module = value.__qualname__, value.__module__ or ""
        if "<" in name:
            raise Unknown(f"the function {name} of {module}")
        self._check_code(module, name)
        return f"{module}.{name}"

    def _check_code(self, module: str, name: str) -> None:
        """Refuse code that may be other code the next time."""
        if module.partition(".")[0] not in self._packages:
            raise Unknown(f"{name} of {module}")

    def _fields(self, value: Any, but: Collection[str] = ()) -> list[Any]:
        """Return the fields of a record; one that can be called has code, too."""
        if callable(value):
            self._check_code(type(value).__module__, type(value).__qualname__)
        return [[f.name, getattr(value, f.name)] for f in dataclasses.fields(value) if f.name not in but]

    def _model(self, value: BaseModel) -> list[Any]:
        names = [*type(value).model_fields, *(value.model_extra or {})]
        return [[name, getattr(value, name)] for name in names]

    def _chip(self, chip: Chip) -> list[Any]:
        """Return the facts of a chip, and what tells its pixels: the source that is known, or the pixels themselves."""
        facts = self._fields(chip, but=("load",))
        source = stored(chip.load)
        known = type(source).__module__.partition(".")[0] == "drizframe" and dataclasses.is_dataclass(source)
        return [*facts, chip.load if known else [chip.load(kind) for kind in _KINDS]]


def _header_text(header: Any) -> str:
    try:
        return str(header.tostring(sep="\n", endcard=False, padding=False))
    except Exception as error:  # whatever a damaged card raises
        raise Unknown(f"a header that cannot be written: {told(error)}") from error


def _wcs_facts(wcs: Any) -> list[Any]:
    """Return all numbers that a WCS consists of."""
    state = WcsState.of(wcs)
    facts = [[f.name, getattr(state, f.name)] for f in dataclasses.fields(state) if f.name != "master"]
    if state.master is None:
        return facts
    hdus = state.master.to_fits(relax=True)
    tables = [np.asarray(h.data) for h in hdus if h.data is not None]
    return [*facts, _header_text(hdus[0].header), tables]
