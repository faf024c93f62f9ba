"""Parameters of the run as a whole, and of the state of the input files."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

from drizframe.config.types import (
    Bits,
    Component,
    ComponentOrBlank,
    Flag,
    Group,
    IntOrNone,
    MissingKinds,
    ProcUnit,
    Size,
    Text,
    Whole,
    parameter,
)


class GeneralParameters(BaseModel):
    """Of the run as a whole (steps G, S and A of the reference's documentation)."""

    runfile: Text = parameter(
        "astrodrizzle.log",
        "Log file; blank: none. drizframe.run writes one only if this is given.",
        result=False,
        step="G",
    )
    wcskey: Text = parameter(
        "", "Alternate WCS to use, by letter or by WCSNAME; blank: the primary one.", step="G"
    )
    proc_unit: ProcUnit = parameter("native", "Unit of the product: 'native' or 'electrons'.", step="G")
    coeffs: Flag = parameter(True, "Apply the distortion of the inputs.", step="G")
    context: Flag = parameter(True, "Make the context image.", step="G")
    group: Group = parameter((), "Chips to use: HDU numbers, or 'sci,1'; blank: all.", step="G")
    build: Flag = parameter(False, "Write one file with several extensions.", result=False, step="G")
    crbit: Whole = parameter(4096, "Data-quality bit that marks cosmic rays.", step="G", ge=1, le=0xFFFF)
    stepsize: Any = parameter(
        10,
        "Distance of the exact positions of the coordinate table; 0: all exact; 'auto'.",
        step="G",
        unit="pixel",
    )
    resetbits: Bits = parameter(4096, "Data-quality bits to clear before all else.", step="G")
    num_cores: IntOrNone = parameter(
        None, "Number of workers; None: one for each core.", result=False, step="G", ge=1
    )
    in_memory: Flag = parameter(False, "Write no intermediate files.", result=False, step="G")
    rules_file: Text = parameter("", "Rules for blending headers; blank: those of the instrument.", step="G")
    restore: Flag = parameter(False, "Start from the archived inputs.", result=False, step="S")
    preserve: Flag = parameter(True, "Archive inputs that have no archived copy yet.", result=False, step="S")
    overwrite: Flag = parameter(False, "Archive inputs even where a copy exists.", result=False, step="S")
    clean: Flag = parameter(False, "Delete intermediate files at the end.", result=False, step="S")
    updatewcs: Flag = parameter(False, "Recompute the WCS from reference files first.", step="A")


class OwnParameters(BaseModel):
    """Parameters that drizframe adds."""

    backend: Literal["auto", "reference", "cython"] = parameter(
        "auto",
        "Which implementation runs: compiled where there is one (unless DRIZFRAME_BACKEND in the environment says otherwise), "
        "NumPy only, or compiled only.",
        step="drizframe",
    )
    executor: Component = parameter("threads", "Where tasks run.", result=False, step="drizframe")
    writer: ComponentOrBlank = parameter(
        "",
        "Writer of the product; blank: the one whose ending the output has, such as '.npz', else the FITS one for build.",
        result=False,
        step="drizframe",
    )
    max_memory: Size = parameter(
        1024.0,
        "Memory for pixels and what steps do with them, in MiB or with a unit ('400MB'); past it they go to scratch files.",
        result=False,
        step="drizframe",
        unit="MiB",
        gt=0,
    )
    verify_inputs: Literal["warn", "error", "no"] = parameter(
        "warn",
        "What is done about an input whose CHECKSUM or DATASUM does not hold: 'warn', 'error', or 'no' (not looked at).",
        step="drizframe",
    )
    max_pixels: IntOrNone = parameter(
        None, "Pixels of the largest output frame; None: 400 million.", step="drizframe", unit="pixel", ge=1
    )
    allow_sparse: Flag = parameter(
        False, "Make a frame around exposures even where they cover next to nothing of it.", step="drizframe"
    )
    tile_size: Whole = parameter(
        1024,
        "Side of an output tile, at least 16; the result does not depend on it.",
        result=False,
        step="drizframe",
        unit="pixel",
        ge=16,
    )
    workdir: Text = parameter(
        "", "Folder for scratch files; blank: a temporary one.", result=False, step="drizframe"
    )
    resume: Flag = parameter(
        False,
        "Record in workdir what is done, and go on where an interrupted run of the same inputs and output was.",
        result=False,
        step="drizframe",
    )
    keep: Any = parameter(
        (),
        "Intermediate products to write, or 'all'; any other plane is kept for Result.planes.",
        result=False,
        step="drizframe",
    )
    overwrite_products: Flag = parameter(
        False,
        "Replace files that are no products of this run's inputs and output.",
        result=False,
        step="drizframe",
    )
    layers: Any = parameter((), "Further planes of the mosaic: 'variance'.", step="drizframe")
    allow_missing: MissingKinds = parameter(
        (),
        "Images that inputs may lack although their instrument has them: 'dq', 'err', or both.",
        step="drizframe",
    )
    cr_detector: Component = parameter("deriv", "Cosmic-ray detector.", step="drizframe")
    crmasks: Any = parameter(
        (),
        "Cosmic-ray masks (1 good, 0 cosmic ray) to apply in the final step, besides those that driz_cr finds: a Result or its "
        "cosmic_rays, masks by name of exposure, or files of such masks (folder, wildcard, names).",
        step="drizframe",
    )
    use_crmasks: Flag = parameter(
        True,
        "Drop-in, driz_cr off: apply the masks of an earlier run, as the reference does: *_crmask.fits beside the inputs, and the "
        "flag crbit where resetbits leaves it.",
        step="drizframe",
    )
    force_edits: Flag = parameter(
        False,
        "Drop-in: write data-quality flags into the inputs even if the cosmic rays cannot be right.",
        step="drizframe",
    )
    blot_stepsize: Any = parameter(10, "As stepsize, for the blot step.", step="drizframe", unit="pixel")
    plugins: dict[str, Any] = parameter(
        {}, "Parameter sections of plugins, by name of the plugin.", step="drizframe"
    )
