"""Where and when the telescope looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from drizframe.errors import ParameterError
from drizframe.simulate.sphere import from_tangent

__all__ = ["Pointing", "dither"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointing:
    """One exposure of a visit.

    Parameters
    ----------
    ra, dec : float
        Sky position of the camera's reference point in degrees.
    roll : float
        Position angle of the telescope's V3 axis (``PA_V3``) in degrees.
    exptime : float
        Exposure time in seconds, above 0.
    start : float
        Modified Julian date of the start.
    sky : float or None
        Sky level of this exposure in electrons per second and pixel; None: that of the scene.
    error : tuple of float
        How far (east, north, arcsec) the alternate WCSs of the file, which stand for the state before
        alignment, lie from the truth; the primary WCS is right.
    vafactor : float
        Velocity aberration: the true pixel scale is this times the nominal one.
    """

    ra: float = 150.1
    dec: float = 2.2
    roll: float = 0.0
    exptime: float = 500.0
    start: float = 58849.0
    sky: float | None = None
    error: tuple[float, float] = (0.0, 0.0)
    vafactor: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no telescope does."""
        if not self.exptime > 0:
            msg = f"The exposure time of a pointing is {self.exptime!r}; it must be above 0 s."
            raise ParameterError(msg)
        if not abs(self.dec) <= 90:
            msg = f"The declination of a pointing is {self.dec!r}; it must lie between -90 and 90 degrees."
            raise ParameterError(msg)
        if self.sky is not None and not self.sky >= 0:
            msg = f"The sky of a pointing is {self.sky!r}; it must be at least 0 electrons/s/pixel, or None."
            raise ParameterError(msg)
        if not abs(self.vafactor - 1) < 0.01:
            msg = f"The aberration factor is {self.vafactor!r}; it must be close to 1 (in orbit within 1e-4)."
            raise ParameterError(msg)


def dither(
    n: int,
    *,
    ra: float = 150.1,
    dec: float = 2.2,
    roll: float = 0.0,
    step: float = 0.5,
    jitter: float = 0.02,
    roll_step: float = 0.0,
    exptime: float | tuple[float, ...] = 500.0,
    sky: float | tuple[float | None, ...] | None = None,
    error: float = 0.0,
    start: float = 58849.0,
    seed: int = 0,
) -> tuple[Pointing, ...]:
    """Make a visit of `n` dithered exposures.

    Parameters
    ----------
    n : int
        Number of exposures, at least 1.
    ra, dec : float
        Centre of the pattern in degrees.
    roll : float
        ``PA_V3`` of the first exposure in degrees.
    step : float
        Size of the pattern in arcsec: exposure k lies at distance ``step * sqrt(k)`` along a golden-angle
        spiral, so that sub-pixel phases are spread evenly for any `n`.
    jitter : float
        Standard deviation of an additional random offset in arcsec.
    roll_step : float
        Roll from each exposure to the next in degrees.
    exptime, sky : float or tuple of float
        One value for all, or one for each exposure (a shorter tuple is repeated).
    error : float
        Standard deviation in arcsec of the error of the WCS before alignment (see `Pointing`).
    start : float
        Modified Julian date of the first exposure; one follows the other after two minutes.
    seed : int
        Seed of jitter and errors.

    Returns
    -------
    tuple of Pointing
    """
    if n < 1:
        msg = f"A visit of {n!r} exposures was asked for; it needs at least 1."
        raise ParameterError(msg)
    times = exptime if isinstance(exptime, tuple) else (exptime,)
    skies = sky if isinstance(sky, tuple) else (sky,)
    rng = np.random.default_rng(seed)
    shake, wrong = rng.normal(0.0, 1.0, (n, 2)), rng.normal(0.0, 1.0, (n, 2))
    golden = np.pi * (3.0 - np.sqrt(5.0))
    pointings = []
    for k in range(n):
        spiral = step * np.sqrt(k) * np.array([np.cos(golden * k), np.sin(golden * k)])
        east, north = (spiral + jitter * shake[k]) / 3600
        lon, lat = from_tangent(east, north, ra, dec)
        pointings.append(
            Pointing(
                ra=float(lon),
                dec=float(lat),
                roll=roll + k * roll_step,
                exptime=float(times[k % len(times)]),
                start=start,
                sky=skies[k % len(skies)],
                error=(float(error * wrong[k, 0]), float(error * wrong[k, 1])),
            )
        )
        start += (pointings[-1].exptime + 120.0) / 86400
    return tuple(pointings)
