"""Which writer a run takes, and which files are its: by the parameter, by the ending of the output, or by `build`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from drizframe.config import Parameters
from drizframe.errors import ConflictError, ParameterError
from drizframe.hooks import Registry, RunProducts, Writer, ask
from drizframe.hooks.markers import is_ours
from drizframe.model import LAYERS

__all__ = ["Chosen", "choose_writer", "mosaic_names"]


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The writer of a run.

    Parameters
    ----------
    writer : Writer
        Makes the files of the mosaic.
    usual : Writer
        The one for `build`: it makes headers and intermediate files where `writer` does not.
    ending : str
        What of the user's output is the ending of its files; blank: nothing.
    """

    writer: Writer
    usual: Writer
    ending: str = ""

    def headers(self, product: RunProducts) -> Any:
        """Return headers, table and warnings of the mosaic; None if nobody makes them."""
        maker = self._who("headers")
        return None if maker.headers is None else ask(maker, maker.headers, product)

    def headers_are_ours(self, registry: Registry) -> bool:
        """Tell whether a stock writer makes the headers, which needs no plane of the run for that."""
        maker = self._who("headers")
        return any(e.record is maker and is_ours(e.provider) for e in registry)

    def write_planes(self, product: RunProducts) -> list[Path]:
        """Write the intermediate planes that the product asks for."""
        maker = self._who("planes")
        if maker.planes is None or not product.planes:
            return []
        return [Path(p) for p in ask(maker, maker.planes, product)]

    def plane_files(self, product: RunProducts) -> list[Path]:
        """Return the files of the intermediate planes."""
        maker = self._who("planes")
        return [] if maker.plane_files is None else [Path(p) for p in ask(maker, maker.plane_files, product)]

    def check(self, parameters: Parameters) -> None:
        """Let it refuse parameters; those of intermediate files and headers too."""
        for writer in dict.fromkeys((self.writer, self._who("headers"), self._who("planes"))):
            if writer.check is not None:
                ask(writer, writer.check, parameters)

    def _who(self, field: str) -> Writer:
        return self.writer if getattr(self.writer, field) is not None else self.usual


def choose_writer(registry: Registry, parameters: Parameters, output: str | None = None) -> Chosen:
    """Return the writer of a run.

    Parameters
    ----------
    registry : Registry
        Has the writers.
    parameters : Parameters
        `writer` names one; `build` chooses if it is blank and the output has no writer's ending.
    output : str or None
        The user's root of the names.

    Raises
    ------
    UnknownComponentError
        If there is no such writer.
    ParameterError
        If `writer`, `build` and the ending of the output say different things.
    ConflictError
        If two writers are for the same.
    """
    usual = _for_build(registry, parameters.build)
    name = PurePath(output or "").name
    found = _with_ending(registry, name)
    if parameters.writer:
        writer: Writer = registry.get("writer", parameters.writer)
        _check_build(writer, usual, parameters.build)
        ending = writer.ending_of(name)
        if found and not ending:
            msg = (
                f"writer={writer.name!r} makes files {', '.join(writer.endings)}, but output {output!r} has the ending of "
                f"{found[0].label}. Give another output, or writer={found[0].name!r}."
            )
            raise ParameterError(msg)
        return Chosen(writer, usual, _own(ending, usual))
    if not found or usual in found:
        return Chosen(usual, usual)
    ending = found[0].ending_of(name)
    if len(found) > 1:
        names = " or ".join(repr(w.name) for w in found)
        msg = f"output {output!r}: more than one writer makes {ending} files. Say which with writer={names}."
        raise ConflictError(msg)
    _check_build(found[0], usual, parameters.build)
    return Chosen(found[0], usual, _own(ending, usual))


def _own(ending: str, usual: Writer) -> str:
    """Return an ending if it is the writer's own; that of the usual one is cut as ever."""
    return "" if ending.lower() in usual.suffixes else ending


def _with_ending(registry: Registry, name: str) -> list[Writer]:
    """Return the writers of the longest ending that a name has; one without a dot may be a part of the root."""
    found = [(w.ending_of(name), w) for w in _writers(registry)]
    longest = max((len(e) for e, _ in found if "." in e), default=0)
    return [w for e, w in found if "." in e and len(e) == longest]


def _writers(registry: Registry) -> Iterator[Writer]:
    for record in registry.records("writer"):
        assert isinstance(record, Writer)  # noqa: S101  (checked when it was added)
        yield record


def _for_build(registry: Registry, build: bool) -> Writer:
    """Return the writer that says it is for this value of `build`."""
    form = "one" if build else "parts"
    found = [w for w in _writers(registry) if w.form == form]
    if len(found) != 1:
        names = ", ".join(w.name for w in found) or "none"
        msg = f"Writers with form={form!r}: {names}; there must be one, for build={build}. Enable or disable plugins accordingly."
        raise ConflictError(msg)
    return found[0]


def _check_build(writer: Writer, usual: Writer, build: bool) -> None:
    """Refuse `build=True` together with a writer that is not for it."""
    if build and writer is not usual:
        msg = f"build=True asks for {usual.label}, but {writer.label} is wanted. Leave one of build and writer out."
        raise ParameterError(msg)


def mosaic_names(
    registry: Registry, chosen: Chosen, stem: Path, layers: Iterable[str] = ()
) -> dict[Path, Writer]:
    """Return all names that files of a mosaic may have, with the writer whose they are.

    Parameters
    ----------
    registry : Registry
        Has the writers.
    chosen : Chosen
        Of the run.
    stem : pathlib.Path
        Root and tag of the products.
    layers : iterable of str
        Layers that the run makes, besides those that any may have.
    """
    names = list(dict.fromkeys([*LAYERS, *layers]))
    found: dict[Path, Writer] = {}
    for writer in (chosen.writer, *_writers(registry)):
        for path in writer.targets(stem, names):
            found.setdefault(path, writer)
    return found
