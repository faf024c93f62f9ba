"""Exposures of one small field in every layout of input, for tests of products."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS, DistortionLookupTable, Sip

from drizframe import Exposure

SHAPE = (46, 52)
#: Position of the star and its flux in electrons per second; near 0, where degrees have the most digits.
STAR, FLUX = (0.02, 0.01), 1000.0
#: Keywords that are true of the grid of an input only.
PLACE_CARDS = {
    "LTV1": -100.0, "LTV2": -20.0, "LTM1_1": 0.5, "LTM2_2": 0.5, "CCDSEC": "[1:2,3:4]", "DATASEC": "[1:2,3:4]",
    "DETSEC": "[1:2,3:4]", "TRIMSECA": "[1:2,3:4]", "BIASSEC1": "[1:2,3:4]", "S_REGION": "POLYGON 1 2 3 4",
    "CRDER1": 0.5, "WCSNAMEQ": "old", "CRVAL1Q": 9.0, "TR1_1": 0.5, "REFPIX1": 7, "FASTAXIS": -1, "COR1RA1": 5.0,
    "ODDSEC": "[1:2,3:4]", "DATAMIN": -5.0, "DATAMAX": 7.0, "IDCSCALE": 0.1,
}  # fmt: skip
SIZE_CARDS = {"PIXSCALE": 0.1, "SECPIX1": -0.1, "PIXAR_A2": 0.01, "PIXAR_SR": 2.35e-13}


def linear(dx: float = 0.0, dy: float = 0.0, rot: float = 30.0, scale: float = 0.1) -> WCS:
    """A tangent plane with the star near its middle, shifted by arcsec."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [STAR[0] + dx / 3600, STAR[1] + dy / 3600]
    wcs.wcs.crpix = [(SHAPE[1] + 1) / 2, (SHAPE[0] + 1) / 2]
    c, s = np.cos(np.radians(rot)), np.sin(np.radians(rot))
    wcs.wcs.cd = np.array([[-c, s], [s, c]]) * scale / 3600
    wcs.wcs.set()
    return wcs


def with_sip(wcs: WCS) -> WCS:
    """Add a polynomial of a few hundredths of a pixel."""
    a, b = np.zeros((3, 3)), np.zeros((3, 3))
    a[2, 0], a[1, 1], b[0, 2] = 4e-5, -1.7e-5, 3e-5
    wcs.sip = Sip(a, b, None, None, wcs.wcs.crpix)
    wcs.wcs.ctype = ["RA---TAN-SIP", "DEC--TAN-SIP"]
    wcs.wcs.set()
    return wcs


def with_tables(wcs: WCS) -> WCS:
    """Add look-up tables of both kinds."""
    grid = np.add.outer(np.arange(6), np.arange(7)).astype(np.float32)
    wcs.cpdis1 = DistortionLookupTable(0.01 * grid, (1.0, 1.0), (1.0, 1.0), (10.0, 10.0))
    wcs.cpdis2 = DistortionLookupTable(-0.007 * grid, (1.0, 1.0), (1.0, 1.0), (10.0, 10.0))
    wcs.det2im1 = DistortionLookupTable(0.003 * grid, (1.0, 1.0), (1.0, 1.0), (10.0, 10.0))
    wcs.det2im2 = DistortionLookupTable(0.002 * grid, (1.0, 1.0), (1.0, 1.0), (10.0, 10.0))
    return with_sip(wcs)


def from_cards(wcs: WCS, **cards: Any) -> WCS:
    """The WCS of a header that says it in other keywords."""
    header = wcs.to_header()
    for key in [k for k, v in cards.items() if v is None]:
        header.remove(key, ignore_missing=True)
    header.update({k: v for k, v in cards.items() if v is not None})
    return WCS(header)


def in_system(ctype: tuple[str, str], system: str) -> Callable[[WCS], WCS]:
    """The same grids in another system of sky coordinates (their orientation differs)."""

    def convert(wcs: WCS) -> WCS:
        found = SkyCoord(*wcs.wcs.crval, unit="deg", frame="icrs").transform_to(system).spherical
        made = linear()
        made.wcs.ctype = list(ctype)
        made.wcs.crval = [found.lon.deg, found.lat.deg]
        if system == "fk4":
            made.wcs.radesys, made.wcs.equinox = "FK4", 1950.0
        made.wcs.set()
        return made

    return convert


