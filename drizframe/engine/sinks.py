"""Mosaics into the sinks of writers: everything is put in place at the end, in the transaction of the run, or nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from drizframe.errors import DrizframeError, OutputError, OutputWarning, PluginError, told
from drizframe.hooks import FAULTS, Product, ProductLayer, Sink, Writer, ask
from drizframe.hooks.markers import is_ours
from drizframe.model import Layer, Mosaic, Window, blocks
from drizframe.system.staging import Staging, unwritable
from drizframe.system.transaction import Transaction, current

__all__ = ["write_product"]

#: ``windows(layer) -> windows``: in which pieces a layer is handed over.
Windows = Callable[[Layer], Iterable[Window]]


def write_product(
    writer: Writer,
    mosaic: Mosaic,
    stem: Path,
    *,
    run: str = "",
    provider: str = "",
    windows: Windows = blocks,
) -> list[Path]:
    """Write a mosaic; within a block of `together` its files appear at the end of that.

    Parameters
    ----------
    writer : Writer
        Who writes.
    mosaic : Mosaic
        What to write.
    stem : pathlib.Path
        Folder, root and tag of the names.
    run : str
        What tells the run from others.
    provider : str
        Who provides the writer, for messages; "drizframe" and blank: errors are its own.
    windows : callable
        In which pieces the layers are handed over; by default small ones at once, without a copy, others by rows.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    OutputError
        If they cannot be written; then none of them is there.
    PluginError
        If a plugin's writer fails otherwise, or breaks the contract.
    """
    targets = writer.targets(stem, mosaic.layers)
    outer = current()
    transaction = outer or Transaction(", ".join(map(str, targets)), run)
    staging = Staging()
    try:
        paths = _written(writer, _product(mosaic, stem, targets, run, staging), mosaic, windows)
        _check_paths(writer, paths, targets, staging)
        staging.hand_over(transaction)
        if outer is None:
            transaction.commit()
    except PluginError as error:
        if error.component is not writer or is_ours(provider):
            raise
        msg = f"{error} ({writer.label} is provided by {provider}.)"
        raise PluginError(msg, writer) from error.__cause__
    except (DrizframeError, MemoryError):
        raise
    except OSError as error:
        raise unwritable(list(targets), error) from error
    except FAULTS as error:
        if is_ours(provider):
            raise
        msg = (
            f"{writer.label[0].upper()}{writer.label[1:]} of {provider} failed on {stem.name!r}: {type(error).__name__}: {told(error)}. "
            f"Nothing was written; give another writer, or none."
        )
        raise PluginError(msg, writer) from error
    finally:
        staging.discard()
        if outer is None:
            transaction.discard()
    return paths


def _product(mosaic: Mosaic, stem: Path, targets: Mapping[Path, bool], run: str, staging: Staging) -> Product:
    """Return what the writer is told."""

    def stage(target: Path) -> Path:
        path = Path(target)
        if path not in targets:
            known = ", ".join(str(t) for t in targets)
            msg = f"{str(path)!r} is none of the files that the writer's endings announce: {known}."
            raise OutputError(msg)
        return staging.named(path, folder=targets[path])

    layers = {name: _described(layer) for name, layer in mosaic.layers.items()}
    return Product(
        path=stem, targets=tuple(targets), layers=layers, frame=mosaic.frame, unit=mosaic.unit, exptime=mosaic.exptime,
        headers=mosaic.headers, table=mosaic.table, run=run, stage=stage,
    )  # fmt: skip


def _described(layer: Layer) -> ProductLayer:
    fill = layer.extension.fill if layer.dtype.kind == "f" else 0.0
    return ProductLayer(
        extension=layer.extension.name, shape=layer.shape, dtype=layer.dtype, unit=layer.unit, fill=fill,
        meaning=layer.extension.meaning,
    )  # fmt: skip


def _written(writer: Writer, product: Product, mosaic: Mosaic, windows: Windows) -> list[Path]:
    """Hand all layers to a sink, and close it; whatever stops that, the sink is told."""
    sink = ask(writer, writer.open, product)
    if not isinstance(sink, Sink):
        msg = f"{writer.label} opened {sink!r:.80}; open(product) must return a sink with write, close and abort."
        raise PluginError(msg, writer)
    try:
        for name, layer in mosaic.layers.items():
            for window in windows(layer):
                ask(writer, sink.write, name, window, layer.read(window))
        return _paths(writer, ask(writer, sink.close))
    except BaseException as error:
        _abort(writer, sink, error)
        raise


def _abort(writer: Writer, sink: Sink, error: BaseException) -> None:
    """Tell a sink that there will be no more; that it fails at that is said beside the first error."""
    try:
        sink.abort()
    except FAULTS as second:
        error.add_note(f"Then abort() of {writer.label} failed too: {type(second).__name__}: {second}")


def _paths(writer: Writer, answer: Any) -> list[Path]:
    """Return what `close` said was written."""
    if isinstance(answer, list | tuple) and all(isinstance(p, str | Path) for p in answer):
        return [Path(p) for p in answer]
    msg = f"{writer.label}: close() of its sink returned {answer!r:.80}; it must return a list of paths."
    raise PluginError(msg, writer)


def _check_paths(writer: Writer, paths: list[Path], targets: Mapping[Path, bool], staging: Staging) -> None:
    """Refuse an answer that is not what was staged, and what was staged but not written."""
    staged = set(staging.parts)
    if not paths or set(paths) != staged or len(paths) != len(staged):
        what = ", ".join(map(str, paths)) or "nothing"
        known = ", ".join(map(str, staged)) or "nothing"
        msg = (
            f"{writer.label}: close() of its sink returned {what}, but {known} was staged. Write to what product.stage(target) "
            f"returns, and return these targets, each once."
        )
        raise PluginError(msg, writer)
    strange = ", ".join(repr(path.name) for path in staging.strange())
    for target, part in staging.parts.items():
        fault = _fault(part, folder=targets[target])
        if fault:
            beside = f", but wrote {strange} beside it" if strange else ""
            msg = (
                f"{writer.label} did not write {target}: what product.stage(target) returned {fault} after close(){beside}. Write to "
                f"that path and no other. Nothing was written."
            )
            raise PluginError(msg, writer)
    if strange:
        msg = (
            f"{writer.label} left {strange} beside what it was to write; it was removed. Each file of a product needs an ending in "
            f"its endings."
        )
        warnings.warn(msg, OutputWarning, stacklevel=2)


def _fault(part: Path, *, folder: bool) -> str:
    """Return why something is not what was to be written; blank if it is."""
    if not part.exists():
        return "is missing"
    if part.is_dir() != folder:
        return "is a file, not a folder" if folder else "is a folder, not a file"
    empty = not any(part.iterdir()) if folder else part.stat().st_size == 0
    return "is still empty" if empty else ""
