"""Headers of mosaics, keyword by keyword, against those of the reference."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from astropy.io import fits
from cases import run_ours
from visits import make

#: What single images tell of themselves, and what is left of an archived WCS: further keywords of the exposures.
ADDED = {"SNRMIN": 1.0, "SNRMAX": 90.0, "SNRMEAN": 12.5, "SOFTERRS": 3, "CDELT1O": 1.0, "CDELT2O": 1.0, "RESTFRQO": 0.0,
         "RESTWAVO": 0.0, "WCSTYPEO": "undistorted", "SORIENTA": 7.5}  # fmt: skip
#: Keywords of the reference that products leave out on purpose (docs/explanation/differences.md).
LEFT_OUT = re.compile(r"LTV\d|NGOODPIX|DATAM(IN|AX)|NEXTEND|")  # the last: cards without keyword
#: Keywords whose values differ on purpose, or name programs and days.
OWN_VALUE = re.compile(
    r"DATE|FILENAME|ROOTNAME|PROD_VER|DRIZPARS|RULEFILE|BLENDVER|RULESVER|D\d{3}(VER|ISCL|SCAL|WTSC)|HISTORY|COMMENT|CHECKSUM"
    r"|DATASUM|BUNIT|PLATESC|EXTEND|C(RPIX|RVAL)\d|CD\d_\d|ORIENTAT|PCOUNT|GCOUNT"
)


def equal(ours, theirs) -> bool:
    if isinstance(theirs, float) and not isinstance(theirs, bool):
        return ours == pytest.approx(theirs, rel=1e-7, abs=1e-12)
    return str(ours).strip() == str(theirs).strip()


@pytest.mark.parametrize("visit", ["acs", "uvis", "ir", "hrc", "stis"])
def test_every_keyword_of_the_reference_is_there_with_its_value(visit, reference, tmp_path, tmp_path_factory):
    folder = make(visit, tmp_path_factory.mktemp("visits"))
    files = sorted(folder.glob("*_flt.fits"))[:2]
    for number, path in enumerate(files):
        with fits.open(path, mode="update") as hdus:
            for hdu in (h for h in hdus if h.name == "SCI"):
                for key, value in ADDED.items():
                    hdu.header[key] = value + number + hdu.ver if key.startswith(("SNR", "SOFT")) else value
    names = [p.name for p in files]
    theirs = reference(files, names, build=True)
    for path in files:
        shutil.copyfile(path, tmp_path / path.name)
    run_ours(tmp_path, names, build=True)
    with fits.open(Path(tmp_path) / "ref_drz.fits") as a, fits.open(theirs / "ref_drz.fits") as b:
        assert [h.name for h in a] == [h.name for h in b]
        wrong = []
        for ours, other in zip(a[:4], b[:4], strict=True):
            for key in dict.fromkeys(other.header):
                if LEFT_OUT.fullmatch(key) or (key in ours.header and OWN_VALUE.fullmatch(key)):
                    continue
                if not equal(ours.header.get(key), other.header[key]):
                    wrong.append(
                        f"{other.name} {key}: {ours.header.get(key)!r}, reference {other.header[key]!r}"
                    )
        assert wrong == []
