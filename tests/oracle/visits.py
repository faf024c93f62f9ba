"""The exposures that both programs combine: small, with everything that a real visit has."""

from __future__ import annotations

import gzip
import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from drizframe.simulate import Camera, Sky, acs_wfc, camera_named, dither, random_scene, simulate

SHAPE = (200, 256)
#: Keywords of a distortion model.
DISTORTION = re.compile(
    r"(IDC(?!TAB)\w+|OC[XY]\d\d|[AB]_(ORDER|\d_\d)|CPDIS\d|CPERR\d|DP\d.*|D2IM(?!FILE).*|TDD.*)$"
)


def _simulated(folder: Path, camera: Camera, rolls: tuple[float, ...], **others) -> None:
    """Exposures of different length, sky and roll, with bad pixels and columns, cosmic rays, weights and masks."""
    size = 1.3 * camera.scale * max(SHAPE) * len(camera.chips)
    scene = random_scene(11, size=size, stars=70, galaxies=6, bright=400.0, sky=Sky(rate=0.2, slope_x=0.02))
    pointings = dither(
        len(rolls),
        step=9 * camera.scale,
        exptime=(300.0, 500.0, 400.0, 700.0),
        sky=(0.15, 0.22, 0.19, 0.17),
        seed=3,
    )
    rolled = [replace(p, roll=p.roll + roll) for p, roll in zip(pointings, rolls, strict=True)]
    options: dict[str, Any] = {
        "bad_pixels": 1e-3,
        "bad_columns": 1,
        "cosmic_rays": 8.0,
        "shape": SHAPE,
    } | others
    simulate(camera, scene, rolled, seed=5, **options).write(folder, ivm=True, masks=True)


def acs(folder: Path, **others) -> None:
    """Two chips of ACS/WFC, SIP, NPOL and D2IM; four exposures, one of them rolled by 90 degrees."""
    _simulated(folder, acs_wfc(), (0.0, 1.5, -3.0, 90.0), **others)
    for path in folder.glob("*_flt.fits"):
        with fits.open(path, mode="update") as hdus:
            for name, amplifiers in (("ATODGN", (1.9, 2.0, 2.1, 2.05)), ("READNSE", (4.6, 5.2, 4.9, 5.5))):
                for amplifier, value in zip("ABCD", amplifiers, strict=True):
                    hdus[0].header[f"{name}{amplifier}"] = value
            for hdu in hdus:
                if hdu.name == "SCI":
                    hdu.header["USERSKY"] = 21.5 + hdu.ver
                if hdu.name == "DQ":  # flags of other kinds, two bits, and cosmic rays of an earlier run
                    flags = np.random.default_rng(hdu.ver).random(hdu.data.shape)
                    hdu.data[flags < 0.002] |= 64
                    hdu.data[(flags > 0.002) & (flags < 0.004)] |= 32
                    hdu.data[(flags > 0.006) & (flags < 0.008)] |= 4096
                    hdu.data[(flags > 0.008) & (flags < 0.009)] |= 8192


def _flat(folder: Path) -> None:
    """Add the flat field that the headers name."""
    path = min(folder.glob("*_flt.fits"))
    name = fits.getheader(path)["PFLTFILE"].split("$")[1]
    rng = np.random.default_rng(9)
    flat = [fits.PrimaryHDU()]
    with fits.open(path) as hdus:
        for hdu in (h for h in hdus if h.name == "SCI"):
            data = rng.uniform(0.9, 1.1, hdu.shape).astype(np.float32)
            header = fits.Header([("CCDCHIP", hdu.header["CCDCHIP"])] if "CCDCHIP" in hdu.header else [])
            flat.append(fits.ImageHDU(data, header, name="SCI", ver=hdu.ver))
    fits.HDUList(flat).writeto(folder / name)


def acs_flat(folder: Path) -> None:
    """Those of `acs` with their flat field."""
    acs(folder)
    _flat(folder)


def acs_pair(folder: Path) -> None:
    """The first two of `acs`."""
    acs(folder)
    for path in sorted(folder.glob("*_flt.fits"))[2:]:
        path.unlink()


def _in_fk5(paths: Iterable[Path]) -> None:
    """Let files count in FK5."""
    for path in paths:
        fits.setval(path, "REFFRAME", value="GSC1", ext=0)


def acs_fk5(folder: Path) -> None:
    """The first two of `acs`, in FK5."""
    acs_pair(folder)
    _in_fk5(folder.glob("*_flt.fits"))


def acs_two_systems(folder: Path) -> None:
    """The first two of `acs`, one of them in FK5: 20 milliarcsec."""
    acs_pair(folder)
    _in_fk5(sorted(folder.glob("*_flt.fits"))[1:])


def square(folder: Path) -> None:
    """As `acs`, on square cut-outs."""
    acs(folder, shape=(224, 224))


def square_uvis(folder: Path) -> None:
    """As `uvis`, on square cut-outs."""
    _simulated(folder, camera_named("wfc3_uvis"), (0.0, 2.0, -2.5), shape=(224, 224))


def uvis(folder: Path) -> None:
    """Two chips of WFC3/UVIS, three exposures."""
    _simulated(folder, camera_named("wfc3_uvis"), (0.0, 2.0, -2.5))


