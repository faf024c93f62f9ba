"""Products of a run: names, layers, headers, files; everything about formats is the writer's business."""

from __future__ import annotations

import dataclasses
import os
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from drizframe.config.outputs import OutputNames, output_names
from drizframe.engine.context import RunContext
from drizframe.engine.identity import run_identity, stamped, with_run
from drizframe.engine.plan import Plan
from drizframe.engine.sinks import write_product
from drizframe.engine.store import Store
from drizframe.engine.stored import stored
from drizframe.engine.writers import Chosen
from drizframe.errors import ConflictError, FrameWarning, OutputError, OutputWarning
from drizframe.hooks import Registry, RunProducts
from drizframe.model import (
    LAYERS,
    Chip,
    DerivedImage,
    Exposure,
    Extension,
    FrameUnit,
    Layer,
    LazyImage,
    MadeOnce,
    Mosaic,
    Plane,
    PlaneKey,
    blocks,
)
from drizframe.model.bunit import product_unit as unit_of_product

__all__ = [
    "check_writable",
    "describe_products",
    "finished",
    "layers_of",
    "make_mosaic",
    "output_root",
    "product_names",
    "product_unit",
    "refuse_packed",
    "with_headers",
    "write_mosaic",
]

#: Bytes of a root name that leave room, within the 255 of file systems, for what products add.
_LONGEST = 180


def output_root(output: object) -> str:
    """Return the root of product names as text, ``~`` resolved.

    Raises
    ------
    OutputError
        If it is no text or path, or no file can have that name.
    """
    if not isinstance(output, str | os.PathLike) or isinstance(os.fspath(output), bytes):
        msg = f"output is {output!r}; give the root of the product names as text or pathlib.Path."
        raise OutputError(msg)
    text = os.path.expanduser(os.fspath(output))  # noqa: PTH111  (a root may be blank)
    name = os.path.basename(text).strip()  # noqa: PTH119
    empty = bool(text.strip()) and re.sub(r"(_dr[a-z0-9])?(\.fits)?$", "", name) == ""
    if empty or name in (".", "..") or any(ord(c) < 32 or ord(c) == 127 for c in text):
        msg = f"output is {text!r}, which names no file. Give a root such as 'folder/name'."
        raise OutputError(msg)
    size = len(os.fsencode(name))
    if size > _LONGEST:
        msg = f"output has a name of {size} bytes: {name[:20]!r}…. Give one of at most {_LONGEST}."
        raise OutputError(msg)
    return text


def refuse_packed(output: str) -> None:
    """Raise `OutputError` for the name of a compressed file: none is written, and the ending would be a part of the root."""
    packed = re.search(r"\.(fits?|fts)\.(gz|bz2|xz|fz|z|zip)$", output, re.IGNORECASE)
    if packed:
        plain = output[: packed.start()]
        msg = f"output is {output!r}, but products are not compressed. Give {plain + '.fits'!r}, and compress them afterwards."
        raise OutputError(msg)


def check_writable(output: str) -> None:
    """Raise `OutputError` if the folder of an output root does not exist or cannot be written to."""
    folder = Path(output).parent
    try:
        found = folder.is_dir()
    except OSError as error:  # too long for the file system
        msg = f"The output folder {str(folder)[:40]!r}… cannot be: {error.strerror}. Give another output."
        raise OutputError(msg) from error
    if not found:
        msg = f"The output folder {str(folder)!r} does not exist. Make it, or give another output."
        raise OutputError(msg)
    if not os.access(folder, os.W_OK | os.X_OK):
        msg = f"The output folder {str(folder)!r} is not writable. Change its permissions, or give another output."
        raise OutputError(msg)


def product_names(
    output: str | None,
    exposures: Sequence[Exposure],
    asn_root: str | None = None,
    *,
    whole: bool = True,
    ending: str = "",
) -> OutputNames:
    """Return root and tag of the products of a run; `whole` as in `output_names`; `ending` is cut off the output."""
    if output is not None and ending:
        return OutputNames(root=output.removesuffix(ending), tag="")
    paths = list(dict.fromkeys(e.path for e in exposures if e.path is not None)) or [
        Path(e.name) for e in exposures
    ]
    return output_names(output, paths, exposures[0].product_tag, asn_root, whole=whole)


def product_unit(plan: Plan) -> str:
    """Return the unit of the final image as ``BUNIT`` spells it.

    Notes
    -----
    The accumulators hold electrons per second, or the flux or surface brightness of the inputs.  Only ``proc_unit='native'``
    with detectors that count gives counts; a rate gets "/S" (trap 02-5: also for detectors that count).
    """
    chip: Chip = plan.exposures[0].chips[0]
    counts = plan.parameters.proc_unit == "native"
    return unit_of_product(chip.native_unit, chip.bunit, units=plan.parameters.final_units, counts=counts)


def layers_of(plan: Plan) -> dict[str, Extension]:
    """Return the layers that the mosaic of a run has, by name, in the order of the extensions of a file.

    Raises
    ------
    ConflictError
        If two planes want to be the same extension.
    """
    return {name: extension for name, (_, extension) in _parts(plan).items()}


