"""Small exposures whose headers and tables say what an enemy would have them say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

SHAPE = (24, 26)
ACS = {
    "TELESCOP": "HST", "INSTRUME": "ACS", "DETECTOR": "WFC", "EXPTIME": 400.0, "EXPSTART": 53436.0, "EXPEND": 53436.005,
    "PA_V3": 337.1, "CCDAMP": "ABCD", "FILTER1": "F606W", "FILTER2": "CLEAR2L", "PFLTFILE": "jref$x_pfl.fits",
    "ASN_ID": "NONE", "TARGNAME": "M31", "IDCTAB": "jref$x_idc.fits", "NPOLFILE": "N/A", "D2IMFILE": "N/A",
    **{f"ATODGN{a}": 1.0 for a in "ABCD"}, **{f"READNSE{a}": 5.0 for a in "ABCD"},
}  # fmt: skip
STIS = {
    "TELESCOP": "HST", "INSTRUME": "STIS", "DETECTOR": "CCD", "ATODGAIN": 1.0, "READNSE": 4.0, "EXPTIME": 300.0,
    "EXPSTART": 53436.0, "EXPEND": 53436.005, "PA_V3": 337.1, "OBSTYPE": "IMAGING",
}  # fmt: skip


def science_cards(shift: float = 0.0) -> dict[str, Any]:
    """Return the keywords of a science image."""
    return {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 5.6 + shift * 1e-5, "CRVAL2": -72.05,
        "CRPIX1": SHAPE[1] / 2, "CRPIX2": SHAPE[0] / 2, "CD1_1": -0.05 / 3600, "CD1_2": 0.0, "CD2_1": 0.0,
        "CD2_2": 0.05 / 3600, "BUNIT": "ELECTRONS", "CCDCHIP": 1, "IDCSCALE": 0.05, "IDCV2REF": 250.0, "IDCV3REF": 300.0,
        "IDCTHETA": 0.0, "LTV1": 0.0, "LTV2": 0.0, "MEANDARK": 1.5, "NGOODPIX": 100, "EXPNAME": "jx01a1q",
        "EXPTIME": 400.0, "EXPSTART": 53436.0, "EXPEND": 53436.005, "DATE-OBS": "2005-03-07", "NCOMBINE": 1,
    }  # fmt: skip


def exposure(
    path: Path,
    *,
    sets: int = 1,
    base: dict[str, Any] = ACS,
    primary: dict[str, Any] | None = None,
    science: dict[str, Any] | None = None,
    seed: int = 0,
) -> Path:
    """Write an exposure with SCI, ERR and DQ of each image set; a keyword that is None is left out."""
    rng = np.random.default_rng(seed)
    root = "".join(c for c in path.name.split("_", maxsplit=1)[0] if c.isascii() and c.isalnum())
    hdus = fits.HDUList([fits.PrimaryHDU()])
    _set(hdus[0].header, {**base, "ROOTNAME": root[:18], **(primary or {})})
    for ver in range(1, sets + 1):
        images = {
            "SCI": rng.normal(40, 5, SHAPE).astype(np.float32),
            "ERR": np.full(SHAPE, 6.5, np.float32),
            "DQ": (rng.random(SHAPE) < 0.05).astype(np.int16) * np.int16(4),
        }
        images["SCI"][5 + ver + seed % 7, 8] = 5000.0  # a cosmic ray
        for kind, image in images.items():
            hdu = fits.ImageHDU(image, name=kind, ver=ver)
            _set(
                hdu.header,
                {**science_cards(seed), "EXPNAME": f"{root}{ver}", **(science or {})}
                if kind == "SCI"
                else {},
            )
            hdus.append(hdu)
    path.parent.mkdir(parents=True, exist_ok=True)
    hdus.writeto(path, overwrite=True)
    return path


def _set(header: fits.Header, cards: dict[str, Any]) -> None:
    for key, value in cards.items():
        if value is not None:
            header[key] = value


def association(path: Path, rows: list[tuple[str, str]]) -> Path:
    """Write an association table of (MEMNAME, MEMTYPE)."""
    names, kinds = zip(*rows, strict=True)
    columns = [
        fits.Column("MEMNAME", "64A", array=np.array(names)),
        fits.Column("MEMTYPE", "14A", array=np.array(kinds)),
        fits.Column("MEMPRSNT", "L", array=np.ones(len(rows), bool)),
    ]
    table = fits.BinTableHDU.from_columns(columns)
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path, overwrite=True)
    return path


def with_bytes(path: Path, old: bytes, new: bytes) -> Path:
    """Put bytes into a header or table that no library would write there."""
    raw = path.read_bytes()
    assert len(old) == len(new)
    assert old in raw
    path.write_bytes(raw.replace(old, new))
    return path
