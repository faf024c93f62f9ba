"""The exposure with its cosmic rays replaced, as a file of the form of its input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.fits.opening import open_fits
from drizframe.fits.stamps import stamp_of
from drizframe.model.sources import scale_of, stored
from drizframe.stock.io.single_exposure import single_exposure
from drizframe.stock.io.sound_cards import drop_unsound
from drizframe.stock.io.source import FitsSource
from drizframe.stock.products.chip_headers import chip_header
from drizframe.stock.products.grid_keywords import STRUCTURE, remove
from drizframe.stock.products.input_headers import read_primary
from drizframe.stock.products.wcs_keywords import distortion_tables

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

    from drizframe.model import Chip, Exposure

__all__ = ["clean_copy"]

Image = np.ndarray[Any, Any]


def clean_copy(
    exposure: Exposure, cleaned: Mapping[int, Image], masks: Mapping[int, Image], crbit: int
) -> HDUList:
    """Return the exposure with clean images, and with cosmic rays as the only flags of its data quality.

    Parameters
    ----------
    exposure : Exposure
        As it was read.
    cleaned : mapping of int to ndarray
        Clean science image by EXTVER, in the unit of the chip.
    masks : mapping of int to ndarray
        Cosmic-ray mask by EXTVER, 1 = good.
    crbit : int
        Flag of cosmic rays.

    Returns
    -------
    HDUList
        The extensions of the input.  What was no file of its own, or cannot be stored as it was (arrays,
        waivered files), gets one SCI and DQ extension a chip.
    """
    if exposure.path is None or any(_plane(c) >= 0 for c in exposure.chips):
        return _new(exposure, cleaned, masks, crbit)
    with open_fits(exposure.path, stamp_of(exposure)) as hdus:
        copy = single_exposure(hdus, exposure)
    for hdu in copy:
        drop_unsound(hdu.header)
    for chip in exposure.chips:
        science, flags = _places(exposure, chip)
        if chip.extver in cleaned:
            image = _float32(
                cleaned[chip.extver] / np.float32(scale_of(chip.load))
            )  # in the unit of the file
            copy[science] = _with_data(copy[science], image, science)
        if chip.extver in masks and flags is not None:
            copy[flags] = _with_data(copy[flags], _flags(masks[chip.extver], crbit), flags)
    return copy


def _plane(chip: Chip) -> int:
    """Return which plane of a cube a chip is; -1 if it has an image of its own."""
    source = stored(chip.load)
    return source.places["sci"][2] if isinstance(source, FitsSource) else -1


def _places(exposure: Exposure, chip: Chip) -> tuple[int, int | None]:
    """Return the numbers of the extensions of a chip in the copy: science and, if it is in that file, flags."""
    if exposure.extra.get("split"):
        return 1, 3
    source = stored(chip.load)
    places = source.places if isinstance(source, FitsSource) else {}
    file, index, _ = places.get("dq", ("", 0, -1))
    return places["sci"][1], index if file == places["sci"][0] else None


def _with_data(hdu: Any, data: Image, position: int) -> Any:
    """Return an extension with other data and the rest of its header."""
    from astropy.io import fits

    header = hdu.header.copy()
    name, version = hdu.name, hdu.ver
    remove(header, STRUCTURE)
    if position == 0:
        return fits.PrimaryHDU(data, header)
    return fits.ImageHDU(data, header, name=name, ver=version)


def _new(exposure: Exposure, cleaned: Mapping[int, Image], masks: Mapping[int, Image], crbit: int) -> HDUList:
    """Return a file made of headers and images."""
    from astropy.io import fits

    primary = read_primary(exposure)[0]
    remove(primary, STRUCTURE)
    hdus, tables = [fits.PrimaryHDU(header=primary)], []
    for number, chip in enumerate(exposure.chips):
        if chip.extver not in cleaned:
            continue
        header = chip_header(chip, 2 * number)
        tables += distortion_tables(chip.wcs, 2 * number)
        hdus.append(fits.ImageHDU(_float32(cleaned[chip.extver]), header, name="SCI", ver=chip.extver))
        if chip.extver in masks:
            flags = _flags(masks[chip.extver], crbit)
            hdus.append(fits.ImageHDU(flags, name="DQ", ver=chip.extver))
    hdus[0].header["NEXTEND"] = len(hdus) + len(tables) - 1
    return fits.HDUList([*hdus, *tables])


def _flags(mask: Image, crbit: int) -> Image:
    return np.where(np.asarray(mask) == 0, crbit, 0).astype(np.uint16)


def _float32(image: Image) -> Image:
    return np.ascontiguousarray(image, dtype=np.float32)