def star(wcs: WCS, sky: float = 2.0) -> np.ndarray[Any, Any]:
    """The star on a flat sky, electrons per second."""
    x, y = wcs.world_to_pixel(SkyCoord(*STAR, unit="deg", frame="icrs"))
    yy, xx = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    image = np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * 1.6**2))
    return (sky + FLUX * image / image.sum()).astype(np.float32)


SHIFTS = ((0.0, 0.0), (0.73, 1.21), (-1.03, 0.4))


def cards_of(wcs: WCS) -> fits.Header:
    """All keywords of a WCS."""
    return wcs.to_header(relax=True)


def primary_files(folder: Path, make: Callable[[WCS], WCS] = lambda w: w, **cards: Any) -> list[str]:
    """One image in the primary HDU of each file, electrons."""
    files = []
    for i, shift in enumerate(SHIFTS):
        wcs = make(linear(*shift))
        header = cards_of(wcs)
        header.update({"EXPTIME": 100.0, "EXPSTART": 58849.0 + i, "EXPEND": 58849.1 + i, "BUNIT": "electron"})
        header.update(
            {"TELESCOP": "T1", "FILTER": "r", "AIRMASS": 1.0 + i, **PLACE_CARDS, **SIZE_CARDS, **cards}
        )
        path = folder / f"p{i}.fits"
        fits.PrimaryHDU(100.0 * star(wcs), header).writeto(path, checksum=True)
        files.append(str(path))
    return files


def scaled_files(folder: Path) -> list[str]:
    """As `primary_files`, stored as scaled 16-bit numbers with a value for missing ones."""
    files = primary_files(folder)
    for path in files:
        with fits.open(path) as hdus:
            header, data = hdus[0].header, hdus[0].data
        hdu = fits.PrimaryHDU(np.round((data - 100) / 0.25).astype(np.int16), header)
        hdu.header["BLANK"], hdu.header["BZERO"], hdu.header["BSCALE"] = -32768, 100.0, 0.25
        raw = Path(path)
        hdu.writeto(raw, overwrite=True, output_verify="silentfix", checksum=True)
    return files


def compressed_files(folder: Path) -> list[str]:
    """As `primary_files`, each tile-compressed into an extension."""
    files = primary_files(folder)
    for path in files:
        with fits.open(path) as hdus:
            image = fits.CompImageHDU(
                hdus[0].data, hdus[0].header, compression_type="GZIP_2", quantize_level=0
            )
            fits.HDUList([fits.PrimaryHDU(), image]).writeto(path, overwrite=True, checksum=True)
    return files


def extension_files(
    folder: Path, parts: tuple[str, ...], primary: dict[str, Any], chips: int = 1
) -> list[str]:
    """SCI and other extensions of each chip."""
    files = []
    for i, shift in enumerate(SHIFTS):
        hdus = [fits.PrimaryHDU(header=fits.Header({"EXPTIME": 100.0, "EXPSTART": 58849.0 + i, **primary}))]
        hdus[0].header["ROOTNAME"], hdus[0].header["EXPEND"] = f"e{i}", 58849.1 + i
        for chip in range(1, chips + 1):
            wcs = linear(shift[0] + 4 * (chip - 1), shift[1], rot=30)
            for part in parts:
                data = {"SCI": 100 * star(wcs), "ERR": 10 + 0 * star(wcs), "DQ": np.zeros(SHAPE, np.int16)}[
                    part
                ]
                header = cards_of(wcs) if part != "DQ" else fits.Header()
                header.update(
                    {**PLACE_CARDS, **SIZE_CARDS, "BUNIT": "ELECTRONS" if part != "DQ" else "UNITLESS"}
                )
                hdus.append(fits.ImageHDU(data, header, name=part, ver=chip))
        path = folder / f"e{i}_flt.fits"
        fits.HDUList(hdus).writeto(path, checksum=True)
        files.append(str(path))
    return files


ACS = {
    "TELESCOP": "HST", "INSTRUME": "ACS", "DETECTOR": "WFC", "CCDAMP": "ABCD", "FILTER1": "F606W", "PA_V3": 100.0,
    "EQUINOX": 2000.0, **{f"ATODGN{a}": 1.0 for a in "ABCD"}, **{f"READNSE{a}": 5.0 for a in "ABCD"},
}  # fmt: skip


