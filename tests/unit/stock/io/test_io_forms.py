"""Valid forms of files beside SCI, ERR and DQ: tile-compressed images, cubes of one plane, names in lower case."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from astropy.io import fits

from drizframe.errors import InputError, UnreadableInputError

KINDS = ("RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1")


def pack(hdu, kind):
    integers = np.issubdtype(hdu.data.dtype, np.integer)
    options = {} if integers or kind.startswith("GZIP") else {"quantize_level": 1000}
    if kind.startswith("GZIP") and not integers:
        options = {"quantize_level": 0}
    return fits.CompImageHDU(hdu.data, hdu.header, name=hdu.name, compression_type=kind, **options)


def packed(path, kind, name, *, flags="PLIO_1"):
    """Write a file again with all images compressed."""
    target = path.with_name(name)
    with fits.open(path) as hdus:
        parts = [pack(h, flags if h.name == "DQ" else kind) for h in hdus[1:]]
        for part, hdu in zip(parts, hdus[1:], strict=True):
            part.header["EXTVER"] = hdu.ver
        fits.HDUList([hdus[0].copy(), *parts]).writeto(target)
    return target


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["jx02_flt.fits", "jx02_flt.fits.fz"])
def test_all_images_may_be_tile_compressed(make_file, read, kind, name):
    path = make_file(shape=(24, 20))
    (plain,), (found,) = read(path), read(packed(path, kind, name))
    assert (found.name, found.exptime, len(found.chips)) == (
        "jx02" if name.endswith("s") else found.name,
        400.0,
        2,
    )
    tolerance = 0 if kind.startswith("GZIP") else 0.05
    for one, other in zip(plain.chips, found.chips, strict=True):
        np.testing.assert_allclose(other.data(), one.data(), atol=tolerance)
        np.testing.assert_array_equal(other.plane("dq"), one.plane("dq"))
        np.testing.assert_allclose(other.plane("err"), one.plane("err"), atol=tolerance)
        assert other.wcs.to_header_string() == one.wcs.to_header_string()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("blocks", [1, 2])
def test_a_compressed_file_that_was_cut_is_found(make_file, read, kind, blocks):
    path = packed(make_file(shape=(24, 20)), kind, "jx02_flt.fits.fz")
    path.write_bytes(path.read_bytes()[: -2880 * blocks])
    with pytest.raises(
        (UnreadableInputError, InputError), match=r"jx02_flt.fits.fz.*(truncated|damaged|no usable DQ)"
    ):
        read(path)


def image(make_file, **cards):
    with fits.open(make_file(chips=1, shape=(24, 20))) as hdus:
        header = hdus["SCI"].header.copy()
        for key in ("EXTNAME", "EXTVER", "XTENSION", "PCOUNT", "GCOUNT", "IDCSCALE"):
            header.remove(key, ignore_missing=True)
        header.update({"EXPTIME": 30.0, **cards})
        return np.array(hdus["SCI"].data), header


@pytest.mark.parametrize("kind", KINDS)
def test_one_image_without_a_name_may_be_compressed(make_file, read, tmp_path, kind):
    data, header = image(make_file)
    fits.HDUList([fits.PrimaryHDU(), pack(fits.ImageHDU(data, header), kind)]).writeto(tmp_path / "s.fits.fz")
    with fits.open(tmp_path / "s.fits.fz", mode="update") as hdus:
        hdus[1].header.remove("EXTNAME", ignore_missing=True)
    (exposure,) = read(tmp_path / "s.fits.fz")
    assert (exposure.family, exposure.exptime) == ("generic", 30.0)
    np.testing.assert_allclose(exposure.chips[0].data(), data, atol=0.05)


def test_the_keywords_of_an_image_that_compression_moved_still_name_its_camera(make_file, read, tmp_path):
    data, header = image(
        make_file, INSTRUME="ACS", DETECTOR="WFC", PA_V3=5.0, **{f"READNSE{a}": 5.0 for a in "ABCD"}
    )
    packed_image = fits.CompImageHDU(data, header)
    packed_image.header.remove("EXTNAME", ignore_missing=True)
    fits.HDUList([fits.PrimaryHDU(), packed_image]).writeto(tmp_path / "s_drz.fits.fz")
    (exposure,) = read(tmp_path / "s_drz.fits.fz", allow_missing=("dq",))
    assert (exposure.family, exposure.detector) == ("acs", "WFC")


def test_scaled_integers_with_blanks_may_be_compressed(make_file, read, tmp_path):
    data, header = image(make_file)
    stored = np.round(data * 100).astype(np.int32)
    stored[3, 4] = -(2**31)
    hdu = fits.CompImageHDU(stored, header, compression_type="RICE_1")
    hdu.header["BSCALE"], hdu.header["BLANK"] = 0.01, -(2**31)
    hdu.writeto(tmp_path / "i.fits")
    found = read(tmp_path / "i.fits")[0].chips[0].data()
    assert np.isnan(found[3, 4])
    good = np.isfinite(found)
    assert good.sum() == found.size - 1
    np.testing.assert_allclose(found[good], data[good], atol=0.006)


@pytest.mark.parametrize("axes", [1, 2])
def test_a_cube_of_one_plane_is_an_image(make_file, read, tmp_path, axes):
    data, header = image(make_file)
    third = {"CTYPE3": "FREQ", "CRVAL3": 1e9, "CRPIX3": 1.0, "CD3_3": 1.0, "CDELT3": 5.0, "WCSAXES": 3}
    cube = fits.PrimaryHDU(data.reshape((1,) * axes + data.shape), fits.Header({**header, **third}))
    cube.writeto(tmp_path / "cube.fits")
    fits.PrimaryHDU(data, header).writeto(tmp_path / "flat.fits")
    (found,), (plain,) = read(tmp_path / "cube.fits"), read(tmp_path / "flat.fits")
    np.testing.assert_array_equal(found.chips[0].data(), data)
    assert found.chips[0].shape == data.shape
    assert found.chips[0].wcs.to_header_string() == plain.chips[0].wcs.to_header_string()
    assert not [k for k in found.chips[0].header if k.endswith("3") and k != "WCSAXES"]


def test_a_cube_of_several_planes_is_refused_with_advice(make_file, read, tmp_path):
    data, header = image(make_file)
    fits.PrimaryHDU(np.stack([data, data]), header).writeto(tmp_path / "cube.fits")
    with pytest.raises(InputError, match=r"cube.fits has no science image.*planes of a cube one by one"):
        read(tmp_path / "cube.fits")


@pytest.mark.parametrize("names", [("sci", "err", "dq"), ("Sci", "Err", "Dq"), (" SCI", "ERR ", " dq")])
def test_names_of_extensions_in_any_case_are_known(make_file, read, names):
    path = make_file(chips=1)
    data = path.read_bytes()
    for old, new in zip(("SCI", "ERR", "DQ"), names, strict=True):
        before = f"EXTNAME = '{old:<8}'".encode()
        assert before in data
        data = data.replace(before, f"EXTNAME = '{new:<8}'".encode())
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (exposure,) = read(path)
    assert exposure.chips[0].plane("dq") is not None
    assert exposure.chips[0].plane("err") is not None


def test_an_image_of_flags_in_decimals_is_read_where_they_are_whole(make_file, read):
    path = make_file(chips=1)
    with fits.open(path) as hdus:
        flags = hdus["DQ"].data
        hdus["DQ"].data = flags.astype(np.float32)
        hdus.writeto(path.with_name("jf_flt.fits"))
        hdus["DQ"].data = flags + 0.5
        hdus.writeto(path.with_name("jh_flt.fits"))
    found = read(path.with_name("jf_flt.fits"))[0].chips[0].plane("dq")
    assert found.dtype.kind == "i"
    np.testing.assert_array_equal(found, flags)
    with pytest.raises(InputError, match=r"jh_flt.fits\[3\]: data-quality flags must be whole numbers"):
        read(path.with_name("jh_flt.fits"))[0].chips[0].plane("dq")


@pytest.mark.parametrize(
    ("value", "told"), [("two", r"EXTVER"), (-3, r"EXTVER is -3"), (123456, r"EXTVER is 123456")]
)
def test_a_chip_number_that_is_none_is_named(make_file, read, value, told):
    path = make_file(chips=1)
    data = path.read_bytes()
    at = data.index(b"EXTVER  =")
    text = f"{value!r:>20}".encode()
    path.write_bytes(data[:at] + b"EXTVER  = " + text.ljust(70) + data[at + 80 :])
    with pytest.raises(InputError, match=rf"jx01_flt.fits.*{told}"):
        read(path)


# -- what an image takes over from the primary header ---------------------------------------------------------------------

PLAIN = {"EXPTIME": 100.0}


def inheriting(path, keys, *, inherit=True):
    """Move keywords of all extensions into the primary header."""
    with fits.open(path, mode="update") as hdus:
        for key in keys:
            hdus[0].header[key] = hdus["SCI"].header[key]
            del hdus["SCI"].header[key]
        if inherit is not None:
            hdus["SCI"].header["INHERIT"] = inherit
    return path


WCS_KEYS = (
    "CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CD1_1", "CD1_2", "CD2_1", "CD2_2", "WCSNAME",
)  # fmt: skip


def test_world_coordinates_are_inherited_where_the_image_says_so(make_file, read):
    (plain,) = read(make_file("ja_flt.fits", base=PLAIN, chips=1))
    (found,) = read(inheriting(make_file("jb_flt.fits", base=PLAIN, chips=1), WCS_KEYS))
    assert found.chips[0].wcs.to_header_string() == plain.chips[0].wcs.to_header_string()
    for number, inherit in enumerate((None, False)):
        with pytest.raises(InputError, match=r"has no celestial WCS"):
            read(
                inheriting(make_file(f"jc{number}_flt.fits", base=PLAIN, chips=1), WCS_KEYS, inherit=inherit)
            )


def test_a_wcs_of_its_own_is_not_mixed_with_that_of_the_primary_header(make_file, read):
    (plain,) = read(make_file("ja_flt.fits", base=PLAIN, chips=1))
    path = make_file(
        "jb_flt.fits", base={**PLAIN, "CTYPE1": "GLON-CAR", "CROTA2": 30.0, "A_ORDER": 2}, chips=1
    )
    (found,) = read(inheriting(path, ()))
    assert found.chips[0].wcs.to_header_string() == plain.chips[0].wcs.to_header_string()


def test_the_unit_may_stand_in_the_primary_header(make_file, read):
    made = [make_file(f"j{k}_flt.fits", base=PLAIN, chips=1, science={"BUNIT": "DN/s"}) for k in "ab"]
    (plain,), (found,) = read(made[0]), read(inheriting(made[1], ["BUNIT"], inherit=None))
    assert (found.chips[0].bunit, found.chips[0].rate) == (plain.chips[0].bunit, True)
    assert not found.warnings


def test_an_image_of_an_unknown_camera_without_a_unit_is_told(make_file, read):
    path = make_file(base=PLAIN, chips=1, science={"BUNIT": None})
    (found,) = read(path)
    assert any(
        f"{path}[SCI,1]: BUNIT is missing; the numbers are taken as electrons" in w for w in found.warnings
    )
