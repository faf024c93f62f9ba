"""The output frame that fits a set of exposures, and the frames of a run.

The rules are those of the reference, quirks included: the frame spans pixel centres only and its reference
pixel is n / 2 (trap 06-1); orientation and scale come from the first chip of the first exposure (trap 06-2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.steps import FrameParameters
from drizframe.errors import InputError, NothingToCombineError
from drizframe.grids.custom_frames import check_size, custom_frame
from drizframe.grids.outlines import (
    Outlines,
    apart,
    check_frame,
    covered_share,
    outlines,
    scale_note,
    too_far,
)
from drizframe.grids.reference_frames import frame_from_reference, warn
from drizframe.grids.sky_systems import SkySystem, conversion_of, system_of
from drizframe.grids.wcs import (
    WcsState,
    cd_matrix,
    column_scale,
    orientation,
    sphere_mean,
    tangent_wcs,
)
from drizframe.model import Chip, Exposure, Frame

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = [
    "aperture_roll",
    "build_frames",
    "custom_frame",
    "default_frame",
    "frame_from_reference",
]

Array = np.ndarray[Any, np.dtype[np.float64]]

#: Displacement in pixels by the convergence of meridians that is put right.
TURN_ERROR = 0.02
#: Sides of a pixel that differ by more than this factor are not those of a skewed square (ACS/HRC: 1.15).
OBLONG = 1.25
#: What stands before the parameters of a frame.
_PREFIXES = {"separate": "driz_sep_", "final": "final_"}
#: Parameters of a frame, without their prefix.
_MODIFIERS = tuple(name for name in FrameParameters.model_fields if name != "refimage")


def default_frame(
    exposures: Sequence[Exposure],
    *,
    coeffs: bool = True,
    limit: float | None = None,
    corners: Array | None = None,
) -> Frame:
    """Return the smallest frame around all pixel centres, undistorted.

    Parameters
    ----------
    exposures : sequence of Exposure
        In input order; the first chip of the first one gives scale and orientation.
    coeffs : bool
        False: distortion is left out of the footprints, and scale and orientation are those of the first
        chip's linear WCS; the frame of a single chip is then that chip's own grid, unless its pixels are far from
        square.
    limit : float, optional
        Number of pixels that are allowed; None: the default.
    corners : ndarray of float64, shape (chips, 4, 2), optional
        What `sky_corners` gives, where it is known.

    Returns
    -------
    Frame
        Tangent plane, east to the left of north, in the sky system of the first chip.

    Raises
    ------
    NothingToCombineError
        If there is no exposure.
    InputError
        If the chips lie too far apart for one tangent plane.
    ParameterError
        If the frame would be too large.
    WCSError
        If the WCS of a chip cannot be used.
    """
    chips = [(c, e) for e in exposures for c in e.chips]
    if not chips:
        msg = "There is no exposure left to make an output frame for. Give at least one usable input."
        raise NothingToCombineError(msg)
    chip, exposure = chips[0]
    orthogonal = coeffs or _oblong(cd_matrix(chip.wcs))
    cd, scale = _undistorted(chip, exposure) if orthogonal else _linear(chip)
    if orthogonal or len(chips) > 1:
        points = sky_corners(exposures, coeffs=coeffs) if corners is None else corners
        try:
            crval, crpix, shape, cd = _grid_around(points.reshape(-1, 2), chip.wcs, cd)
        except _TooFarError:
            raise InputError(too_far(outlines(exposures, points, coeffs=coeffs))) from None
    else:
        crval, crpix, shape = chip.wcs.wcs.crval, chip.wcs.wcs.crpix, chip.shape
    far = apart([e.name for e in exposures]).removesuffix(".")
    check_size(shape, f"{far}, or the pixel scale of {exposure.name} is very small.", limit)
    rot = orientation(cd)
    wcs = tangent_wcs(chip.wcs, crval, crpix, _north_up(scale, rot), shape)
    return Frame(wcs=wcs, shape=shape, scale=scale, orientation=rot, name=str(chip.wcs.wcs.name))


def _north_up(scale: float, rot: float) -> Array:
    """Return the CD matrix with square pixels of `scale` arcsec, y at `rot` degrees, east to the left."""
    s, o = scale / 3600.0, math.radians(rot)
    return np.array([[-s * math.cos(o), s * math.sin(o)], [s * math.sin(o), s * math.cos(o)]])


def sky_corners(exposures: Sequence[Exposure], *, coeffs: bool = True) -> Array:
    """Return longitude and latitude of the corner pixels of all chips, in degrees of the first one's system.

    Parameters
    ----------
    exposures : sequence of Exposure
        In input order.
    coeffs : bool
        False: without distortion.

    Returns
    -------
    ndarray of float64, shape (chips, 4, 2)
        Their centres.
    """
    first = exposures[0]
    system = system_of(first.chips[0].wcs.wcs), f"chip {first.chips[0].extver} of {first.name!r}"
    return np.stack([_corners_on_sky(c, e, *system, distorted=coeffs) for e in exposures for c in e.chips])


def _corners_on_sky(
    chip: Chip, exposure: Exposure, system: SkySystem, whose: str, *, distorted: bool
) -> Array:
    """Return longitude and latitude, in degrees of a system (and whose it is), of the centres of the four corner pixels, shape (4, 2)."""
    ny, nx = chip.shape
    state = WcsState.of(chip.wcs, f"chip {chip.extver} of {exposure.name!r}", distorted=distorted)
    sky = state.own().all_pix2world([[1, 1], [1, ny], [nx, ny], [nx, 1]], 1)
    if not np.isfinite(sky).all():
        msg = (
            f"The corners of chip {chip.extver} of {exposure.name!r} have no position on the sky. "
            "Look at the CD matrix and the distortion keywords in its header."
        )
        raise InputError(msg)
    sky = np.asarray(sky if state.longitude_first else sky[:, ::-1], dtype=np.float64)
    convert = conversion_of(state.system, system, f"chip {chip.extver} of {exposure.name!r}", whose)
    return sky if convert is None else np.stack(convert(*sky.T), axis=1)


def _oblong(cd: Array) -> bool:
    """Whether a pixel is so far from square that a frame of its column scale would not cover its chip."""
    across, along = np.hypot(cd[0], cd[1])
    return bool(max(across, along) > OBLONG * min(across, along))


def _linear(chip: Chip) -> tuple[Array, float]:
    """Return the CD matrix of a chip as it is, and its scale in arcsec."""
    cd = cd_matrix(chip.wcs)
    return cd, column_scale(cd)


def _undistorted(chip: Chip, exposure: Exposure) -> tuple[Array, float]:
    """Return the undistorted CD matrix of a chip and its scale in arcsec.

    The matrix has equal scales, right angles, and the chip's orientation and parity.

    Notes
    -----
    Where the header lacks a part of the distortion model (IDCSCALE, V2/V3 or PA_V3), that part comes from the
    linear WCS (trap 06-3).
    """
    linear = cd_matrix(chip.wcs)
    det = float(np.linalg.det(linear))
    scale = chip.idc_scale / 3600.0 if chip.idc_scale and chip.idc_scale > 0 else math.sqrt(abs(det))
    equatorial = system_of(chip.wcs.wcs).axis == "RA"  # PA_V3 counts from the celestial north
    if not equatorial or chip.v2ref is None or chip.v3ref is None or exposure.pa_v3 is None:
        rot = math.radians(orientation(linear))
    else:
        roll = aperture_roll(exposure.pa_v3, float(chip.wcs.wcs.crval[1]), chip.v2ref, chip.v3ref)
        theta = math.radians(roll + (chip.theta or 0.0))
        parity = np.array(exposure.parity, dtype=np.float64)
        m = np.array([[math.cos(theta), math.sin(theta)], [-math.sin(theta), math.cos(theta)]]) @ parity
        rot, det = math.atan2(m[0, 1], m[1, 1]), float(np.linalg.det(parity))
    par = -1.0 if det < 0 else 1.0
    c, s = math.cos(rot), math.sin(rot)
    return scale * np.array([[par * c, s], [-par * s, c]]), scale * 3600.0


def aperture_roll(pa_v3: float, dec: float, v2: float, v3: float) -> float:
    """Return the position angle of the telescope's V3 axis at an aperture.

    Parameters
    ----------
    pa_v3 : float
        Position angle of V3 at the telescope's axis, in degrees.
    dec : float
        Declination of the aperture in degrees.
    v2, v3 : float
        Position of the aperture in arcsec.

    Returns
    -------
    float
        In degrees.
    """
    roll, dec = math.radians(pa_v3), math.radians(dec)
    v2, v3 = math.radians(v2 / 3600.0), math.radians(v3 / 3600.0)
    s2, s3 = math.sin(v2), math.sin(v3)
    sin_rho = math.sqrt(s2**2 + s3**2 - s2**2 * s3**2)
    if sin_rho == 0.0:  # the aperture is on the axis
        return pa_v3
    rho = math.asin(sin_rho)
    beta = math.asin(max(-1.0, min(1.0, s3 / sin_rho)))
    gamma = math.asin(max(-1.0, min(1.0, s2 / sin_rho)))
    beta = math.pi - beta if v2 < 0 else beta
    gamma = math.pi - gamma if v3 < 0 else gamma
    a = math.pi / 2 + roll - beta
    b = math.atan2(
        math.sin(a) * math.cos(dec),
        math.sin(dec) * sin_rho - math.cos(dec) * math.cos(rho) * math.cos(a),
    )
    return math.degrees(math.pi - (gamma + b))


class _TooFarError(Exception):
    """Points do not fit on one tangent plane."""


def _grid_around(
    points: Array, like: WCS, cd: Array
) -> tuple[Array, tuple[float, float], tuple[int, int], Array]:
    """Return CRVAL, CRPIX, shape and CD of the grid that spans points on the sky, shape (n, 2), degrees."""
    centre = sphere_mean(points)
    if centre is None:
        raise _TooFarError
    plane = tangent_wcs(like, centre, (0.0, 0.0), cd, (1, 1)).wcs_world2pix(points, 1)
    if not np.isfinite(plane).all():
        raise _TooFarError
    nx, ny = (max(1, math.ceil(v)) for v in np.ptp(plane, axis=0))
    crpix = (nx / 2.0, ny / 2.0)
    wcs = tangent_wcs(like, centre, crpix, cd, (ny, nx))
    pixels = wcs.wcs_world2pix(points, 0)
    corner = pixels.min(axis=0)
    crval = wcs.wcs_pix2world([crpix + corner], 1)[0]
    moved = tangent_wcs(like, crval, crpix, cd, (ny, nx)).wcs_world2pix(points, 0)
    middle = np.array(crpix) - 1.0
    return crval, crpix, (ny, nx), cd @ _turn(pixels - corner - middle, moved - middle)


def _turn(wanted: Array, found: Array) -> Array:
    """Return the rotation from `wanted` to `found` offsets, shapes (n, 2); the unit matrix if it is tiny.

    Notes
    -----
    Moving CRVAL turns the grid, because north does.  That is far below `TURN_ERROR` but next to a pole, where
    without this correction, which the reference lacks, data would fall outside of the frame.
    """
    dot = float((wanted * found).sum())
    cross = float((wanted[:, 0] * found[:, 1] - wanted[:, 1] * found[:, 0]).sum())
    angle = math.atan2(cross, dot)
    if abs(angle) * float(np.hypot(*wanted.T).max()) < TURN_ERROR:
        return np.eye(2)
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s], [s, c]])


def build_frames(
    exposures: Sequence[Exposure], parameters: Any, *, tell: Callable[[str], None] = warn
) -> dict[str, Frame]:
    """Return the frames of a run.

    Parameters
    ----------
    exposures : sequence of Exposure
        In input order.
    parameters : Parameters
        ``driz_sep_*`` and ``final_*`` describe frames; they count where ``driz_sep_wcs`` or ``final_wcs`` is
        true and the step itself (`driz_separate`, `driz_combine`) runs.
    tell : callable
        Gets what the user should know; by default it is a Python warning.

    Returns
    -------
    dict
        ``"separate"`` and ``"final"``; one object if both are the default frame.

    Raises
    ------
    ParameterError
        For values that do not go together, or a frame that is too large.
    InputError
        If the exposures cover next to nothing of a large frame around them, unless `allow_sparse` is set.
    MissingInputError, WCSError
        For a reference image that is not there or has no WCS.
    """
    custom = {
        "separate": parameters.driz_separate and parameters.driz_sep_wcs,
        "final": parameters.driz_combine and parameters.final_wcs,
    }
    used = {
        "separate": parameters.driz_separate or parameters.median or parameters.blot,
        "final": parameters.driz_combine,
    }
    around = _Around(exposures, coeffs=parameters.coeffs)
    if len(exposures) > 1 and (note := scale_note(around.lines)):
        tell(note)
    frames: dict[str, Frame] = {}
    checked: list[Frame] = []
    for which, prefix in _PREFIXES.items():
        values = {name: getattr(parameters, prefix + name) if custom[which] else None for name in _MODIFIERS}
        reference = getattr(parameters, f"{prefix}refimage") if custom[which] else None
        own = is_blank(reference)
        base = around.frame if own else frame_from_reference(
            reference, name=f"{prefix}refimage", tell=tell, limit=parameters.max_pixels
        )  # fmt: skip
        frame = custom_frame(base, **values, prefix=prefix, anchored=own, limit=math.inf)
        if used[which] and all(frame is not other for other in checked):
            checked.append(frame)
            lines = around.lines if own and values["outnx"] is None else None
            given = [
                f"{prefix}{n} is {values[n]!r}." for n in ("scale", "outnx", "outny") if values[n] is not None
            ]
            check_frame(
                frame, prefix, lines, 1.0 if lines is None else covered_share(base, lines.corners), tell=tell,
                sized=" ".join(given), limit=parameters.max_pixels, allow_sparse=parameters.allow_sparse,
            )  # fmt: skip
        frames[which] = frame
    return frames


class _Around:
    """The frame around the exposures and where they lie, made when they are first asked for.

    Parameters
    ----------
    exposures, coeffs
        See `default_frame`.
    """

    def __init__(self, exposures: Sequence[Exposure], *, coeffs: bool) -> None:
        self._exposures, self._coeffs = exposures, coeffs

    @cached_property
    def lines(self) -> Outlines:
        """Where the exposures lie."""
        corners = sky_corners(self._exposures, coeffs=self._coeffs)
        return outlines(self._exposures, corners, coeffs=self._coeffs)

    @cached_property
    def frame(self) -> Frame:
        """The default frame, of any size."""
        corners = self.lines.corners if self._exposures else None
        return default_frame(self._exposures, coeffs=self._coeffs, limit=math.inf, corners=corners)


def is_blank(reference: Any) -> bool:
    """Whether no reference image is given: None, blank, INDEF or NONE."""
    return reference is None or (
        isinstance(reference, str) and reference.strip().upper() in {"", "INDEF", "NONE"}
    )
