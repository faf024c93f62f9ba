"""Rows of an image have the bits that they have in the whole, however it is stored and changed while it is loaded."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from drizframe.model import ArraySource
from drizframe.model.sources import HiddenSource, ScaledSource, rows_of
from drizframe.stock.io.source import FitsSource

SHAPE = (37, 23)
ROWS = [(0, 1), (5, 20), (36, 37), (0, 37)]


def images():
    rng = np.random.default_rng(3)
    sci = rng.normal(100, 30, SHAPE)
    return {
        "float32": fits.ImageHDU(sci.astype(np.float32)),
        "float64": fits.ImageHDU(sci),
        "int16": fits.ImageHDU(sci.astype(np.int16)),
        "uint16": fits.ImageHDU(sci.astype(np.uint16)),
        "scaled": scaled(sci),
        "blank": scaled(sci, blank=7),
        "uint8": fits.ImageHDU(np.abs(sci).astype(np.uint8)),
    }


def scaled(sci, blank=None):
    hdu = fits.ImageHDU(np.round(sci).astype(np.int16), do_not_scale_image_data=True)
    hdu.header.update(BSCALE=0.5, BZERO=12.25)
    if blank is not None:
        hdu.header["BLANK"] = blank
        hdu.data[3, 4] = blank
    return hdu


def stored(tmp_path, hdu, name="x.fits"):
    path = tmp_path / name
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    return FitsSource(places={"sci": (str(path), 1, -1), "dq": (str(path), 1, -1)})


@pytest.mark.parametrize("kind", list(images()))
def test_rows_of_a_file_are_those_of_the_whole(tmp_path, kind):
    source = stored(tmp_path, images()[kind])
    whole = source("sci")
    for first, stop in ROWS:
        part = source.rows("sci", first, stop)
        assert part.dtype == whole.dtype
        np.testing.assert_array_equal(part, whole[first:stop])


def test_flags_are_whole_numbers_in_rows_too(tmp_path):
    source = stored(tmp_path, fits.ImageHDU(np.arange(37 * 23, dtype=np.float32).reshape(SHAPE)))
    assert source.rows("dq", 3, 9).dtype == source("dq").dtype == np.int64
    np.testing.assert_array_equal(source.rows("dq", 3, 9), source("dq")[3:9])


def constant():
    hdu = fits.ImageHDU()
    hdu.header.update(NPIX1=SHAPE[1], NPIX2=SHAPE[0], PIXVALUE=4)
    return hdu


@pytest.mark.parametrize(
    ("hdu", "name"),
    [
        (lambda: fits.CompImageHDU(np.ones(SHAPE, np.int16)), "x.fits"),
        (lambda: fits.ImageHDU(np.ones(SHAPE, np.float32)), "x.fits.gz"),
        (lambda: fits.ImageHDU(np.ones((1, *SHAPE), np.float32)), "x.fits"),
        (constant, "x.fits"),
    ],
    ids=["compressed", "packed", "cube", "constant"],
)
def test_what_can_only_be_read_as_a_whole_says_so(tmp_path, hdu, name):
    source = stored(tmp_path, hdu(), name)
    assert source.rows("sci", 2, 5) is None
    assert source("sci").shape == SHAPE


def test_a_kind_that_is_not_there_has_no_rows(tmp_path):
    assert stored(tmp_path, images()["float32"]).rows("err", 0, 3) is None


@pytest.mark.parametrize(("first", "stop"), ROWS)
@pytest.mark.parametrize("kind", ["sci", "err", "dq"])
def test_scaled_and_hidden_pixels_are_so_in_rows(kind, first, stop):
    rng = np.random.default_rng(4)
    arrays = {k: rng.normal(100, 30, SHAPE).astype(np.float32) for k in ("sci", "err")}
    arrays["dq"] = rng.integers(0, 9, SHAPE)
    source = HiddenSource.hiding(ScaledSource(ArraySource(arrays), 1.7), rng.random(SHAPE) < 0.2)
    part = rows_of(source, kind, first, stop)
    np.testing.assert_array_equal(part, source(kind)[first:stop])
    assert part.dtype == source(kind).dtype


def test_a_source_without_rows_gives_none():
    def load(kind):
        return np.ones(SHAPE)

    assert rows_of(load, "sci", 0, 4) is None
    assert rows_of(ScaledSource(load, 2.0), "sci", 0, 4) is None
    assert rows_of(HiddenSource.hiding(load, np.zeros(SHAPE, bool)), "sci", 0, 4) is None


def test_what_a_source_calls_rows_for_itself_is_no_way_to_read_them():
    class Source:
        rows, columns = SHAPE

        def __call__(self, kind):
            return np.ones(SHAPE)

    assert rows_of(Source(), "sci", 0, 4) is None
