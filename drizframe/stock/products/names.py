"""Names of the files of intermediate planes; their writers take them from here, and so does the plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from drizframe.model import Unit
from drizframe.stock.products.static_names import static_mask_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drizframe.hooks import RunProducts
    from drizframe.model import Exposure

__all__ = [
    "chip_path",
    "crclean_path",
    "median_path",
    "plane_paths",
    "single_path",
    "static_mask_path",
    "static_masks",
]

#: Plane of a chip -> its file, between the names of exposure and chip and the ending.
_OF_CHIPS = {
    "single.mask": "{name}_sci{extver}_single_mask.fits",
    "final.mask": "{name}_sci{extver}_final_mask.fits",
    "blot": "{name}_sci{extver}_blt.fits",
    "mask.cr": "{name}_sci{extver}_crmask.fits",
    "mask.sky": "{name}_skymatch_mask_sci{extver}.fits",
}


def chip_path(folder: Path, plane: str, name: str, extver: int) -> Path:
    """Return the file of a plane of a chip.

    Parameters
    ----------
    folder : pathlib.Path
        Where it goes.
    plane : str
        Such as ``"blot"``.
    name : str
        Root name of the exposure.
    extver : int
        Number of the chip.
    """
    return folder / _OF_CHIPS[plane].format(name=name, extver=extver)


def single_path(folder: Path, name: str, part: str) -> Path:
    """Return the file of a singly drizzled image (``"sci"``) or its weight (``"wht"``)."""
    return folder / f"{name}_single_{part}.fits"


def crclean_path(folder: Path, name: str) -> Path:
    """Return the file of a cleaned exposure."""
    return folder / f"{name}_crclean.fits"


def median_path(folder: Path, root: str) -> Path:
    """Return the file of the median image; `root` is that of the products, without tag."""
    return folder / f"{root}_med.fits"


def static_mask_path(folder: Path, signature: str) -> Path:
    """Return the file of a static mask."""
    return folder / f"{signature}_staticMask.fits"


def plane_paths(product: RunProducts) -> list[Path]:
    """Return the files of the intermediate planes that a run writes, if each of its steps makes what it can make."""
    paths: list[Path] = []
    folders = [product.folder_of(e) for e in product.exposures]
    for plane in sorted(product.planes):
        if plane in _OF_CHIPS:
            paths += [
                chip_path(folder, plane, e.name, c.extver)
                for e, folder in zip(product.exposures, folders, strict=True)
                for c in e.chips
            ]
        elif plane in ("single.sci", "single.wht"):
            paths += [
                single_path(folder, e.name, plane.removeprefix("single."))
                for e, folder in zip(product.exposures, folders, strict=True)
            ]
        elif plane == "crclean":
            paths += [
                crclean_path(folder, e.name) for e, folder in zip(product.exposures, folders, strict=True)
            ]
    return paths + _of_run(product)


def _of_run(product: RunProducts) -> list[Path]:
    paths = []
    root = Path(product.names.root).name
    if "median" in product.planes:
        paths.append(median_path(product.folder, root))
    if "mask.static" in product.planes:
        signatures = static_masks(product.names.root, product.exposures).values()
        paths += [static_mask_path(product.folder, s) for s in dict.fromkeys(signatures)]
    return paths


def static_masks(root: str, exposures: Sequence[Exposure]) -> dict[Unit, str]:
    """Return what tells the static mask of every chip from others, the text before ``_staticMask``."""
    return {u: n.removesuffix("_staticMask.fits") for u, n in static_mask_names(root, exposures).items()}
