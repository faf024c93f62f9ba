"""Reading FITS files."""

from __future__ import annotations

import gzip
import lzma
import pickle

import numpy as np
import pytest
from astropy.io import fits

from drizframe.errors import InputError, MissingInputError, ParameterError, UnreadableInputError, WCSError
from drizframe.model.usable import why_unusable
from drizframe.stock.io.fits_reader import FITS

STIS = {
    "INSTRUME": "STIS",
    "DETECTOR": "CCD",
    "ATODGAIN": 1.0,
    "READNSE": 4.0,
    "OBSTYPE": "IMAGING",
    "PA_V3": 20.0,
    "TELESCOP": "HST",
}


def test_an_exposure_has_its_facts_and_loads_pixels_when_asked(make_file, read):
    path = make_file()
    before = path.read_bytes()
    (exposure,) = read(path)
    assert (exposure.name, exposure.path, len(exposure.chips)) == ("jx01", path, 2)
    with fits.open(path) as hdus:
        for chip in exposure.chips:
            np.testing.assert_array_equal(chip.data(), hdus["SCI", chip.extver].data)
            np.testing.assert_array_equal(chip.plane("dq"), hdus["DQ", chip.extver].data)
            assert chip.plane("err").dtype.isnative
            assert chip.plane("ivm") is None
    assert path.read_bytes() == before
    assert why_unusable(exposure) is None


def test_chips_survive_pickling(make_file, read):
    (exposure,) = read(make_file())
    copy = pickle.loads(pickle.dumps(exposure))  # noqa: S301  (our own record)
    np.testing.assert_array_equal(copy.chips[1].data(), exposure.chips[1].data())


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_compressed_files_read_alike(make_file, read, suffix, pack):
    path = make_file()
    packed = path.with_name(path.name + suffix)
    packed.write_bytes(pack(path.read_bytes()))
    (plain,), (other,) = read(path), read(packed)
    assert other.name == plain.name
    np.testing.assert_array_equal(other.chips[0].data(), plain.chips[0].data())
    packed.write_bytes(packed.read_bytes()[:-200])
    with pytest.raises(UnreadableInputError, match=r"decompressed"):
        read(packed)


def test_scaled_and_unsigned_integers_are_read_as_values(make_file, read):
    path = make_file(chips=1, dq_type=np.uint16)
    with fits.open(path, mode="update") as hdus:
        hdus["DQ"].data[2, 3] = 40000
        science = fits.ImageHDU(
            np.arange(120, dtype=np.int16).reshape(12, 10), hdus["SCI"].header, name="SCI"
        )
        science.scale("int16", bscale=0.5, bzero=100.0)
        hdus[1] = science
    (exposure,) = read(path)
    assert exposure.chips[0].plane("dq")[2, 3] == 40000
    np.testing.assert_allclose(exposure.chips[0].data()[0, 4], 4.0)


def test_an_image_that_is_stored_as_one_number_is_filled(make_file, read):
    path = make_file(chips=1)
    with fits.open(path, mode="update") as hdus:
        header = fits.Header({"NPIX1": 10, "NPIX2": 12, "PIXVALUE": 7})
        hdus["DQ"] = fits.ImageHDU(None, header, name="DQ")
    flags = read(path)[0].chips[0].plane("dq")
    assert flags.shape == (12, 10)
    assert (flags == 7).all()


def test_a_missing_file_is_named(tmp_path, read):
    with pytest.raises(MissingInputError, match=r"nowhere_flt.fits"):
        read(tmp_path / "nowhere_flt.fits")


def test_a_file_that_is_no_fits_is_named(tmp_path, read):
    path = tmp_path / "text_flt.fits"
    path.write_text("hello" * 1000)
    with pytest.raises(UnreadableInputError, match=r"text_flt.fits"):
        read(path)


@pytest.mark.parametrize("missing", [1, 1000, 7000])
def test_truncation_is_found(make_file, read, missing):
    path = make_file()
    path.write_bytes(path.read_bytes()[: -2880 - missing])
    with pytest.raises(UnreadableInputError, match=r"jx01_flt.fits is (truncated|damaged)"):
        read(path)


