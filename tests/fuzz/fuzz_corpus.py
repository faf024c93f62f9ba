"""Sound exposures of every kind that the readers take, as the bytes of two or three small files.

Each base makes its files in a folder; the second one (`k1…`) is the one that is mutated.
"""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

__all__ = ["BASES", "base_files"]

SHAPE = (24, 20)
Header = dict[str, Any]
BASES: dict[str, Callable[[Path, int], list[Path]]] = {}


def _base(function: Callable[[Path, int], list[Path]]) -> Callable[[Path, int], list[Path]]:
    BASES[function.__name__] = function
    return function


@cache
def base_files(name: str) -> dict[str, bytes]:
    """Return the files of a base by name; those of the exposure that is mutated begin with ``k1``."""
    with tempfile.TemporaryDirectory() as folder:
        made = [path for number in (0, 1) for path in BASES[name](Path(folder), number)]
        return {path.name: path.read_bytes() for path in made}


def _image(number: int) -> np.ndarray:
    rng = np.random.default_rng(number)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    star = 900 * np.exp(-((x - 9 - 0.2 * number) ** 2 + (y - 11) ** 2) / 3)
    return (star + rng.normal(200, 8, SHAPE)).astype(np.float32)


def _wcs(number: int, scale: float = 0.1) -> Header:
    return {
        "WCSAXES": 2, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0 + number * 5e-6, "CRVAL2": 2.0,
        "CRPIX1": 10.0, "CRPIX2": 12.0, "CD1_1": -scale / 3600, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": scale / 3600,
        "CUNIT1": "deg", "CUNIT2": "deg", "RADESYS": "ICRS", "LONPOLE": 180.0, "LATPOLE": 2.0, "MJD-OBS": 53436.0,
    }  # fmt: skip


_SIP: Header = {
    "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "B_ORDER": 2, "A_2_0": 1e-5, "A_1_1": -2e-5,
    "B_0_2": 2e-5, "B_1_1": 1e-5, "AP_ORDER": 1, "BP_ORDER": 1, "AP_1_0": 1e-7, "BP_0_1": 1e-7,
}  # fmt: skip
_ALTERNATE: Header = {
    "WCSNAMEA": "OTHER", "CTYPE1A": "RA---TAN", "CTYPE2A": "DEC--TAN", "CRVAL1A": 150.0, "CRVAL2A": 2.0,
    "CRPIX1A": 10.0, "CRPIX2A": 12.0, "CD1_1A": -3e-5, "CD1_2A": 0.0, "CD2_1A": 0.0, "CD2_2A": 3e-5,
}  # fmt: skip


def _hst(instrument: str, detector: str, exptime: float = 300.0, **more: Any) -> Header:
    return {
        "TELESCOP": "HST", "INSTRUME": instrument, "DETECTOR": detector, "EXPTIME": exptime, "EXPSTART": 53436.0,
        "EXPEND": 53436.01, "PA_V3": 100.0, "RA_TARG": 150.0, "DEC_TARG": 2.0, "FILTER1": "F606W", "CCDAMP": "ABCD",
        "OBSTYPE": "IMAGING", **{f"READNSE{a}": 5.0 for a in "ABCD"}, **{f"ATODGN{a}": 1.0 for a in "ABCD"}, **more,
    }  # fmt: skip


def _extensions(
    number: int, science: Header, *, chips: int = 1, kinds: tuple[str, ...] = ("SCI", "ERR", "DQ")
) -> list[Any]:
    out = []
    for ver in range(1, chips + 1):
        head = {
            "BUNIT": "ELECTRONS", "CCDCHIP": ver, "MEANDARK": 1.0, "NGOODPIX": 400, "IDCSCALE": 0.1, "IDCV2REF": 100.0,
            "IDCV3REF": 50.0, "IDCTHETA": 0.0, "LTV1": 0.0, "LTV2": 0.0, "ORIENTAT": 0.0, "PHOTFLAM": 1e-19,
            **_wcs(number), **science,
        }  # fmt: skip
        head["CRVAL2"] += (ver - 1) * 6e-4
        image = _image(number)
        flags = np.zeros(SHAPE, np.int16)
        flags[3, 4], flags[7, 9] = 4, 16
        data = {"SCI": image, "ERR": np.sqrt(image), "DQ": flags, "TIME": np.full(SHAPE, 300.0, np.float32)}
        out += [
            fits.ImageHDU(
                data[k], fits.Header(head if k == "SCI" else {"BUNIT": "ELECTRONS"}), name=k, ver=ver
            )
            for k in kinds
        ]
    return out


def _write(path: Path, primary: Header, extensions: list[Any], data: Any = None) -> list[Path]:
    header = fits.Header({**primary, "ROOTNAME": path.name.split("_")[0], "FILENAME": path.name})
    if extensions:
        header["NEXTEND"] = len(extensions)
    fits.HDUList([fits.PrimaryHDU(data, header), *extensions]).writeto(path, overwrite=True)
    return [path]


@_base
def acs(folder: Path, number: int) -> list[Path]:
    science = {**_SIP, **_ALTERNATE, "WCSNAME": "IDC_x"}
    return _write(folder / f"k{number}_flt.fits", _hst("ACS", "WFC"), _extensions(number, science))


