"""Files that a comparison with the truth reads: what the simulator wrote, and what a run wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from drizframe.errors import InputError, told
from drizframe.model.bunit import parse_unit
from drizframe.simulate.camera import Camera, camera_named

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["Image", "RunFiles", "Truth", "read_run", "read_truth"]

#: Endings of science images, separate or as extension of one file.
_ENDINGS = ("_drz_sci.fits", "_drc_sci.fits", "_drz.fits", "_drc.fits")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """What the simulator knows.

    Parameters
    ----------
    folder : pathlib.Path
        Where ``truth.json`` lies.
    camera : Camera
        The instrument.
    stars : ndarray of float64, shape (n, 3)
        Right ascension, declination (degrees), electrons per second.
    galaxies : ndarray of float64, shape (m, 4)
        Right ascension, declination (degrees), electrons per second, effective radius (arcsec).
    exposures : tuple of mapping
        ``file``, ``exptime``, ``sky`` (electrons per second and pixel), ``chips`` of each.
    """

    folder: Path
    camera: Camera
    stars: NDArray[np.float64]
    galaxies: NDArray[np.float64]
    exposures: tuple[Mapping[str, Any], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Root names of the exposures."""
        return tuple(root_of(e["file"]) for e in self.exposures)

    def noise(self, index: int) -> float:
        """Return the noise of an empty pixel of an exposure in electrons: sky, dark and read noise."""
        exposure, camera = self.exposures[index], self.camera
        light = (float(exposure["sky"]) + camera.dark) * float(exposure["exptime"])
        return float(np.sqrt(light + camera.readnoise**2))

    def arrays(self, index: int) -> dict[str, Any]:
        """Return the arrays of an exposure (``crN``, and from this simulator ``badN``, ``xN`` and so on)."""
        path = self.folder / f"truth_{self.names[index]}.npz"
        try:
            with np.load(path) as arrays:
                return dict(arrays)
        except (OSError, ValueError) as error:
            msg = f"The truth of {self.names[index]!r} cannot be read from {str(path)!r}: {told(error)}."
            raise InputError(msg) from error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """A mosaic: science in electrons per second and pixel, weight, and its WCS."""

    sci: NDArray[np.float64]
    wht: NDArray[np.float64]
    wcs: WCS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunFiles:
    """What a run left behind.

    Parameters
    ----------
    name : str
        Folder and root, for messages.
    folder : pathlib.Path
        Where everything lies.
    image : Image or None
        The mosaic.
    sky : mapping of (str, int) to float
        Sky by root name and ``EXTVER``, in the unit of the exposure.
    """

    name: str
    folder: Path
    image: Image | None
    sky: Mapping[tuple[str, int], float]

    def mask(self, name: str, extver: int) -> NDArray[np.bool_] | None:
        """Return where a chip was flagged as hit by cosmic rays; None if the run left no mask."""
        from astropy.io import fits

        path = self.folder / f"{name}_sci{extver}_crmask.fits"
        if not path.is_file():
            return None
        return np.asarray(fits.getdata(path) == 0)


def root_of(file: str) -> str:
    """Return the root of a file name: all before its last underscore."""
    stem = Path(file).name.split(".")[0]
    return stem.rpartition("_")[0] or stem


def _galaxies(rows: list[list[float]], scale: float) -> NDArray[np.float64]:
    """Return the first four columns; rows of only four have their radius in pixels."""
    table = np.array([row[:4] for row in rows], dtype=np.float64).reshape(-1, 4)
    table[:, 3] *= [scale if len(row) == 4 else 1.0 for row in rows]
    return table


