"""The exposure with its cosmic rays replaced, as a file of the form of its input; no image of it is whole in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.fits.opening import open_fits
from drizframe.fits.stamps import stamp_of
from drizframe.model import DerivedImage, LazyImage
from drizframe.model.sources import scale_of, stored
from drizframe.stock.io.block_file import stand_in
from drizframe.stock.io.single_exposure import single_exposure
from drizframe.stock.io.sound_cards import drop_unsound
from drizframe.stock.io.source import FitsSource
from drizframe.stock.io.stored_pixels import light_copy
from drizframe.stock.products.chip_headers import chip_header
from drizframe.stock.products.grid_keywords import STRUCTURE, remove
from drizframe.stock.products.input_headers import read_primary
from drizframe.stock.products.wcs_keywords import distortion_tables

if TYPE_CHECKING:
    from drizframe.model import Chip, Exposure

__all__ = ["CleanCopy", "clean_copy"]

Image = np.ndarray[Any, Any]
#: Images by EXTVER.
Images = Mapping[int, LazyImage]


@dataclass(slots=True)
class CleanCopy:
    """A file that is to be written.

    Parameters
    ----------
    hdus : list of HDU
        Its extensions; some have a stand-in for their pixels.
    images : dict of int to LazyImage
        The pixels of these, by number.
    """

    hdus: list[Any] = field(default_factory=list)
    images: dict[int, LazyImage] = field(default_factory=dict)

    def replace(self, number: int, image: LazyImage) -> None:
        """Give an extension another image, and leave the rest of its header."""
        self.hdus[number] = _with_data(self.hdus[number], stand_in(image.shape, image.dtype), number)
        self.images[number] = image

    def add(self, image: LazyImage, header: Any, name: str, version: int) -> None:
        """Add an extension."""
        from astropy.io import fits

        self.images[len(self.hdus)] = image
        self.hdus.append(fits.ImageHDU(stand_in(image.shape, image.dtype), header, name=name, ver=version))


@contextmanager
def clean_copy(exposure: Exposure, cleaned: Images, masks: Images, crbit: int) -> Iterator[CleanCopy]:
    """Yield the exposure with clean images, and with cosmic rays as the only flags of its data quality.

    The file that it comes from is open meanwhile: what does not change is copied from there, some rows at a time.

    Parameters
    ----------
    exposure : Exposure
        As it was read.
    cleaned : mapping of int to LazyImage
        Clean science image by EXTVER, in the unit of the chip.
    masks : mapping of int to LazyImage
        Cosmic-ray mask by EXTVER, 0 = cosmic ray.
    crbit : int
        Flag of cosmic rays.

    Yields
    ------
    CleanCopy
        The extensions of the input.  What was no file of its own, or cannot be stored as it was (arrays,
        waivered files), gets one SCI and DQ extension a chip.
    """
    if exposure.path is None or any(_plane(c) >= 0 for c in exposure.chips):
        yield _new(exposure, cleaned, masks, crbit)
        return
    path = exposure.path
    with open_fits(path, stamp_of(exposure)) as hdus:
        pixels: dict[int, LazyImage] = {}  # by the identity of the extension

        def copied(hdu: Any) -> Any:
            made, image = light_copy(hdu, path)
            if image is not None:
                pixels[id(made)] = image
            return made

        parts = list(single_exposure(hdus, exposure, copied))
        copy = CleanCopy(parts, {n: pixels[id(h)] for n, h in enumerate(parts) if id(h) in pixels})
        for hdu in copy.hdus:
            drop_unsound(hdu.header)
        for chip in exposure.chips:
            science, flags = _places(exposure, chip)
            if chip.extver in cleaned:
                copy.replace(science, _in_unit_of_file(cleaned[chip.extver], chip))
            if chip.extver in masks and flags is not None:
                copy.replace(flags, _flags(masks[chip.extver], crbit))
        yield copy


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


def _new(exposure: Exposure, cleaned: Images, masks: Images, crbit: int) -> CleanCopy:
    """Return a file made of headers and images."""
    from astropy.io import fits

    primary = read_primary(exposure)[0]
    remove(primary, STRUCTURE)
    made, tables = CleanCopy([fits.PrimaryHDU(header=primary)]), []
    for number, chip in enumerate(exposure.chips):
        if chip.extver not in cleaned:
            continue
        header = chip_header(chip, 2 * number)
        tables += distortion_tables(chip.wcs, 2 * number)
        made.add(DerivedImage(cleaned[chip.extver], _float32), header, "SCI", chip.extver)
        if chip.extver in masks:
            made.add(_flags(masks[chip.extver], crbit), None, "DQ", chip.extver)
    made.hdus[0].header["NEXTEND"] = len(made.hdus) + len(tables) - 1
    made.hdus += tables
    return made


def _in_unit_of_file(image: LazyImage, chip: Chip) -> LazyImage:
    factor = np.float32(scale_of(chip.load))
    return DerivedImage(image, lambda part: _float32(part / factor))


def _flags(mask: LazyImage, crbit: int) -> LazyImage:
    flag, none = np.asarray(crbit).astype(np.uint16), np.uint16(0)
    return DerivedImage(mask, lambda part: np.where(part == 0, flag, none))


def _float32(image: Image) -> Image:
    return np.ascontiguousarray(image, dtype=np.float32)
