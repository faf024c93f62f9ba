"""Files of single steps, with the names that users of AstroDrizzle know."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from drizframe.model import DerivedImage, LazyImage, Window, lazy
from drizframe.stock.io.atomic import staged
from drizframe.stock.io.block_file import BlockFile
from drizframe.stock.io.images import put_run, write_image, write_part
from drizframe.stock.io.text import header_text
from drizframe.stock.products.chip_headers import blot_header, mask_header
from drizframe.stock.products.clean_copy import clean_copy
from drizframe.stock.products.headers import ProductHeaders, simple_header
from drizframe.stock.products.input_headers import NO_UNIT
from drizframe.stock.products.names import chip_path, crclean_path, median_path, single_path, static_mask_path
from drizframe.stock.products.wcs_keywords import distortion_tables

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Chip, Exposure

__all__ = [
    "write_blot",
    "write_crclean",
    "write_crmask",
    "write_mask",
    "write_median",
    "write_single",
    "write_sky_mask",
    "write_static_mask",
]

Image = np.ndarray[Any, Any]
AnyImage = Image | LazyImage


def _named(header: Header, path: Path) -> Header:
    """Return a copy of a header with the name of its file."""
    result = header.copy()
    result["FILENAME"] = (header_text(path.name), "name of file")
    return result


def write_single(
    folder: Path,
    name: str,
    sci: AnyImage | None,
    wht: AnyImage | None,
    headers: ProductHeaders,
    window: Window,
    shape: tuple[int, int],
) -> list[Path]:
    """Write ``<name>_single_sci.fits`` and ``<name>_single_wht.fits``, as large as the separate frame.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    name : str
        Root name of the exposure.
    sci, wht : ndarray or LazyImage of float32, shape of `window`
        Singly drizzled image (electrons/s) and its weight; None: not written.
    headers : ProductHeaders
        From `product_headers` with kind "single".
    window : Window
        Where the exposure lies on the frame; all else is 0.
    shape : tuple of int
        Rows and columns of the frame.
    """
    paths = []
    for kind, image, own in (("sci", sci, headers.sci), ("wht", wht, headers.wht)):
        if image is None:
            continue
        path = single_path(folder, name, kind)
        header = _named(simple_header(headers.primary, own, kind.upper()), path)
        paths.append(write_part(path, image, window, shape, header))
    return paths


def write_median(folder: Path, root: str, image: AnyImage, headers: ProductHeaders) -> Path:
    """Write ``<root>_med.fits`` with the header of the first single image.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    root : str
        Output root without tag.
    image : ndarray of float32, or LazyImage
        Median image, electrons/s.
    headers : ProductHeaders
        Of the first exposure.
    """
    path = median_path(folder, root)
    return write_image(
        path, _float32(image), _named(simple_header(headers.primary, headers.sci, "SCI"), path)
    )


def write_blot(
    folder: Path, exposure: Exposure, chip: Chip, image: AnyImage, sky: float | None = None
) -> Path:
    """Write ``<name>_sciN_blt.fits`` with the header of the chip.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    exposure, chip
        Where the image was blotted to.
    image : ndarray of float32, or LazyImage
        Blotted image in the unit of the chip.
    sky : float, optional
        Sky level of the chip.
    """
    path = chip_path(folder, "blot", exposure.name, chip.extver)
    primary, science = blot_header(exposure, chip, sky)
    header = _named(simple_header(primary, science, "SCI"), path)
    return write_image(path, _float32(image), header, distortion_tables(chip.wcs))


def write_mask(
    folder: Path,
    name: str,
    extver: int,
    image: AnyImage,
    step: Literal["single", "final"],
    own: tuple[Exposure, Chip] | None = None,
) -> Path:
    """Write the weight array of a chip, ``<name>_sciN_<step>_mask.fits``, as float32.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    name : str
        Root name of the exposure.
    extver : int
        Number of the chip.
    image : ndarray or LazyImage
        Weights.
    step : {"single", "final"}
        Which step used them.
    own : tuple of Exposure and Chip, optional
        Whose grid it is; goes into the header.
    """
    return _write_on_chip(chip_path(folder, f"{step}.mask", name, extver), _float32(image), own)


def _write_on_chip(
    path: Path, image: AnyImage, own: tuple[Exposure, Chip] | None, more: Header | None = None
) -> Path:
    """Write an image with the world coordinates of a chip, if it is told which, and further keywords."""
    if own is None:
        return write_image(path, image, more)
    header = _named(mask_header(*own), path)
    for card in () if more is None else more.cards:
        header[card.keyword] = (card.value, card.comment)
    return write_image(path, image, header, distortion_tables(own[1].wcs))


def write_crmask(
    folder: Path,
    name: str,
    extver: int,
    mask: AnyImage,
    header: Header | None = None,
    own: tuple[Exposure, Chip] | None = None,
) -> Path:
    """Write a cosmic-ray mask, ``<name>_sciN_crmask.fits``, uint8, 1 = good.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    name : str
        Root name of the exposure.
    extver : int
        Number of the chip.
    mask : ndarray or LazyImage
        Zero where a pixel is bad.
    header : Header, optional
        What it belongs to, from `drizframe.stock.io.crmasks.mask_header`.
    own : tuple of Exposure and Chip, optional
        Whose grid it is; goes into the header.
    """
    path = chip_path(folder, "mask.cr", name, extver)
    return _write_on_chip(path, _good(mask, np.uint8), own, header)


def write_sky_mask(
    folder: Path, name: str, extver: int, mask: AnyImage, own: tuple[Exposure, Chip] | None = None
) -> Path:
    """Write the mask of the sky step, ``<name>_skymatch_mask_sciN.fits``, uint8, 1 = used.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    name : str
        Root name of the exposure.
    extver : int
        Number of the chip.
    mask : ndarray or LazyImage
        Zero where a pixel was not used.
    own : tuple of Exposure and Chip, optional
        Whose grid it is; goes into the header.
    """
    path = chip_path(folder, "mask.sky", name, extver)
    return _write_on_chip(path, _good(mask, np.uint8), own)


def write_static_mask(folder: Path, signature: str, mask: AnyImage) -> Path:
    """Write ``<signature>_staticMask.fits``, int16, 1 = good.

    A static mask belongs to a detector, and several exposures share it; it has no place on the sky.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    signature : str
        Such as ``_2048x4096_1``.
    mask : ndarray or LazyImage
        Zero where a pixel is bad.
    """
    from astropy.io.fits import Header

    path = static_mask_path(folder, signature)
    header = _named(Header([("BUNIT", NO_UNIT)]), path)
    return write_image(path, _good(mask, np.int16), header)


def write_crclean(
    folder: Path,
    exposure: Exposure,
    cleaned: Mapping[int, AnyImage],
    masks: Mapping[int, AnyImage],
    crbit: int,
) -> Path:
    """Write ``<name>_crclean.fits``: the exposure with cosmic rays replaced, and flagged in DQ.

    Parameters
    ----------
    folder : pathlib.Path
        Where to.
    exposure : Exposure
        As it was read; its file, if it has one, is the pattern.
    cleaned : mapping of int to ndarray or LazyImage
        Clean science image by EXTVER.
    masks : mapping of int to ndarray or LazyImage
        Cosmic-ray mask by EXTVER, 1 = good; DQ becomes `crbit` where it is 0, else 0.
    crbit : int
        Flag of cosmic rays.
    """
    path = crclean_path(folder, exposure.name)
    images = {v: lazy(i) for v, i in cleaned.items()}
    good = {v: lazy(m) for v, m in masks.items()}
    with clean_copy(exposure, images, good, crbit) as copy, staged(path) as (part,):
        put_run(copy.hdus[0].header)
        file = BlockFile(part, copy.hdus, dict.fromkeys(copy.images, 0.0))
        for number, image in copy.images.items():
            file.write_all(number, image)
        file.close()
    return path


def _float32(image: AnyImage) -> LazyImage:
    return DerivedImage(lazy(image), lambda part: np.ascontiguousarray(part, dtype=np.float32))


def _good(mask: AnyImage, dtype: type[np.integer[Any]]) -> LazyImage:
    """Return a mask of 0 and 1."""
    return DerivedImage(lazy(mask), lambda part: (part != 0).astype(dtype))