def read_truth(path: Path) -> Truth:
    """Read ``truth.json``.

    Parameters
    ----------
    path : pathlib.Path
        Its folder, or the file.

    Returns
    -------
    Truth

    Raises
    ------
    InputError
        If it is not there, or is not the truth of a simulation.
    """
    file = path / "truth.json" if path.is_dir() else path
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        camera = camera_named(facts["inst"])
        return Truth(
            folder=file.parent, camera=camera,
            stars=np.array(facts["stars"], dtype=np.float64).reshape(-1, 3),
            galaxies=_galaxies(facts["galaxies"], camera.scale),
            exposures=tuple(facts["exposures"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = (
            f"{str(file)!r} is no truth of a simulation ({type(error).__name__}: {told(error)}). "
            "Give the folder that 'drizframe simulate' wrote."
        )
        raise InputError(msg) from error


def _product(path: Path) -> tuple[str, Path, Path | None]:
    """Return name, folder and science file of a run; None for a run without a mosaic."""
    if path.is_dir():
        found = [p for p in sorted(path.iterdir()) if p.name.endswith(_ENDINGS) and "_single_" not in p.name]
        if len(found) > 1:
            listed = ", ".join(p.name for p in found)
            msg = f"{str(path)!r} holds {len(found)} mosaics: {listed}. Give the root of one of them."
            raise InputError(msg)
        return str(path), path, found[0] if found else None
    for candidate in (path, *(path.with_name(path.name + ending) for ending in _ENDINGS)):
        if candidate.is_file():
            return str(path), candidate.parent, candidate
    msg = (
        f"There is no run at {str(path)!r}: it is no folder, and there is no {path.name}_drz_sci.fits. "
        "Give the folder of the products, or their root."
    )
    raise InputError(msg)


def _per_second(header: Any, camera: Camera) -> float:
    """Return the factor from the unit of a mosaic to electrons per second."""
    unit = parse_unit(str(header.get("BUNIT", "") or "ELECTRONS/S"), "BUNIT of the mosaic")
    if unit is None or unit.physical:
        msg = f"The mosaic is in {header['BUNIT']!r}; electrons or counts are needed to compare it with the truth."
        raise InputError(msg)
    factor = unit.factor * (camera.gain if unit.kind == "counts" else 1.0)
    return factor if unit.rate else factor / float(header["EXPTIME"])


def _image(path: Path, camera: Camera) -> tuple[Image, Any]:
    """Read a mosaic, and the table of its exposures' headers (or None)."""
    from astropy.io import fits
    from astropy.wcs import WCS

    with fits.open(path) as hdus:
        names = [hdu.name for hdu in hdus]
        one = "SCI" in names
        header = hdus["SCI"].header if one else hdus[0].header
        time = hdus[0].header.get("EXPTIME", header.get("EXPTIME", 1.0))
        sci = np.asarray(hdus["SCI"].data if one else hdus[0].data, dtype=np.float64)
        if one:
            wht = np.asarray(hdus["WHT"].data, dtype=np.float64)
        else:
            wht = np.asarray(
                fits.getdata(path.with_name(path.name.replace("_sci.", "_wht."))), dtype=np.float64
            )
        table = hdus["HDRTAB"].data.copy() if "HDRTAB" in names else None
        factor = _per_second({"BUNIT": header.get("BUNIT", "ELECTRONS/S"), "EXPTIME": time}, camera)
        return Image(sci=sci * factor, wht=wht, wcs=WCS(header)), table


def _sky_of_table(table: Any) -> dict[tuple[str, int], float]:
    """Return the sky that the table of headers lists."""
    if table is None or not {"MDRIZSKY", "FILENAME", "EXTVER"} <= set(table.names):
        return {}
    rows = zip(table["FILENAME"], table["EXTVER"], table["MDRIZSKY"], strict=True)
    return {(root_of(str(f)), int(v)): float(s) for f, v, s in rows}


def _sky_of_exposures(folder: Path, truth: Truth) -> dict[tuple[str, int], float]:
    """Return the sky that a run wrote into the exposures, where they lie beside its products."""
    from astropy.io import fits

    found: dict[tuple[str, int], float] = {}
    for name in truth.names:
        for path in sorted(folder.glob(f"{name}_fl[tc].fits")):
            with fits.open(path) as hdus:
                for hdu in hdus:
                    if hdu.name == "SCI" and "MDRIZSKY" in hdu.header:
                        found[name, hdu.ver] = float(hdu.header["MDRIZSKY"])
    return found


def read_run(path: Path, truth: Truth) -> RunFiles:
    """Find and read the products of a run.

    Parameters
    ----------
    path : pathlib.Path
        Folder of the products, their root, or the science image.
    truth : Truth
        Names the exposures.

    Returns
    -------
    RunFiles

    Raises
    ------
    InputError
        If there is no run, or a folder holds several.
    """
    name, folder, file = _product(path)
    image, table = (None, None) if file is None else _image(file, truth.camera)
    sky = _sky_of_table(table) or _sky_of_exposures(folder, truth)
    return RunFiles(name=name, folder=folder, image=image, sky=sky)
