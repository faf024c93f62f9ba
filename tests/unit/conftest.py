"""Small exposures as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from shipped import shipped

from drizframe.hooks import InstrumentOptions

ACS = {
    "TELESCOP": "HST",
    "INSTRUME": "ACS",
    "DETECTOR": "WFC",
    "EXPTIME": 400.0,
    "EXPSTART": 53436.0,
    "EXPEND": 53436.005,
    "PA_V3": 337.1,
    "CCDAMP": "ABCD",
    "FILTER1": "F606W",
    "FILTER2": "CLEAR2L",
    "RA_TARG": 5.6,
    "PFLTFILE": "jref$x_pfl.fits",
    "MDRIZSKY": 115.9,
    "DRIZCORR": "PERFORM",
    **{f"ATODGN{a}": 1.0 for a in "ABCD"},
    **{f"READNSE{a}": 5.0 for a in "ABCD"},
}


def wcs_cards(
    ra: float = 5.6, dec: float = -72.05, scale: float = 0.05, shape: tuple[int, int] = (12, 10)
) -> dict:
    return {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": ra,
        "CRVAL2": dec,
        "CRPIX1": shape[1] / 2,
        "CRPIX2": shape[0] / 2,
        "CD1_1": -scale / 3600,
        "CD1_2": 0.0,
        "CD2_1": 0.0,
        "CD2_2": scale / 3600,
        "WCSNAME": "IDC_made",
    }


@pytest.fixture
def make_file(tmp_path: Path):
    """Write SCI, ERR, DQ for each chip; `primary` and `science` add or (None) remove keywords."""

    def make(
        name="jx01_flt.fits",
        *,
        chips=2,
        shape=(12, 10),
        primary=None,
        science=None,
        base=ACS,
        dq_type=np.int16,
    ):
        rng = np.random.default_rng(len(name))
        head = fits.Header({**base, "ROOTNAME": name.split("_", maxsplit=1)[0], "FILENAME": name})
        hdus = fits.HDUList([fits.PrimaryHDU(header=head)])
        for ver in range(1, chips + 1):
            cards = {
                "BUNIT": "ELECTRONS",
                "CCDCHIP": 3 - ver,
                "MEANDARK": 1.5,
                "NGOODPIX": 100,
                "EXPNAME": name.split("_")[0],
                "IDCSCALE": 0.05,
                "IDCV2REF": 250.0,
                "IDCV3REF": 300.0,
                "IDCTHETA": 0.0,
                "LTV1": 0.0,
                "NCOMBINE": 1,
                "PHOTFLAM": 7.9e-20,
                "PHOTMODE": "ACS WFC1 F606W",
                "GOODMIN": -3.0,
                **wcs_cards(shape=shape),
            }
            data = {
                "SCI": rng.normal(40, 5, shape).astype(np.float32),
                "ERR": np.full(shape, 6.5, np.float32),
                "DQ": (rng.random(shape) < 0.1).astype(dq_type) * dq_type(4),
            }
            for kind, image in data.items():
                own = (
                    cards
                    if kind == "SCI"
                    else {**wcs_cards(shape=shape), "BUNIT": "ELECTRONS", "GOODMIN": 0.0}
                )
                hdus.append(
                    fits.ImageHDU(
                        image,
                        fits.Header({**own, **((science or {}) if kind == "SCI" else {})}),
                        name=kind,
                        ver=ver,
                    )
                )
        hdus[0].header["NEXTEND"] = len(hdus) - 1
        for header, changes in [
            (hdus[0].header, primary),
            *[(h.header, science) for h in hdus if h.name == "SCI"],
        ]:
            for key, value in (changes or {}).items():
                if value is None:
                    header.remove(key, ignore_missing=True)
                else:
                    header[key] = value
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        hdus.writeto(path, overwrite=True)
        return path

    return make


@pytest.fixture
def read():
    """Read a file with the stock instruments."""
    from drizframe.stock.io.fits_reader import read_fits

    records = sorted(shipped("instrument"), key=lambda r: r.name == "generic")  # which takes whatever is left

    def find(primary):
        return next(r for r in records if r.matches(primary))

    def read(path, **options):
        own = {
            k: options.pop(k)
            for k in list(options)
            if k in {"wcskey", "group", "coeffs", "ivm", "allow_missing"}
        }
        return read_fits(path, instruments=find, options=InstrumentOptions(**options, extra=own))

    return read