def waivered_files(folder: Path) -> list[str]:
    """A cube with two chips in the primary HDU, their keywords in a table; flags in a second file."""
    files = []
    for i, shift in enumerate(SHIFTS):
        grids = [linear(*shift), linear(shift[0] + 4, shift[1], rot=120)]
        cube = np.stack([100 * star(w) for w in grids])
        primary = fits.Header(
            {"TELESCOP": "HST", "INSTRUME": "WFPC2", "ATODGAIN": 7.0, "EXPTIME": 100.0, "EXPSTART": 50000.0 + i,
             "CTYPE3": "GROUP_NUMBER", "CRVAL1": 1.0, "CRPIX1": 3.0, "ROOTNAME": f"u{i}", "EXPEND": 50000.1 + i}
        )  # fmt: skip
        number = {f"CRVAL{k}": [w.wcs.crval[k - 1] for w in grids] for k in (1, 2)}
        number |= {f"CRPIX{k}": [w.wcs.crpix[k - 1] for w in grids] for k in (1, 2)}
        number |= {f"CD{k}_{m}": [w.wcs.cd[k - 1, m - 1] for w in grids] for k in (1, 2) for m in (1, 2)}
        columns = [fits.Column(k, "D25.17", array=v) for k, v in number.items()]
        columns += [fits.Column(f"CTYPE{k}", "A8", array=[w.wcs.ctype[k - 1] for w in grids]) for k in (1, 2)]
        columns.append(fits.Column("DETECTOR", "I12", array=[1, 3]))
        table = fits.TableHDU.from_columns(columns)
        fits.HDUList([fits.PrimaryHDU(cube, primary), table]).writeto(folder / f"u{i}_c0f.fits")
        flags = fits.PrimaryHDU(np.zeros(cube.shape, np.int16))
        fits.HDUList([flags, table.copy()]).writeto(folder / f"u{i}_c1f.fits")
        files.append(str(folder / f"u{i}_c0f.fits"))
    return files


def stis_file(folder: Path) -> list[str]:
    """The bundled cut-out of a real STIS file with two image sets."""
    packed = resources.files("drizframe").joinpath("data", "stis_sample", "o4k19a010_flt.fits.gz")
    path = folder / "o4k19a010_flt.fits"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    return [str(path)]


def arrays(make: Callable[[WCS], WCS] = lambda w: w, chips: int = 1) -> list[Exposure]:
    """Exposures in memory, electrons per second."""
    result = []
    for i, shift in enumerate(SHIFTS):
        grids = [make(linear(shift[0] + 4 * k, shift[1])) for k in range(chips)]
        made = Exposure.from_arrays(
            [star(w) for w in grids], grids, name=f"a{i}", exptime=100.0, unit="electrons/s",
            dq=[np.zeros(SHAPE, np.int16) for _ in grids],
        )  # fmt: skip
        for chip in made.chips:
            chip.header.update({**PLACE_CARDS, **SIZE_CARDS})
        result.append(replace(made))
    return result


#: Layout -> inputs in a folder.
LAYOUTS: dict[str, Callable[[Path], list[Any]]] = {
    "primary": primary_files,
    "primary, scaled": scaled_files,
    "compressed": compressed_files,
    "SCI": lambda f: extension_files(f, ("SCI",), {}),
    "SCI ERR DQ": lambda f: extension_files(f, ("SCI", "ERR", "DQ"), {}),
    "ACS, two chips": lambda f: extension_files(f, ("SCI", "ERR", "DQ"), ACS, 2),
    "waivered": waivered_files,
    "STIS": stis_file,
    "arrays": lambda f: arrays(),
    "arrays, SIP": lambda f: arrays(with_sip),
    "arrays, tables, two chips": lambda f: arrays(with_tables, 2),
    "primary, SIP": lambda f: primary_files(f, with_sip),
    "primary, TPV": lambda f: primary_files(
        f,
        lambda w: from_cards(
            w, CTYPE1="RA---TPV", CTYPE2="DEC--TPV", PV1_1=1.0, PV1_4=2.0, PV2_1=1.0, PV2_6=-3.0
        ),
    ),
    "primary, CROTA": lambda f: primary_files(
        f,
        lambda w: from_cards(
            w,
            PC1_1=None,
            PC1_2=None,
            PC2_1=None,
            PC2_2=None,
            CDELT1=-0.1 / 3600,
            CDELT2=0.1 / 3600,
            CROTA2=20.0,
        ),
    ),
    "primary, galactic": lambda f: primary_files(f, in_system(("GLON-TAN", "GLAT-TAN"), "galactic")),
    "primary, B1950": lambda f: primary_files(
        f, in_system(("RA---TAN", "DEC--TAN"), "fk4"), RADESYS="FK4", EQUINOX=1950.0
    ),
    "primary, poles": lambda f: primary_files(f, lambda w: from_cards(w, LONPOLE=150.0)),
}
