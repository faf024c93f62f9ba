"""Systems of sky coordinates: which one a WCS counts in, and the way from one to another."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from drizframe.errors import WCSError

__all__ = ["KNOWN", "SkySystem", "conversion", "conversion_of", "system_of"]

Array = np.ndarray[Any, np.dtype[np.float64]]
#: ``convert(lon, lat) -> (lon, lat)`` in degrees.
Convert = Callable[[Array, Array], tuple[Array, Array]]

#: Kinds of axes in words.
_WORDS = {
    "RA": "equatorial", "GLON": "galactic", "ELON": "ecliptic", "SLON": "supergalactic", "HLON": "helioecliptic",
}  # fmt: skip
#: Systems of equatorial axes that can be converted, and their equinox where the header has none.
_EQUATORIAL = {"ICRS": None, "FK5": 2000.0, "FK4": 1950.0, "FK4-NO-E": 1950.0}
KNOWN = tuple(_EQUATORIAL)
#: Axes whose numbers do not depend on RADESYS and EQUINOX.
_FIXED = ("GLON", "SLON")


@dataclass(frozen=True, slots=True)
class SkySystem:
    """A system of sky coordinates.

    Parameters
    ----------
    axis : str
        Type of the longitude axis, without projection: ``"RA"``, ``"GLON"``, ``"ELON"``, ``"SLON"``, …
    radesys : str
        ``RADESYS`` in capitals, with the default of the FITS standard where the header has none.
    equinox : float or None
        Year; None where the system has none.
    date : float or None
        Modified Julian Date of axes that move with the Sun.
    """

    axis: str
    radesys: str = ""
    equinox: float | None = None
    date: float | None = None

    @property
    def label(self) -> str:
        """The system in words."""
        words = _WORDS.get(self.axis, f"of axes {self.axis}")
        parts = [self.radesys, "" if self.equinox is None else f"equinox {self.equinox:g}"]
        detail = ", ".join(p for p in parts if p)
        return f"{words} ({detail})" if detail else words

    def frame(self) -> Any:
        """Return the frame of astropy.

        Raises
        ------
        WCSError
            If there is none.
        """
        from astropy import coordinates as sky
        from astropy.time import Time

        if self.axis == "GLON":
            return sky.Galactic()
        if self.axis == "SLON":
            return sky.Supergalactic()
        if self.axis == "RA" and self.radesys == "ICRS":
            return sky.ICRS()
        if self.axis == "RA" and self.radesys == "FK5":
            return sky.FK5(equinox=Time(self.equinox, format="jyear"))
        if self.axis == "RA" and self.radesys == "FK4":
            return sky.FK4(equinox=Time(self.equinox, format="byear"))
        if self.axis == "RA" and self.radesys == "FK4-NO-E":
            return sky.FK4NoETerms(equinox=Time(self.equinox, format="byear"))
        if self.axis == "ELON" and self.radesys in {"ICRS", "FK5"}:
            return sky.BarycentricMeanEcliptic(equinox=Time(self.equinox, format="jyear"))
        msg = (
            f"Positions of the system {self.label} cannot be converted. Those that can: equatorial with RADESYS "
            f"{', '.join(_EQUATORIAL)}; ecliptic with RADESYS ICRS or FK5; galactic; supergalactic. Correct CTYPE, "
            "RADESYS and EQUINOX, or combine such exposures by themselves, on a frame of their own system."
        )
        raise WCSError(msg)


def system_of(prm: Any) -> SkySystem:
    """Return the sky system of a WCS.

    Parameters
    ----------
    prm : astropy.wcs.Wcsprm
        Set up, of two celestial axes.
    """
    axis = str(prm.ctype[max(int(prm.lng), 0)])[:4].split("-")[0].upper()
    radesys = str(prm.radesys).strip().upper()
    equinox = float(prm.equinox) if math.isfinite(prm.equinox) else None
    if axis in _FIXED:
        return SkySystem(axis)
    if not radesys:  # the default of the FITS standard
        radesys = "ICRS" if equinox is None else "FK4" if equinox < 1984.0 else "FK5"
    if axis == "RA" and radesys == "ICRS":
        return SkySystem(axis, radesys)
    if equinox is None:
        equinox = 2000.0 if radesys == "ICRS" else _EQUATORIAL.get(radesys)
    date = float(prm.mjdobs) if axis == "HLON" and math.isfinite(prm.mjdobs) else None
    return SkySystem(axis, radesys, equinox, date)


def conversion(source: SkySystem, target: SkySystem) -> Convert | None:
    """Return the way from one system to another; None if they are the same.

    Parameters
    ----------
    source, target : SkySystem
        Where from, and where to.

    Raises
    ------
    WCSError
        If one of two different systems cannot be converted.

    Notes
    -----
    Positions are converted as `astropy.coordinates` does, for objects at rest: FK4 positions of any date count as
    those of the equinox, as in `astropy.wcs.utils.wcs_to_celestial_frame`.
    """
    if source == target:
        return None
    one, two = source.frame(), target.frame()

    def convert(lon: Array, lat: Array) -> tuple[Array, Array]:
        from astropy import units
        from astropy.coordinates import SkyCoord

        lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
        good = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 90.0)
        out_lon, out_lat = np.full(lon.shape, np.nan), np.full(lat.shape, np.nan)
        if good.any():
            found = SkyCoord(lon[good] * units.deg, lat[good] * units.deg, frame=one).transform_to(two)
            out_lon[good], out_lat[good] = found.spherical.lon.deg, found.spherical.lat.deg
        return out_lon, out_lat

    return convert


def conversion_of(source: SkySystem, target: SkySystem, who: str, whither: str) -> Convert | None:
    """Return the way from one system to another, as `conversion`; errors name both sides, first the one that cannot be converted.

    Parameters
    ----------
    source, target : SkySystem
        Where from, and where to.
    who, whither : str
        Whose systems they are, for the message.
    """
    try:
        return conversion(source, target)
    except WCSError as error:
        sides = [(who, source), (whither, target)]
        if _has_frame(source):  # the fault is on the other side
            sides.reverse()
        (one, own), (two, other) = sides
        if one.startswith(("the ", "chip ")):  # words, not the name of a file
            one = one[0].upper() + one[1:]
        msg = f"{one} counts in the sky system {own.label}, {two} in {other.label}. {error}"
        raise WCSError(msg) from error


def _has_frame(system: SkySystem) -> bool:
    """Whether positions of a system can be converted."""
    try:
        system.frame()
    except WCSError:
        return False
    return True
