"""What a detector adds to the light: cosmic rays, bad pixels, noise, saturation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BAD", "SATURATED", "Defects", "cosmic_rays", "defects", "expose"]

Floats = NDArray[np.float64]

#: Data-quality flags: bad detector pixel, full-well saturation.
BAD, SATURATED = 4, 256
#: Distance of the samples along a track, and their random offset, in pixels.
STEP, DIFFUSION = 0.2, 0.25
#: Rows that are read at once (they fit the processor's cache).
ROWS = 16
#: Samples of tracks that are drawn at once.
BATCH = 20_000


def cosmic_rays(rng: np.random.Generator, shape: tuple[int, int], count: int) -> NDArray[np.float32]:
    """Draw tracks of cosmic rays.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    shape : tuple of int
        Rows and columns.
    count : int
        Number of tracks.

    Returns
    -------
    ndarray of float32, shape `shape`
        Electrons in each pixel; 0 where no track passes.

    Notes
    -----
    Tracks start anywhere, at any angle; lengths are exponential with a mean of 4 pixels (1 in 20 is 6 times
    longer), the charge is log-normal around 1000 electrons for a short track and grows with the length, and
    spreads by a quarter of a pixel.  Pixels left with less than 5 electrons are set to 0, so that the truth
    has clear edges.
    """
    ny, nx = shape
    electrons = np.zeros(ny * nx)
    for start in range(0, count, BATCH):
        n = min(BATCH, count - start)
        x, y = rng.uniform(-0.5, nx - 0.5, n), rng.uniform(-0.5, ny - 0.5, n)
        angle = rng.uniform(0.0, 2 * np.pi, n)
        length = rng.exponential(4.0, n) * np.where(rng.random(n) < 0.05, 6.0, 1.0)
        charge = 1000.0 * np.exp(rng.normal(0.0, 0.8, n)) * (1 + length / 8)
        samples = np.maximum(np.ceil(length / STEP).astype(np.int64), 16)
        track = np.repeat(np.arange(n), samples)
        first = np.cumsum(samples) - samples
        along = (np.arange(track.size) - first[track] + 0.5) / samples[track] * length[track]
        px = x[track] + along * np.cos(angle)[track] + rng.normal(0.0, DIFFUSION, track.size)
        py = y[track] + along * np.sin(angle)[track] + rng.normal(0.0, DIFFUSION, track.size)
        column, row = np.rint(px).astype(np.int64), np.rint(py).astype(np.int64)
        hit = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
        share = (charge / samples)[track]
        electrons += np.bincount((row * nx + column)[hit], weights=share[hit], minlength=ny * nx)
    image = electrons.astype(np.float32).reshape(shape)
    image[image < 5.0] = 0.0
    return image


@dataclass(frozen=True, slots=True, eq=False)
class Defects:
    """Bad pixels of one chip, the same in every exposure.

    Parameters
    ----------
    hot : ndarray of float32, shape (ny, nx)
        Additional electrons per second.
    response : ndarray of float32, shape (ny, nx)
        Factor on the light: 1 is good, less is dead or dim.
    """

    hot: NDArray[np.float32]
    response: NDArray[np.float32]

    @property
    def bad(self) -> NDArray[np.bool_]:
        """Which pixels are bad."""
        return np.asarray((self.hot > 0) | (self.response < 1))


def defects(rng: np.random.Generator, shape: tuple[int, int], fraction: float, columns: int) -> Defects:
    """Draw the bad pixels of a chip.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    shape : tuple of int
        Rows and columns.
    fraction : float
        Fraction of single bad pixels: half of them hot (5 electrons/s and more), half dead (less than 30 %
        response).
    columns : int
        Number of bad columns; each is dead over its upper part (at least half of the chip).
    """
    ny, nx = shape
    hot, response = np.zeros(shape, dtype=np.float32), np.ones(shape, dtype=np.float32)
    count = round(fraction * ny * nx)
    where = rng.choice(ny * nx, count, replace=False)
    hot.ravel()[where[: count // 2]] = 5.0 * np.exp(rng.exponential(1.0, count // 2))
    response.ravel()[where[count // 2 :]] = rng.uniform(0.0, 0.3, count - count // 2)
    for column in rng.choice(nx, min(columns, nx), replace=False):
        response[int(rng.integers(0, ny // 2 + 1)) :, column] = rng.uniform(0.0, 0.1)
    return Defects(hot, response)


def expose(
    rng: np.random.Generator | None, light: Floats, dark: float, readnoise: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Read the detector.

    Parameters
    ----------
    rng : numpy.random.Generator or None
        Source of noise; None: no noise.
    light : ndarray of float64, shape (ny, nx)
        Expected electrons, without dark.
    dark : float
        Expected dark electrons; they are counted and their mean subtracted.
    readnoise : float
        Standard deviation of the read-out in electrons.

    Returns
    -------
    image : ndarray of float32, shape (ny, nx)
        Electrons.
    error : ndarray of float32, shape (ny, nx)
        Standard deviation of `image` as expected from `light`, `dark` and `readnoise`.
    """
    error = np.sqrt(light + (dark + readnoise**2), dtype=np.float32, casting="same_kind")
    if rng is None:
        return light.astype(np.float32), error
    image = np.empty(light.shape, dtype=np.float32)
    for start in range(0, light.shape[0], ROWS):
        rows = slice(start, start + ROWS)
        counted = rng.poisson(light[rows] + dark) - dark
        if readnoise > 0:
            counted += readnoise * rng.standard_normal(counted.shape, dtype=np.float32)
        image[rows] = counted
    return image, error
