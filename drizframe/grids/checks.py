"""What the WCSs of a run tell before the work begins."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.grids.sky_systems import KNOWN, SkySystem, conversion_of, system_of
from drizframe.model import Chip, Exposure, Frame, PixelMap

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["matrix_conflict", "table_notes", "wcs_notes"]

#: Two linear transformations are one if they agree to this share of their largest element: what digits of header cards
#: bring, not more.
SAME = 1e-4
#: Degrees by which CROTA2 may differ from the direction of y: skewed axes have two angles.
TURNED = 1.0

#: Steps of a coordinate table that need no look before the work, and the error in frame pixels that is told.
USUAL_STEP, TABLE_ERROR = 10.0, 0.01

Note = tuple[str, bool]


def table_notes(maps: Iterable[PixelMap]) -> Iterator[Note]:
    """Yield what is to be said of coordinate tables that are too coarse.

    Parameters
    ----------
    maps : iterable of PixelMap
        Of a run.
    """
    coarse = {id(m): m for m in maps if m.step > USUAL_STEP}.values()
    error, step = max(((m.table_error(), m.step) for m in coarse), default=(0.0, 0.0))
    if error > TABLE_ERROR:
        text = (
            f"With stepsize (or blot_stepsize) {step:g} positions are off by up to {error:.2g} pixels of the frame. Take a smaller "
            "one, such as the default of 10, or 'auto'."
        )
        yield text, True


def matrix_conflict(wcs: WCS) -> str:
    """Say how the linear transformations that one header holds disagree; blank if they do not.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        As it was read.  The FITS standard allows one of PCi_j, CDi_j and CROTAn; tools write several.
    """
    prm = wcs.wcs
    pc, cd, crota = prm.has_pc(), prm.has_cd(), prm.has_crota()
    if int(pc) + int(cd) + int(crota) < 2:
        return ""
    used = np.array(wcs.pixel_scale_matrix, dtype=np.float64)
    name = "PCi_j with CDELT" if pc else "CDi_j"
    found = ""
    if pc and cd and not _same(used, np.array(prm.cd, dtype=np.float64)):
        found = f"CDi_j ({_words(np.array(prm.cd))})"
    elif crota:  # CDELT is lost beside CD, so the angle is all that can be compared
        turned = float(prm.crota[1] or prm.crota[0])
        if abs((turned + _angle(used) + 90.0) % 180.0 - 90.0) > TURNED:
            found = f"CROTA2 ({turned:.5g} deg)"
    if not found:
        return ""
    return (
        f"{name} ({_words(used)}) and {found} of its header disagree. {name} is used, as the WCS library does. Delete "
        "those keywords that are wrong."
    )


def _same(one: Any, two: Any) -> bool:
    """Whether two matrices are one but for the digits of header cards."""
    largest = max(float(np.abs(one).max()), float(np.abs(two).max()))
    return bool(np.abs(one - two).max() <= SAME * largest)


def _angle(matrix: Any) -> float:
    """Return the position angle of y in degrees."""
    return math.degrees(math.atan2(matrix[0][1], matrix[1][1]))


def _words(matrix: Any) -> str:
    """Return scales and orientation of a matrix in words."""
    sx, sy = (3600.0 * float(np.hypot(*matrix[:, k])) for k in (0, 1))
    return f"{sx:.6g} x {sy:.6g} arcsec, y at {_angle(matrix):.5g} deg"


def wcs_notes(exposures: Sequence[Exposure], frames: Mapping[str, Frame]) -> Iterator[Note]:
    """Yield what the user should know of the WCSs of a run, and whether it is a warning.

    Parameters
    ----------
    exposures : sequence of Exposure
        In input order.
    frames : mapping
        The output frames by name.

    Raises
    ------
    WCSError
        If the sky system of an exposure cannot be converted to that of a frame; both are named.
    """
    for exposure in exposures:
        for chip in exposure.chips:
            conflict = matrix_conflict(chip.wcs)
            if conflict:
                yield f"{_named(exposure, chip)}: {conflict}", True
    yield from _unknown_systems(exposures)
    yield from _conversions(exposures, frames)


def _named(exposure: Exposure, chip: Chip) -> str:
    """Return where a WCS stands."""
    where = exposure.path.name if exposure.path is not None else exposure.name
    return f"{where} [sci,{chip.extver}]"


def _unknown_systems(exposures: Sequence[Exposure]) -> Iterator[Note]:
    """Tell of RADESYS that nobody knows."""
    for exposure in exposures:
        if any(": RADESYS is " in text for text in exposure.warnings):
            continue  # told when it was read
        for chip in exposure.chips:
            system = system_of(chip.wcs.wcs)
            if system.axis == "RA" and system.radesys not in KNOWN:
                known = ", ".join(KNOWN)
                text = f"RADESYS is {system.radesys!r}, which is not known ({known}). Positions are taken as they are."
                yield f"{_named(exposure, chip)}: {text}", True
                break


def _conversions(exposures: Sequence[Exposure], frames: Mapping[str, Frame]) -> Iterator[Note]:
    """Tell which exposures are converted to the system of a frame."""
    mixed = len({system_of(c.wcs.wcs) for e in exposures for c in e.chips}) > 1
    for system in dict.fromkeys(system_of(frame.wcs.wcs) for frame in frames.values()):
        others: dict[SkySystem, list[str]] = {}
        for exposure in exposures:
            for chip in exposure.chips:
                own = system_of(chip.wcs.wcs)
                if conversion_of(own, system, _named(exposure, chip), "the output frame") is not None:
                    names = others.setdefault(own, [])
                    names += [exposure.name] if exposure.name not in names else []
        for own, names in others.items():
            text = f"The sky positions of {', '.join(names)} are {own.label}; they are converted to {system.label}, the system"
            yield f"{text} of the output frame.", mixed
