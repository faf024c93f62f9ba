"""What an edited input holds, byte for byte: what the FITS library would write where it changes, and what was there elsewhere."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from astropy.io import fits

from drizframe.compat.edits import commit_edits, plan_edits
from drizframe.model import ChipUnit
from drizframe.stock.io.checksums import wrong_sums

SHAPE = (13, 7)


def plain(hdus):
    pass


def summed(hdus):
    for hdu in hdus:
        hdu.add_checksum()


def data_summed(hdus):
    for hdu in hdus:
        hdu.add_datasum()


def odd_cards(hdus):
    hdus[0].header["MDRIZSKY"] = 3.0
    for hdu in hdus[1:]:
        hdu.header["BSCALE"], hdu.header["BZERO"] = 1.0, 0.0
        hdu.header["HIERARCH a long keyword"] = 3


def unsigned(hdus):
    for hdu in [h for h in hdus if h.name == "DQ"]:
        hdus[hdus.index_of(("DQ", hdu.ver))] = fits.ImageHDU(
            hdu.data.astype(np.uint16), hdu.header, name="DQ", ver=hdu.ver
        )


def one_byte(hdus):
    for hdu in [h for h in hdus if h.name == "DQ"]:
        hdus[hdus.index_of(("DQ", hdu.ver))] = fits.ImageHDU(
            hdu.data.astype(np.uint8), hdu.header, name="DQ", ver=hdu.ver
        )


def undated(raw):
    raw = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", b"", raw)
    return re.sub(rb"CHECKSUM= '\w{16}'", b"", raw)


def one(hdu):
    """Return the bytes of an extension, written by itself with the kinds of sums that it has."""
    alone, stream = isinstance(hdu, fits.PrimaryHDU), io.BytesIO()
    sums = "CHECKSUM" in hdu.header or ("datasum" if "DATASUM" in hdu.header else False)
    fits.HDUList([hdu] if alone else [fits.PrimaryHDU(), hdu]).writeto(stream, checksum=sums)
    place = fits.open(io.BytesIO(stream.getvalue()))[0 if alone else 1].fileinfo()
    return stream.getvalue()[place["hdrLoc"] : place["datLoc"] + place["datSpan"]]


def by_the_library(raw, sky, masks, bit, resetbits):
    """Return the edited file, made of extensions that astropy writes with their data in memory."""
    made = []
    hdus = fits.open(io.BytesIO(raw), memmap=False, uint=True)
    for hdu in hdus:
        place = hdu.fileinfo()
        old = raw[place["hdrLoc"] : place["datLoc"] + place["datSpan"]]
        if hdu.name == "PRIMARY" and "MDRIZSKY" in hdu.header:
            del hdu.header["MDRIZSKY"]
            old = one(hdu)
        if hdu.name == "SCI":
            hdu.header["MDRIZSKY"] = (sky[hdu.ver], "Sky value computed by AstroDrizzle")
            old = one(hdu)
        if hdu.name == "DQ":
            kind = hdu.data.dtype
            flags = hdu.data.astype(np.int64) & ~resetbits
            flags[masks[hdu.ver] == 0] |= bit
            hdu.data = flags.astype(kind)
            old = one(hdu)
        made.append(old)
    return b"".join(made)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("change", [plain, summed, data_summed, odd_cards, unsigned, one_byte])
def test_an_edited_file_has_the_bytes_that_the_library_would_write(make_file, read, tmp_path, change):
    path = make_file(shape=SHAPE, primary={"MDRIZSKY": None})
    with fits.open(path, memmap=False) as hdus:
        change(hdus)
        hdus.writeto(path, overwrite=True)
    before = path.read_bytes()
    exposure = read(path)[0]
    rng = np.random.default_rng(2)
    masks = {v: (rng.random(SHAPE) < 0.8).astype(np.uint8) for v in (1, 2)}
    bit = 64 if change is one_byte else 4096
    plan, _ = plan_edits(
        [exposure],
        folder=tmp_path,
        sky={ChipUnit(0, v - 1): 2.5 * v for v in (1, 2)},
        masks={ChipUnit(0, v - 1): m for v, m in masks.items()},
        resetbits=4,
        crbit=bit,
    )
    commit_edits(plan)
    after = path.read_bytes()
    assert undated(after) == undated(by_the_library(before, {1: 2.5, 2: 5.0}, masks, bit, 4))
    assert wrong_sums(io.BytesIO(after)) == []
    assert after != before


def test_a_mask_of_another_shape_is_refused(make_file, read, tmp_path):
    path = make_file(shape=SHAPE)
    before = path.read_bytes()
    plan, _ = plan_edits(
        read(path), folder=tmp_path, masks={ChipUnit(0, 0): np.zeros((3, 7), np.uint8)}, crbit=4096
    )
    with pytest.raises(Exception, match=r"cannot be edited \(its flags have \(13, 7\) pixels, but the mask"):
        commit_edits(plan)
    assert path.read_bytes() == before


def test_a_pixel_that_any_mask_of_a_chip_marks_is_flagged(make_file, read, tmp_path):
    """Two chips may read their flags from one extension."""
    path = make_file(shape=SHAPE, chips=1)
    exposure = read(path)[0]
    masks = {ChipUnit(i, 0): np.ones(SHAPE, np.uint8) for i in range(2)}
    masks[ChipUnit(0, 0)][1, 2] = masks[ChipUnit(1, 0)][3, 4] = 0
    plan, _ = plan_edits([exposure, exposure], folder=tmp_path, masks=masks, crbit=4096)
    commit_edits(plan)
    flags = fits.getdata(path, "DQ") & 4096
    assert flags[1, 2] == flags[3, 4] == 4096
    assert np.count_nonzero(flags) == 2
