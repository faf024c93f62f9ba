"""Images of stars and galaxies, integrated over the pixels of a distorted chip.

Values are flat-fielded surface brightness: a pixel holds the mean brightness over its area times the
*nominal* area (``scale**2``), as in a calibrated exposure.  A star of flux F therefore adds up to F times
nominal over true pixel area.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from drizframe.simulate.camera import Psf

__all__ = ["add_galaxy", "add_stars", "star_radius"]

Floats = NDArray[np.float64]

#: Gauss-Legendre rule over a pixel.
NODES, WEIGHTS = (a / 2 for a in np.polynomial.legendre.leggauss(4))
#: Stamp half-sizes in pixels, and the brightness (electrons a pixel) left outside.
RADII, OUTSIDE = (6, 12, 24, 48), 0.02
#: A galaxy ends at this many effective radii.
CUT = 6.0


def star_radius(counts: Floats, psf: Psf, scale: float) -> NDArray[np.int64]:
    """Half-size of the stamp of each star.

    The smallest of `RADII` beyond which a pixel holds less than `OUTSIDE`.

    Parameters
    ----------
    counts : ndarray of float64, shape (n,)
        Electrons.
    psf : Psf
        Image of a point.
    scale : float
        Nominal pixel scale in arcsec.
    """
    edge = np.array([psf.density((r * scale) ** 2) * scale**2 for r in RADII[:-1]])
    return np.asarray(np.array(RADII)[(counts[:, None] * edge > OUTSIDE).sum(axis=1)], dtype=np.int64)


def add_stars(
    image: Floats, x: Floats, y: Floats, counts: Floats, matrices: Floats, psf: Psf, scale: float
) -> None:
    """Add point sources to an image, in place.

    Parameters
    ----------
    image : ndarray of float64, shape (ny, nx)
        Electrons; the caller's own.
    x, y : ndarray of float64, shape (n,)
        Positions, 0-based; off the image is allowed.
    counts : ndarray of float64, shape (n,)
        True fluxes in electrons.
    matrices : ndarray of float64, shape (n, 2, 2)
        Arcsec on the sky per pixel at each star.
    psf : Psf
        Image of a point, round on the sky.
    scale : float
        Nominal pixel scale in arcsec.
    """
    radius = star_radius(counts, psf, scale)
    for r in RADII:
        chosen = np.flatnonzero(radius == r)
        chunk = max(1, 2_000_000 // ((2 * r + 1) ** 2 * NODES.size**2))
        for start in range(0, chosen.size, chunk):
            k = chosen[start : start + chunk]
            _add_stamps(image, x[k], y[k], counts[k] * scale**2, matrices[k], psf, r)


def _add_stamps(
    image: Floats, x: Floats, y: Floats, factor: Floats, matrices: Floats, psf: Psf, radius: int
) -> None:
    """Add stars whose stamps have one size."""
    ny, nx = image.shape
    side = np.arange(-radius, radius + 1)
    column, row = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    fine = (side[:, None] + NODES).ravel()
    dx, dy = fine + (column - x)[:, None], fine + (row - y)[:, None]
    # |M d|² = a dx² + 2 b dx dy + c dy² with the metric Mᵀ M
    metric = np.swapaxes(matrices, 1, 2) @ matrices
    a, b, c = metric[:, 0, 0, None], metric[:, 0, 1, None, None], metric[:, 1, 1, None]
    r2 = 2 * b * dy[:, :, None] * dx[:, None, :]
    r2 += (a * dx**2)[:, None, :]
    r2 += (c * dy**2)[:, :, None]
    density = psf.density(r2).reshape(x.size, side.size, NODES.size, side.size, NODES.size)
    stamp = np.einsum("nykxl,k,l->nyx", density, WEIGHTS, WEIGHTS, optimize=True) * factor[:, None, None]
    rows, columns = row[:, None] + side, column[:, None] + side
    inside = ((rows >= 0) & (rows < ny))[:, :, None] & ((columns >= 0) & (columns < nx))[:, None, :]
    flat = rows[:, :, None] * nx + columns[:, None, :]
    np.add.at(image.ravel(), flat[inside], stamp[inside])


def _sersic(r: Floats, index: float) -> Floats:
    """Brightness, up to a factor, of a Sérsic profile at `r` effective radii, 0 beyond `CUT`."""
    from scipy.special import gammaincinv

    b = float(gammaincinv(2 * index, 0.5))
    return np.where(r <= CUT, np.exp(-b * r ** (1 / index)), 0.0)


def add_galaxy(
    image: Floats, x: float, y: float, counts: float, matrix: Floats, psf: Psf, scale: float,
    *, radius: float, ratio: float, angle: float, index: float,
) -> None:  # fmt: skip
    """Add a galaxy to an image, in place.

    Parameters
    ----------
    image : ndarray of float64, shape (ny, nx)
        Electrons; the caller's own.
    x, y : float
        Centre, 0-based.
    counts : float
        True flux in electrons.
    matrix : ndarray of float64, shape (2, 2)
        Arcsec on the sky per pixel.
    psf : Psf
        Image of a point; the profile is convolved with it.
    scale : float
        Nominal pixel scale in arcsec.
    radius, ratio, angle, index : float
        See `Galaxies`.

    Notes
    -----
    Drawn on pixels divided by 3 x 3 (5 x 5 for small ones), convolved, scaled to its flux and summed back.
    """
    from scipy.signal import fftconvolve

    smallest = float(np.linalg.svd(matrix, compute_uv=False)[1])
    core = int(np.ceil(CUT * radius / smallest)) + 2
    rim = int(np.ceil(6 * psf.width / smallest)) + 1
    half = core + rim
    column, row = round(x), round(y)
    ny, nx = image.shape
    if not (-half <= column < nx + half and -half <= row < ny + half):
        return
    parts = 5 if core < 25 else 3
    fine = (np.arange((2 * half + 1) * parts) + 0.5) / parts - 0.5 - half
    dx, dy = np.meshgrid(fine + column - x, fine + row - y)
    east, north = matrix[0, 0] * dx + matrix[0, 1] * dy, matrix[1, 0] * dx + matrix[1, 1] * dy
    s, c = np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))
    profile = _sersic(np.hypot(east * s + north * c, (east * c - north * s) / ratio) / radius, index)
    shift = np.arange(-rim * parts, rim * parts + 1) / parts
    kx, ky = np.meshgrid(shift, shift)
    kernel = psf.density(
        (matrix[0, 0] * kx + matrix[0, 1] * ky) ** 2 + (matrix[1, 0] * kx + matrix[1, 1] * ky) ** 2
    )
    blurred = np.maximum(fftconvolve(profile, kernel / kernel.sum(), mode="same"), 0.0)
    stamp = blurred.reshape(2 * half + 1, parts, 2 * half + 1, parts).sum(axis=(1, 3))
    stamp *= counts * scale**2 / abs(np.linalg.det(matrix)) / stamp.sum()
    y0, y1 = max(row - half, 0), min(row + half + 1, ny)
    x0, x1 = max(column - half, 0), min(column + half + 1, nx)
    if y1 > y0 and x1 > x0:
        image[y0:y1, x0:x1] += stamp[
            y0 - row + half : y1 - row + half, x0 - column + half : x1 - column + half
        ]
