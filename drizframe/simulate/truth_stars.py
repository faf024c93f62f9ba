"""Flux and position of the true stars in a mosaic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from drizframe.simulate.camera import Psf
from drizframe.simulate.truth_files import Image, Truth

__all__ = ["StarTruth", "aperture_fraction", "measure_stars"]

Floats = NDArray[np.float64]

#: Least signal-to-noise ratio of a star, and largest light of its neighbours, to be measured.
SNR, BLEND = 30.0, 0.02
#: Samples a pixel side where an aperture cuts pixels.
FINE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class StarTruth:
    """Stars of a mosaic against the truth.

    Parameters
    ----------
    n : int
        Stars that were measured: bright, alone, on exposed pixels and not saturated.
    flux : float
        Median of measured over true flux.
    flux_scatter : float
        Standard deviation of that ratio (1.4826 times the median absolute deviation).
    dx, dy : float
        Median offset of the measured positions, output pixels.
    scatter : float
        Standard deviation of the offsets along one axis, output pixels (from the same measure).
    """

    n: int
    flux: float
    flux_scatter: float
    dx: float
    dy: float
    scatter: float


def _spread(values: Floats) -> float:
    """Return 1.4826 times the median absolute deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def aperture_fraction(psf: Psf, radius: float, pixels: tuple[float, ...]) -> float:
    """Return which part of a star's light falls into an aperture.

    Parameters
    ----------
    psf : Psf
        Image of a point.
    radius : float
        Of the aperture, arcsec.
    pixels : tuple of float
        Sides of the squares that smear it: detector and output pixels, arcsec.

    Returns
    -------
    float
        Sum inside the aperture of the profile averaged over all squares, on a grid of a tenth of the smallest.
    """
    step = min(pixels) / 10
    half = int(np.ceil((radius + sum(pixels)) / step))
    axis = np.arange(-half, half + 1) * step
    r2 = axis[:, None] ** 2 + axis[None, :] ** 2
    image = np.asarray(psf.density(r2)) * step**2
    for side in pixels:
        image = uniform_filter(image, size=2 * round(side / step / 2) + 1, mode="nearest")
    return float(image[r2 <= radius**2].sum())


def _alone(truth: Truth, radius: float) -> NDArray[np.bool_]:
    """Return which stars have little light of others within 1.5 radii (arcsec), and no galaxy's middle there."""
    ra, dec, rate = truth.stars.T
    shrink = np.cos(np.deg2rad(dec))
    alone = np.ones(rate.size, dtype=bool)
    for k in range(rate.size):
        away = 3600 * np.hypot((ra - ra[k]) * shrink[k], dec - dec[k])
        others = rate[away < 1.5 * radius].sum() - rate[k]
        far = 3600 * np.hypot((truth.galaxies[:, 0] - ra[k]) * shrink[k], truth.galaxies[:, 1] - dec[k])
        alone[k] = others < BLEND * rate[k] and not np.any(far < radius + 2 * truth.galaxies[:, 3])
    return alone


def _bright(truth: Truth, radius: float) -> NDArray[np.bool_]:
    """Return which stars stand out of the noise of all exposures in an aperture (arcsec)."""
    time = sum(float(e["exptime"]) for e in truth.exposures)
    pixels = np.pi * (radius / truth.camera.scale) ** 2
    empty = pixels * sum(truth.noise(k) ** 2 for k in range(len(truth.exposures)))
    light = np.clip(truth.stars[:, 2] * time, 0.0, None)
    return np.asarray(light > SNR * np.sqrt(light + empty))


def _saturated(truth: Truth) -> NDArray[np.bool_]:
    """Return which stars have a saturated pixel within two pixels of their centre, in any exposure."""
    found = np.zeros(len(truth.stars), dtype=bool)
    for index in range(len(truth.exposures)):
        arrays = truth.arrays(index)
        for k in range(1, len(truth.exposures[index]["chips"]) + 1):
            full = arrays.get(f"saturated{k}")
            if full is None or not full.any():
                continue
            for star, x, y in zip(arrays[f"star{k}"], arrays[f"x{k}"], arrays[f"y{k}"], strict=True):
                row, column = max(round(float(y)) - 2, 0), max(round(float(x)) - 2, 0)
                found[star] |= full[row : row + 5, column : column + 5].any()
    return found


