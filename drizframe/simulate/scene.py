"""What is on the sky: stars, galaxies and the background."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drizframe.errors import ParameterError, ShapeError
from drizframe.simulate.sphere import from_tangent

__all__ = ["Galaxies", "Scene", "Sky", "Stars", "random_scene"]

Floats = NDArray[np.float64]


def _none() -> Floats:
    """Return a column without entries."""
    return np.zeros(0)


def _columns(record: Any, names: tuple[str, ...]) -> None:
    """Make the named fields of a frozen record read-only float64 arrays of one length."""
    for name in names:
        column = np.atleast_1d(np.array(getattr(record, name), dtype=np.float64))
        column.flags.writeable = False
        object.__setattr__(record, name, column)
    lengths = {name: getattr(record, name).shape for name in names}
    if len(set(lengths.values())) != 1 or any(len(shape) != 1 for shape in lengths.values()):
        msg = (
            f"{type(record).__name__} needs columns of one length; got {lengths}. "
            "Give every column one entry for each source."
        )
        raise ShapeError(msg)
    for name in names:
        if not np.isfinite(getattr(record, name)).all():
            msg = f"Column {name!r} of {type(record).__name__} is not finite everywhere. Give numbers only."
            raise ParameterError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stars:
    """Point sources.

    Parameters
    ----------
    ra, dec : array_like, shape (n,)
        ICRS positions in degrees.
    rate : array_like, shape (n,)
        True fluxes in electrons per second.
    """

    ra: Floats = field(default_factory=_none)
    dec: Floats = field(default_factory=_none)
    rate: Floats = field(default_factory=_none)

    def __post_init__(self) -> None:
        """Check the columns."""
        _columns(self, ("ra", "dec", "rate"))

    def __len__(self) -> int:
        return self.ra.size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Galaxies:
    """Elliptical Sérsic profiles, cut off at six effective radii.

    Parameters
    ----------
    ra, dec : array_like, shape (n,)
        ICRS positions in degrees.
    rate : array_like, shape (n,)
        True fluxes in electrons per second, inside the cut-off.
    radius : array_like, shape (n,)
        Effective (half-light) radii along the major axis in arcsec, above 0.
    ratio : array_like, shape (n,)
        Minor over major axis, above 0 and at most 1.
    angle : array_like, shape (n,)
        Position angles of the major axis in degrees, from north through east.
    index : array_like, shape (n,)
        Sérsic indices, from 0.3 to 6 (1 is an exponential disc).
    """

    ra: Floats = field(default_factory=_none)
    dec: Floats = field(default_factory=_none)
    rate: Floats = field(default_factory=_none)
    radius: Floats = field(default_factory=_none)
    ratio: Floats = field(default_factory=_none)
    angle: Floats = field(default_factory=_none)
    index: Floats = field(default_factory=_none)

    def __post_init__(self) -> None:
        """Check the columns and their ranges."""
        _columns(self, ("ra", "dec", "rate", "radius", "ratio", "angle", "index"))
        for name, wrong, allowed in (
            ("radius", self.radius <= 0, "above 0 arcsec"),
            ("ratio", (self.ratio <= 0) | (self.ratio > 1), "above 0 and at most 1"),
            ("index", (self.index < 0.3) | (self.index > 6), "from 0.3 to 6"),
        ):
            if wrong.any():
                msg = f"{name} of a galaxy is {getattr(self, name)[wrong][0]!r}; it must be {allowed}."
                raise ParameterError(msg)

    def __len__(self) -> int:
        return self.ra.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Sky:
    """Background, in flat-fielded units: electrons per second and pixel, whatever the area of the pixel.

    Parameters
    ----------
    rate : float
        Level at the centre of a chip, at least 0.
    slope_x, slope_y : float
        Change from one side of a chip to the other, as a fraction of `rate`; their sizes add to at most 2.
    """

    rate: float = 0.1
    slope_x: float = 0.0
    slope_y: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a background that is negative somewhere."""
        if not self.rate >= 0:
            msg = f"The sky rate is {self.rate!r}; it must be at least 0 electrons/s/pixel."
            raise ParameterError(msg)
        if abs(self.slope_x) + abs(self.slope_y) > 2:
            msg = (
                f"The sky slopes {self.slope_x!r} and {self.slope_y!r} make a corner negative; "
                "keep the sum of their sizes within 2."
            )
            raise ParameterError(msg)

    def image(self, shape: tuple[int, int], rate: float | None = None) -> Floats:
        """Return the background of a chip.

        Parameters
        ----------
        shape : tuple of int
            Rows and columns.
        rate : float, optional
            Level to use in place of `Sky.rate`.

        Returns
        -------
        ndarray of float64, shape (ny, nx)
            Electrons per second and pixel.
        """
        level = self.rate if rate is None else rate
        ny, nx = shape
        x = (np.arange(nx) - (nx - 1) / 2) / nx
        y = (np.arange(ny) - (ny - 1) / 2) / ny
        return level * (1.0 + self.slope_x * x[None, :] + self.slope_y * y[:, None])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A piece of sky.

    Parameters
    ----------
    stars : Stars
        Point sources.
    galaxies : Galaxies
        Extended sources.
    sky : Sky
        Background; a `Pointing` may override its level.
    """

    stars: Stars = field(default_factory=Stars)
    galaxies: Galaxies = field(default_factory=Galaxies)
    sky: Sky = field(default_factory=Sky)


def random_scene(
    seed: int,
    *,
    ra: float = 150.1,
    dec: float = 2.2,
    size: float | tuple[float, float] = 60.0,
    stars: int = 100,
    galaxies: int = 10,
    faint: float = 0.5,
    bright: float = 200.0,
    radius: tuple[float, float] = (0.2, 0.8),
    sky: float | Sky = 0.1,
) -> Scene:
    """Scatter sources over a square of sky.

    Parameters
    ----------
    seed : int
        The same seed gives the same scene.
    ra, dec : float
        Centre in degrees.
    size : float or tuple of float
        Side, or sides along right ascension and declination, in arcsec.
    stars, galaxies : int
        How many.
    faint, bright : float
        Fluxes are log-uniform between these rates in electrons per second (galaxies: three times as bright).
    radius : tuple of float
        Least and largest effective radius of the galaxies in arcsec.
    sky : float or Sky
        Background in electrons per second and pixel.

    Returns
    -------
    Scene
        Positions uniform in the tangent plane at the centre.

    Raises
    ------
    ParameterError
        If a number is out of range.
    """
    if stars < 0 or galaxies < 0 or not 0 < faint <= bright or not 0 < radius[0] <= radius[1]:
        msg = (
            f"A random scene got stars={stars!r}, galaxies={galaxies!r}, faint={faint!r}, bright={bright!r}, "
            f"radius={radius!r}; "
            "numbers must be at least 0, and ranges positive and ordered."
        )
        raise ParameterError(msg)
    width, height = size if isinstance(size, tuple) else (size, size)
    for_stars, for_galaxies = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))

    def scatter(rng: np.random.Generator, count: int, factor: float) -> dict[str, Floats]:
        xi, eta = (side / 3600 * rng.uniform(-0.5, 0.5, count) for side in (width, height))
        lon, lat = from_tangent(xi, eta, ra, dec)
        return {
            "ra": lon,
            "dec": lat,
            "rate": factor * np.exp(rng.uniform(np.log(faint), np.log(bright), count)),
        }

    rng = for_galaxies
    return Scene(
        stars=Stars(**scatter(for_stars, stars, 1.0)),
        galaxies=Galaxies(
            **scatter(rng, galaxies, 3.0),
            radius=rng.uniform(radius[0], radius[1], galaxies),
            ratio=rng.uniform(0.3, 1.0, galaxies),
            angle=rng.uniform(0.0, 180.0, galaxies),
            index=rng.uniform(0.5, 3.0, galaxies),
        ),
        sky=sky if isinstance(sky, Sky) else Sky(rate=sky),
    )
