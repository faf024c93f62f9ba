"""Cleaned exposures: the bytes that the FITS library would write, and no image of them whole in memory."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from astropy.io import fits

from drizframe.stock.io.checksums import wrong_sums
from drizframe.stock.products import intermediate
from drizframe.stock.products.grid_keywords import STRUCTURE, remove

SHAPE = (12, 10)


def plain(hdus):
    pass


def unsigned(hdus):
    for hdu in [h for h in hdus if h.name == "DQ"]:
        hdus[hdus.index_of(("DQ", hdu.ver))] = fits.ImageHDU(
            hdu.data.astype(np.uint16), hdu.header, name="DQ", ver=hdu.ver
        )


def scaled(hdus):
    for hdu in [h for h in hdus if h.name == "ERR"]:
        hdu.data = np.ones(SHAPE, np.float32) * 7
        hdu.scale("int16", bscale=0.5, bzero=3.0)


def summed(hdus):
    for hdu in hdus:
        hdu.add_checksum()


def constant(hdus):
    for hdu in [h for h in hdus if h.name == "DQ"]:
        header = fits.Header({"NPIX1": SHAPE[1], "NPIX2": SHAPE[0], "PIXVALUE": 0})
        hdus[hdus.index_of(("DQ", hdu.ver))] = fits.ImageHDU(header=header, name="DQ", ver=hdu.ver)


def with_others(hdus):
    hdus["SCI", 1].data[2, 3] = np.nan
    hdus.append(fits.ImageHDU(np.arange(24.0).reshape(2, 3, 4), name="CUBE"))
    hdus.append(fits.ImageHDU(np.arange(7, dtype=np.int32), name="LINE"))
    hdus.append(fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1, 2, 3])], name="TABLE"))
    hdus.append(fits.ImageHDU(name="NOTHING"))


def undated(raw):
    raw = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", b"", raw)
    return re.sub(rb"CHECKSUM= '\w{16}'", b"", raw)


def by_the_library(path, clean, masks):
    """Return the cleaned file as astropy writes it, all of it in memory."""
    with fits.open(path, memmap=False) as hdus:
        copies = fits.HDUList([h.copy() for h in hdus])
    for index, hdu in enumerate(copies):
        data = clean.get(hdu.ver) if hdu.name == "SCI" else None
        if hdu.name == "DQ":
            data = np.where(masks[hdu.ver] == 0, 4096, 0).astype(np.uint16)
        if data is not None:
            header, name, version = hdu.header.copy(), hdu.name, hdu.ver
            remove(header, STRUCTURE)
            copies[index] = fits.ImageHDU(data, header, name=name, ver=version)
    stream = io.BytesIO()
    copies.writeto(stream, output_verify="silentfix", checksum=True)
    return stream.getvalue()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", ["fits", "fits.gz"])
@pytest.mark.parametrize("change", [plain, unsigned, scaled, summed, constant, with_others])
def test_the_file_has_the_bytes_that_the_library_would_write(make_file, read, tmp_path, change, ending):
    path = make_file()
    with fits.open(path, memmap=False) as hdus:
        change(hdus)
        path = tmp_path / f"jx01_flt.{ending}"
        hdus.writeto(path, overwrite=True)
    exposure = read(path)[0]
    rng = np.random.default_rng(1)
    clean = {c.extver: rng.normal(3, 2, SHAPE).astype(np.float32) for c in exposure.chips}
    masks = {c.extver: (rng.random(SHAPE) < 0.7).astype(np.uint8) for c in exposure.chips}
    made = intermediate.write_crclean(tmp_path, exposure, clean, masks, 4096).read_bytes()
    assert undated(made) == undated(by_the_library(path, clean, masks))
    assert wrong_sums(io.BytesIO(made)) == []


LARGE = """
    import resource, shutil, sys
    from pathlib import Path

    import numpy as np

    from drizframe.api import registry
    from drizframe.compat.edits import commit_edits, plan_edits
    from drizframe.config import make_parameters
    from drizframe.engine.inputs import read_file
    from drizframe.model import ChipUnit
    from drizframe.stock.products import intermediate

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def work(path):
        exposure = read_file(path, make_parameters({}), registry())[0]
        shape = exposure.chips[0].shape
        clean, good = np.broadcast_to(np.float32(3), shape), np.broadcast_to(np.uint8(0), shape)
        start = peak()
        if sys.argv[1] == "clean":
            intermediate.write_crclean(Path(), exposure, {1: clean}, {1: good}, 4096)
        else:
            unit = ChipUnit(0, 0)
            plan, _ = plan_edits(
                [exposure], folder=Path(), sky={unit: 3.0}, masks={unit: good}, resetbits=64, crbit=4096
            )
            commit_edits(plan)
        return peak() - start

    work(Path(sys.argv[2]))  # with the libraries that it needs
    print(work(Path(sys.argv[3])))
"""


@pytest.mark.parametrize("what", ["clean", "edit"])
def test_files_of_exposures_are_written_some_rows_at_a_time(make_file, tmp_path, what):
    """Of an exposure of 80 MB, of which each image has 16 or 32 MB; AstroDrizzle's way takes several times the file."""
    pytest.importorskip("resource")
    small, large = (
        make_file("jx01_flt.fits", chips=1),
        make_file("jx02_flt.fits", chips=1, shape=(4000, 2000)),
    )
    script = [sys.executable, "-c", textwrap.dedent(LARGE), what, small.name, large.name]
    done = subprocess.run(
        script, capture_output=True, text=True, check=False, cwd=tmp_path, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 45
    if what == "edit":
        with fits.open(large) as hdus:
            assert hdus["SCI", 1].header["MDRIZSKY"] == 3.0
            assert (hdus["DQ", 1].data & 4096 != 0).all()
            assert (hdus["DQ", 1].data & 64 == 0).all()
    else:
        assert (fits.getdata(tmp_path / "jx02_crclean.fits", "DQ", 1) == 4096).all()