def ir(folder: Path) -> None:
    """WFC3/IR, electrons per second, three exposures; some cosmic rays that the ramp left."""
    _simulated(folder, camera_named("wfc3_ir"), (0.0, 1.0, -1.5), cosmic_rays=2.0)


def ir_flat(folder: Path) -> None:
    """Those of `ir` with their flat field, and sky values that an earlier step left in the headers."""
    ir(folder)
    _flat(folder)
    for k, path in enumerate(sorted(folder.glob("*_flt.fits"))):
        fits.setval(path, "MDRIZSKY", value=0.61 + 0.07 * k, ext=1)


def ir_frame(folder: Path) -> None:
    """Those of `ir` with an image whose grid is to be used."""
    ir(folder)
    first = min(folder.glob("*_flt.fits"))
    position = fits.getheader(first, 1)
    header = fits.Header()
    for axis, size in ((1, 330), (2, 300)):
        header[f"CRVAL{axis}"] = position[f"CRVAL{axis}"] + 0.0005
        header[f"CRPIX{axis}"] = (size + 1) / 2
        header[f"CTYPE{axis}"] = ("RA---TAN", "DEC--TAN")[axis - 1]
    header["CD1_1"], header["CD1_2"], header["CD2_1"], header["CD2_2"] = -0.1 / 3600, 0.0, 0.0, 0.1 / 3600
    header["ORIENTAT"] = 0.0
    image = fits.ImageHDU(np.zeros((300, 330), np.float32), header, name="SCI")
    fits.HDUList([fits.PrimaryHDU(), image]).writeto(folder / "grid.fits")


def hrc(folder: Path) -> None:
    """ACS/HRC, strongly skewed pixels, three exposures."""
    _simulated(folder, camera_named("acs_hrc"), (0.0, 3.0, -1.0))


def hrc_linear(folder: Path) -> None:
    """Those of `hrc` before their distortion model: a linear, skewed WCS."""
    hrc(folder)
    for path in folder.glob("*_flt.fits"):
        with fits.open(path, mode="update") as hdus:
            for hdu in hdus:
                for key in [k for k in hdu.header if DISTORTION.match(k)]:
                    hdu.header.remove(key, ignore_missing=True, remove_all=True)
                for key in ("CTYPE1", "CTYPE2"):
                    if key in hdu.header:
                        hdu.header[key] = hdu.header[key].removesuffix("-SIP")


def stis(folder: Path) -> None:
    """The bundled cut-out of a real STIS file with two exposures."""
    packed = resources.files("drizframe").joinpath("data", "stis_sample", "o4k19a010_flt.fits.gz")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "o4k19a010_flt.fits").write_bytes(gzip.decompress(packed.read_bytes()))


def stis_gains(folder: Path) -> None:
    """The exposures of `stis` in two files, the second as if taken with a gain of 4."""
    stis(folder)
    (path,) = folder.glob("*_flt.fits")
    with fits.open(path) as hdus:
        for number, gain in ((1, 1.0), (2, 4.0)):
            parts = [h.copy() for h in hdus if h.name == "PRIMARY" or h.ver == number]
            name = f"o4k19{'ab'[number - 1]}010"
            parts[0].header.update(
                {"NEXTEND": 3, "ATODGAIN": gain, "ROOTNAME": name, "FILENAME": f"{name}_flt.fits"}
            )
            for part in parts[1:]:
                part.ver = part.header["EXTVER"] = 1
                if part.name != "DQ":
                    part.data = part.data / np.float32(gain)
            fits.HDUList(parts).writeto(folder / f"{name}_flt.fits.new")
    path.unlink()
    for new in folder.glob("*.new"):
        new.rename(new.with_suffix(""))


VISITS: dict[str, Callable[[Path], None]] = {
    f.__name__: f
    for f in (
        acs,
        acs_flat,
        acs_pair,
        acs_fk5,
        acs_two_systems,
        square,
        uvis,
        square_uvis,
        ir,
        ir_flat,
        ir_frame,
        hrc,
        hrc_linear,
        stis,
        stis_gains,
    )
}


def lists(folder: Path) -> None:
    """Catalogues for the sky step, beside the exposures."""
    names = sorted(p.name for p in folder.glob("*_flt.fits"))
    values = [f"{n} {20.5 + 7 * k} {21.25 + 7 * k}" for k, n in enumerate(names)]
    (folder / "sky.txt").write_text("# values of each chip\n" + "\n".join(values) + "\n")
    (folder / "zeros.txt").write_text("".join(f"{n} 0.0 0.0\n" for n in names))
    (folder / "applied.txt").write_text("# applied = yes\n" + "\n".join(values) + "\n")


def make(name: str, into: Path) -> Path:
    """Folder with the files of a visit; made once."""
    folder = into / name
    if not folder.is_dir():
        part = into / f"{name}.{os.getpid()}"
        VISITS[name](part)
        lists(part)
        for path in (*part.glob("*.npz"), *part.glob("truth.json")):
            path.unlink()
        try:
            part.rename(folder)
        except OSError:  # another worker was first
            shutil.rmtree(part)
    return folder