def test_missing_extensions_are_told(make_file, read):
    path = make_file()
    path.write_bytes(path.read_bytes()[:-5760])  # header and data of the last one
    (exposure,) = read(path, allow_missing=("dq",))
    assert "NEXTEND says 6 extensions, but there are 5" in exposure.warnings[0]
    assert "chip 2 is combined without DQ" in exposure.warnings[1]
    with pytest.raises(
        InputError, match=r"jx01_flt.fits: chip 2 has no usable DQ.*NEXTEND says 6.*allow_missing='dq'"
    ):
        read(path)


def test_a_file_without_science_image_is_refused_with_what_it_holds(tmp_path, read):
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((3, 3)), name="OTHER")]).writeto(path)
    with pytest.raises(InputError, match=r"no science image.*1 OTHER"):
        read(path)


def test_a_file_without_wcs_is_refused(make_file, read):
    with pytest.raises(WCSError, match=r"jx01_flt.fits\[1\]"):
        read(make_file(science={"CTYPE1": None, "CTYPE2": None}))


def test_a_singular_matrix_is_refused(make_file, read):
    with pytest.raises(WCSError, match=r"jx01_flt.fits"):
        read(make_file(science={"CD2_2": 0.0, "CD1_1": 0.0}))


def test_a_bare_image_with_wcs_is_an_exposure_of_the_generic_instrument(make_file, read, tmp_path):
    with fits.open(make_file()) as hdus:
        header = hdus["SCI", 1].header.copy()
        header["EXPTIME"] = 20.0
        fits.PrimaryHDU(hdus["SCI", 1].data, header).writeto(tmp_path / "plain.fits")
    (exposure,) = read(tmp_path / "plain.fits")
    assert (exposure.name, exposure.family, exposure.exptime) == ("plain", "generic", 20.0)
    assert exposure.chips[0].data().shape == (12, 10)


@pytest.mark.parametrize(("frame", "expected"), [("GSC1", "FK5"), ("ICRS", "ICRS")])
def test_the_reference_frame_decides_the_celestial_system(make_file, read, frame, expected):
    (exposure,) = read(make_file(primary={"REFFRAME": frame}))
    assert exposure.chips[0].wcs.wcs.radesys == expected


SIP = {
    "CTYPE1": "RA---TAN-SIP",
    "CTYPE2": "DEC--TAN-SIP",
    "A_ORDER": 2,
    "B_ORDER": 2,
    "A_2_0": 1e-3,
    "B_0_2": 2e-3,
}


def test_distortion_is_there_and_can_be_left_out_everywhere(make_file, read):
    path = make_file(science=SIP)
    bent, linear = read(path)[0].chips[0], read(path, coeffs=False)[0].chips[0]
    assert bent.wcs.sip is not None
    assert linear.wcs.sip is None
    assert not any("SIP" in c for c in linear.wcs.wcs.ctype)
    corner = np.array([[12.0, 9.0]])
    np.testing.assert_allclose(
        linear.wcs.all_pix2world(corner, 0), bent.wcs.wcs_pix2world(corner, 0), rtol=1e-14
    )
    assert np.abs(bent.wcs.all_pix2world(corner, 0) - bent.wcs.wcs_pix2world(corner, 0)).max() > 1e-7
    assert (linear.idc_scale, linear.v2ref) == (None, None)
    assert (bent.idc_scale, bent.v2ref) == (0.05, 250.0)


def test_look_up_tables_of_distortion_are_used(make_file, read):
    keys = {f"CPDIS{i}": "Lookup" for i in (1, 2)}
    path = make_file(chips=1, science=keys)
    with fits.open(path, mode="update") as hdus:
        for axis in (1, 2):
            hdus["SCI"].header.set(f"DP{axis}", f"EXTVER: {axis}")
            hdus["SCI"].header.set(f"DP{axis}", "NAXES: 2")
            for i in (1, 2):
                hdus["SCI"].header.set(f"DP{axis}", f"AXIS.{i}: {i}")
            table = fits.ImageHDU(np.full((2, 2), 0.25 * axis, np.float32), name="WCSDVARR", ver=axis)
            for i in (1, 2):
                table.header[f"CRPIX{i}"], table.header[f"CRVAL{i}"], table.header[f"CDELT{i}"] = (
                    0.0,
                    0.0,
                    64.0,
                )
            hdus.append(table)
        hdus[0].header["NEXTEND"] = len(hdus) - 1
    (exposure,) = read(path)
    assert exposure.chips[0].wcs.cpdis1 is not None
    np.testing.assert_allclose(exposure.chips[0].wcs.pix2foc([[3.0, 3.0]], 1) - 3.0, [[0.25, 0.5]], atol=1e-6)


