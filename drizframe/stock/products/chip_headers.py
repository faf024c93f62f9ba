"""Headers of images on the grid of a chip: blotted images, weights and masks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from drizframe._version import __version__
from drizframe.stock.io.sound_cards import sound_header
from drizframe.stock.io.text import header_text, plain
from drizframe.stock.products.drizzle_keywords import drop_drizzle
from drizframe.stock.products.grid_keywords import STRUCTURE, remove
from drizframe.stock.products.headers import BLENDED_STATISTICS, STATISTICS, put_unit, rules_for
from drizframe.stock.products.input_headers import NO_UNIT, exposure_header, read_primary
from drizframe.stock.products.wcs_keywords import put_chip_wcs

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Chip, Exposure

__all__ = ["blot_header", "chip_header", "mask_header"]


def blot_header(
    exposure: Exposure, chip: Chip, sky: float | None = None, version: str = __version__
) -> tuple[Header, Header]:
    """Return primary and science header of a blotted image: the chip's own, with its distortion.

    Parameters
    ----------
    exposure, chip
        Where the image was blotted to.
    sky : float, optional
        Sky level of the chip.
    version : str
        Version of drizframe.
    """
    primary = exposure_header(read_primary(exposure)[0])
    sci = sound_header(chip.header)[0]
    remove(sci, STRUCTURE)
    drop_drizzle(sci)
    statistics = (
        STATISTICS if rules_for([exposure], primary) is not None else (*STATISTICS, *BLENDED_STATISTICS)
    )
    for key in ("OBJECT", *statistics):
        sci.remove(key, ignore_missing=True)
    if sky is not None:
        sci["MDRIZSKY"] = (plain(sky), "Sky value computed by AstroDrizzle")
    put_chip_wcs(sci, chip)
    if "CCDCHIP" in sci:
        sci["CCDCHIP"] = "-999"
    if "NCOMBINE" in sci:
        sci["NCOMBINE"] = 1
    put_unit(sci, chip.bunit)
    primary["EXTEND"] = True
    primary["DATE"] = (time.strftime("%Y-%m-%d"), "date this file was written (yyyy-mm-dd)")
    primary["PROD_VER"] = f"drizframe {version}"
    primary["ROOTNAME"] = header_text(exposure.name)
    primary["EXPTIME"] = (exposure.exptime, "exposure duration (seconds)--calculated")
    primary.set("TEXPTIME", exposure.exptime, after="EXPTIME")
    for key, date in (("EXPSTART", exposure.start), ("EXPEND", exposure.end)):
        if date > 0:
            primary[key] = date
        else:
            primary.remove(key, ignore_missing=True)
    primary["ASN_MTYP"] = ("PROD-DTH", "Role of the Member in the Association")
    for key in ("DRIZCORR", "DITHCORR"):
        if key in primary:
            primary[key] = "COMPLETE"
    drop_drizzle(primary)
    primary["NDRIZIM"] = (1, "Drizzle, No. images drizzled onto output")
    return primary, sci


def chip_header(chip: Chip, before: int = 0) -> Header:
    """Return the science header of a chip with the world coordinates that were used.

    Parameters
    ----------
    chip : Chip
        Whose header it is.
    before : int
        How many look-up tables of other chips precede its own in its file.
    """
    header = sound_header(chip.header)[0]
    remove(header, STRUCTURE)
    put_chip_wcs(header, chip, before)
    put_unit(header, chip.bunit)
    return header


def mask_header(exposure: Exposure, chip: Chip) -> Header:
    """Return the header of a weight image or mask of a chip: whose it is, and its world coordinates.

    Parameters
    ----------
    exposure, chip
        What the mask is for.
    """
    from astropy.io.fits import Header

    header = Header()
    header["ROOTNAME"] = (header_text(exposure.name), "exposure that this belongs to")
    header["BUNIT"] = NO_UNIT
    put_chip_wcs(header, chip)
    return header
