"""Names of the files of static masks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from drizframe.headers.signature import DetectorSignature, detector_signature
from drizframe.model import ChipUnit

if TYPE_CHECKING:
    from drizframe.model import Chip, Exposure

__all__ = ["static_mask_name", "static_mask_names"]


def static_mask_name(root_output: str | None, exposure: Exposure, chip: Chip, *, suffix: str = "") -> str:
    """Return the file name of the static mask of a chip.

    Parameters
    ----------
    root_output : str or None
        Root name of the products, without ``_drz``; None if the run has none: then that of the exposure's
        file counts.
    exposure : Exposure
        The exposure.
    chip : Chip
        Its chip.
    suffix : str
        Put before ``_staticMask``; for masks of one run that would have the same name.

    Returns
    -------
    str
        ``<root>_<rows>x<columns>_<chip><suffix>_staticMask.fits``.

    Notes
    -----
    The root of the products is cut at its last underscore and in lower case, so nothing is left of one
    without underscore; the file of an exposure is cut at its last underscore.  Users of the reference program
    know these names.
    """
    signature = detector_signature(exposure, chip)
    if root_output is not None:
        root = PurePath(root_output).name.rpartition("_")[0].lower()
    else:
        stem = exposure.path.name if exposure.path is not None else exposure.name
        root = stem.rpartition("_")[0] or stem
    rows, columns = signature.shape
    return f"{root}_{rows}x{columns}_{signature.chip}{suffix}_staticMask.fits"


def _suffix(signature: DetectorSignature, taken: Sequence[DetectorSignature]) -> str:
    """Return what tells a signature from those that have its name already."""
    # of a header, and part of the name of a file now
    parts = [re.sub(r"[^a-z0-9-]+", "_", f"{signature.instrument}{signature.detector}".lower())[:40]]
    if any(signature.instrument == t.instrument and signature.detector == t.detector for t in taken):
        parts += [f"{value:g}".replace("-", "m") for value in signature.ltv]
    return "_" + "_".join(parts)


def static_mask_names(root_output: str | None, exposures: Sequence[Exposure]) -> dict[ChipUnit, str]:
    """Return the file name of the static mask of every chip of a run.

    Parameters
    ----------
    root_output : str or None
        See `static_mask_name`.
    exposures : sequence of Exposure
        All exposures of the run, in order.

    Returns
    -------
    dict of ChipUnit to str
        Chips of one signature share a name.  Where two signatures would share one, the later gets a suffix
        with the instrument and detector, and the offset of the subarray if these are the same.
    """
    owners: dict[str, list[DetectorSignature]] = {}
    names: dict[ChipUnit, str] = {}
    for i, exposure in enumerate(exposures):
        for k, chip in enumerate(exposure.chips):
            signature = detector_signature(exposure, chip)
            plain = static_mask_name(root_output, exposure, chip)
            taken = owners.setdefault(plain, [])
            if signature not in taken:
                taken.append(signature)
            position = taken.index(signature)
            suffix = "" if position == 0 else _suffix(signature, taken[:position])
            names[ChipUnit(i, k)] = static_mask_name(root_output, exposure, chip, suffix=suffix)
    return names
