"""FITS files that are written block by block have the bytes that astropy writes at once."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.fits.hdu.base import _ValidHDU

from drizframe.errors import OutputError
from drizframe.model import HeldImage, Window
from drizframe.stock.io import checksum_cards, data_unit
from drizframe.stock.io.block_file import BlockFile, stand_in
from drizframe.stock.io.data_unit import DataUnit

TYPES = ["u1", "i1", "<i2", ">i2", "u2", "i4", "u4", "i8", "u8", "f4", ">f4", "f8"]


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch):
    when = "2026-01-02T03:04:05"
    monkeypatch.setattr(_ValidHDU, "_get_timestamp", lambda self: when)
    monkeypatch.setattr(checksum_cards, "now", lambda: when)


def hdus(images, header=None):
    """Return a primary HDU without data, an image of each array, and a table."""
    table = fits.BinTableHDU.from_columns([fits.Column("A", "5A", array=["x", "yz"])], name="T")
    own = [fits.ImageHDU(image, header, name=f"I{k}") for k, image in enumerate(images)]
    return [fits.PrimaryHDU(header=fits.Header({"OWN": "a" * 90})), *own, fits.ImageHDU(name="NONE"), table]


def pieces(shape, steps, order):
    """Return windows that cover an image, in some order."""
    rows, columns = (sorted({*range(0, n, step), n}) for n, step in zip(shape[-2:], steps, strict=True))
    found = [
        Window(*y, *x) for y, x in itertools.product(itertools.pairwise(rows), itertools.pairwise(columns))
    ]
    return [found[k] for k in order.permutation(len(found))]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(
    ("shape", "steps"),
    [((1, 1), (1, 1)), ((7, 5), (3, 9)), ((64, 131), (11, 40)), ((3, 9, 7), (9, 7)), ((2, 3, 4, 5), (3, 5))],
)
def test_an_image_in_windows_has_the_bytes_that_astropy_writes(tmp_path, monkeypatch, dtype, shape, steps):
    monkeypatch.setattr(data_unit, "_PAGE", 64)
    order = np.random.default_rng(1)
    image = (order.normal(30, 30, shape).clip(0, 120) * (order.random(shape) < 0.3)).astype(dtype)
    image[..., shape[-2] // 2, :] = 0
    fits.HDUList(hdus([image])).writeto(tmp_path / "whole.fits", output_verify="silentfix", checksum=True)
    path = tmp_path / "blocks.fits"
    path.touch()
    file = BlockFile(path, hdus([stand_in(shape, image.dtype)]), {1: 0.0})
    for window in pieces(shape, steps, order):
        file.write(1, window, image[(..., *window.slices)])
    file.close()
    assert path.read_bytes() == (tmp_path / "whole.fits").read_bytes()


def test_several_images_of_a_file_come_in_turns(tmp_path):
    images = [np.arange(k, k + 35, dtype=t).reshape(5, 7) for k, t in enumerate(("f4", "i2", "u1"))]
    header = fits.Header([("LONG", "x" * 100, "of many cards")])
    fits.HDUList(hdus(images, header)).writeto(tmp_path / "whole.fits", checksum=True)
    path = tmp_path / "blocks.fits"
    path.touch()
    stands = [stand_in(i.shape, i.dtype) for i in images]
    file = BlockFile(path, hdus(stands, header), dict.fromkeys((1, 2, 3), 0.0))
    for y in (3, 0, 4, 1, 2):
        for number, image in enumerate(images, start=1):
            file.write(number, Window(y, y + 1, 0, 7), image[y : y + 1])
    file.close()
    assert path.read_bytes() == (tmp_path / "whole.fits").read_bytes()
    with fits.open(path, checksum=True) as read:  # warns if a sum does not hold
        assert [h.name for h in read] == ["PRIMARY", "I0", "I1", "I2", "NONE", "T"]


@pytest.mark.parametrize(
    "windows", [[], [Window(1, 3, 2, 5)], [Window(0, 2, 0, 9), Window(4, 6, 3, 4), Window(3, 7, 6, 9)]]
)
@pytest.mark.parametrize("fill", [np.nan, 7.0, 0.0])
def test_what_no_window_covers_is_the_fill(tmp_path, windows, fill):
    want = np.full((7, 9), fill, dtype=np.float32)
    path = tmp_path / "x.fits"
    path.touch()
    file = BlockFile(path, [fits.PrimaryHDU(stand_in((7, 9), np.dtype("f4")))], {0: fill})
    for window in windows:
        want[window.slices] = 3.5
        file.write(0, window, want[window.slices])
    file.close()
    with fits.open(path, checksum=True) as read:
        np.testing.assert_array_equal(read[0].data, want)
        assert read[0].verify_checksum() == read[0].verify_datasum() == 1


def test_pages_of_zeros_are_holes(tmp_path):
    shape, path = (2000, 2000), tmp_path / "x.fits"
    image = np.zeros(shape, np.float32)
    image[1000:1010, 1000:1010] = 1
    path.touch()
    file = BlockFile(path, [fits.PrimaryHDU(stand_in(shape, image.dtype))], {0: 0.0})
    file.write_all(0, HeldImage(image))
    file.close()
    taken = path.stat()
    assert taken.st_size > 16e6
    assert taken.st_blocks * 512 < 1e6
    np.testing.assert_array_equal(fits.getdata(path), image)


@pytest.mark.parametrize(
    ("window", "shape"),
    [(Window(0, 2, 0, 9), (2, 8)), (Window(6, 8, 0, 9), (2, 9)), (Window(-1, 1, 0, 9), (2, 9))],
)
def test_pixels_that_do_not_fit_are_refused(tmp_path, window, shape):
    unit = DataUnit(0, (7, 9), np.dtype("f4"))
    with (
        (tmp_path / "x").open("wb", buffering=0) as stream,
        pytest.raises(OutputError, match=r"of an image of shape \(7, 9\)"),
    ):
        unit.write(stream, window, np.ones(shape, np.float32))