def _parts(plan: Plan) -> dict[str, tuple[Plane, Extension]]:
    """Return the planes that steps make for the product, by the names of their layers: the usual ones first."""
    made = {name for step in plan.steps for name in step.planes}
    found: dict[str, tuple[Plane, Extension]] = {}
    for plane in plan.planes.values():
        extension = plane.extension
        if extension is None or plane.name not in made or not extension.wanted(plan.parameters):
            continue
        if extension.layer in found:
            other = found[extension.layer][0].name
            msg = f"Planes {other!r} and {plane.name!r} both want to be extension {extension.name!r} of the product. Give one another name."
            raise ConflictError(msg)
        found[extension.layer] = plane, extension
    usual = list(LAYERS)
    return dict(sorted(found.items(), key=lambda kv: usual.index(kv[0]) if kv[0] in usual else len(usual)))


def describe_products(
    plan: Plan,
    store: Store,
    names: OutputNames,
    *,
    planes: frozenset[str] = frozenset(),
    beside_inputs: bool = False,
) -> RunProducts:
    """Return what a writer needs to know about a run; before its work nothing can be read from it."""
    return RunProducts(
        exposures=plan.exposures, parameters=plan.parameters, frames=plan.frames, names=names,
        unit=product_unit(plan),
        sky=store.by_chip("sky"),
        weight_scale=store.by_chip("final.scale"),
        read=lambda name, unit: store.get(PlaneKey(name, unit)),
        opened=lambda name, unit: stored(store, PlaneKey(name, unit)),
        origin=lambda name, unit: store.origin(PlaneKey(name, unit)),
        planes=planes, folder=Path(names.root).parent, beside_inputs=beside_inputs,
        run=run_identity(plan.exposures, plan.parameters, Path(names.stem)), layers=layers_of(plan),
    )  # fmt: skip


def finished(product: RunProducts, store: Store) -> RunProducts:
    """Return the description with the results of the steps that are single numbers."""
    return dataclasses.replace(
        product,
        sky=store.by_chip("sky"),
        weight_scale=store.by_chip("final.scale"),
    )


def make_mosaic(context: RunContext) -> Mosaic | None:
    """Return the final image with all its layers, or None if the final step did not run."""
    plan, unit = context.plan, product_unit(context.plan)
    parts = _parts(plan)
    found = {n: stored(context.store, PlaneKey(p.name, FrameUnit(p.grid))) for n, (p, _) in parts.items()}
    images = {name: image for name, image in found.items() if image is not None}
    if "sci" not in images:
        return None
    if not _any(images["wht"], np.any):
        values = plan.parameters.final_fillval is None and _any(
            images["sci"], lambda part: np.isfinite(part).any()
        )
        left = (
            " Its values are those of pixels of weight 0; final_fillval='nan' leaves them out."
            if values
            else ""
        )
        context.bus.note(
            "No pixel of the mosaic has a weight: the frame lies off the exposures, or all their pixels are masked "
            "or without weight. Look at final_ra, final_dec, final_crpix, final_refimage, final_bits and the ERR or "
            f"IVM images.{left}",
            warn=FrameWarning,
        )
    layers = {
        name: Layer(
            image=_scaled(plan, image, parts[name][1]),
            extension=parts[name][1],
            unit=parts[name][1].unit_of(unit),
        )
        for name, image in images.items()
    }
    return Mosaic(layers=layers, frame=plan.frames["final"], unit=unit, exptime=plan.total_exptime)


def _any(image: LazyImage, test: Callable[[np.ndarray[Any, Any]], Any]) -> bool:
    """Tell whether something is so in any part of an image."""
    return any(bool(test(image.read(window))) for window in blocks(image))


def _scaled(plan: Plan, image: LazyImage, extension: Extension) -> LazyImage:
    """Return a layer in the unit of the product: without "per second" if that is wanted; integers are no rates."""
    if plan.parameters.final_units != "counts" or extension.seconds == 0 or image.dtype.kind not in "fc":
        return image
    factor = np.float32(plan.total_exptime) ** extension.seconds
    return DerivedImage(image, lambda part: part * factor)


def write_mosaic(
    mosaic: Mosaic, names: OutputNames, registry: Registry, chosen: Chosen, run: str = ""
) -> list[Path]:
    """Write a mosaic with the writer of its run; return the files."""
    provider = next((e.provider for e in registry if e.record is chosen.writer), "the parameter writer")
    return write_product(chosen.writer, mosaic, Path(names.stem), run=run, provider=provider)


def with_headers(
    context: RunContext, product: RunProducts, mosaic: Mosaic | None, chosen: Chosen, *, now: bool
) -> Mosaic | None:
    """Let the writer make the headers of the mosaic: now, or when somebody asks for them.

    Parameters
    ----------
    context : RunContext
        Of the run.
    product : RunProducts
        The finished run.
    mosaic : Mosaic or None
        Its mosaic.
    chosen : Chosen
        The writer.
    now : bool
        Whether files are written.  Headers of a plugin's writer are made at once all the same: they may need planes of the run.
    """
    if mosaic is None:
        return None
    if now or not chosen.headers_are_ours(context.registry):
        made = chosen.headers(product)
        if made is None:
            return mosaic
        headers, table, notes = made
        for note in notes:
            context.bus.note(note, warn=OutputWarning)
        return stamped(dataclasses.replace(mosaic, headers=headers, table=table), product.run)
    later = MadeOnce(lambda: _made_later(chosen, product))
    return dataclasses.replace(
        mosaic, headers=MadeOnce(lambda: later["headers"]), table=MadeOnce(lambda: later["table"])
    )


def _made_later(chosen: Chosen, product: RunProducts) -> dict[str, Any]:
    """Return headers and table of a run that is over; warnings go to whoever asked."""
    headers, table, notes = chosen.headers(product)
    for note in notes:
        warnings.warn(note, OutputWarning, stacklevel=2)
    return {"headers": with_run(headers, product.run), "table": table}
