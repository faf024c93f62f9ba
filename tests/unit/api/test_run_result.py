"""What a result offers: pictures, CCDData, files, words."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

import drizframe
from drizframe.data import stis_sample
from drizframe.errors import RunError
from drizframe.report.preview import stretch, write_preview


@pytest.fixture(scope="module")
def result():
    return drizframe.run(stis_sample())


def test_arrays_are_read_only_and_finite_where_there_is_weight(result):
    assert np.isfinite(result.sci[result.wht > 0]).all()
    with pytest.raises(ValueError, match="read-only"):
        result.sci[0, 0] = 1


def test_cosmic_rays_are_gone(result):
    exposures = [e.chips[0].data() for e in result.exposures]
    brightest = max(float(np.percentile(e, 99.99)) for e in exposures)
    masked = sum(int((m == 0).sum()) for masks in result.cosmic_rays.values() for m in masks)
    assert masked > 100
    assert float(np.nanpercentile(result.sci, 99.99)) * 150 < brightest


def test_ccddata_has_unit_mask_and_wcs(result):
    ccd = result.to_ccddata()
    assert str(ccd.unit) == "ct / s"
    np.testing.assert_array_equal(ccd.mask, result.wht == 0)
    assert ccd.wcs.wcs.ctype[0] == "RA---TAN"


def test_written_files_hold_the_mosaic(result, tmp_path):
    paths = result.write(tmp_path / "a")
    assert [p.name for p in paths] == ["a_drz_sci.fits", "a_drz_wht.fits", "a_drz_ctx.fits"]
    np.testing.assert_array_equal(fits.getdata(paths[0]), result.sci)
    (built,) = result.write(tmp_path / "b", build=True)
    with fits.open(built) as hdus:
        np.testing.assert_array_equal(hdus["WHT"].data, result.wht)


def test_words_say_what_was_done(result):
    text = "\n".join(result.describe())
    assert "2 exposures" in text
    assert "counts/s" in text
    assert "<img" in result._repr_html_()


def test_pictures_show_the_image_the_right_way_up(result, tmp_path):
    image = np.zeros((4, 6), dtype=np.float32)
    image[0, 5] = 100.0
    assert stretch(image, 0, 100)[-1, 5] == 255
    path = write_preview(result.mosaic, tmp_path / "p.png", largest=100)
    with Image.open(path) as picture:
        assert max(picture.size) <= 100


def test_a_run_without_final_step_has_no_image():
    result = drizframe.run(stis_sample(), driz_combine=False)
    assert result.mosaic is None
    assert result.median is not None
    with pytest.raises(RunError, match="driz_combine"):
        _ = result.sci


def test_variance_needs_error_images_and_scales_as_the_square(result):
    with_variance = drizframe.run(stis_sample(), layers="variance")
    var = with_variance.mosaic.var
    good = with_variance.wht > 0
    assert (var[good] > 0).all()
    np.testing.assert_array_equal(with_variance.sci, result.sci)
