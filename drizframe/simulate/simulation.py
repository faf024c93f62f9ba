"""Exposures of a scene through a camera, with everything that went into them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from drizframe.errors import ParameterError
from drizframe.simulate.camera import Camera, camera_named
from drizframe.simulate.detector import BAD, SATURATED, Defects, cosmic_rays, defects, expose
from drizframe.simulate.geometry import lookup_tables, pixel_matrices, place_chip, sky_to_chip
from drizframe.simulate.headers import image_statistics, primary_header, root_name, science_header
from drizframe.simulate.pointing import Pointing
from drizframe.simulate.scene import Scene
from drizframe.simulate.sources import CUT, add_galaxy, add_stars, star_radius

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

    from drizframe.model import Exposure

__all__ = ["ChipTruth", "SimulatedChip", "SimulatedExposure", "Simulation", "simulate"]

#: Streams of random numbers of one chip of one exposure.
NOISE, RAYS, HOLES, DEFECTS = range(4)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChipTruth:
    """What went into one chip.

    Parameters
    ----------
    star : ndarray of intp, shape (n,)
        Which stars of the scene lie on the chip.
    x, y : ndarray of float64, shape (n,)
        Their positions, 0-based.
    area : ndarray of float64, shape (n,)
        Area of the pixel under each star, relative to the nominal one.
    counts : ndarray of float64, shape (n,)
        What each star adds up to in the image, in electrons: rate x exposure time / area.
    sky : float
        Sky at the centre of the chip, electrons per second and pixel.
    rays : ndarray of float32, shape (ny, nx)
        Electrons from cosmic rays.
    bad : ndarray of bool, shape (ny, nx)
        Bad pixels.
    saturated : ndarray of bool, shape (ny, nx)
        Saturated pixels.
    """

    star: NDArray[np.intp]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    area: NDArray[np.float64]
    counts: NDArray[np.float64]
    sky: float
    rays: NDArray[np.float32]
    bad: NDArray[np.bool_]
    saturated: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedChip:
    """Images, header and truth of one chip; `sci` and `err` in the unit of the camera.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Header of the science image.
    wcs : astropy.wcs.WCS
        Pixel to sky with all distortion.
    sci : ndarray of float32, shape (ny, nx)
        The image.
    err : ndarray of float32, shape (ny, nx)
        One sigma of every pixel.
    dq : ndarray of int16, shape (ny, nx)
        Data-quality flags.
    truth : ChipTruth
        What was drawn.
    """

    header: Header
    wcs: WCS
    sci: NDArray[np.float32]
    err: NDArray[np.float32]
    dq: NDArray[np.int16]
    truth: ChipTruth


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedExposure:
    """One exposure: primary header, chips in order of ``EXTVER``, lookup tables (HDUs).

    Parameters
    ----------
    name : str
        Root name.
    camera : Camera
        What took it.
    pointing : Pointing
        Where, when and for how long.
    primary : astropy.io.fits.Header
        Primary header.
    chips : tuple of SimulatedChip
        In order of ``EXTVER``.
    tables : tuple of HDU
        Lookup tables of the distortion, as they follow in the file.
    """

    name: str
    camera: Camera
    pointing: Pointing
    primary: Header
    chips: tuple[SimulatedChip, ...]
    tables: tuple[Any, ...]

    def exposure(self) -> Exposure:
        """Return the record that the steps work on, with the arrays in memory."""
        from drizframe.model import Exposure

        camera, chips = self.camera, self.chips
        unit: Literal["electrons", "electrons/s"] = (
            "electrons/s" if camera.unit.endswith("/S") else "electrons"
        )
        plain = Exposure.from_arrays(
            [c.sci for c in chips], [c.wcs for c in chips], name=self.name, exptime=self.pointing.exptime,
            err=[c.err for c in chips], dq=[c.dq for c in chips], unit=unit, gain=camera.gain,
            readnoise=camera.readnoise,
            dark=camera.dark * self.pointing.exptime, start=self.primary["EXPSTART"],
            end=self.primary["EXPEND"],
        )  # fmt: skip
        made = [
            dataclasses.replace(
                chip, header=c.header, bunit=camera.unit, cte_direction=design.cte,
                detector_chip=design.number,
                idc_scale=c.header.get("IDCSCALE"), v2ref=c.header.get("IDCV2REF"),
                v3ref=c.header.get("IDCV3REF"),
                theta=c.header.get("IDCTHETA"), ltv=(c.header.get("LTV1", 0.0), c.header.get("LTV2", 0.0)),
                saturation_bits=SATURATED,
            )
            for chip, c, design in zip(plain.chips, chips, camera.chips, strict=True)
        ]  # fmt: skip
        p1, p2 = camera.parity
        return dataclasses.replace(
            plain.with_chips(made), primary=self.primary, instrument=camera.instrument,
            detector=camera.detector,
            family=camera.instrument.lower(), pa_v3=self.primary.get("PA_V3"), parity=((float(p1), 0.0), (0.0,
            float(p2))),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulation(Sequence[SimulatedExposure]):
    """A recipe for exposures; made by `simulate`.

    Exposures are drawn when they are asked for (``simulation[0]``, iteration, `write`) and not kept, so a
    large visit needs the memory of one exposure.  Drawing again gives the same pixels, whatever was drawn
    before.

    Parameters
    ----------
    camera : Camera
        What takes the exposures.
    scene : Scene
        What it looks at.
    pointings : tuple of Pointing
        One for each exposure.
    seed : int
        Seed of everything that is random in the exposures.
    noise : bool
        Photon and read noise.
    rays : float
        Cosmic-ray tracks per second and million pixels.
    bad_pixels : float
        Fraction of bad pixels.
    bad_columns : int
        Bad columns a chip.
    saturation : float
        Full well in electrons; infinite: never.
    nan_fraction : float
        Fraction of pixels that are NaN.
    shape : tuple of int or None
        Rows and columns of the cut-outs; None: full chips.
    """

    camera: Camera
    scene: Scene
    pointings: tuple[Pointing, ...]
    seed: int
    noise: bool
    rays: float
    bad_pixels: float
    bad_columns: int
    saturation: float
    nan_fraction: float
    shape: tuple[int, int] | None

    def __len__(self) -> int:
        return len(self.pointings)

    def __getitem__(self, index: Any) -> Any:
        """Draw one exposure (or a list of them for a slice)."""
        if isinstance(index, slice):
            return [self._draw(i) for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            msg = f"There is no exposure {index!r}; the simulation has {len(self)}, counted from 0."
            raise IndexError(msg)
        return self._draw(index % len(self))

    def __iter__(self) -> Iterator[SimulatedExposure]:
        return (self._draw(i) for i in range(len(self)))

    def exposures(self) -> list[Exposure]:
        """Draw all exposures as records with arrays in memory."""
        return [drawn.exposure() for drawn in self]

    def names(self) -> list[str]:
        """Return the names of all exposures, without drawing them."""
        return [root_name(self.camera, index + 1) for index in range(len(self))]

    def write(
        self, folder: str | Path, *, ivm: bool = False, masks: bool = False, overwrite: bool = True
    ) -> list[Path]:
        """Write FITS files and the truth; see `drizframe.simulate.files.write`."""
        from drizframe.simulate.files import write

        return write(self, Path(folder), ivm=ivm, masks=masks, overwrite=overwrite)

    def _generator(self, exposure: int, chip: int, stream: int) -> np.random.Generator:
        """Return the generator of one stream, independent of all others."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(exposure, chip, stream)))

    def _draw(self, index: int) -> SimulatedExposure:
        """Draw one exposure."""
        from astropy.io import fits
        from astropy.wcs import WCS

        camera, pointing = self.camera, self.pointings[index]
        count = len(camera.chips)
        windows = [camera.window(k, self.shape) for k in range(count)]
        places = [place_chip(camera, k, pointing, windows[k]) for k in range(count)]
        cards, tables = lookup_tables(camera, places)
        root = root_name(camera, index + 1)
        primary = primary_header(
            camera, pointing, root, filename=f"{root}_flt.fits", subarray=self.shape is not None,
            extensions=count * (5 if camera.ramp else 3) + len(tables),
        )  # fmt: skip
        holder = fits.HDUList([fits.PrimaryHDU(header=primary), *tables])

        headers = [
            science_header(camera, k, pointing, places[k], cards[k], root=root, window=windows[k])
            for k in range(count)
        ]
        transforms = [WCS(header, fobj=holder) for header in headers]
        with ThreadPoolExecutor(max_workers=count) as pool:
            chips = tuple(pool.map(self._draw_chip, [index] * count, range(count), headers, transforms))
        return SimulatedExposure(
            name=root, camera=camera, pointing=pointing, primary=primary, chips=chips, tables=tuple(tables)
        )

    def _draw_chip(self, index: int, k: int, header: Header, wcs: WCS) -> SimulatedChip:
        """Draw one chip: light, detector, flags."""
        camera, pointing = self.camera, self.pointings[index]
        shape = (int(header["NAXIS2"]), int(header["NAXIS1"]))
        time = pointing.exptime
        light, found = self._light(wcs, header, shape, pointing)
        flaws = self._defects(k, shape)
        if flaws is not None:
            light = light * flaws.response + flaws.hot * time
        sci, err = expose(
            self._generator(index, k, NOISE) if self.noise else None,
            light,
            camera.dark * time,
            camera.readnoise,
        )
        tracks = round(self.rays * time * shape[0] * shape[1] / 1e6)
        if tracks:
            rays = cosmic_rays(self._generator(index, k, RAYS), shape, tracks)
            sci += rays
        else:
            rays = np.zeros(shape, dtype=np.float32)
        bad = np.zeros(shape, dtype=bool) if flaws is None else flaws.bad
        saturated = sci > self.saturation
        np.minimum(sci, np.float32(self.saturation), out=sci)
        dq = bad.astype(np.int16) * np.int16(BAD) + saturated.astype(np.int16) * np.int16(SATURATED)
        if self.nan_fraction > 0:
            sci[self._generator(index, k, HOLES).random(shape) < self.nan_fraction] = np.nan
        if camera.unit.endswith("/S"):
            sci /= np.float32(time)
            err /= np.float32(time)
        image_statistics(header, sci, dq)
        sky = self.scene.sky.rate if pointing.sky is None else pointing.sky
        truth = ChipTruth(**found, sky=sky, rays=rays, bad=bad, saturated=saturated)
        return SimulatedChip(header=header, wcs=wcs, sci=sci, err=err, dq=dq, truth=truth)

    def _defects(self, k: int, shape: tuple[int, int]) -> Defects | None:
        """Return the bad pixels of chip `k`, the same in every exposure; None if there are none."""
        if not (self.bad_pixels or self.bad_columns):
            return None
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(k, DEFECTS)))
        return defects(rng, shape, self.bad_pixels, self.bad_columns)

    def _light(
        self, wcs: WCS, header: Header, shape: tuple[int, int], pointing: Pointing
    ) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Return the expected electrons of the scene, and the truth about the stars."""
        camera, scene, time = self.camera, self.scene, pointing.exptime
        image = scene.sky.image(shape, pointing.sky) * time
        counts = scene.stars.rate * time
        reach = star_radius(counts, camera.psf, camera.scale).astype(np.float64) + 1
        star, x, y = sky_to_chip(wcs, header, scene.stars.ra, scene.stars.dec, shape, reach)
        matrices = pixel_matrices(wcs, x, y) if star.size else np.zeros((0, 2, 2))
        if star.size:
            add_stars(image, x, y, counts[star], matrices, camera.psf, camera.scale)
        area = np.abs(np.linalg.det(matrices)) / camera.scale**2
        self._add_galaxies(image, wcs, header, shape, time)
        on = (x > -0.5) & (x < shape[1] - 0.5) & (y > -0.5) & (y < shape[0] - 0.5)
        return image, {
            "star": star[on], "x": x[on], "y": y[on], "area": area[on], "counts": counts[star[on]] / area[on]
        }  # fmt: skip

    def _add_galaxies(
        self, image: NDArray[np.float64], wcs: WCS, header: Header, shape: tuple[int, int], time: float
    ) -> None:
        """Add the galaxies of the scene that reach the chip."""
        camera, galaxies = self.camera, self.scene.galaxies
        reach = np.asarray(2 * CUT * galaxies.radius / camera.scale + 50)
        index, x, y = sky_to_chip(wcs, header, galaxies.ra, galaxies.dec, shape, reach)
        if not index.size:
            return
        for k, gx, gy, matrix in zip(index, x, y, pixel_matrices(wcs, x, y), strict=True):
            add_galaxy(
                image, float(gx), float(gy), float(galaxies.rate[k] * time), matrix, camera.psf, camera.scale,
                radius=float(galaxies.radius[k]), ratio=float(galaxies.ratio[k]),
                angle=float(galaxies.angle[k]),
                index=float(galaxies.index[k]),
            )  # fmt: skip


def _within(name: str, value: float, low: float, high: float, unit: str) -> float:
    """Return `value` as a float if it lies in the range, else raise."""
    if not low <= value <= high:
        msg = f"{name} is {value!r}; it must lie between {low:g} and {high:g} {unit}."
        raise ParameterError(msg)
    return float(value)


def simulate(
    camera: Camera | str,
    scene: Scene,
    pointings: Sequence[Pointing],
    *,
    seed: int,
    noise: bool = True,
    cosmic_rays: float | bool = True,
    bad_pixels: float = 2e-4,
    bad_columns: int = 0,
    saturation: float | bool = True,
    nan_fraction: float = 0.0,
    shape: tuple[int, int] | None = None,
) -> Simulation:
    """Simulate exposures with known truth.

    Parameters
    ----------
    camera : Camera or str
        The instrument, or its name in `CAMERAS`.
    scene : Scene
        What is on the sky.
    pointings : sequence of Pointing
        Where and when the camera looks, one exposure each (see `dither`).
    seed : int
        Seed of noise, cosmic rays and bad pixels, at least 0; the same seed gives the same files.
    noise : bool
        Photon noise (Poisson, of sources, sky and dark) and read noise (Gaussian).
    cosmic_rays : bool or float
        True: at the camera's rate; a number: tracks per second and million pixels; False: none.
    bad_pixels : float
        Fraction of bad pixels (flag 4), the same in every exposure.
    bad_columns : int
        Bad columns a chip (flag 4).
    saturation : bool or float
        True: at the camera's full well; a number: full well in electrons; False: never.  Saturated pixels are
        clipped to the full well and flagged 256.
    nan_fraction : float
        Fraction of pixels that become NaN (without a flag).
    shape : tuple of int, optional
        Rows and columns to cut from every chip; the cut-outs of a camera with two chips lie at the gap
        between them.

    Returns
    -------
    Simulation
        Draws exposures on demand; ``write(folder)`` makes files.

    Raises
    ------
    ParameterError
        If a value is out of range.

    Notes
    -----
    Images are flat-fielded: the sky is constant, and a star adds up to its flux divided by the area of its
    pixel relative to ``camera.scale**2``; drizzling with the same reference scale restores the flux.  Noise
    is drawn in these units.
    """
    made = camera_named(camera) if isinstance(camera, str) else camera
    if not pointings:
        msg = "No pointings were given; give at least one (see dither)."
        raise ParameterError(msg)
    if seed < 0 or bad_columns < 0:
        msg = f"seed is {seed!r} and bad_columns {bad_columns!r}; both must be at least 0."
        raise ParameterError(msg)
    rate = made.ray_rate if cosmic_rays is True else float(cosmic_rays)
    well = (made.full_well if saturation else np.inf) if isinstance(saturation, bool) else saturation
    made.window(0, shape)
    return Simulation(
        camera=made, scene=scene, pointings=tuple(pointings), seed=seed, noise=noise,
        rays=_within("cosmic_rays", rate, 0, 1e4, "tracks per second and million pixels"),
        bad_pixels=_within("bad_pixels", bad_pixels, 0, 1, "(a fraction)"), bad_columns=bad_columns,
        saturation=_within("saturation", well, 1, np.inf, "electrons"),
        nan_fraction=_within("nan_fraction", nan_fraction, 0, 1, "(a fraction)"), shape=shape,
    )  # fmt: skip