def _coverage(shape: tuple[int, int], x: float, y: float, radius: float) -> Floats:
    """Return which part of each pixel lies inside a circle."""
    fine = (np.arange(FINE) + 0.5) / FINE - 0.5
    xs = (np.arange(shape[1])[:, None] + fine).ravel() - x
    ys = (np.arange(shape[0])[:, None] + fine).ravel() - y
    inside = ys[:, None] ** 2 + xs[None, :] ** 2 <= radius**2
    blocks = inside.reshape(shape[0], FINE, shape[1], FINE)
    return np.asarray(blocks.mean(axis=(1, 3)))


def _centroid(box: Floats, x: float, y: float, sigma: float) -> tuple[float, float]:
    """Return the centre of a star by a matched Gaussian weight, moved until it rests."""
    rows, columns = np.ogrid[: box.shape[0], : box.shape[1]]
    for _ in range(20):
        weighted = box * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
        total = weighted.sum()
        if not total > 0:
            return np.nan, np.nan
        x += 2 * float((weighted * (columns - x)).sum() / total)
        y += 2 * float((weighted * (rows - y)).sum() / total)
        if not (0 <= x < box.shape[1] and 0 <= y < box.shape[0]):
            return np.nan, np.nan
    return x, y


def _one(image: Image, x: float, y: float, radius: float, sigma: float) -> Any:
    """Return sum over the aperture and offset of a star; None where not everything around it is exposed."""
    reach = int(np.ceil(radius)) + 7
    x0, y0 = round(x) - reach, round(y) - reach
    here = np.s_[y0 : y0 + 2 * reach + 1, x0 : x0 + 2 * reach + 1]
    if x0 < 0 or y0 < 0 or image.sci[here].shape != (2 * reach + 1,) * 2:
        return None
    box = image.sci[here]
    if not (np.isfinite(box).all() and (image.wht[here] > 0).all()):
        return None
    part = _coverage(box.shape, x - x0, y - y0, radius)
    around = (_coverage(box.shape, x - x0, y - y0, radius + 2) == 0) & (
        _coverage(box.shape, x - x0, y - y0, radius + 7) > 0
    )
    box = box - np.median(box[around])
    cx, cy = _centroid(box, x - x0, y - y0, sigma)
    return float((box * part).sum()), cx + x0 - x, cy + y0 - y


def measure_stars(image: Image, truth: Truth) -> StarTruth | None:
    """Measure the true stars in a mosaic.

    Parameters
    ----------
    image : Image
        Electrons per second and pixel.
    truth : Truth
        Positions and fluxes.

    Returns
    -------
    StarTruth or None
        None if no star can be measured.

    Notes
    -----
    Flux: sum over an aperture of 2.5 FWHM (at least 3 output pixels) at the true position, less the median of
    a ring around it, over the part of the light that falls into the aperture.  Position: centre of light with
    a matched Gaussian weight, less the true position by the WCS of the mosaic.
    """
    scale = 3600 * float(np.sqrt(abs(np.linalg.det(image.wcs.pixel_scale_matrix))))
    camera = truth.camera
    radius = max(2.5 * camera.psf.fwhm, 3 * scale)
    chosen = _alone(truth, radius) & _bright(truth, radius) & ~_saturated(truth)
    if not chosen.any():
        return None
    stars = truth.stars[chosen]
    xs, ys = image.wcs.all_world2pix(stars[:, 0], stars[:, 1], 0)
    sigma = max(camera.psf.fwhm / scale / 2.355, 0.8)
    rows = [
        (flux / rate, dx, dy)
        for x, y, rate in zip(xs, ys, stars[:, 2], strict=True)
        if (found := _one(image, float(x), float(y), radius / scale, sigma)) is not None
        for flux, dx, dy in [found]
        if np.isfinite(dx + dy)
    ]
    if not rows:
        return None
    flux, dx, dy = np.array(rows).T
    flux /= aperture_fraction(camera.psf, radius, (camera.scale, scale))
    offsets = np.concatenate([dx - np.median(dx), dy - np.median(dy)])
    return StarTruth(
        n=len(rows), flux=float(np.median(flux)), flux_scatter=_spread(flux), dx=float(np.median(dx)),
        dy=float(np.median(dy)), scatter=_spread(offsets),
    )  # fmt: skip
