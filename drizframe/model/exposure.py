"""Exposures and chips: facts from headers, and how to load the pixels.

No record here holds pixels of a file; `Chip.load` reads them when a step wants them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import InputError, ShapeError, WCSError, told
from drizframe.model.sources import rows_of

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

__all__ = ["ArraySource", "Chip", "Exposure", "PixelSource", "SkyValue"]

#: Reads one kind of pixels ("sci", "err", "dq", "ivm", "time") of one chip; returns None where the file has
#: no such array.  One with a method ``check()`` is asked at the end of a run, and raises if its files are not what they were.
PixelSource = Callable[[str], "np.ndarray[Any, Any] | None"]


@dataclass(frozen=True, slots=True)
class SkyValue:
    """Sky of one chip, in the native units of its image.

    Parameters
    ----------
    subtracted : float or None
        What the drizzle steps subtract and the blot adds back (`computedSky` of the reference); None:
        nothing.
    level : float
        What the noise models take as the sky level (`subtractedSky` of the reference).
    method : str
        The method that really gave the values.
    """

    subtracted: float | None
    level: float
    method: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ArraySource:
    """Pixels that were given as arrays.

    Parameters
    ----------
    arrays : mapping of str to ndarray, shape (ny, nx)
        Images by kind ("sci", "err", "dq", …).
    """

    arrays: Mapping[str, np.ndarray[Any, Any]]

    def __call__(self, kind: str) -> np.ndarray[Any, Any] | None:
        """Return the image of that kind, or None."""
        return self.arrays.get(kind)

    def rows(self, kind: str, first: int, stop: int) -> np.ndarray[Any, Any] | None:
        """Return rows of the image, or None."""
        image = self.arrays.get(kind)
        return None if image is None else image[first:stop]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chip:
    """One detector chip of an exposure.

    Parameters
    ----------
    extver : int
        Number of the chip in its file (FITS ``EXTVER``), from 1.
    shape : tuple of int
        Rows and columns of the image.
    wcs : astropy.wcs.WCS
        Pixel to sky with all distortion (SIP, NPOL and D2IM tables).
    load : callable
        ``load("sci" | "err" | "dq" | …)`` returns the image (any byte order) or None.
    header : astropy.io.fits.Header
        Header of the science image.
    exptime : float
        Exposure time in seconds, after overrides.
    gain : float
        Electrons per count.
    effective_gain : float
        Factor from the native unit to electrons (or electrons per second for rates) at drizzle time.
    conversion : float
        Factor from the native unit to electrons of the whole exposure (median, noise, cosmic rays).
    readnoise : float
        Read noise in electrons.
    dark : float or None
        Dark signal in electrons per exposure; None if the header does not tell.
    rate : bool
        True if the image is in units per second.
    bunit : str
        Unit of the image as written (``BUNIT``) or assumed.
    native_unit : str
        ``"electrons"``, ``"electrons/s"``, ``"counts"``, ``"counts/s"``: what the instrument delivers; ``"flux"`` and
        ``"brightness"`` for images in physical units, which no gain and no exposure time turns into electrons.
    cte_direction : int
        +1 if charge-transfer tails run towards lower y, -1 towards higher y, 0 if there are none.
    detector_chip : int
        The chip's own number on the detector (CCDCHIP, DETECTOR or CAMERA).
    idc_scale : float or None
        Undistorted pixel scale in arcsec from the distortion model (``IDCSCALE``).
    v2ref, v3ref, theta : float or None
        Reference position (arcsec) and angle (degrees) of the distortion model.
    pixel_scale : float or None
        Side, in arcsec, of the square whose area the flux of a pixel refers to, where the user tells it; None: see
        `chip_scale`.
    ltv : tuple of float
        Offset (x, y) of a subarray: detector pixel = image pixel - LTV; 0 for full frames.
    saturation_bits, cr_bits : int
        Data-quality bits that mark saturation and cosmic rays.
    mosaic_gain : float or None
        Electrons per count of a mosaic in counts, where the exposure was taken with another gain than the first; None: `gain`.
    usual_rate : bool or None
        Whether an image of the instrument that does not say its unit is in units per second; None: nobody knows.
    extra : mapping
        Facts that only plugins of that instrument use.
    """

    extver: int
    shape: tuple[int, int]
    wcs: WCS
    load: PixelSource
    header: Header
    exptime: float
    gain: float = 1.0
    effective_gain: float = 1.0
    conversion: float = 1.0
    readnoise: float = 0.0
    dark: float | None = None
    rate: bool = False
    bunit: str = "ELECTRONS"
    native_unit: str = "electrons"
    cte_direction: int = 0
    detector_chip: int = 1
    idc_scale: float | None = None
    v2ref: float | None = None
    v3ref: float | None = None
    theta: float | None = None
    pixel_scale: float | None = None
    ltv: tuple[float, float] = (0.0, 0.0)
    saturation_bits: int = 0
    cr_bits: int = 4096
    mosaic_gain: float | None = None
    usual_rate: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def physical(self) -> bool:
        """Whether the image is in units of flux or surface brightness."""
        return self.native_unit in ("flux", "brightness")

    @property
    def brightness(self) -> bool:
        """Whether the image is in surface brightness, which does not grow with the area of a pixel."""
        return self.native_unit == "brightness"

    def data(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return the science image as native float32, shape (ny, nx)."""
        image = self.load("sci")
        if image is None:
            msg = f"Chip {self.extver} has no science image. Give an input with a SCI extension."
            raise InputError(msg)
        if image.shape != self.shape:
            msg = (
                f"Science image of chip {self.extver} has shape {image.shape}, its header says {self.shape}."
            )
            raise ShapeError(msg)
        return np.ascontiguousarray(image, dtype=np.float32)

    def rows(self, kind: str, first: int, stop: int) -> np.ndarray[Any, Any] | None:
        """Return rows of an image, as `data` and `plane` do of all, where they can be had without the rest; None otherwise."""
        image = rows_of(self.load, kind, first, stop)
        if image is None:
            return None
        if image.shape != (stop - first, self.shape[1]):
            msg = f"Rows {first} to {stop - 1} of the {kind.upper()} image of chip {self.extver} came with shape {image.shape}."
            raise ShapeError(msg)
        wanted = np.dtype(np.float32) if kind == "sci" else image.dtype.newbyteorder("=")
        return np.ascontiguousarray(image, dtype=wanted)

    def plane(self, kind: str) -> np.ndarray[Any, Any] | None:
        """Return another image of the chip in native byte order ("err", "dq", …), or None if there is none."""
        image = self.load(kind)
        if image is None:
            return None
        if image.shape != self.shape:
            msg = (
                f"The {kind.upper()} image of chip {self.extver} has shape {image.shape} "
                f"but its science image has {self.shape}. Give both on the same pixels."
            )
            raise ShapeError(msg)
        return np.ascontiguousarray(image, dtype=image.dtype.newbyteorder("="))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exposure:
    """One exposure: facts from its headers, and its chips; no pixels loaded.

    Parameters
    ----------
    name : str
        Root name, unique in a run (``j8bt06nyq``); intermediate files begin with it.
    exptime : float
        Exposure time in seconds, after overrides.
    chips : tuple of Chip
        The active chips in order of ``EXTVER``.
    start, end : float
        Modified Julian dates; 0 if unknown.
    path : pathlib.Path or None
        The file it came from; None for arrays.
    primary : astropy.io.fits.Header or None
        Primary header.
    instrument, detector : str
        Names as in the header, upper case; ``"GENERIC"`` for arrays.
    family : str
        Name of the `Instrument` component that read the headers.
    pa_v3 : float or None
        Position angle of the telescope's V3 axis in degrees.
    needs_roll : bool
        Whether an exposure with a distortion model cannot be used without `pa_v3`.
    numbered_by_detector : bool
        Whether `Chip.detector_chip` tells which part of the detector a chip is, because ``EXTVER`` counts image sets.
    product_tag : str
        What the instrument's products have in their names in place of ``"_drz"``, such as ``"_drw"``; blank: nothing of its own.
    parity : tuple of tuple of float
        2×2 matrix of the detector's handedness (spec of the output frame).
    history : tuple of str
        What a reader noticed or repaired; goes to the log.
    warnings : tuple of str
        What a reader must tell the user; each ends in `Result.warnings`, once.
    extra : mapping
        Facts that only plugins of that instrument use.
    """

    name: str
    exptime: float
    chips: tuple[Chip, ...]
    start: float = 0.0
    end: float = 0.0
    path: Path | None = None
    primary: Header | None = None
    instrument: str = "GENERIC"
    detector: str = ""
    family: str = "generic"
    pa_v3: float | None = None
    needs_roll: bool = False
    numbered_by_detector: bool = False
    product_tag: str = ""
    parity: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 0.0), (0.0, -1.0))
    history: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what every step relies on."""
        if not self.chips:
            msg = f"Exposure {self.name!r} has no chip. Give at least one image with a WCS."
            raise InputError(msg)

    @property
    def size(self) -> int:
        """Number of pixels of all chips."""
        return sum(c.shape[0] * c.shape[1] for c in self.chips)

    @classmethod
    def from_arrays(
        cls,
        data: Any,
        wcs: WCS | Sequence[WCS] | None = None,
        *,
        name: str = "exposure",
        exptime: Any = 1.0,
        err: Any = None,
        dq: Any = None,
        unit: Any = None,
        gain: Any = 1.0,
        readnoise: Any = 0.0,
        dark: Any = None,
        pixel_scale: Any = None,
        start: Any = 0.0,
        end: Any = 0.0,
    ) -> Exposure:
        """Make an exposure from arrays with a WCS.

        Parameters
        ----------
        data : ndarray, shape (ny, nx), or a sequence of them
            Science image of each chip.  Masked arrays, Quantity and NDData (CCDData) bring mask, unit, uncertainty and flags
            along; pixels under a mask do not count.
        wcs : astropy.wcs.WCS or a sequence of them
            Pixel to sky of each chip, celestial, distortion included; may be left out for NDData that has one.
        name : str
            Name of the exposure, unique in a run.
        exptime : float or Quantity
            Exposure time in seconds, above 0.
        err, dq : ndarray or sequence of ndarray, optional
            Error (same unit, or a Quantity or an uncertainty of astropy) and data-quality flags (integers, 0 is good) on the
            same pixels.
        unit : str or astropy.units.Unit, optional
            ``"electrons"``, ``"electrons/s"``, ``"counts"``, ``"counts/s"``, a flux per pixel (``"nJy"``) or a surface
            brightness (``"MJy/sr"``); other spellings and units that can be converted into these, too.  By default that of
            the data; numbers without a unit are electrons per second, but whole numbers (integers, or floats that are all
            whole) are likely counts, and their unit must be given.
        gain : float or Quantity
            Electrons per count; used for the units in counts.
        readnoise : float or Quantity
            Read noise in electrons.
        dark : float or Quantity, optional
            Dark signal in electrons per exposure, for inverse-variance weights.
        pixel_scale : float or Quantity, optional
            Undistorted pixel scale, in arcsec, that the flat field of all chips refers to: the side of a square
            pixel.  By default chips without distortion polynomial have the areas that their WCS tell, square or
            not; those with one have the scale of the first of them.
        start, end : float or Time
            Start and end, as Modified Julian Dates.

        Returns
        -------
        Exposure
            The arrays are kept as they are and never changed.

        Raises
        ------
        InputError
            For a unit that is wrong, missing or does not fit, a time that is not positive, or a different number of images.
        ShapeError
            If images of one chip differ in shape or are not two-dimensional.
        WCSError
            If a WCS is not celestial.
        """
        from drizframe.model._arrays import exposure_from_arrays

        return exposure_from_arrays(
            data, wcs, name=name, exptime=exptime, err=err, dq=dq, unit=unit,
            gain=gain, readnoise=readnoise, dark=dark, pixel_scale=pixel_scale, start=start, end=end,
        )  # fmt: skip

    def with_chips(self, chips: Sequence[Chip]) -> Exposure:
        """Return the exposure with other chips, all else the same."""
        return dataclasses.replace(self, chips=tuple(chips))


def check_celestial(wcs: WCS, where: str) -> None:
    """Raise `WCSError` if `wcs` does not give positions on the sky.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        What to look at.
    where : str
        Name of the image, for the message.
    """
    from astropy.wcs import WcsError

    from drizframe.model.sky_wcs import refuse_other_kinds

    refuse_other_kinds(wcs, where)
    try:
        usable = wcs.has_celestial
    except WcsError as error:
        msg = f"The WCS of {where} cannot be used ({told(error)}). Correct its keywords."
        raise WCSError(msg) from error
    if not usable:
        msg = (
            f"{where} has no celestial WCS (CTYPE {[str(c) for c in wcs.wcs.ctype]!r}). "
            f"Every image needs CTYPE1/2, CRVAL1/2, CRPIX1/2 and a CD or PC matrix; add them and run again."
        )
        raise WCSError(msg)
    numbers = (wcs.wcs.crval, wcs.wcs.crpix, wcs.pixel_scale_matrix)
    if not all(np.isfinite(n).all() for n in numbers):
        msg = f"The WCS of {where} holds numbers that are not finite: CRVAL {wcs.wcs.crval}, CRPIX {wcs.wcs.crpix}."
        raise WCSError(msg + " Correct its keywords.")
