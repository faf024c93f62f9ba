"""The comparison sees what it must see."""

import compare
import numpy as np
import pytest
from astropy.io import fits


@pytest.fixture
def image():
    return np.random.default_rng(1).normal(10, 1, (80, 90)).astype(np.float32)


def test_equal_images_agree(image):
    assert compare.image_row("i", image, image.copy()).ok


@pytest.mark.parametrize("shift", [0.03, -0.03])
def test_small_shift_of_all_pixels_is_noticed(image, shift):
    assert not compare.image_row("i", image + np.float32(shift), image).ok


def test_few_bad_pixels_are_noticed(image):
    wrong = image.copy()
    wrong[3, 3:8] += 5
    assert not compare.image_row("i", wrong, image).ok


def test_single_pixels_on_a_threshold_are_allowed(image):
    wrong = image.copy()
    wrong[3, 3:6] += 5
    assert compare.image_row("i", wrong, image).ok


def test_pixels_without_weight_do_not_count_but_holes_do(image):
    weight = np.ones_like(image)
    weight[:, :30] = 0
    wrong = np.where(weight > 0, image, np.float32(np.nan))
    assert compare.image_row("i", wrong, image, weight).ok
    assert not compare.holes_row("i", wrong, image).ok


def test_values_outside_the_reference_are_noticed(image):
    theirs = image.copy()
    theirs[:, :20] = 0
    assert not compare.image_row("i", image, theirs).ok


def test_other_shape_is_off(image):
    assert not compare.image_row("i", image[1:], image).ok
    assert not compare.mask_row("i", image[1:], image).ok
    assert not compare.context_row("i", image[1:], image, None).ok


def test_sum_notices_one_part_in_ten_thousand(image):
    weight = np.ones_like(image)
    pair = (image * np.float32(1.0001), weight)
    assert not compare.sum_row("i", pair, (image, weight), compare.FINAL_SUM_LIMIT).ok


def test_masks_and_contexts(image):
    mask = (image > 8.5).astype(np.uint8)
    grown = mask.copy()
    grown[40] = 0
    assert compare.mask_row("m", mask, mask).ok
    assert not compare.mask_row("m", grown, mask).ok
    assert not compare.context_row("c", grown.astype(np.int32), mask.astype(np.int32), None).ok


def header(**cards):
    made = fits.Header([("NAXIS1", 100), ("NAXIS2", 90), ("CTYPE1", "RA---TAN"), ("CTYPE2", "DEC--TAN")])
    made.update({"CRPIX1": 50.0, "CRPIX2": 45.0, "CRVAL1": 150.0, "CRVAL2": 2.0})
    made.update({"CD1_1": -1e-5, "CD2_2": 1e-5, "CD1_2": 0.0, "CD2_1": 0.0})
    made.update(cards)
    return made


@pytest.mark.parametrize(
    ("cards", "same"), [({}, True), ({"CRPIX1": 50.001}, False), ({"CD2_2": 1.0001e-5}, False)]
)
def test_frames(cards, same):
    assert compare.frame_row("f", header(**cards), header()).ok is same


def test_keywords_and_units():
    theirs = header(EXPTIME=100.0, D001KERN="square", D001WTSC=1, BUNIT="ELECTRONS/S", TARGNAME="X")
    assert compare.keyword_row("k", header(EXPTIME=100.0, D001KERN="square", D001WTSC=1.0), theirs).ok
    assert not compare.keyword_row("k", header(EXPTIME=100.1, D001KERN="square", D001WTSC=1), theirs).ok
    assert not compare.keyword_row("k", header(EXPTIME=100.0, D001KERN="turbo", D001WTSC=1), theirs).ok
    assert not compare.keyword_row("k", header(EXPTIME=100.0, D001KERN="square"), theirs).ok
    assert not compare.unit_row("u", header(BUNIT="ELECTRONS"), theirs).ok


def test_inputs_and_missing_products(tmp_path, image):
    ours, theirs = tmp_path / "a", tmp_path / "b"
    for folder, sky, flag in ((ours, 3.0, 4096), (theirs, 3.001, 0)):
        folder.mkdir()
        sci = fits.ImageHDU(image, name="SCI")
        sci.header["MDRIZSKY"] = sky
        dq = np.zeros(image.shape, np.int16)
        dq[2:6, 2:9] = flag
        fits.HDUList([fits.PrimaryHDU(), sci, fits.ImageHDU(dq, name="DQ")]).writeto(folder / "x_flt.fits")
    assert not compare.input_row("x", ours / "x_flt.fits", theirs / "x_flt.fits").ok
    assert compare.input_row("x", ours / "x_flt.fits", ours / "x_flt.fits").ok
    fits.PrimaryHDU(image, header(BUNIT="ELECTRONS/S")).writeto(theirs / "ref_drz_sci.fits")
    rows = {r.name: r for r in compare.compare(ours, theirs)}
    assert rows["ref_drz_sci.fits"].text == "missing"
    (theirs / "ref_drz_sci.fits").unlink()
    assert not all(r.ok for r in compare.compare(ours, ours))
