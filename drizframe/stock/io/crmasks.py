"""Files of cosmic-ray masks: their names, what they belong to, and whether they fit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import InputError, UnreadableInputError, told
from drizframe.stock.io.text import header_text

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Chip, Exposure

__all__ = ["MaskFile", "crmask_name", "digest_of", "mask_header", "misfit", "read_crmask"]

Image = np.ndarray[Any, Any]

#: Keywords of our own masks: the image that it was made of, the digest of its pixels, and the run.
SOURCE, DIGEST, RUN_NAME = "CRSOURCE", "CRDIGEST", "CRRUN"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskFile:
    """A cosmic-ray mask as it was read.

    Parameters
    ----------
    path : pathlib.Path
        Its file.
    mask : ndarray of uint8, shape (ny, nx)
        1 good, 0 cosmic ray.
    source, digest, run : str
        What it says that it was made of and by; blank if it does not, as masks of the reference.
    """

    path: Path
    mask: np.ndarray[Any, np.dtype[np.uint8]]
    source: str = ""
    digest: str = ""
    run: str = ""


def crmask_name(exposure: Exposure, chip: Chip) -> str:
    """Return ``<exposure>_sciN_crmask.fits``."""
    return f"{exposure.name}_sci{chip.extver}_crmask.fits"


def digest_of(image: Image) -> str:
    """Return a digest of the pixels of a science image, of its values alone: neither byte order nor header matter."""
    pixels = np.ascontiguousarray(image, dtype="<f4")
    return hashlib.blake2b(pixels.data, digest_size=16).hexdigest()


def mask_header(exposure: Exposure, chip: Chip, run: str) -> Header:
    """Return the keywords that say what a mask belongs to.

    Parameters
    ----------
    exposure, chip
        Of which it was made.
    run : str
        Name of the products of the run.
    """
    from astropy.io import fits

    file = exposure.name if exposure.path is None else exposure.path.name
    header = fits.Header()
    header["EXTEND"] = True
    header[SOURCE] = (header_text(f"{file}[sci,{chip.extver}]"), "image of this mask")
    header[DIGEST] = (digest_of(chip.data()), "BLAKE2b of its pixels")
    header[RUN_NAME] = (header_text(run), "run that made this mask")
    return header


def read_crmask(path: Path) -> MaskFile:
    """Read a mask: the first image of a FITS file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    UnreadableInputError
        If it holds no image of two dimensions with whole numbers.
    """
    from astropy.io import fits

    try:
        with fits.open(path, memmap=False) as hdus:
            found = next((h for h in hdus if h.is_image and h.data is not None), None)
            image = None if found is None else np.asarray(found.data)
            header = fits.Header() if found is None else found.header.copy()
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        msg = f"The cosmic-ray mask {str(path)!r} cannot be read ({told(error)}). Delete it, or make it again with driz_cr=True."
        raise UnreadableInputError(msg) from error
    if image is None or image.ndim != 2 or image.dtype.kind not in "iu":
        came = "no image" if image is None else f"an image of shape {image.shape} and type {image.dtype}"
        msg = f"The cosmic-ray mask {str(path)!r} holds {came}; it must hold whole numbers on the pixels of a chip, 1 good, 0 bad."
        raise UnreadableInputError(msg)
    texts = {k: str(header.get(k, "")).strip() for k in (SOURCE, DIGEST, RUN_NAME)}
    return MaskFile(
        path=path,
        mask=(image != 0).astype(np.uint8),
        source=texts[SOURCE],
        digest=texts[DIGEST],
        run=texts[RUN_NAME],
    )


def misfit(found: MaskFile, exposure: Exposure, chip: Chip) -> str:
    """Say why a mask does not belong to a chip; blank if it does.

    Parameters
    ----------
    found : MaskFile
        The mask.
    exposure, chip
        What it should belong to.

    Notes
    -----
    A mask of ours belongs to the pixels of which it was made, wherever they lie now.  One of the reference tells nothing: its
    name and shape decide.
    """
    where = f"{exposure.name} chip {chip.extver}"
    if found.mask.shape != chip.shape:
        return f"it has shape {found.mask.shape}, {where} has {chip.shape}"
    if found.digest and found.digest != digest_of(chip.data()):
        return f"it was made of {found.source or 'another image'} with other pixels than {where} has now"
    return ""


def require_fit(found: MaskFile, exposure: Exposure, chip: Chip, advice: str) -> None:
    """Raise `InputError` for a mask that does not belong to a chip."""
    reason = misfit(found, exposure, chip)
    if reason:
        msg = f"The cosmic-ray mask {str(found.path)!r} is stale: {reason}. {advice}"
        raise InputError(msg)
