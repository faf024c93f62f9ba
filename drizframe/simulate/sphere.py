"""Tangent planes, and the angle between the telescope's axes and north."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["axes_matrix", "from_tangent", "roll_at", "to_tangent", "turn_between"]

Floats = NDArray[np.float64]


def from_tangent(xi: ArrayLike, eta: ArrayLike, ra: float, dec: float) -> tuple[Floats, Floats]:
    """Sky positions of points on a tangent plane.

    Parameters
    ----------
    xi, eta : array_like
        Gnomonic coordinates towards east and north, in degrees.
    ra, dec : float
        Tangent point in degrees.

    Returns
    -------
    ra, dec : ndarray of float64
        In degrees, right ascension in [0, 360).
    """
    x, y = np.deg2rad(xi), np.deg2rad(eta)
    s, c = np.sin(np.deg2rad(dec)), np.cos(np.deg2rad(dec))
    depth = c - y * s
    lon = np.deg2rad(ra) + np.arctan2(x, depth)
    lat = np.arctan2(s + y * c, np.hypot(x, depth))
    return np.asarray(np.rad2deg(lon) % 360.0), np.asarray(np.rad2deg(lat))


def to_tangent(ra: ArrayLike, dec: ArrayLike, ra0: float, dec0: float) -> tuple[Floats, Floats]:
    """Gnomonic coordinates (east, north, degrees) of sky positions; the inverse of `from_tangent`."""
    a = np.deg2rad(np.asarray(ra, dtype=np.float64) - ra0)
    d, d0 = np.deg2rad(np.asarray(dec, dtype=np.float64)), np.deg2rad(dec0)
    depth = np.sin(d) * np.sin(d0) + np.cos(d) * np.cos(d0) * np.cos(a)
    xi = np.cos(d) * np.sin(a) / depth
    eta = (np.sin(d) * np.cos(d0) - np.cos(d) * np.sin(d0) * np.cos(a)) / depth
    return np.asarray(np.rad2deg(xi)), np.asarray(np.rad2deg(eta))


def roll_at(pa_v3: float, dec: float, v2: float, v3: float) -> float:
    """Position angle of the V3 direction at an aperture away from the telescope's axis.

    Parameters
    ----------
    pa_v3 : float
        Position angle of V3 at the axis, degrees.
    dec : float
        Declination of the aperture, degrees.
    v2, v3 : float
        Position of the aperture, arcsec; both 0: on the axis, where the answer is `pa_v3` itself.

    Returns
    -------
    float
        Degrees.

    Notes
    -----
    With the distance rho of the aperture from the axis, sin² rho = sin² v2 + sin² v3 - sin² v2 sin² v3;
    beta = asin(sin v3 / sin rho) (pi - beta if v2 < 0);
    gamma = asin(sin v2 / sin rho) (pi - gamma if v3 < 0);
    A = pi/2 + roll - beta, B = atan2(sin A cos dec, sin dec sin rho - cos dec cos rho cos A);
    the angle is pi - gamma - B.
    """
    if v2 == 0 and v3 == 0:
        return pa_v3
    a2, a3 = np.sin(np.deg2rad(v2 / 3600)), np.sin(np.deg2rad(v3 / 3600))
    sin_rho = np.sqrt(a2**2 + a3**2 - a2**2 * a3**2)
    cos_rho = np.sqrt(1 - sin_rho**2)
    beta = np.arcsin(np.clip(a3 / sin_rho, -1, 1))
    gamma = np.arcsin(np.clip(a2 / sin_rho, -1, 1))
    beta = np.pi - beta if v2 < 0 else beta
    gamma = np.pi - gamma if v3 < 0 else gamma
    angle = np.pi / 2 + np.deg2rad(pa_v3) - beta
    s, c = np.sin(np.deg2rad(dec)), np.cos(np.deg2rad(dec))
    b = np.arctan2(np.sin(angle) * c, s * sin_rho - c * cos_rho * np.cos(angle))
    return float(np.rad2deg(np.pi - gamma - b))


def axes_matrix(parity: tuple[int, int], angle: float) -> Floats:
    """Matrix from the detector's undistorted axes to (east, north).

    Parameters
    ----------
    parity : tuple of int
        Diagonal of the parity matrix, (P11, P22).
    angle : float
        Roll at the aperture plus the angle of the detector, degrees.
    """
    s, c = np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))
    p1, p2 = parity
    return np.array([[p1 * c, -p1 * s], [p2 * s, p2 * c]], dtype=np.float64)


def turn_between(xi: float, eta: float, ra: float, dec: float) -> tuple[float, float, Floats]:
    """Move the tangent point from (`ra`, `dec`) to the plane position (`xi`, `eta`), all in degrees.

    Returns
    -------
    ra, dec : float
        The new tangent point.
    jacobian : ndarray of float64, shape (2, 2)
        Derivative of the new plane's coordinates by the old plane's, at the new tangent point.
    """
    lon, lat = (float(v) for v in from_tangent(xi, eta, ra, dec))
    h = 1e-3
    steps = np.array([[h, 0.0], [-h, 0.0], [0.0, h], [0.0, -h]])
    a, d = from_tangent(xi + steps[:, 0], eta + steps[:, 1], ra, dec)
    u, v = to_tangent(a, d, lon, lat)
    jacobian = np.array([[u[0] - u[1], u[2] - u[3]], [v[0] - v[1], v[2] - v[3]]]) / (2 * h)
    return lon, lat, jacobian