@_base
def tables(folder: Path, number: int) -> list[Path]:
    """Two chips with look-up tables of both kinds."""
    extensions = _extensions(number, {}, chips=2)
    for ver, hdu in enumerate([h for h in extensions if h.name == "SCI"]):
        for kind, record, name in (("CPDIS", "DP", "WCSDVARR"), ("D2IMDIS", "D2IM", "D2IMARR")):
            for axis in (1, 2):
                number_of = 2 * ver + axis
                hdu.header[f"{kind}{axis}"] = "Lookup"
                hdu.header.set(f"{record}{axis}", f"EXTVER: {number_of}.0")
                hdu.header.set(f"{record}{axis}", "NAXES: 2.0")
                for i in (1, 2):
                    hdu.header.set(f"{record}{axis}", f"AXIS.{i}: {i}.0")
                values = np.full((3, 3), 0.02 * axis, np.float32)
                table = fits.ImageHDU(values, name=name, ver=number_of)
                for i in (1, 2):
                    table.header[f"CRPIX{i}"], table.header[f"CRVAL{i}"], table.header[f"CDELT{i}"] = (
                        1.0,
                        1.0,
                        12.0,
                    )
                extensions.append(table)
    return _write(folder / f"k{number}_flc.fits", _hst("ACS", "WFC"), extensions)


@_base
def infrared(folder: Path, number: int) -> list[Path]:
    kinds = ("SCI", "ERR", "DQ", "TIME")
    extensions = _extensions(number, {**_SIP, "BUNIT": "ELECTRONS/S"}, kinds=kinds)
    return _write(folder / f"k{number}_flt.fits", _hst("WFC3", "IR", FILTER="F160W"), extensions)


@_base
def several_sets(folder: Path, number: int) -> list[Path]:
    """A STIS file of two exposures."""
    extensions = _extensions(number, {"BUNIT": "COUNTS", "EXPTIME": 150.0, "EXPSTART": 53436.0}, chips=2)
    for hdu in extensions:
        hdu.header["EXPNAME"] = f"k{number}s{hdu.ver}q"
    primary = _hst("STIS", "CCD", ATODGAIN=1.0, READNSE=4.0)
    return _write(folder / f"k{number}_flt.fits", primary, extensions)


@_base
def nicmos(folder: Path, number: int) -> list[Path]:
    primary = _hst("NICMOS", "1", CAMERA=2, UNITCORR="PERFORM")
    extensions = _extensions(number, {"BUNIT": "COUNTS/S", "CAMERA": 2}, kinds=("SCI", "ERR", "DQ", "TIME"))
    return _write(folder / f"k{number}_cal.fits", primary, extensions)


@_base
def companion(folder: Path, number: int) -> list[Path]:
    """WFPC2: flags in a second file."""
    primary = _hst("WFPC2", "", ATODGAIN=7.0, DARKTIME=300.0)
    del primary["DETECTOR"]
    science = {"BUNIT": "COUNTS", "DETECTOR": 1}
    extensions = _extensions(number, science, chips=2, kinds=("SCI",))
    flags = _extensions(number, science, chips=2, kinds=("DQ",))
    for hdu in flags:
        hdu.name = "SCI"
    return [
        *_write(folder / f"k{number}_c0m.fits", primary, extensions),
        *_write(folder / f"k{number}_c1m.fits", primary, flags),
    ]


@_base
def waivered(folder: Path, number: int) -> list[Path]:
    """A cube, and a table with the keywords of each plane."""
    rows = [{**_wcs(number), "DETECTOR": d, "BUNIT": "COUNTS", "NGOODPIX": 400} for d in (1, 2)]
    rows[1]["CRVAL2"] += 6e-4
    columns = []
    for key, value in rows[0].items():
        text = isinstance(value, str)
        form = "18A" if text else "1J" if isinstance(value, int) else "1D"
        columns.append(fits.Column(name=key, format=form, array=[r[key] for r in rows]))
    primary = _hst("WFPC2", "", ATODGAIN=7.0, DARKTIME=300.0)
    del primary["DETECTOR"]
    out = []
    for end, data in (("c0f", _image(number)), ("c1f", np.zeros(SHAPE, np.int16))):
        table = fits.BinTableHDU.from_columns(columns)
        out += _write(folder / f"k{number}_{end}.fits", primary, [table], np.stack([data, data]))
    return out


@_base
def plain(folder: Path, number: int) -> list[Path]:
    """One image in the primary HDU."""
    header = {**_wcs(number), "EXPTIME": 100.0, "BUNIT": "electron/s", "GAIN": 1.0, "RDNOISE": 3.0}
    return _write(folder / f"k{number}.fits", header, [], _image(number))


@_base
def integers(folder: Path, number: int) -> list[Path]:
    """Scaled integers with blanks, a cube of one plane, the distortion of the projection (TPV)."""
    header = {
        **_wcs(number), "CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "PV1_1": 1.0, "PV2_1": 1.0, "PV1_4": 1e-5,
        "EXPTIME": 100.0, "BUNIT": "adu", "GAIN": 2.0,
    }  # fmt: skip
    path = folder / f"k{number}.fits"
    data = np.round(_image(number) * 10).astype(np.int32)[None]
    data[0, 3, 3] = -(2**31)
    _write(path, header, [], data)
    with fits.open(path, mode="update", do_not_scale_image_data=True) as hdus:
        hdus[0].header["BSCALE"], hdus[0].header["BZERO"], hdus[0].header["BLANK"] = 0.1, 0.0, -(2**31)
    return [path]


@_base
def tiles(folder: Path, number: int) -> list[Path]:
    """Tile-compressed images."""
    extensions = _extensions(number, _SIP)
    packed = [
        fits.CompImageHDU(
            h.data, h.header, name=h.name, compression_type="RICE_1" if h.name != "DQ" else "PLIO_1"
        )
        for h in extensions
    ]
    return _write(folder / f"k{number}_flt.fits.fz", _hst("WFC3", "UVIS", FILTER="F606W"), packed)


@_base
def zipped(folder: Path, number: int) -> list[Path]:
    (path,) = acs(folder, number)
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()
    return [packed]
