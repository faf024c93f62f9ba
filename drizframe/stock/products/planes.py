"""Headers and intermediate files of a finished run."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from drizframe.hooks import INTERMEDIATE, RunProducts
from drizframe.model import ChipUnit, DerivedImage, ExposureUnit, FrameUnit, LazyImage, Window
from drizframe.stock.io.background import in_background
from drizframe.stock.io.crmasks import mask_header
from drizframe.stock.io.images import made_by
from drizframe.stock.io.provenance import put_provenance
from drizframe.stock.products import intermediate
from drizframe.stock.products.blending import choose_rules
from drizframe.stock.products.facts import ProductFacts
from drizframe.stock.products.headers import ProductHeaders, product_headers
from drizframe.stock.products.names import plane_paths, static_masks

__all__ = ["check_rules", "intermediate_files", "mosaic_headers", "write_planes"]


def _units(product: RunProducts) -> list[ChipUnit]:
    return [ChipUnit(i, k) for i, e in enumerate(product.exposures) for k in range(len(e.chips))]


def _kernel(value: Any) -> str:
    """Return the name of a kernel that was given by name or as a record."""
    return value if isinstance(value, str) else str(value.name)


def check_rules(parameters: Any) -> None:
    """Raise if the user's rules for blending headers cannot be read: those that are named, and those in the folder.

    Parameters
    ----------
    parameters : Parameters
        Of the run.

    Raises
    ------
    MissingInputError
        If there is no such file.
    InputError
        If it holds no rules.
    """
    if choose_rules(parameters.rules_file, []) is None:
        for path in sorted(p for p in Path().glob("*.rules") if p.is_file()):
            choose_rules(path, [])


def mosaic_headers(
    product: RunProducts,
) -> tuple[Mapping[str, Any], Mapping[str, Sequence[Any]], tuple[str, ...]]:
    """Return headers, table and warnings of the mosaic; see `drizframe.hooks.Writer`."""
    p = product.parameters
    facts = ProductFacts(
        frame=product.frames["final"],
        exposures=product.exposures,
        names=product.names,
        sky={u: v.level for u, v in product.sky.items()},
        sky_method={u: v.method for u, v in product.sky.items()},
        weight_scale=dict(product.weight_scale),
        kernel=_kernel(p.final_kernel),
        pixfrac=p.final_pixfrac,
        units=p.final_units,
        fillval=p.final_fillval,
        wcskey=p.wcskey,
        coeffs=p.coeffs,
        bunit=product.unit,
        build=p.build,
        context=p.context,
        log=p.runfile,
        rules_file=p.rules_file,
        rules_folder=Path(),
        layers=product.layers,
    )
    made = product_headers(facts)
    put_provenance(made.primary, product.provenance)
    return made.parts(), made.table, made.notes


def _single_headers(product: RunProducts, index: int) -> ProductHeaders:
    """Return the headers of one singly drizzled exposure."""
    p = product.parameters
    units = {ChipUnit(0, u.chip): v.level for u, v in product.sky.items() if u.exposure == index}
    scale = 1.0 if isinstance(p.driz_sep_wt_scl, str) else float(p.driz_sep_wt_scl)
    chip = product.exposures[index].chips[0]
    facts = ProductFacts(
        kind="single",
        frame=product.frames["separate"],
        exposures=[product.exposures[index]],
        names=product.names,
        sky=units,
        weight_scale={ChipUnit(0, k): scale for k in range(len(product.exposures[index].chips))},
        kernel=_kernel(p.driz_sep_kernel),
        pixfrac=p.driz_sep_pixfrac,
        fillval=p.driz_sep_fillval,
        wcskey=p.wcskey,
        coeffs=p.coeffs,
        bunit=chip.bunit if chip.physical else "ELECTRONS/S",
        build=p.build,
        context=p.context,
        log=p.runfile,
    )
    return product_headers(facts)


def _static(product: RunProducts) -> list[Path]:
    """Write one file for each distinct static mask."""
    written: dict[str, Path] = {}
    names = static_masks(product.names.root, product.exposures)
    for unit in _units(product):
        mask = product.image("mask.static", unit)
        name = names[unit]
        if mask is not None and name not in written:
            written[name] = intermediate.write_static_mask(product.folder, name, mask)
    return list(written.values())


def _singles(product: RunProducts) -> list[Path]:
    """Write the singly drizzled images and their weights, as far as they are asked for, on the whole separate frame."""
    paths: list[Path] = []
    for index, exposure in enumerate(product.exposures):
        unit = ExposureUnit(index)
        sci, wht = (
            product.image(name, unit) if name in product.planes else None
            for name in ("single.sci", "single.wht")
        )
        known = sci if sci is not None else wht
        if known is None:
            continue
        name = "single.wht" if sci is None else "single.sci"
        window = product.origin(name, unit) or Window(0, known.shape[0], 0, known.shape[1])
        paths += intermediate.write_single(
            product.folder_of(exposure),
            exposure.name,
            sci,
            wht,
            _single_headers(product, index),
            window,
            product.frames["separate"].shape,
        )
    return paths


def _median(product: RunProducts) -> list[Path]:
    image = product.image("median", FrameUnit("separate"))
    if image is None:
        return []
    root = Path(product.names.root).name
    return [intermediate.write_median(product.folder, root, image, _single_headers(product, 0))]


def _weights(step: Literal["single", "final"]) -> Callable[[RunProducts], list[Path]]:
    def write(product: RunProducts) -> list[Path]:
        return _each_chip(
            product,
            f"{step}.mask",
            lambda folder, e, c, image: intermediate.write_mask(
                folder, e.name, c.extver, image, step, (e, c)
            ),
        )

    return write


def _each_chip(product: RunProducts, plane: str, write: Callable[..., Path]) -> list[Path]:
    """Write a plane of every chip that has it."""
    paths = []
    for unit in _units(product):
        image = product.image(plane, unit)
        if image is None:
            continue
        exposure = product.exposures[unit.exposure]
        paths.append(write(product.folder_of(exposure), exposure, exposure.chips[unit.chip], image))
    return paths


def _blots(product: RunProducts) -> list[Path]:
    levels = {(product.exposures[u.exposure].name, u.chip): v.level for u, v in product.sky.items()}

    def write(folder: Path, exposure: Any, chip: Any, image: LazyImage) -> Path:
        level = levels.get((exposure.name, exposure.chips.index(chip)))
        return intermediate.write_blot(folder, exposure, chip, image, level)

    return _each_chip(product, "blot", write)


def _sky_masks(product: RunProducts) -> list[Path]:
    return _each_chip(
        product,
        "mask.sky",
        lambda folder, e, c, image: intermediate.write_sky_mask(folder, e.name, c.extver, image, (e, c)),
    )


def _rays(product: RunProducts) -> list[Path]:
    run = Path(product.names.stem).name
    return _each_chip(
        product,
        "mask.cr",
        lambda folder, e, c, image: intermediate.write_crmask(
            folder, e.name, c.extver, image, mask_header(e, c, run), (e, c)
        ),
    )


def _clean(product: RunProducts) -> list[Path]:
    """Write copies of the inputs with cosmic rays replaced."""
    paths = []
    for index, exposure in enumerate(product.exposures):
        units = [(c.extver, ChipUnit(index, k)) for k, c in enumerate(exposure.chips)]
        images = {v: i for v, u in units if (i := product.image("crclean", u)) is not None}
        flags = {v: f for v, u in units if (f := product.image("crclean.dq", u)) is not None}
        good = {v: DerivedImage(f, _unflagged) for v, f in flags.items()}
        if images:
            folder = product.folder_of(exposure)
            paths.append(intermediate.write_crclean(folder, exposure, images, good, product.parameters.crbit))
    return paths


def _unflagged(flags: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    good: np.ndarray[Any, Any] = (flags == 0).astype(np.uint8)
    return good


def intermediate_files(product: RunProducts) -> list[Path]:
    """Return the files that `write_planes` makes if all planes are asked for, but for the cleaned exposures.

    Parameters
    ----------
    product : RunProducts
        The finished run.
    """
    everything = frozenset(INTERMEDIATE) - {"crclean"}
    return list(dict.fromkeys(plane_paths(dataclasses.replace(product, planes=everything))))


#: Plane -> what writes it.
_WRITERS: dict[str, Callable[[RunProducts], list[Path]]] = {
    "mask.static": _static,
    "mask.sky": _sky_masks,
    "single.mask": _weights("single"),
    "single.sci": _singles,
    "single.wht": lambda product: [] if "single.sci" in product.planes else _singles(product),
    "median": _median,
    "blot": _blots,
    "mask.cr": _rays,
    "crclean": _clean,
    "final.mask": _weights("final"),
}


def write_planes(product: RunProducts) -> list[Path]:
    """Write the intermediate planes that `product` asks for, with the reference's names.

    Parameters
    ----------
    product : RunProducts
        The finished run.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    paths: list[Path] = []
    workers = product.parameters.num_cores or os.cpu_count() or 1
    with made_by(product.provenance), in_background(workers):
        for plane, write in _WRITERS.items():
            if plane in product.planes:
                paths += write(product)
    return paths
