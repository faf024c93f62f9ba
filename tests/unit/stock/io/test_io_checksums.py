"""Checksums of inputs."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest
from astropy.io import fits

import drizframe
from drizframe.errors import DrizframeWarning, ParameterError, UnreadableInputError
from drizframe.stock.io.checksums import word_sum, wrong_sums


@pytest.fixture
def summed(make_file):
    path = make_file(shape=(40, 41), dq_type=np.uint16)
    with fits.open(path) as hdus:
        hdus.writeto(path, checksum=True, overwrite=True)
    return path


def damage(path, where=-4000):
    raw = bytearray(path.read_bytes())
    raw[where] ^= 0x40
    path.write_bytes(raw)


def wrong(path):
    return wrong_sums(io.BytesIO(path.read_bytes()))


def test_sums_are_those_of_the_standard(tmp_path):
    data = np.random.default_rng(1).integers(0, 255, 2880 * 3, dtype=np.uint8)
    hdu = fits.ImageHDU(data)
    hdu.add_datasum()
    assert word_sum(io.BytesIO(data.tobytes()), 0, data.size) == int(hdu.header["DATASUM"])
    assert word_sum(io.BytesIO(bytes(2880)), 0, 2880) == 0


def test_good_sums_hold_and_damage_is_found_in_its_extension(summed):
    assert wrong(summed) == []
    damage(summed)
    ((index, name, keys),) = wrong(summed)
    assert (name, keys) == ("DQ,2", ["DATASUM", "CHECKSUM"])
    assert index == 6


def test_a_changed_keyword_fails_the_sum_of_all_and_not_that_of_the_data(summed):
    summed.write_bytes(summed.read_bytes().replace(b"BUNIT   = 'ELECTRONS'", b"BUNIT   = 'ELECTRONZ'", 1))
    assert wrong(summed) == [(1, "SCI,1", ["CHECKSUM"])]


@pytest.mark.parametrize("value", ["", "no number", "12345678901234567890"])
def test_a_sum_that_is_no_number_does_not_hold_and_a_blank_one_says_nothing(summed, value):
    with fits.open(summed) as hdus:
        hdus["SCI", 1].header["DATASUM"] = value
        for hdu in hdus:
            hdu.header.remove("CHECKSUM", ignore_missing=True)
        hdus.writeto(summed, overwrite=True)
    assert wrong(summed) == ([(1, "SCI,1", ["DATASUM"])] if value else [])


def test_files_packed_by_tiles_have_the_sums_of_their_tables(tmp_path):
    path = tmp_path / "a.fits"
    image = np.arange(10000, dtype=np.int16).reshape(100, 100)
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(image)]).writeto(path, checksum=True)
    assert wrong(path) == []
    damage(path, -4000 if path.stat().st_size > 8000 else -2890)
    assert [name for _, name, _ in wrong(path)] == ["COMPRESSED_IMAGE,1"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_run_warns_of_a_damaged_input_by_name(summed, packed):
    damage(summed)
    if packed:
        path = summed.with_name(summed.name + ".gz")
        path.write_bytes(gzip.compress(summed.read_bytes()))
        summed = path
    with pytest.warns(
        DrizframeWarning, match=rf"{summed.name}: a checksum does not hold .DATASUM and CHECKSUM of DQ,2"
    ):
        result = drizframe.run(summed)
    assert sum("does not hold" in w for w in result.warnings) == 1


def test_a_damaged_input_can_be_refused_or_not_looked_at(summed):
    damage(summed)
    with pytest.raises(
        UnreadableInputError, match=r"jx01_flt.fits: a checksum does not hold .DATASUM.*DQ,2.*Get it again"
    ):
        drizframe.run(summed, verify_inputs="error")
    assert not any("does not hold" in w for w in drizframe.run(summed, verify_inputs="no").warnings)
    with pytest.raises(ParameterError, match="verify_inputs"):
        drizframe.run(summed, verify_inputs="maybe")


def test_the_inverse_variance_file_is_verified_too(summed, tmp_path):
    weights = tmp_path / "weights.fits"
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            *[fits.ImageHDU(np.ones((40, 41), np.float32), name="SCI", ver=v) for v in (1, 2)],
        ]
    ).writeto(weights, checksum=True)
    damage(weights, -3000)
    (tmp_path / "list").write_text(f"{summed} {weights}\n")
    with pytest.warns(DrizframeWarning, match="weights.fits: a checksum"):
        drizframe.run(f"@{tmp_path / 'list'}", final_wht_type="IVM")
