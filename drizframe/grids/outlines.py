"""Whether exposures fit together: positions and pixel scales that stand apart, frames that are mostly empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drizframe.errors import InputError
from drizframe.grids.custom_frames import check_size
from drizframe.model import Exposure, Frame, chip_scale

__all__ = ["Outlines", "check_frame", "covered_share", "outlines", "suspects"]

Array = np.ndarray[Any, np.dtype[np.float64]]

#: Frames up to so many pixels are made however empty they are.
SMALL = 1_000_000
#: Share of a frame that the exposures must cover, and below which the user is told.
EMPTY, THIN = 0.01, 0.05
#: An exposure stands apart if it lies so many times farther from the middle than the others, or their size, …
FAR = 5.0
#: … or if its pixels are so many times larger or smaller than the others'.
ODD_SCALE = 10.0
#: Frame pixels for each pixel of the exposures that a scale which stands apart may cause.
OVERSIZE = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """Where the exposures of a run lie on the sky.

    Parameters
    ----------
    names : tuple of str
        Their names.
    corners : ndarray of float64, shape (chips, 4, 2)
        Longitude and latitude of the corners of all chips, degrees, in one system.
    centres : ndarray of float64, shape (n, 3)
        Unit vectors of the middle of each exposure.
    radii : ndarray of float64, shape (n,)
        Distance of the farthest corner of each from its middle, radians.
    sides : ndarray of float64, shape (n,)
        Pixel scale of the first chip of each, arcsec.
    pixels : int
        Pixels of all.
    """

    names: tuple[str, ...]
    corners: Array
    centres: Array
    radii: Array
    sides: Array
    pixels: int


def outlines(exposures: Sequence[Exposure], corners: Array, *, coeffs: bool = True) -> Outlines:
    """Return where exposures lie.

    Parameters
    ----------
    exposures : sequence of Exposure
        In input order.
    corners : ndarray of float64, shape (chips, 4, 2)
        Longitude and latitude of the corners of all their chips, degrees.
    coeffs : bool
        False: as if the chips had no distortion.
    """
    lon, lat = np.radians(corners[..., 0]), np.radians(corners[..., 1])
    vectors = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    centres, radii, first = [], [], 0
    for exposure in exposures:
        own = vectors[first : first + len(exposure.chips)].reshape(-1, 3)
        first += len(exposure.chips)
        middle = own.mean(axis=0)
        middle /= max(float(np.linalg.norm(middle)), 1e-12)
        centres.append(middle)
        radii.append(float(np.linalg.norm(own - middle, axis=1).max()))
    return Outlines(
        names=tuple(e.name for e in exposures), corners=corners, centres=np.array(centres), radii=np.array(radii),
        sides=np.array([chip_scale(e.chips[0], coeffs=coeffs) for e in exposures]),
        pixels=sum(e.size for e in exposures),
    )  # fmt: skip


def _far(lines: Outlines) -> str:
    """Say which exposures lie far from the others; blank if none does, or there is but one."""
    if len(lines.names) < 2:
        return ""
    middle = np.median(lines.centres, axis=0)
    size = float(np.median(lines.radii))
    chords = np.linalg.norm(lines.centres - middle, axis=1)
    limit = FAR * max(float(np.median(chords)), size)
    apart = [k for k in np.argsort(-chords) if chords[k] > limit]
    if apart:
        names = _listed([lines.names[k] for k in apart])
        verb = "lies" if len(apart) == 1 else "lie"
        return f"{names} {verb} {_degrees(chords[apart[0]]):.3g} degrees from the other exposures"
    chords = np.linalg.norm(lines.centres - lines.centres[0], axis=1)
    last = int(np.argmax(chords))
    if chords[last] > FAR * size:
        return f"{lines.names[0]} and {lines.names[last]} lie {_degrees(chords[last]):.3g} degrees apart"
    return ""


def _degrees(chord: float) -> float:
    """Return the angle of a chord of the unit sphere."""
    return float(np.degrees(2.0 * np.arcsin(min(chord / 2.0, 1.0))))


def _odd_scales(lines: Outlines) -> str:
    """Say which exposures have pixels of another size than the others; blank if none has."""
    usual = float(np.exp(np.median(np.log(lines.sides))))
    factors = np.maximum(lines.sides / usual, usual / lines.sides)
    if len(lines.names) == 2:  # neither is the usual one
        factors = factors**2
    odd = [k for k in np.argsort(-factors) if factors[k] > ODD_SCALE]
    if not odd:
        return ""
    if len(lines.names) == 2:
        return " and ".join(
            f"the pixels of {n} have {s:.4g} arcsec" for n, s in zip(lines.names, lines.sides, strict=True)
        )
    return f"the pixels of {_listed([lines.names[k] for k in odd])} have {lines.sides[odd[0]]:.4g} arcsec, those of the others {usual:.4g}"


def apart(names: Sequence[str]) -> str:
    """Say that exposures lie far apart, of which none stands out."""
    return f"{_listed(names)} lie far apart." if len(names) > 1 else f"The chips of {names[0]} lie far apart."


def _listed(names: Sequence[str]) -> str:
    """Return a few names."""
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more


def suspects(lines: Outlines) -> str:
    """Say, in sentences, which exposures stand apart by position or pixel scale; blank if none does."""
    far, odd = _far(lines), _odd_scales(lines)
    return " ".join(part for part in (far and f"{far}.", odd and f"{_upper(odd)}.") if part)


def _upper(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]


def scale_note(lines: Outlines) -> str:
    """Say which pixel scales stand apart, and what to do; blank if none does."""
    odd = _odd_scales(lines)
    return (
        f"{odd[:1].upper()}{odd[1:]}. Look at CD, PC and CDELT in its header if that is not so."
        if odd
        else ""
    )


def too_far(lines: Outlines) -> str:
    """Say that exposures do not fit on one tangent plane."""
    who = _far(lines) or _listed(lines.names)
    return (
        "The exposures lie too far apart on the sky for one tangent plane (more than 90 degrees from their "
        f"common centre): {who}. Look for a wrong CRVAL there, leave it out, or combine the exposures in groups."
    )


def covered_share(frame: Frame, corners: Array) -> float:
    """Return about which share of a frame chips cover.

    Parameters
    ----------
    frame : Frame
        The grid.
    corners : ndarray of float64, shape (chips, 4, 2)
        As in `Outlines`, in the frame's system.

    Notes
    -----
    The sum of their areas in pixels of the frame, but for chips whose middle lies on one that counts already.
    """
    plane = frame.wcs.wcs_world2pix(corners.reshape(-1, 2), 0).reshape(corners.shape)
    plane = plane[np.isfinite(plane).all(axis=(1, 2))]
    x, y = plane[..., 0], plane[..., 1]
    areas = 0.5 * np.abs((x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1))
    middles = plane.mean(axis=1)
    counted: list[int] = []
    for k in np.argsort(-areas):
        near = middles[counted] - middles[k]
        if not (np.hypot(*near.T) < 0.4 * np.sqrt(areas[counted])).any():
            counted.append(int(k))
    return float(areas[counted].sum()) / (frame.shape[0] * frame.shape[1])


def check_frame(
    frame: Frame, prefix: str, lines: Outlines | None = None, share: float = 1.0, *,
    limit: float | None = None, allow_sparse: bool = False, sized: str = "", tell: Callable[[str], None],
) -> None:  # fmt: skip
    """Refuse a frame that is too large, or one that was made around the exposures and is mostly empty.

    Parameters
    ----------
    frame : Frame
        The grid.
    prefix : str
        ``"final_"`` or ``"driz_sep_"``, for messages.
    lines : Outlines or None
        Where the exposures lie; None if the frame was not made around them.
    share : float
        Which part of it they cover.
    limit : float or None
        Number of pixels that are allowed; None: the default.
    allow_sparse : bool
        Whether a frame may be mostly empty.
    sized : str
        What else gave the frame its size, for the message.
    tell : callable
        Gets what the user should know.

    Raises
    ------
    ParameterError
        If the frame has more than `limit` pixels.
    InputError
        If the exposures cover less than a hundredth of a frame of more than a million pixels, or one with a pixel
        scale of its own makes it a hundred times as large as all of them.
    """
    who = "" if lines is None else suspects(lines)
    if lines is not None and not allow_sparse:
        _check_filled(frame, prefix, lines, share, who, tell)
    # last: an exposure with a wrong WCS wants its header corrected, not a larger limit
    check_size(frame.shape, f"{who} {sized}".strip(), limit)


def _check_filled(
    frame: Frame, prefix: str, lines: Outlines, share: float, who: str, tell: Callable[[str], None]
) -> None:
    """Refuse a frame that was made around the exposures and is mostly empty; tell of one that is rather empty."""
    ny, nx = frame.shape
    if ny * nx <= SMALL:
        return
    oversized = bool(_odd_scales(lines)) and ny * nx > OVERSIZE * lines.pixels
    if share >= THIN and not oversized:
        return
    which = "final" if prefix == "final_" else "separate"
    what = f"The {which} frame has {nx} columns and {ny} rows for {lines.pixels} pixels of the exposures"
    text = f"{what}, which cover {100 * min(share, 1.0):.3g} % of it. {who or apart(lines.names)}"
    if share >= EMPTY and not oversized:
        tell(text)
        return
    msg = (
        f"{text} Look for a wrong CRVAL, CD matrix or CDELT in the header, or leave such exposures out. If they are right, "
        "allow_sparse=True makes the frame all the same; final_outnx and final_outny with final_ra and final_dec (and "
        "driz_sep_… alike) cut one out of it."
    )
    raise InputError(msg)
