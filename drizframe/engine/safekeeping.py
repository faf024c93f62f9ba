"""Before a run and after it: what dead processes left is put in order, and what others wrote is kept."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from drizframe.config import Parameters
from drizframe.engine.bus import Bus
from drizframe.engine.identity import run_identity, stamped
from drizframe.engine.paths import ReadFiles, check_existing, check_targets, stale_products
from drizframe.engine.plan import Plan
from drizframe.engine.products import check_writable, output_root, product_names, refuse_packed, write_mosaic
from drizframe.engine.scratch_folders import scratch_parent
from drizframe.engine.writers import Chosen, choose_writer, mosaic_names
from drizframe.errors import OutputError, OutputWarning
from drizframe.hooks import Registry, RunProducts
from drizframe.model import Exposure, Mosaic
from drizframe.system.recovery import recover_products
from drizframe.system.temporary import sweep_scratch
from drizframe.system.transaction import together

__all__ = ["check_products", "tidy", "tidy_inputs", "write_result"]


def tidy(settings: Parameters, folders: Sequence[Path], bus: Bus) -> None:
    """Finish or undo what processes that have ended began in some folders, and remove what they left there."""
    sweep_scratch(scratch_parent(settings.workdir))
    for folder in dict.fromkeys(f.absolute() for f in folders):
        for note in recover_products(folder):
            bus.note(note, warn=OutputWarning)


def tidy_inputs(exposures: Sequence[Exposure], bus: Bus) -> None:
    """Do the same in the folders of the inputs, as far as they may be written to; this run may not need to."""
    for folder in dict.fromkeys(e.path.absolute().parent for e in exposures if e.path is not None):
        if os.access(folder, os.W_OK):
            try:
                for note in recover_products(folder):
                    bus.note(note, warn=OutputWarning)
            except OutputError as error:
                bus.note(str(error), warn=OutputWarning)


def check_products(
    product: RunProducts,
    plan: Plan,
    files: ReadFiles,
    registry: Registry,
    chosen: Chosen,
    *,
    also: Sequence[Path] = (),
    edited: Sequence[Path] = (),
) -> tuple[list[Path], list[Path], list[str]]:
    """Test, before the work, everything that a run will write.

    Parameters
    ----------
    product : RunProducts
        The run.
    plan : Plan
        Its steps.
    files : ReadFiles
        What it reads.
    registry : Registry
        Has the writers.
    chosen : Chosen
        That of the run.
    also : sequence of pathlib.Path
        Further files that will be written or added to, such as a log.
    edited : sequence of pathlib.Path
        Inputs that are changed at the end.

    Returns
    -------
    planned : list of pathlib.Path
        What will be written.
    stale : list of pathlib.Path
        What is to be removed with it.
    notes : list of str
        For the user.

    Raises
    ------
    OutputError
        If an input or a product of another run would be written over, or a file cannot be written.
    """
    made = {plane for step in plan.steps for plane in step.planes}
    if not plan.parameters.driz_cr_corr:
        made.discard("crclean")
    overwrite, stem = plan.parameters.overwrite_products, Path(product.names.stem)
    targets = chosen.writer.targets(stem, product.layers)
    planned = [*chosen.plane_files(dataclasses.replace(product, planes=product.planes & made)), *targets]
    mosaic = mosaic_names(registry, chosen, stem, product.layers)
    folders = {path for path, folder in targets.items() if folder}
    check_targets([*planned, *also], files, edited=edited, folders=folders)
    check_existing(planned, mosaic, product.run, overwrite=overwrite)
    stale, notes = stale_products(stem, planned, mosaic, files, product.run, overwrite=overwrite)
    return planned, stale, notes


def write_result(
    mosaic: Mosaic,
    root: str | Path,
    exposures: Sequence[Exposure],
    parameters: Parameters,
    registry: Registry,
    *,
    own: Sequence[Path] = (),
) -> list[Path]:
    """Write the mosaic of a run that is over, under any name; return the files.  Those in `own` are of the same mosaic.

    Raises
    ------
    OutputError
        As `check_products`.
    """
    root = output_root(root)
    check_writable(root)
    chosen = choose_writer(registry, parameters, root)
    if not chosen.ending:
        refuse_packed(root)
    names = product_names(root, exposures, ending=chosen.ending)
    stem = Path(names.stem)
    identity = run_identity(exposures, parameters, stem)
    files = ReadFiles.of_run((), exposures, parameters)
    targets = chosen.writer.targets(stem, mosaic.layers)
    known = mosaic_names(registry, chosen, stem, mosaic.layers)
    overwrite = parameters.overwrite_products
    recover_products(stem.parent)
    check_targets(targets, files, folders={path for path, folder in targets.items() if folder})
    check_existing(targets, known, identity, overwrite=overwrite)
    stale, _ = stale_products(stem, list(targets), known, files, identity, overwrite=overwrite, own=own)
    with together() as act:
        for path in stale:
            act.remove(path)
        return write_mosaic(stamped(mosaic, identity), names, registry, chosen, identity)
