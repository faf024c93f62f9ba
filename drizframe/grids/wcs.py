"""Linear facts of a celestial WCS, and copies of it that are safe in threads.

One `astropy.wcs.WCS` must not be used from two threads at a time: wcslib writes into the object while it
transforms, without the interpreter's lock, and positions come out wrong without an error.  Hence `WcsState`:
plain numbers, from which every thread builds an object of its own.  The numbers are exact, so that a worker
process gets the same bits.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import WCSError
from drizframe.grids.sky_systems import SkySystem, system_of
from drizframe.model import check_celestial

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = [
    "WcsState",
    "cd_matrix",
    "column_scale",
    "core_wcs",
    "linear_wcs",
    "orientation",
    "remembered",
    "tangent_wcs",
]

Array = np.ndarray[Any, np.dtype[np.float64]]

#: Guards copying from `WcsState.master`.
_COPYING = threading.Lock()
#: Magnitude from which wcslib means "undefined".
_UNDEFINED = 1e100
#: Native longitude of the celestial pole that keeps tangent planes continuous up to the pole itself.
_LONPOLE = 180.0


#: Of a thread: the objects that it has built of states that are in use.
_here = threading.local()
#: States that were read already, by the number of the object, while `remembered`.
_READ: ContextVar[dict[tuple[int, bool], tuple[WCS, WcsState]] | None] = ContextVar(
    "drizframe_wcs_states", default=None
)


@contextmanager
def remembered() -> Iterator[None]:
    """Read the state of each WCS once in this block, in which nobody changes one."""
    token = _READ.set({})
    try:
        yield
    finally:
        _READ.reset(token)


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True, eq=False)
class WcsState:
    """Everything that a transform of a two-dimensional celestial WCS depends on, as plain numbers.

    Parameters
    ----------
    ctype, cunit : tuple of str
        Axis types and units.
    system : SkySystem
        System of the sky coordinates.
    longitude_first : bool
        Whether the first sky axis is the longitude.
    crval, crpix, cdelt : ndarray, shape (2,)
        Reference point and increments.
    pc : ndarray, shape (2, 2)
        Linear transformation.
    pole : tuple of float
        LONPOLE and LATPOLE; NaN if undefined.
    pv, ps : tuple
        Parameters of the projection.
    sip : tuple of ndarray, or None
        A and B coefficients and the reference pixel of the polynomial.
    tables : tuple
        CPDIS1, CPDIS2, D2IM1, D2IM2, each None or (table, crpix, crval, cdelt).
    master : astropy.wcs.WCS or None
        A private copy of a WCS that these numbers do not describe (TPV, TPD), only ever copied from.
    """

    ctype: tuple[str, str]
    system: SkySystem
    longitude_first: bool
    cunit: tuple[str, str]
    crval: Array
    crpix: Array
    cdelt: Array
    pc: Array
    pole: tuple[float, float] = (np.nan, np.nan)
    pv: tuple[Any, ...] = ()
    ps: tuple[Any, ...] = ()
    sip: tuple[Array | None, Array | None, Array] | None = None
    tables: tuple[Any, ...] = (None, None, None, None)
    master: WCS | None = None

    @classmethod
    def of(cls, wcs: WCS, where: str = "the image", *, distorted: bool = True) -> WcsState:
        """Read the state of a WCS.

        Parameters
        ----------
        wcs : astropy.wcs.WCS
            What to read; it stays as it is.
        where : str
            Name of the image, for messages.
        distorted : bool
            Whether to keep SIP polynomials and lookup tables.

        Raises
        ------
        WCSError
            If it is not a celestial FITS WCS of two axes, or its matrix is singular.
        """
        if wcs is None or not hasattr(wcs, "wcs"):
            msg = f"{where} has no FITS WCS (got {type(wcs).__name__}). Give an astropy.wcs.WCS."
            raise WCSError(msg)
        known = _READ.get()
        if known is not None and (id(wcs), distorted) in known:
            return known[id(wcs), distorted][1]
        state = cls._read(wcs, where, distorted=distorted)
        if known is not None:
            known[id(wcs), distorted] = wcs, state
        return state

    @classmethod
    def _read(cls, wcs: WCS, where: str, *, distorted: bool) -> WcsState:
        check_celestial(wcs, where)
        own = _private(wcs, distorted=distorted)
        prm = own.wcs
        _set(prm, where)
        ctype, sip = [str(name) for name in prm.ctype], own.sip
        state = cls(
            ctype=(ctype[0], ctype[1]),
            system=system_of(prm),
            longitude_first=int(prm.lng) <= 0,
            cunit=(str(prm.cunit[0]), str(prm.cunit[1])),
            crval=np.array(prm.crval),
            crpix=np.array(prm.crpix),
            cdelt=np.array(prm.get_cdelt()),
            pc=np.array(prm.get_pc()),
            pole=(float(prm.lonpole), float(prm.latpole)),
            pv=tuple(prm.get_pv()),
            ps=tuple(prm.get_ps()),
            sip=None if sip is None else (_copied(sip.a), _copied(sip.b), np.array(sip.crpix)),
            tables=tuple(_table(getattr(own, name)) for name in _TABLES),
        )
        return state if _alike(own, state.own()) else replace(state, master=own)

    def own(self) -> WCS:
        """Return the object of this thread with this state, for transforming only."""
        if not hasattr(_here, "built"):
            _here.built = weakref.WeakKeyDictionary()
        built: weakref.WeakKeyDictionary[WcsState, WCS] = _here.built
        if self not in built:
            built[self] = self.build()
        return built[self]

    def build(self) -> WCS:
        """Return a new WCS with this state."""
        from astropy.wcs import WCS, DistortionLookupTable, Sip

        if self.master is not None:
            with _COPYING:
                return _private(self.master, distorted=True)
        wcs = WCS(naxis=2)
        prm = wcs.wcs
        prm.ctype, prm.cunit = list(self.ctype), list(self.cunit)
        prm.crval, prm.crpix, prm.cdelt, prm.pc = self.crval, self.crpix, self.cdelt, self.pc
        for name, value in zip(("lonpole", "latpole"), self.pole, strict=True):
            if np.isfinite(value) and abs(value) < _UNDEFINED:
                setattr(prm, name, value)
        if self.pv:
            prm.set_pv(list(self.pv))
        if self.ps:
            prm.set_ps(list(self.ps))
        prm.bounds_check(True, True)
        prm.set()
        if self.sip is not None:
            a, b, crpix = self.sip
            wcs.sip = Sip(a, b, None, None, crpix)
        tables = [None if t is None else DistortionLookupTable(*t) for t in self.tables]
        wcs.cpdis1, wcs.cpdis2, wcs.det2im1, wcs.det2im2 = tables
        return wcs

    @property
    def distorted(self) -> bool:
        """Whether there is more than a linear transformation and a projection."""
        return self.sip is not None or self.master is not None or any(t is not None for t in self.tables)


def linear_wcs(wcs: WCS) -> WCS:
    """Return a copy of a WCS without polynomials and tables."""
    linear = _private(wcs, distorted=False)
    linear.pixel_shape = wcs.pixel_shape
    return linear


_TABLES = ("cpdis1", "cpdis2", "det2im1", "det2im2")


def _private(wcs: WCS, *, distorted: bool) -> WCS:
    """Return a copy with a wcslib object of its own; polynomials and tables, never changed, are shared."""
    from astropy.wcs import WCS

    own = WCS(naxis=2)
    own.wcs = wcs.wcs.__deepcopy__({})
    if distorted:
        own.sip = wcs.sip
        for name in _TABLES:
            setattr(own, name, getattr(wcs, name))
    if own.sip is None and any(str(name).endswith("-SIP") for name in own.wcs.ctype):
        own.wcs.ctype = [str(name).removesuffix("-SIP") for name in own.wcs.ctype]
    return own


def _alike(one: WCS, two: WCS) -> bool:
    """Whether two WCS map some pixels to the same numbers."""
    x, y = np.meshgrid([-500.0, -3.0, 0.0, 70.0, 1000.0], [-800.0, 0.0, 5.0, 300.0])
    pixels = np.column_stack([x.ravel(), y.ravel()]) + np.array(one.wcs.crpix)
    return np.array_equal(one.all_pix2world(pixels, 1), two.all_pix2world(pixels, 1), equal_nan=True)


def _set(prm: Any, where: str) -> None:
    """Let wcslib check a private copy of the parameters, and check what it does not."""
    from astropy.wcs import WcsError

    try:
        prm.set()
    except (WcsError, ValueError) as error:
        lines = str(error).strip().splitlines()
        msg = (
            f"The WCS of {where} cannot be used: {lines[-1] if lines else type(error).__name__}. "
            "Look at CTYPE, CRVAL and the CD matrix in its header."
        )
        raise WCSError(msg) from error
    matrix = np.array(prm.get_pc()) * np.array(prm.get_cdelt())[:, None]
    det, size = abs(np.linalg.det(matrix)), np.abs(matrix).max()
    if not np.isfinite(matrix).all() or det <= 1e-10 * size**2:
        msg = (
            f"The linear transformation of {where} is singular: {matrix.tolist()} degrees per pixel. "
            "Correct the CD or PC matrix and CDELT in its header."
        )
        raise WCSError(msg)


def _copied(array: Any) -> Array | None:
    """Return a copy of an optional array."""
    return None if array is None else np.array(array)


def _table(table: Any) -> tuple[Any, ...] | None:
    """Return data, CRPIX, CRVAL and CDELT of a lookup table."""
    if table is None:
        return None
    pairs = (tuple(float(v) for v in pair) for pair in (table.crpix, table.crval, table.cdelt))
    return (np.array(table.data, dtype=np.float32), *pairs)


def cd_matrix(wcs: WCS) -> Array:
    """Return the linear transformation in degrees per pixel, shape (2, 2), whichever keywords hold it."""
    return np.array(wcs.pixel_scale_matrix, dtype=np.float64)


def column_scale(cd: Array) -> float:
    """Return 3600 · hypot(CD1_1, CD2_1): the length of a step in x in arcsec (`pscale` of the reference)."""
    return float(np.hypot(cd[0, 0], cd[1, 0]) * 3600.0)


def orientation(cd: Array) -> float:
    """Return atan2(CD1_2, CD2_2) in degrees: the position angle of y (`orientat` of the reference)."""
    return float(np.degrees(np.arctan2(cd[0, 1], cd[1, 1])))


def tangent_wcs(like: WCS, crval: Any, crpix: Any, cd: Any, shape: tuple[int, int]) -> WCS:
    """Return an undistorted tangent-plane WCS with the sky system and name of another.

    Parameters
    ----------
    like : astropy.wcs.WCS
        Gives the sky system (CTYPE, RADESYS, EQUINOX) and WCSNAME.
    crval, crpix : sequence of float
        Reference point in degrees and in FITS pixels.
    cd : ndarray, shape (2, 2)
        Degrees per pixel.
    shape : tuple of int
        Rows and columns.
    """
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = _tangent_axes(like)
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = [float(v) for v in crval]
    wcs.wcs.crpix = [float(v) for v in crpix]
    wcs.wcs.cd = np.asarray(cd, dtype=np.float64)
    wcs.wcs.lonpole = _LONPOLE
    wcs.wcs.radesys, wcs.wcs.name = like.wcs.radesys, like.wcs.name
    if np.isfinite(like.wcs.equinox):
        wcs.wcs.equinox = like.wcs.equinox
    if np.isfinite(like.wcs.mjdobs) and wcs.wcs.ctype[0].startswith("HLON"):  # these axes move with the Sun
        wcs.wcs.mjdobs = like.wcs.mjdobs
    wcs.pixel_shape = (shape[1], shape[0])
    wcs.wcs.set()
    return wcs


def _tangent_axes(like: WCS) -> list[str]:
    """Return CTYPE of a tangent plane, longitude first, in the sky system of a WCS."""
    order = (like.wcs.lng, like.wcs.lat)
    names = [str(like.wcs.ctype[k])[:4].rstrip("-") for k in ((0, 1) if min(order) < 0 else order)]
    return [f"{name}{'-' * (5 - len(name))}TAN" for name in names]


def core_wcs(wcs: WCS, shape: tuple[int, int], cd: Any = None, crpix: Any = None, crval: Any = None) -> WCS:
    """Return the WCS without its distortion, as a new object, with new values of some keywords.

    Unlike `tangent_wcs` it keeps the projection.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        What to copy.
    shape : tuple of int
        Rows and columns.
    cd, crpix, crval : array-like, optional
        New values; None keeps the old ones.
    """
    from astropy.wcs import WCS

    core = WCS(naxis=2)
    core.wcs = wcs.wcs.__deepcopy__({})
    core.wcs.ctype = [str(name).removesuffix("-SIP") for name in core.wcs.ctype]
    _replace_matrix(core, cd_matrix(wcs) if cd is None else np.asarray(cd, dtype=np.float64))
    if crpix is not None:
        core.wcs.crpix = [float(v) for v in crpix]
    if crval is not None:
        core.wcs.crval = [float(v) for v in crval]
    core.pixel_shape = (shape[1], shape[0])
    core.wcs.set()
    return core


def _replace_matrix(wcs: WCS, cd: Array) -> None:
    """Write the linear transformation as a CD matrix, whatever the header used."""
    if not wcs.wcs.has_cd():
        if wcs.wcs.has_crota():
            del wcs.wcs.crota
        if wcs.wcs.has_pc():
            del wcs.wcs.pc
        wcs.wcs.cdelt = [1.0, 1.0]
    wcs.wcs.cd = cd


def sphere_mean(points: Array) -> Array | None:
    """Return the direction of the mean of unit vectors.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 2)
        Longitude and latitude in degrees.

    Returns
    -------
    ndarray of float64, shape (2,), or None
        Longitude in [0, 360) and latitude in degrees; None if the vectors cancel.
    """
    lon, lat = np.radians(points).T
    mean = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]).mean(axis=1)
    if np.linalg.norm(mean) < 1e-6:
        return None
    x, y, z = mean
    return np.array([np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))])