ALTERNATE = {
    "WCSNAMEB": "GAIA fit",
    "CTYPE1B": "RA---TAN",
    "CTYPE2B": "DEC--TAN",
    "CRVAL1B": 5.7,
    "CRVAL2B": -72.0,
    "CRPIX1B": 1.0,
    "CRPIX2B": 1.0,
    "CD1_1B": -2e-5,
    "CD1_2B": 0.0,
    "CD2_1B": 0.0,
    "CD2_2B": 2e-5,
}


@pytest.mark.parametrize("key", ["B", "b", "GAIA fit", "gaia FIT"])
def test_an_alternate_wcs_is_taken_in_memory(make_file, read, key):
    path = make_file(science=ALTERNATE)
    before = path.read_bytes()
    (exposure,) = read(path, wcskey=key)
    assert tuple(exposure.chips[0].wcs.wcs.crval) == (5.7, -72.0)
    assert exposure.chips[0].header["WCSNAME"] == "GAIA fit"
    assert path.read_bytes() == before


@pytest.mark.parametrize("key", ["", " ", "INDEF", "IDC_made"])
def test_blank_or_its_name_means_the_primary_wcs(make_file, read, key):
    (exposure,) = read(make_file(science=ALTERNATE), wcskey=key)
    assert exposure.chips[0].wcs.wcs.crval[0] == 5.6


@pytest.mark.parametrize("key", ["C", "AB", "nothing"])
def test_an_unknown_wcs_is_an_error_that_lists_the_known(make_file, read, key):
    with pytest.raises(ParameterError, match=r"B \(GAIA fit\)"):
        read(make_file(science=ALTERNATE), wcskey=key)


@pytest.mark.parametrize(
    ("group", "versions"),
    [
        (1, [1]),
        ("4", [2]),
        ("1,4", [1, 2]),
        ([4, 1], [1, 2]),
        ("sci,2", [2]),
        (("sci", 2), [2]),
        ("", [1, 2]),
    ],
)
def test_group_chooses_chips(make_file, read, group, versions):
    (exposure,) = read(make_file(), group=group)
    assert [c.extver for c in exposure.chips] == versions


@pytest.mark.parametrize("group", [2, "1,2", "9", "err,1", "sci,3", "1.5"])
def test_group_that_names_no_science_image_is_an_error(make_file, read, group):
    with pytest.raises(ParameterError, match=r"1 \(sci,1\), 4 \(sci,2\)"):
        read(make_file(), group=group)


def stis_file(make_file, name="o4k19a010_flt.fits"):
    path = make_file(
        name, chips=2, base=STIS, science={"BUNIT": "COUNTS", "EXPTIME": 150.0, "IDCV2REF": None}
    )
    with fits.open(path, mode="update") as hdus:
        for k, start in ((1, 100.0), (2, 200.0)):
            header = hdus["SCI", k].header
            header["EXPNAME"], header["EXPSTART"], header["EXPEND"], header["DATE-OBS"] = (
                f"O4K19AC{k}Q",
                start,
                start + 1,
                "1998-02-09",
            )
    return path


def test_a_stis_file_gives_one_exposure_for_each_image_set(make_file, read):
    path = stis_file(make_file)
    first, second = read(path)
    assert (first.name, second.name) == ("o4k19ac1q", "o4k19ac2q")
    assert (first.start, second.start, second.exptime) == (100.0, 200.0, 150.0)
    assert second.primary["EXPSTART"] == 200.0
    assert second.chips[0].extver == 1
    assert second.extra["file"] == "o4k19ac2q_flt.fits"
    with fits.open(path) as hdus:
        np.testing.assert_array_equal(second.chips[0].data(), hdus["SCI", 2].data)
        np.testing.assert_array_equal(second.chips[0].plane("dq"), hdus["DQ", 2].data)


