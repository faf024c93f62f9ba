"""From what the user gave to exposures that can be combined."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from drizframe.config import Parameters
from drizframe.config.inputs import expand_inputs
from drizframe.engine.bus import Bus
from drizframe.engine.handed_over import exposure_of_nddata, is_one_object, refuse_foreign
from drizframe.engine.plausibility import look_over
from drizframe.engine.precedence import rivals_note
from drizframe.engine.seen import Seen
from drizframe.errors import (
    DrizframeError,
    InputError,
    InputWarning,
    NothingToCombineError,
    ParameterWarning,
    PluginError,
    PluginWarning,
    printable,
    told,
)
from drizframe.hooks import FAULTS, Component, Entry, InstrumentOptions, Registry, ask, guarded, options_from
from drizframe.hooks.guard import culprit_of
from drizframe.hooks.markers import is_ours
from drizframe.model import Exposure
from drizframe.model.given import is_nddata
from drizframe.model.usable import why_unusable

__all__ = ["load_exposures", "read_file", "splits"]

_T = TypeVar("_T")

#: Readers and instruments that were used, in that order and as often as they were.
Used = list[Component]

#: Exposures that cannot be used whose reasons stand in the error.
_REASONS = 5
#: Parameters that act while a file is read.
_OF_FILES = ("gain", "gainkeyword", "rdnoise", "rnkeyword", "exptime", "expkeyword", "group", "wcskey")


def instrument_options(parameters: Parameters, ivm: Path | None = None) -> InstrumentOptions:
    """Return the overrides that instruments and readers honour."""
    extra = {
        "wcskey": parameters.wcskey, "group": parameters.group or None, "coeffs": parameters.coeffs, "ivm": ivm,
        "verify_inputs": parameters.verify_inputs, "allow_missing": parameters.allow_missing,
    }  # fmt: skip
    return options_from(InstrumentOptions, parameters, "", extra=extra)


def read_file(
    path: Path,
    parameters: Parameters,
    registry: Registry,
    ivm: Path | None = None,
    used: Used | None = None,
    bus: Bus | None = None,
) -> list[Exposure]:
    """Read one file (and the user's inverse-variance file) with the first reader that takes it.

    Raises
    ------
    InputError
        If no reader takes it, or as the reader says.
    PluginError
        If a plugin's reader or instrument raises something else; it is named.
    """
    return _named(path, parameters, registry, lambda: _read_file(path, parameters, registry, ivm, used, bus))


def _named(path: Path | str, parameters: Parameters, registry: Registry, work: Callable[[], _T]) -> _T:
    """Do something with a file; an error of a plugin is named after it."""
    try:
        return work()
    except PluginError as error:
        raise _attributed(path, registry, error) from error.__cause__
    except (DrizframeError, MemoryError):
        raise
    except FAULTS as error:
        culprit = culprit_of(error, registry, parameters)
        if not culprit:
            raise
        msg = (
            f"{culprit} failed on {str(path)!r}: {type(error).__name__}: {told(error)}. "
            f"Disable its plugin with DRIZFRAME_DISABLED_PLUGINS to run without it."
        )
        raise PluginError(msg) from error


def _attributed(path: Path | str, registry: Registry, error: PluginError) -> PluginError:
    """Return an error about the answer of a reader or instrument with the file and who provides it."""
    component = error.component
    if not isinstance(component, Component):
        return error
    named = (e for e in registry if (e.record.family, e.record.name) == (component.family, component.name))
    provider = next(
        (e.provider for e in named), ""
    )  # by name: an instrument is asked through a copy of its record
    if not provider or is_ours(provider):
        return error
    text = str(error)
    where = "" if str(path) in text else f"{str(path)!r}: "
    return type(error)(f"{where}{text} ({component.label} is provided by {provider}.)", component)


def _readers_of(path: Path, registry: Registry) -> list[Entry]:
    """Return the readers that take a file, in the order in which they are asked: the first one reads it."""
    every = registry.asked("reader")
    return [e for e in every if ask(e.record, e.record.matches, path)]  # type: ignore[attr-defined]


def _instruments(registry: Registry, used: Used | None, rivals: list[str] | None) -> Callable[[Any], Any]:
    """Return what finds the instrument of a primary header, and notes it, and in `rivals` others that take it too."""

    def find_instrument(primary: Any) -> Any:
        found = _instruments_of(primary, registry)
        if not found:
            msg = f"No instrument plugin knows INSTRUME = {primary.get('INSTRUME')!r}."
            raise InputError(msg)
        record: Any = found[0].record
        _note(used, record)
        if rivals is not None:
            rivals.append(rivals_note(found, f"headers such as INSTRUME = {primary.get('INSTRUME')!r}"))
        if is_ours(found[0].provider):
            return record
        # the reader calls it, and its errors are the plugin's, not those of a damaged file
        own = {n: f for n in ("reference", "check", "usual_rate") if (f := getattr(record, n)) is not None}
        return dataclasses.replace(record, **{n: guarded(record, f) for n, f in own.items()})

    return find_instrument


def _instruments_of(primary: Any, registry: Registry) -> list[Entry]:
    """Return the instruments that take a header, the one that reads it first; those for any camera if no other does."""
    every: list[Any] = registry.asked("instrument")
    for fallback in (False, True):
        own = [e for e in every if bool(e.record.fallback) is fallback]
        found = [e for e in own if ask(e.record, e.record.matches, primary)]
        if found:
            return found
    return []


def _note(used: Used | None, component: Component) -> None:
    """Note a component that was used, if anybody wants to know."""
    if used is not None:
        used.append(component)


def splits(registry: Registry) -> Callable[[Mapping[str, str]], bool]:
    """Return what tells whether files with some keywords are of an instrument whose files may hold several exposures."""
    find = _instruments(registry, None, None)
    return lambda cards: bool(find(cards).image_sets)


def _read_file(
    path: Path,
    parameters: Parameters,
    registry: Registry,
    ivm: Path | None,
    used: Used | None,
    bus: Bus | None,
) -> list[Exposure]:
    if path.is_dir():
        msg = f"{str(path)!r} is a folder. Name its files, for example '{path}/*_flt.fits'."
        raise InputError(msg)
    readers = _readers_of(path, registry)
    if readers:
        record, options = readers[0].record, instrument_options(parameters, ivm)
        _note(used, record)
        rivals: list[str] = []
        find = _instruments(registry, used, rivals)
        found = ask(record, record.reference, path, instruments=find, options=options)
        _tell_rivals(rivals, bus)  # not within the reader, which takes an error for one of the file
        return _exposures(record, found, path)
    msg = f"{str(path)!r}: no reader takes this file. Readers: {', '.join(registry.names('reader'))}."
    raise InputError(msg)


def _exposures(reader: Component, found: Any, path: Path) -> list[Exposure]:
    """Refuse an answer of a reader that is no list of exposures."""
    if isinstance(found, list | tuple) and found and all(isinstance(e, Exposure) for e in found):
        return list(found)
    came = [type(e).__name__ for e in found] if isinstance(found, list | tuple) else type(found).__name__
    msg = (
        f"{reader.label} must return a list of exposures for {str(path)!r}. It returned {came}. "
        f"A reader passes on what an instrument returns: look there too."
    )
    raise PluginError(msg, reader)


def _unique(exposures: Sequence[Exposure], bus: Bus) -> list[Exposure]:
    """Give exposures of one name different names, and say so."""
    seen: dict[str, int] = {}
    out = []
    for e in exposures:
        seen[e.name] = seen.get(e.name, 0) + 1
        if seen[e.name] > 1:
            name = f"{e.name}_{seen[e.name]}"
            bus.note(
                f"Exposure {e.name!r} is given {seen[e.name]} times; this one is called {name!r}.",
                warn=InputWarning,
            )
            out.append(dataclasses.replace(e, name=name))
        else:
            out.append(e)
    return out


def _listed(inputs: Any) -> Any:
    """Return inputs that come one by one (from a generator, a tuple, an array of names) as a list."""
    if isinstance(inputs, Exposure | str | os.PathLike) or not isinstance(inputs, Iterable):
        return inputs
    if is_one_object(inputs):
        return inputs  # refused with the advice what to give
    items = list(inputs)
    return sorted(items, key=str) if isinstance(inputs, set | frozenset) else items


def _ignored(exposures: Sequence[Exposure], parameters: Parameters, bus: Bus) -> None:
    """Say which parameters cannot act on exposures that were given as arrays."""
    given = [n for n in _OF_FILES if getattr(parameters, n) not in (None, "", ())]
    names = ", ".join(e.name for e in exposures)
    if given and names:
        bus.note(
            f"{', '.join(given)}: read with files only; no effect on {names}, given in memory. Give these values "
            "to Exposure.from_arrays.",
            warn=ParameterWarning,
        )


def load_exposures(
    inputs: Any,
    parameters: Parameters,
    registry: Registry,
    bus: Bus,
    used: Used | None = None,
    seen: Seen | None = None,
) -> tuple[list[Exposure], str | None]:
    """Turn inputs into usable exposures.

    Parameters
    ----------
    inputs : str, path, Exposure, or a sequence of them
        Files, wildcards, ``@file`` lists, association tables, or exposures in memory; also NDData (CCDData).
    parameters : Parameters
        Overrides and bits.
    registry : Registry
        Readers and instruments.
    bus : Bus
        Gets warnings.
    used : list of Component, optional
        Gets the readers and instruments that were used.
    seen : Seen, optional
        Gets the images that are looked at.

    Returns
    -------
    exposures : list of Exposure
        In input order; those that cannot be combined are left out with a warning.
    root : str or None
        Output root that an association table names.

    Raises
    ------
    NothingToCombineError
        If none is left.
    """
    inputs = _listed(inputs)
    items = inputs if type(inputs) is list else [inputs]  # an HDUList is a list, too
    exposures: list[Exposure] = []
    root: str | None = None
    for item in items:
        if not isinstance(item, Exposure) and not is_nddata(item):
            refuse_foreign(item)
    if any(isinstance(i, Exposure) or is_nddata(i) for i in items):
        for number, item in enumerate(items, start=1):
            exposures += _one(item, number, parameters, registry, bus, used)
    else:
        exposures, root = _read_all(inputs, parameters, registry, bus, used)
    _ignored([i for i in items if isinstance(i, Exposure)], parameters, bus)
    for text in dict.fromkeys(line for e in exposures for line in e.warnings):
        bus.note(text, warn=InputWarning)
    usable, reasons = [], []
    for exposure in _unique(exposures, bus):
        reason = why_unusable(exposure)
        if reason is None:
            usable.append(exposure)
            for line in exposure.history:
                bus.note(f"{exposure.name}: {line}")
        else:
            reasons.append(f"{exposure.name!r}: {reason}")
            bus.note(f"Exposure {exposure.name!r} is left out: {reason}.", warn=InputWarning)
    usable = look_over(usable, parameters, bus, seen)
    if not usable:
        listed = reasons or ["every pixel of each is flagged or not finite"]
        why = "; ".join(listed[:_REASONS]) + ("; …" if len(listed) > _REASONS else "")
        msg = f"Nothing to combine: none of the {len(exposures)} exposures can be used ({why})."
        raise NothingToCombineError(msg)
    return usable, root


def _one(
    item: Any, number: int, parameters: Parameters, registry: Registry, bus: Bus, used: Used | None
) -> list[Exposure]:
    """Return the exposures that one of several inputs stands for."""
    if isinstance(item, Exposure):
        return [item]
    if is_nddata(item):
        options = instrument_options(parameters)
        rivals: list[str] = []
        find = _instruments(registry, used, rivals)
        made = _named(
            f"input {number}", parameters, registry,
            partial(exposure_of_nddata, item, number, instrument=find, options=options),
        )  # fmt: skip
        _tell_rivals(rivals, bus)
        return [made]
    return _read_all(item, parameters, registry, bus, used)[0]


def _read_all(
    inputs: Any, parameters: Parameters, registry: Registry, bus: Bus, used: Used | None
) -> tuple[list[Exposure], str | None]:
    expanded = expand_inputs(inputs, splits(registry))
    for note in expanded.notes:
        bus.note(note, warn=InputWarning)
    _settle([p for p in (*expanded.paths, *expanded.ivm) if p is not None], registry, parameters, bus)
    exposures: list[Exposure] = []
    for path, weight in zip(expanded.paths, expanded.ivm, strict=True):
        exposures += read_file(Path(path), parameters, registry, weight, used, bus)
    return exposures, expanded.output_root


def _settle(paths: Sequence[Path], registry: Registry, parameters: Parameters, bus: Bus) -> None:
    """Let the readers finish what an interrupted run left half done to their files, before any is read."""
    files: dict[str, list[Path]] = {}
    for path in dict.fromkeys(paths):
        found = _named(path, parameters, registry, partial(_readers_of, path, registry))
        if found:
            files.setdefault(found[0].record.name, []).append(path)
            _tell_rivals([rivals_note(found, f"files such as *{path.suffix}")], bus)
    for name, own in files.items():
        record = registry.get("reader", name)
        for note in ask(record, record.settle, own) if record.settle is not None else ():
            bus.note(note, warn=InputWarning)


def _tell_rivals(texts: Iterable[str], bus: Bus | None) -> None:
    """Warn that components of different providers take one kind of file or header; once for each kind."""
    for text in dict.fromkeys(texts):
        if text and bus is not None and printable(text, keep="") not in bus.warnings:
            bus.note(text, warn=PluginWarning)
