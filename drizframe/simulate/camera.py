"""Cameras: detectors, optics and electronics that the simulator knows.

All numbers are of this project's own making, of realistic size; they are no calibration of any instrument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from drizframe.errors import ParameterError, UnknownComponentError

__all__ = ["CAMERAS", "Camera", "ChipDesign", "Psf", "camera_named", "register_camera"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Psf:
    """Image of a point, round on the sky.

    Parameters
    ----------
    fwhm : float
        Full width at half maximum in arcsec.
    beta : float or None
        Exponent of a Moffat profile, above 1; None: a Gaussian.
    """

    fwhm: float
    beta: float | None = 4.0

    def __post_init__(self) -> None:
        """Refuse profiles without a finite flux."""
        if not self.fwhm > 0:
            msg = f"The FWHM of a PSF is {self.fwhm!r}; it must be above 0 arcsec."
            raise ParameterError(msg)
        if self.beta is not None and not self.beta > 1:
            msg = f"The Moffat exponent is {self.beta!r}; it must be above 1, or None for a Gaussian."
            raise ParameterError(msg)

    @property
    def width(self) -> float:
        """Scale length in arcsec: Gaussian sigma, or Moffat alpha."""
        if self.beta is None:
            return float(self.fwhm / np.sqrt(8 * np.log(2)))
        return float(self.fwhm / (2 * np.sqrt(2 ** (1 / self.beta) - 1)))

    def density(self, r2: Any) -> Any:
        """Surface density of a unit flux.

        Parameters
        ----------
        r2 : float or ndarray
            Squared distance from the centre in arcsec².

        Returns
        -------
        float or ndarray
            Per arcsec²; its integral over the plane is 1.
        """
        a2 = self.width**2
        if self.beta is None:
            return np.exp(r2 / (-2 * a2)) / (2 * np.pi * a2)
        base = 1 + r2 / a2
        power = base**-4 if self.beta == 4 else base**-self.beta
        return (self.beta - 1) / (np.pi * a2) * power


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipDesign:
    """One detector and its distortion.

    Parameters
    ----------
    number : int
        The chip's own number (``CCDCHIP``).
    shape : tuple of int
        Rows and columns of the full detector.
    reference : tuple of float
        Reference pixel (x, y), FITS convention (1-based).
    position : tuple of float
        Where the reference pixel lies on the camera's undistorted axes, arcsec.
    linear : tuple of float
        ``(CX11, CX10, CY11, CY10)`` in arcsec per pixel: undistorted X = CX11 x + CX10 y, Y = CY11 x + CY10
        y.
    sip_a, sip_b : mapping of (int, int) to float
        SIP coefficients A_p_q, B_p_q in pixels.
    npol, d2im : tuple of float
        Largest values of the lookup tables along x and y in pixels; 0: no table.
    anchor : tuple of float
        Where a cut-out sits, as fractions (x, y) of the free way from the low to the high edge.
    cte : int
        Direction of charge-transfer tails: +1 towards lower y, -1 towards higher y, 0 none.
    """

    number: int
    shape: tuple[int, int]
    reference: tuple[float, float]
    position: tuple[float, float] = (0.0, 0.0)
    linear: tuple[float, float, float, float]
    sip_a: Mapping[tuple[int, int], float] = field(default_factory=lambda: MappingProxyType({}))
    sip_b: Mapping[tuple[int, int], float] = field(default_factory=lambda: MappingProxyType({}))
    npol: tuple[float, float] = (0.0, 0.0)
    d2im: tuple[float, float] = (0.0, 0.0)
    anchor: tuple[float, float] = (0.5, 0.5)
    cte: int = 0

    @property
    def matrix(self) -> Floats:
        """The linear terms as a matrix from pixels to arcsec."""
        cx11, cx10, cy11, cy10 = self.linear
        return np.array([[cx11, cx10], [cy11, cy10]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """An instrument as the simulator sees it.

    Parameters
    ----------
    name : str
        Name in the registry.
    instrument, detector : str
        ``INSTRUME`` and ``DETECTOR``.
    prefix : str
        First letter of root names.
    chips : tuple of ChipDesign
        In order of ``EXTVER``.
    scale : float
        Undistorted pixel scale in arcsec (``IDCSCALE``).
    psf : Psf
        Image of a point.
    aperture : tuple of float
        Position (V2, V3) of the reference point in the telescope's focal plane, arcsec.
    theta : float
        Angle of the undistorted axes to V3 in degrees (``IDCTHETA``).
    parity : tuple of int
        Diagonal of the parity matrix.
    unit : str
        ``"ELECTRONS"`` or ``"ELECTRONS/S"`` (``BUNIT``).
    amplifiers : str
        Amplifiers that read the detector (``CCDAMP``).
    gain : float
        Electrons per count.
    readnoise : float
        Electrons.
    dark : float
        Electrons per second and pixel; subtracted from the image, its noise stays.
    full_well : float
        Electrons at which a pixel saturates.
    ray_rate : float
        Cosmic-ray tracks per second and million pixels.
    filters : mapping of str to str
        Filter keywords.
    photometry : tuple of float
        PHOTFLAM, PHOTPLAM, PHOTBW.
    distortion : str
        Name of the distortion model; "": the headers tell nothing about it but the WCS.
    ramp : bool
        Whether files carry SAMP and TIME images.
    """

    name: str
    instrument: str
    detector: str
    prefix: str
    chips: tuple[ChipDesign, ...]
    scale: float
    psf: Psf
    aperture: tuple[float, float] = (0.0, 0.0)
    theta: float = 0.0
    parity: tuple[Literal[-1, 1], Literal[-1, 1]] = (-1, 1)
    unit: Literal["ELECTRONS", "ELECTRONS/S"] = "ELECTRONS"
    amplifiers: str = "A"
    gain: float = 1.0
    readnoise: float = 5.0
    dark: float = 0.0
    full_well: float = 80000.0
    ray_rate: float = 0.0
    filters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    photometry: tuple[float, float, float] = (1.0e-19, 6000.0, 700.0)
    distortion: str = ""
    ramp: bool = False

    def window(self, index: int, shape: tuple[int, int] | None) -> tuple[int, int, int, int]:
        """Return the part ``(y0, y1, x0, x1)`` of a chip that images of `shape` hold (None: all of it)."""
        design = self.chips[index]
        if shape is None:
            shape = design.shape
        for side, full in zip(shape, design.shape, strict=True):
            if not 1 <= side <= full:
                msg = (
                    f"Images of shape {shape} were asked for; the chips of {self.name} have {design.shape}. "
                    "Give both sides at least 1 pixel and at most the chip's."
                )
                raise ParameterError(msg)
        x0, y0 = (
            round(f * (n - s)) for f, n, s in zip(design.anchor, design.shape[::-1], shape[::-1], strict=True)
        )
        return y0, y0 + shape[0], x0, x0 + shape[1]

    def extent(self, shape: tuple[int, int] | None = None) -> float:
        """Side of a square around the pointing that holds all chips, cut to `shape`, at any roll (arcsec)."""
        far = 0.0
        for index, design in enumerate(self.chips):
            y0, y1, x0, x1 = self.window(index, shape)
            corners = np.array([[x, y] for x in (x0, x1) for y in (y0, y1)]) - np.array(design.reference)
            far = max(
                far, float(np.hypot(*(design.matrix @ corners.T + np.array(design.position)[:, None])).max())
            )
        return 2.0 * far


#: Name -> function that makes the camera.
CAMERAS: dict[str, Callable[[], Camera]] = {}


def register_camera(function: Callable[[], Camera]) -> Callable[[], Camera]:
    """Put a function that makes a camera into `CAMERAS` under its own name.

    Parameters
    ----------
    function : callable
        ``function() -> Camera``.

    Returns
    -------
    function : callable
        The same; it is a decorator.
    """
    CAMERAS[function.__name__] = function
    return function


def camera_named(name: str) -> Camera:
    """Return the camera of that name.

    Parameters
    ----------
    name : str
        One of `CAMERAS`.

    Returns
    -------
    camera : Camera
        Made anew.

    Raises
    ------
    UnknownComponentError
        If there is none; the message lists all.
    """
    key = name.lower().replace("/", "_").replace("-", "_")
    if key not in CAMERAS:
        family = "camera"
        raise UnknownComponentError(family, name, CAMERAS)
    return CAMERAS[key]()