def test_a_stis_image_set_without_flags_is_left_out(make_file, read):
    path = stis_file(make_file)
    with fits.open(path) as hdus:
        copy = fits.HDUList([h.copy() for h in hdus])
    copy["DQ", 1] = fits.ImageHDU(None, name="DQ", ver=1)
    copy.writeto(path, overwrite=True)
    assert [e.name for e in read(path)] == ["o4k19ac2q"]


def test_a_stis_spectrum_is_refused(make_file, read):
    with pytest.raises(InputError, match=r"spectrum"):
        read(make_file("o1_flt.fits", base={**STIS, "OBSTYPE": "SPECTROSCOPIC"}))


@pytest.mark.parametrize(
    ("primary", "science", "reason"),
    [
        ({"EXPTIME": 0.0}, {}, "EXPTIME is 0.0 s in PATH[0]"),
        ({"EXPTIME": None}, {}, "EXPTIME is missing in PATH[0]"),
        ({"EXPTIME": None}, {"EXPTIME": -3.0}, "EXPTIME is -3.0 s in PATH[SCI,1]"),
        (
            {"EXPTIME": None},
            {"XPOSURE": 99.0},
            "give the parameter exptime (expkeyword='XPOSURE' takes XPOSURE)",
        ),
        ({}, {"NGOODPIX": 0}, "NGOODPIX"),
        ({"PA_V3": None}, {}, "PA_V3"),
    ],
)
def test_unusable_exposures_say_why(make_file, read, primary, science, reason):
    path = make_file(primary=primary, science=science)
    (exposure,) = read(path)
    assert reason.replace("PATH", str(path)) in (why_unusable(exposure) or "")


def test_an_unknown_number_of_good_pixels_is_no_reason(make_file, read):
    (exposure,) = read(make_file(science={"NGOODPIX": None}))
    assert why_unusable(exposure) is None


def test_the_roll_angle_may_come_from_the_support_file(make_file, read):
    path = make_file(primary={"PA_V3": None})
    fits.PrimaryHDU(header=fits.Header({"PA_V3": 12.5})).writeto(path.with_name("jx01_spt.fits"))
    (exposure,) = read(path)
    assert exposure.pa_v3 == 12.5


def test_flags_of_old_cameras_come_from_the_companion_file(make_file, read, tmp_path):
    path = make_file(
        "u1_c0m.fits",
        base={"INSTRUME": "WFPC2", "ATODGAIN": 7.0, "EXPTIME": 10.0, "DARKTIME": 10.0},
        science={"DETECTOR": 1},
    )
    with fits.open(path) as hdus:
        flags = fits.HDUList(
            [fits.PrimaryHDU(), *[fits.ImageHDU(hdus["DQ", k].data, name="SCI", ver=k) for k in (2, 1)]]
        )
        flags.writeto(tmp_path / "u1_c1m.fits")
        kept = fits.HDUList([h.copy() for h in hdus if h.name != "DQ"])
        expected = [hdus["DQ", k].data.copy() for k in (1, 2)]
    kept.writeto(path, overwrite=True)
    (exposure,) = read(path)
    for chip, flag in zip(exposure.chips, expected, strict=True):
        np.testing.assert_array_equal(chip.plane("dq"), flag)


def test_inverse_variance_maps_come_from_a_second_file(make_file, read, tmp_path):
    path = make_file()
    maps = fits.HDUList(
        [fits.PrimaryHDU(), *[fits.ImageHDU(np.full((12, 10), float(k)), name="IVM", ver=k) for k in (1, 2)]]
    )
    maps.writeto(tmp_path / "ivm.fits")
    (exposure,) = read(path, ivm=tmp_path / "ivm.fits")
    assert [c.plane("ivm")[0, 0] for c in exposure.chips] == [1.0, 2.0]
    with pytest.raises(MissingInputError, match=r"gone.fits"):
        read(path, ivm=tmp_path / "gone.fits")


