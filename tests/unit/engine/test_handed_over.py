"""Objects in place of file names: NDData are combined as their files would be, others refused with what to give."""

from __future__ import annotations

import bz2
import io

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.nddata import CCDData, NDData, StdDevUncertainty, VarianceUncertainty
from astropy.table import Table
from astropy.time import Time
from astropy.wcs import WCS

import drizframe
from drizframe import Exposure
from drizframe.errors import DrizframeError, InputError, ParameterError, WCSError

pytestmark = pytest.mark.filterwarnings("ignore::drizframe.errors.DrizframeWarning")

SHAPE = (30, 34)


def plane(shift=0.0):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cdelt = [150.0, 2.0], [17.0 + shift, 15.0], [-3e-5, 3e-5]
    wcs.wcs.set()
    return wcs


def image(seed):
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    star = 40000 * np.exp(-0.5 * ((x - 16 - 0.3 * seed) ** 2 + (y - 14) ** 2) / 2.0)
    return (500.0 + star + np.random.default_rng(seed).normal(0.0, 10.0, SHAPE)).astype(np.float32)


def header(k, **cards):
    return fits.Header({"EXPTIME": 100.0 + k, "GAIN": 2.0, "RDNOISE": 5.0, **cards})


def ccd(k, **more):
    return CCDData(image(k), **({"unit": "adu", "wcs": plane(0.3 * k), "meta": header(k)} | more))


def write(folder, k):
    cards = plane(0.3 * k).to_header()
    cards.update(header(k, BUNIT="adu"))
    path = folder / f"image{k + 1}.fits"
    fits.PrimaryHDU(image(k), cards).writeto(path)
    return path


def test_ccddata_are_combined_as_files_are(tmp_path):
    files = drizframe.run([write(tmp_path, k) for k in range(3)])
    objects = drizframe.run([ccd(k) for k in range(3)])
    assert np.array_equal(files.sci, objects.sci, equal_nan=True)
    assert np.array_equal(files.wht, objects.wht)
    assert [e.name for e in objects.exposures] == ["image1", "image2", "image3"]
    assert objects.mosaic.unit == "counts/s"
    chip = objects.exposures[1].chips[0]
    assert (chip.gain, chip.readnoise, chip.exptime, chip.native_unit) == (2.0, 5.0, 101.0, "counts")


def test_parameters_of_files_act_on_ccddata():
    result = drizframe.run([ccd(k) for k in range(2)], gain=4.0, exptime=50.0)
    assert [(c.gain, c.exptime) for e in result.exposures for c in e.chips] == [(4.0, 50.0)] * 2


def test_mask_uncertainty_and_flags_come_along(tmp_path):
    hidden = np.zeros(SHAPE, bool)
    hidden[3, 4] = True
    flags = hidden.T.copy().reshape(SHAPE).astype(np.int16) * 16
    data = ccd(0, mask=hidden, uncertainty=VarianceUncertainty(np.full(SHAPE, 9.0)), flags=flags)
    chip = drizframe.run(data, tmp_path / "out", final_wht_type="ERR").exposures[0].chips[0]
    assert np.array_equal(np.isnan(chip.data()), hidden)
    assert np.nanmedian(chip.plane("err")) == 3.0
    assert np.array_equal(chip.plane("dq"), flags)
    assert data.data[3, 4] == image(0)[3, 4]


def test_nddata_of_flux_keep_their_unit_and_take_facts_of_any_kind():
    meta = {
        "exptime": 2 * u.min, "EXPSTART": Time(60000.0, format="mjd"), "filename": "some/where_flt.fits", "note": [1, 2],
        "far too long a name": 1.0,
    }  # fmt: skip
    data = NDData(
        image(0) * u.MJy / u.sr, wcs=plane(), meta=meta, uncertainty=StdDevUncertainty(np.ones(SHAPE))
    )
    result = drizframe.run(data, skysub=False)
    (exposure,) = result.exposures
    assert (exposure.name, exposure.exptime, exposure.start) == ("where", 120.0, 60000.0)
    assert result.mosaic.unit == "MJy / sr"


def test_objects_and_files_may_be_mixed(tmp_path):
    mixed = drizframe.run(
        [ccd(0), write(tmp_path, 1), Exposure.from_arrays(image(2), plane(), unit="counts", gain=2.0)]
    )
    assert [e.name for e in mixed.exposures] == ["image1", "image2", "exposure"]


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (ccd(0, meta=fits.Header()), InputError, "no exposure time.*EXPTIME.*from_arrays"),
        (ccd(0, meta={"EXPTIME": 0.0}), InputError, "no exposure time"),
        (ccd(0, wcs=None), WCSError, "is None; give an astropy.wcs.WCS"),
        (ccd(0, unit="mag"), InputError, "logarithmic"), (ccd(0, unit=u.one), InputError, "unit"),
        (NDData(image(0), wcs=plane(), meta=header(0)), InputError, "has no unit"),
        (CCDData(np.zeros((2, 5, 5)), unit="adu", meta=header(0), wcs=None), InputError, "3 dimensions"),
    ],
)  # fmt: skip
def test_nddata_that_lack_something_are_refused_by_name(given, error, said):
    with pytest.raises(error, match=said):
        drizframe.run([given])


HDU = fits.PrimaryHDU(image(0))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (fits.HDUList([HDU]), "an open FITS file.*from_arrays"), ([fits.HDUList([HDU])], "an open FITS file.*from_arrays"),
        (HDU, "an extension of a FITS file.*from_arrays"), ([HDU, HDU], "an extension of a FITS file.*from_arrays"),
        (image(0), r"an array \(ndarray of shape \(30, 34\)\).*from_arrays"), ([image(0)], "an array.*from_arrays"),
        (image(0) * u.adu, "an array.*from_arrays"), ([(image(0), plane())], r"a tuple \(ndarray, WCS\).*from_arrays"),
        ((image(0), plane()), "an array.*from_arrays"), (None, "None.*file names"), (5, r"5 \(int\).*file names"),
        ({"a": 1}, "a dict.*file names"), (b"x.fits", "bytes.*file names"), (io.BytesIO(b""), "an open stream.*name"),
        (header(0), "a Header.*from_arrays"), (plane(), "a WCS.*from_arrays"), (Table({"a": [1]}), "Table.*file names"),
        ("https://x.org/a.fits", "address.*Download"), (["s3://bucket/a.fits"], "address.*Download"),
        ([ccd(0), 5], "file names"),
    ],
)  # fmt: skip
def test_other_objects_are_refused_with_what_to_give(given, said):
    with pytest.raises((ParameterError, InputError), match=said) as caught:
        drizframe.run(given)
    assert isinstance(caught.value, DrizframeError)


def test_files_packed_by_bzip2_are_read_and_damage_is_told(tmp_path):
    plain = [write(tmp_path, k) for k in range(2)]
    expected = drizframe.run(plain).sci
    packed = []
    for path in plain:
        packed.append(path.with_name(path.name + ".bz2"))
        packed[-1].write_bytes(bz2.compress(path.read_bytes()))
    assert np.array_equal(drizframe.run(packed).sci, expected, equal_nan=True)
    packed[0].write_bytes(packed[0].read_bytes()[:-200])
    with pytest.raises(InputError, match="image1.fits.bz2 cannot be decompressed"):
        drizframe.run(packed)