def test_waivered_files_are_read_plane_by_plane(tmp_path, read):
    cube = np.arange(2 * 12 * 10, dtype=np.float32).reshape(2, 12, 10)
    primary = {
        "INSTRUME": "WFPC2",
        "ATODGAIN": 7.0,
        "EXPTIME": 10.0,
        "DARKTIME": 10.0,
        "CTYPE3": "GROUP_NUMBER",
        "CRVAL1": 1.0,
    }
    columns = [
        fits.Column("CRVAL1", "D25.17", array=[10.0, 20.0]),
        fits.Column("CRVAL2", "D25.17", array=[1.0, 2.0]),
        *[fits.Column(f"CRPIX{i}", "E15.7", array=[5.0, 5.0]) for i in (1, 2)],
        *[fits.Column(f"CD{i}_{j}", "E15.7", array=[1e-5 * (i == j)] * 2) for i in (1, 2) for j in (1, 2)],
        fits.Column("CTYPE1", "A8", array=["RA---TAN"] * 2),
        fits.Column("CTYPE2", "A8", array=["DEC--TAN"] * 2),
        fits.Column("DETECTOR", "I12", array=[1, 4]),
    ]
    table = fits.TableHDU.from_columns(columns)
    fits.HDUList([fits.PrimaryHDU(cube, fits.Header(primary)), table]).writeto(tmp_path / "u1_c0f.fits")
    fits.HDUList([fits.PrimaryHDU((cube % 7 == 0).astype(np.int16)), table.copy()]).writeto(
        tmp_path / "u1_c1f.fits"
    )
    (exposure,) = read(tmp_path / "u1_c0f.fits")
    assert exposure.name == "u1"
    assert [c.detector_chip for c in exposure.chips] == [1, 4]
    assert [c.wcs.wcs.crval[0] for c in exposure.chips] == [10.0, 20.0]
    np.testing.assert_array_equal(exposure.chips[1].data(), cube[1])
    np.testing.assert_array_equal(exposure.chips[1].plane("dq"), cube[1] % 7 == 0)


def test_the_reader_is_chosen_by_name_or_first_bytes(make_file, tmp_path):
    path = make_file()
    other = path.rename(tmp_path / "image.dat")
    assert FITS.matches is not None
    assert FITS.matches(path)
    assert FITS.matches(other)
    assert not FITS.matches(tmp_path / "list.txt")


@pytest.mark.real_data
def test_a_real_waivered_exposure_has_four_chips_with_flags(real_fits, read):
    real_fits("u40x010hm_c1f.fits")
    (exposure,) = read(real_fits("u40x010hm_c0f.fits"))
    assert [c.gain for c in exposure.chips] == [7.12, 7.12, 6.90, 7.10]
    assert [c.bunit for c in exposure.chips] == ["COUNTS"] * 4
    assert [round(float((c.plane("dq") != 0).mean()), 2) for c in exposure.chips] == [0.13, 0.11, 0.11, 0.13]


@pytest.mark.real_data
def test_a_real_stis_file_gives_its_two_exposures(real_fits, read):
    first, second = read(real_fits("o4k19a010_flt.fits"))
    assert (first.name, second.name) == ("o4k19ac3q", "o4k19ac4q")
    assert (first.start, second.start) == (50853.22429083, 50853.22653638)
    assert first.chips[0].readnoise == 3.99


@pytest.mark.parametrize("scaled", [False, True])
def test_a_large_image_is_read_in_pieces_with_the_same_bits(tmp_path, scaled, monkeypatch):
    from drizframe.stock.io import source

    rng = np.random.default_rng(3)
    image = (
        rng.integers(0, 60000, (700, 30)).astype(np.uint16)
        if scaled
        else rng.normal(size=(700, 30)).astype(np.float32)
    )
    path = tmp_path / "one.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(image, name="SCI")]).writeto(path)
    found = source.FitsSource({"sci": (str(path), 1, -1)})
    want = found("sci")
    monkeypatch.setattr(source, "LARGE", 0)
    got = found("sci")
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(got, image)
