"""Files that claim what cannot be, or are damaged: refused by name before anything is built from them."""

from __future__ import annotations

import bz2
import gzip
import lzma

import numpy as np
import pytest
from astropy.io import fits

from drizframe.errors import InputError, UnreadableInputError, WCSError
from drizframe.fits import unpacking


def raw_card(path, hdu, card, *, instead=None):
    """Write a card into a header as bytes: in place of a keyword, or at its end."""
    with fits.open(path) as hdus:
        info = hdus[hdu].fileinfo()
    data = bytearray(path.read_bytes())
    cards = list(range(info["hdrLoc"], info["datLoc"], 80))
    end = next(i for i in cards if data[i : i + 80].rstrip() == b"END")
    if instead is None:
        assert end + 80 < info["datLoc"], "no room in the block"
        data[end : end + 160] = card.encode("latin-1").ljust(80) + b"END".ljust(80)
    else:
        at = next(i for i in cards if data[i : i + 8].rstrip() == instead.encode())
        data[at : at + 80] = card.encode("latin-1").ljust(80)
    path.write_bytes(bytes(data))


# -- structure -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hdu", "keyword", "card", "told"),
    [
        (1, "NAXIS1", "NAXIS1  =               100000", r"is truncated: extension 1 \(SCI\)"),
        (1, "NAXIS1", "NAXIS1  =                  -12", r"flt.fits\[1\] is damaged: NAXIS1 is -12"),
        (1, "NAXIS2", "NAXIS2  = 'twelve'", r"NAXIS2 is .'twelve'.; it must be a whole number|NAXIS2 is \"'twelve'\""),
        (1, "NAXIS2", "COMMENT lost", r"flt.fits\[1\] is damaged: its header has no NAXIS2"),
        (1, "NAXIS", "NAXIS   =                  500", r"NAXIS is 500; it lies between 0 and 9"),
        (1, "BITPIX", "BITPIX  =                   17", r"BITPIX is 17; it is one of 8, 16"),
        (1, "PCOUNT", "PCOUNT  =                 2880", r"an image has 0 and 1"),
        (0, "SIMPLE", "SIMPLE  =                    F", r"SIMPLE is 'F'"),
    ],
)  # fmt: skip
def test_a_header_that_claims_what_cannot_be_is_named(make_file, read, hdu, keyword, card, told):
    path = make_file()
    raw_card(path, hdu, card, instead=keyword)
    with pytest.raises(UnreadableInputError, match=told):
        read(path)


@pytest.mark.parametrize("change", ["lost", "doubled"])
def test_a_block_that_was_lost_or_doubled_is_found(make_file, read, change):
    path = make_file()
    data = path.read_bytes()
    with fits.open(path) as hdus:
        at = hdus[2].fileinfo()["datLoc"]
    path.write_bytes(
        data[:at] + (data[at + 2880 :] if change == "lost" else data[at : at + 2880] + data[at:])
    )
    with pytest.raises(
        UnreadableInputError, match=r"jx01_flt.fits is damaged after extension 2.*lost or doubled"
    ):
        read(path)


def test_bytes_behind_the_last_extension_are_told(make_file, read):
    path = make_file()
    path.write_bytes(path.read_bytes() + b"x" * 2880)
    (exposure,) = read(path)
    assert any("2880 bytes after extension 6 are no extension" in w for w in exposure.warnings)


def test_an_image_of_one_number_does_not_ask_for_more_than_an_image_has(make_file, read):
    path = make_file(chips=1)
    with fits.open(path, mode="update") as hdus:
        header = fits.Header({"NPIX1": 100_000, "NPIX2": 100_000, "PIXVALUE": 0})
        hdus["DQ"] = fits.ImageHDU(None, header, name="DQ")
    with pytest.raises(
        UnreadableInputError, match=r"jx01_flt.fits\[3\]: NPIX1 and NPIX2 claim 10000000000 pixels"
    ):
        read(path)


def test_a_compressed_image_does_not_ask_for_more_than_an_image_has(make_file, read):
    path = make_file(chips=1)
    with fits.open(path) as hdus:
        packed = fits.CompImageHDU(hdus[1].data, hdus[1].header, name="SCI")
        fits.HDUList([hdus[0], packed, *hdus[2:]]).writeto(path.with_name("big_flt.fits"))
    path = path.with_name("big_flt.fits")
    data = path.read_bytes()
    for key in (b"ZNAXIS1 ", b"ZNAXIS2 "):
        at = data.index(key + b"=")
        data = data[:at] + key + b"=               100000".ljust(72) + data[at + 80 :]
    path.write_bytes(data)
    with pytest.raises(
        UnreadableInputError, match=r"big_flt.fits\[1\]: the compressed image claims 10000000000 pixels"
    ):
        read(path)


# -- packed files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)
def test_a_file_that_unpacks_to_more_than_the_limit_is_refused(make_file, read, monkeypatch, suffix, pack):
    path = make_file()
    data = path.read_bytes() + bytes(3_000_000)
    packed = path.with_name(path.name + suffix)
    packed.write_bytes(pack(data))
    monkeypatch.setattr(unpacking, "LIMIT", 1_000_000)
    with pytest.raises(UnreadableInputError, match=r"unpacks to more than .*unpack it first"):
        read(packed)


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)
def test_packed_files_of_several_streams_are_read_whole(make_file, read, suffix, pack):
    path = make_file()
    data = path.read_bytes()
    packed = path.with_name(path.name + suffix)
    packed.write_bytes(pack(data[:5000]) + pack(data[5000:]) + bytes(100))
    np.testing.assert_array_equal(read(packed)[0].chips[0].data(), read(path)[0].chips[0].data())


def test_an_xz_file_that_asks_for_a_huge_dictionary_is_refused(make_file, read):
    path = make_file()
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**29}]
    packed = path.with_name(path.name + ".xz")
    try:
        packed.write_bytes(lzma.compress(path.read_bytes(), filters=filters))
    except MemoryError:
        pytest.skip("this system cannot make such a file")
    with pytest.raises(UnreadableInputError, match=r"cannot be decompressed"):
        read(packed)


# -- cards -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "card",
    [
        "BADCARD = 12:34:56.7 / no quotes",
        "WEIRD   =                  NaN",
        "BIG     =                1E999",
        "OPEN    = 'unclosed",
    ],
)
@pytest.mark.parametrize("hdu", [0, 1, 2])
def test_a_card_that_nothing_needs_is_left_out_with_a_warning(make_file, read, card, hdu):
    path = make_file()
    raw_card(path, hdu, card)
    (exposure,) = read(path)
    (warning,) = exposure.warnings
    assert f"jx01_flt.fits[{hdu}]" in warning
    assert card[:8].strip() in warning
    header = exposure.primary if hdu == 0 else exposure.chips[0].header
    assert card[:8].strip() not in header


@pytest.mark.parametrize(
    ("hdu", "card"),
    [
        (0, "EXPTIME =                  NaN"), (0, "INSTRUME= 12:34"), (1, "CD1_2   =                 -Inf"),
        (1, "BUNIT   = 'unclosed"), (1, "CRVAL1  =                1E999"), (3, "BSCALE  = 1 2 3"),
    ],
)  # fmt: skip
def test_a_card_that_is_needed_is_named(make_file, read, hdu, card):
    path = make_file()
    with fits.open(path, mode="update") as hdus:
        hdus[hdu].header.setdefault(card[:8].strip(), 1.0)
    raw_card(path, hdu, card, instead=card[:8].strip())
    with pytest.raises(
        UnreadableInputError, match=rf"jx01_flt.fits\[{hdu}\]: the card .*{card[:8].strip()}.* is needed"
    ):
        read(path)


# -- the WCS -----------------------------------------------------------------------------------------------------------------

SIP = {
    "CTYPE1": "RA---TAN-SIP",
    "CTYPE2": "DEC--TAN-SIP",
    "A_ORDER": 2,
    "B_ORDER": 2,
    "A_2_0": 1e-3,
    "B_0_2": 2e-3,
}


@pytest.mark.parametrize(
    ("cards", "told"),
    [
        ({"WCSAXES": 65536}, r"WCSAXES is 65536"), ({"WCSAXES": 1}, r"WCSAXES is 1"), ({"WCSAXES": "two"}, r"WCSAXES is 'two'"),
        ({**SIP, "A_ORDER": 40000}, r"A_ORDER is 40000; the order of a polynomial lies between 0 and 9"),
        ({**SIP, "B_ORDER": "2"}, r"B_ORDER is '2'"), ({**SIP, "AP_ORDER": 30, "BP_ORDER": 2}, r"AP_ORDER is 30"),
        ({**SIP, "B_ORDER": None}, r"B_ORDER is missing"), ({**SIP, "A_1_1": "x"}, r"A_1_1 is 'x'"),
        ({"PV1_77": 1.0}, r"PV1_77 is 1.0"), ({"PV2_1": "text"}, r"PV2_1 is 'text'"),
        ({"CRVAL1": None}, r"CRVAL1 is missing"), ({"CRPIX2": None}, r"CRPIX2 is missing"), ({"CRVAL2": 95.0}, r"CRVAL2 is 95.0"),
        ({"CRVAL1": "150"}, r"CRVAL1 is '150'"), ({"CRPIX1": 1e300}, r"CRPIX1 is 1e\+300"), ({"CTYPE1": 5}, r"CTYPE1 is 5"),
        ({"CTYPE1": "RA---XYZ"}, r"projection 'XYZ' is not known"), ({"CTYPE2": "DEC--TAB"}, r"projection 'TAB'"),
        ({"LONPOLE": 1e300}, r"LONPOLE"), ({"LATPOLE": "x"}, r"LATPOLE"), ({"CQDIS1": "Polynomial"}, r"CQDIS1"),
        ({"CPDIS1": "Polynomial", "CPDIS2": "Lookup"}, r"CPDIS1 is 'Polynomial'"),
        ({"CPDIS1": 7, "CPDIS2": 7}, r"CPDIS1 is 7"), ({"CPDIS1": "Lookup"}, r"none for y \(CPDIS2\)"),
        ({"CPDIS2": "Lookup"}, r"DP2.NAXES is missing"),
        ({"D2IMDIS1": "text"}, r"D2IMDIS1 is 'text'"), ({"AXISCORR": 9}, r"AXISCORR is 9"),
        (dict.fromkeys(("CD1_1", "CD1_2", "CD2_1", "CD2_2")), r"no CD matrix"),
        ({"CD1_1": -1.0}, r"singular or skewed|arcsec are plausible"), ({"CD2_1": 1.0}, r"arcsec are plausible"),
        ({"CD1_1": -1e-12, "CD2_2": 1e-12}, r"arcsec are plausible"), ({"CD1_2": 0.01}, r"times as long as wide"),
        ({**SIP, "A_2_0": -32.0}, r"moves pixels by up to"), ({**SIP, "B_1_1": 40000.0}, r"moves pixels by up to"),
        ({**SIP, "A_2_0": 0.2}, r"folds the image|moves pixels"),
        ({"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "PV1_1": 1e6, "PV2_1": 1e6}, r"as large on the sky"),
    ],
)  # fmt: skip
def test_a_wcs_that_cannot_be_is_refused_by_keyword(make_file, read, cards, told):
    path = make_file(science=cards, chips=1)
    with pytest.raises(WCSError, match=r"jx01_flt.fits\[1\].*(" + told + ")"):
        read(path)


@pytest.mark.parametrize(
    "cards",
    [
        {"WCSAXESB": 65536}, {"DP1": "NAXES: 65536"}, {"CRPIX99": 1.0}, {"CD9_9": 1e300}, {"PS1_0": "x" * 60},
        {"CRPIX1Z": "text"}, {"CNAME1": 5},
    ],
)  # fmt: skip
def test_what_the_wcs_of_the_image_does_not_use_never_reaches_the_library(make_file, read, cards):
    plain, odd = read(make_file("ja_flt.fits"))[0], read(make_file("jb_flt.fits", science=cards))[0]
    assert odd.chips[0].wcs.to_header_string() == plain.chips[0].wcs.to_header_string()


@pytest.mark.parametrize("value", ["2000.0", 2000, "J2000", "J2000.0", " j2000"])
def test_an_equinox_written_as_text_is_a_number(make_file, read, value):
    (exposure,) = read(make_file(science={"EQUINOX": value, "RADESYS": "FK5"}))
    assert exposure.chips[0].wcs.wcs.equinox == 2000.0
    assert not exposure.warnings


@pytest.mark.parametrize(
    ("key", "value"), [("EQUINOX", "text"), ("EQUINOX", 1e300), ("MJD-OBS", "unknown"), ("RADESYS", "FOO")]
)
def test_an_epoch_or_system_that_is_none_is_told(make_file, read, key, value):
    (exposure,) = read(make_file(science={key: value}, chips=1))
    assert any(f"jx01_flt.fits[1]: {key} is {value!r}" in w for w in exposure.warnings)


def test_an_equinox_of_besselian_years_is_read(make_file, read):
    (exposure,) = read(make_file(science={"EQUINOX": "B1950.0", "RADESYS": "FK4"}))
    assert exposure.chips[0].wcs.wcs.equinox == 1950.0


def test_an_unknown_radesys_beside_a_known_refframe_says_which_counts(make_file, read):
    (exposure,) = read(make_file(primary={"REFFRAME": "GSC1"}, science={"RADESYS": "FOO"}, chips=1))
    assert [w for w in exposure.warnings if w.endswith("REFFRAME = 'GSC1' counts")]
    assert exposure.chips[0].wcs.wcs.radesys == "FK5"


@pytest.mark.parametrize(
    ("cards", "told"),
    [
        ({"CTYPE1": None}, r"jx01_flt.fits\[1\]: the WCS cannot be used: CTYPE1 is missing"),
        (
            {"CTYPE1": "FOO---TAN"},
            r"CTYPE1 is 'FOO---TAN'; the projection '-TA' is not known \(characters 6 to 8",
        ),
        ({"CTYPE2": "RA---TAN"}, r"cannot be used \(Inconsistent projection types .*in CTYPE2\)\)\. Correct"),
        ({"CUNIT1": "furlong"}, r"cannot be used \(In CUNIT1 : Invalid symbol"),
    ],
)
def test_a_wcs_that_is_none_is_told_without_the_words_of_the_library(make_file, read, cards, told):
    with pytest.raises(WCSError, match=told):
        read(make_file(science=cards, chips=1))


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("DEG", 1), ("degrees", 1), ("ARCSEC", 3600), ("Arcseconds", 3600), ("arcminute", 60)],
)
def test_units_of_axes_are_read_in_any_spelling(make_file, read, unit, factor):
    (plain,) = read(make_file("ja_flt.fits", chips=1))
    header = plain.chips[0].header
    keys = ("CRVAL1", "CRVAL2", "CD1_1", "CD1_2", "CD2_1", "CD2_2")
    cards = {"CUNIT1": unit, "CUNIT2": unit, **{k: header[k] * factor for k in keys}}
    (odd,) = read(make_file("jb_flt.fits", science=cards, chips=1))
    here = odd.chips[0].wcs.all_pix2world([[0, 0], [9, 11]], 0)
    np.testing.assert_allclose(
        here, plain.chips[0].wcs.all_pix2world([[0, 0], [9, 11]], 0), rtol=0, atol=1e-12
    )


WORDS = 'wtype=tnx axtype=ra lngcor = "3. 3. 3. 2. -0.1 0.1 -0.1 0.1 0. 0.02 0. 0. 0. 0."'


@pytest.mark.parametrize("words", [WORDS, "wtype=zpx axtype=ra projp1=1. projp3=42."])
def test_a_distortion_that_iraf_wrote_as_text_is_refused_by_name(make_file, read, words):
    name = "TNX" if "tnx" in words else "ZPX"
    cards = {
        "CTYPE1": f"RA---{name}",
        "CTYPE2": f"DEC--{name}",
        "WAT1_001": words[:60],
        "WAT1_002": words[60:],
    }
    with pytest.raises(WCSError, match=rf"CTYPE1 is 'RA---{name}', and its distortion stands in WAT1_001"):
        read(make_file(science=cards, chips=1))


def test_a_tnx_projection_without_distortion_is_a_tangent_plane(make_file, read):
    cards = {"CTYPE1": "RA---TNX", "CTYPE2": "DEC--TNX", "WAT1_001": "wtype=tnx axtype=ra"}
    (exposure,) = read(make_file(science=cards, chips=1))
    assert list(exposure.chips[0].wcs.wcs.ctype) == ["RA---TAN", "DEC--TAN"]


def test_numbers_of_the_readout_that_cannot_be_are_told(make_file, read):
    primary = {"CCDAMP": "Q"}
    (exposure,) = read(make_file(primary=primary, science={"CCDCHIP": 7, "VAFACTOR": 5.0}, chips=1))
    told = "\n".join(exposure.warnings)
    assert "jx01_flt.fits[SCI,1]: CCDCHIP is 7, but this detector has 1 and 2" in told
    assert "jx01_flt.fits[SCI,1]: CCDAMP is 'Q', but the amplifiers are A, B, C, D" in told
    assert "jx01_flt.fits[SCI,1]: VAFACTOR is 5.0; plausible are 0.999 to 1.001" in told


def test_an_amplifier_in_use_without_gain_is_told_and_one_out_of_use_is_not(make_file, read):
    (whole,) = read(make_file(primary={"ATODGNA": 0.0}, chips=1))
    assert any("ATODGNA is 0, but CCDAMP = 'ABCD' reads through" in w for w in whole.warnings)
    (part,) = read(
        make_file("jx02_flt.fits", primary={"ATODGNA": 0.0, "READNSEA": 0.0, "CCDAMP": "C"}, chips=1)
    )
    assert not part.warnings


@pytest.mark.parametrize("chip", [-999, "-999"])
def test_a_product_has_no_chip_and_that_is_no_warning(make_file, read, chip):
    (exposure,) = read(make_file(science={"CCDCHIP": chip}, chips=1))
    assert not exposure.warnings


def table(ver, value=0.25, **cards):
    hdu = fits.ImageHDU(np.full((2, 2), value, np.float32), name="WCSDVARR", ver=ver)
    for i in (1, 2):
        hdu.header[f"CRPIX{i}"], hdu.header[f"CRVAL{i}"], hdu.header[f"CDELT{i}"] = 0.0, 0.0, 64.0
    hdu.header.update(cards)
    return hdu


@pytest.mark.parametrize(
    ("extension", "told"),
    [
        (None, r"CPDIS1 names the look-up table WCSDVARR,1, which the file does not have"),
        (table(2), r"which the file does not have"),
        (table(1, np.nan), r"moves pixels by up to nan"), (table(1, 1e9), r"moves pixels by up to 1e\+09"),
        (table(1, CDELT1=0.0), r"CDELT1 = 0.0"), (table(1, CRVAL2="x"), r"CRVAL2 = 'x'"),
        (fits.ImageHDU(np.zeros(4, np.float32), name="WCSDVARR"), r"no image of two axes"),
        (fits.BinTableHDU(np.zeros(2, [("a", "f4")]), name="WCSDVARR"), r"no image of two axes"),
    ],
)  # fmt: skip
def test_a_look_up_table_that_cannot_be_used_is_named(make_file, read, extension, told):
    path = make_file(chips=1, science={"CPDIS1": "Lookup", "CPDIS2": "Lookup"})
    with fits.open(path, mode="update") as hdus:
        for text in ("EXTVER: 1", "NAXES: 2", "AXIS.1: 1", "AXIS.2: 2"):
            hdus["SCI"].header.set("DP1", text)
        if extension is not None:
            hdus.append(extension.copy())
        hdus[0].header["NEXTEND"] = len(hdus) - 1
    with pytest.raises(WCSError, match=r"jx01_flt.fits\[1\].*" + told):
        read(path)


@pytest.mark.parametrize(
    ("field", "value"), [("NAXES", 65536), ("AXIS.1", 9), ("EXTVER", -3), ("EXTVER", 1.5)]
)
def test_a_record_of_a_table_that_cannot_be_is_named(make_file, read, field, value):
    path = make_file(chips=1, science={"CPDIS1": "Lookup", "CPDIS2": "Lookup"})
    with fits.open(path, mode="update") as hdus:
        for text in {"EXTVER": 1, "NAXES": 2, "AXIS.1": 1, "AXIS.2": 2, field: value}.items():
            hdus["SCI"].header.set("DP1", f"{text[0]}: {text[1]}")
        hdus.append(table(1))
        hdus[0].header["NEXTEND"] = len(hdus) - 1
    with pytest.raises(WCSError, match=rf"jx01_flt.fits\[1\].*DP1.{field} is"):
        read(path)


def test_of_several_cards_of_one_field_all_that_reach_the_library_are_checked(make_file, read):
    path = make_file(chips=1, science={"CPDIS1": "Lookup", "CPDIS2": "Lookup"})
    with fits.open(path, mode="update") as hdus:
        for text in ("NAXES: 65536", "NAXES: 2", "EXTVER: 1", "AXIS.1: 1", "AXIS.2: 2"):
            hdus["SCI"].header.append(("DP1", text), end=True)
        hdus.append(table(1))
        hdus[0].header["NEXTEND"] = len(hdus) - 1
    with pytest.raises(WCSError, match=r"jx01_flt.fits\[1\].*DP1.NAXES is 65536"):
        read(path)


# -- numbers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("primary", "science", "told"),
    [
        ({"EXPTIME": 1e30}, {}, r"EXPTIME \(s\) is 1e\+30"), ({"EXPTIME": 1e-30}, {}, r"EXPTIME \(s\) is 1e-30"),
        ({"EXPTIME": "long"}, {}, r"EXPTIME is 'long'"), ({"EXPTIME": True}, {}, r"EXPTIME is True"),
        ({"READNSEB": 8e9}, {}, r"the read noise"), ({"READNSEA": -5.0}, {}, r"READNSEA is -5.0"),
        ({"PA_V3": "x"}, {}, r"PA_V3 is 'x'"), ({"PA_V3": 1e30}, {}, r"PA_V3 is 1e\+30"),
        ({}, {"IDCSCALE": 7.0}, r"IDCSCALE is 7.0 arcsec, but pixels of the linear WCS have 0.05"),
        ({}, {"IDCSCALE": -0.05}, r"IDCSCALE is -0.05"), ({}, {"IDCSCALE": "x"}, r"IDCSCALE is 'x'"),
        ({}, {"IDCV2REF": 1e9}, r"IDCV2REF is 1000000000.0"), ({}, {"IDCTHETA": "x"}, r"IDCTHETA is 'x'"),
        ({}, {"LTV1": 1e300}, r"LTV1 is 1e\+300"), ({}, {"CCDCHIP": "two"}, r"CCDCHIP is 'two'"),
        ({}, {"CD1_1": -0.01, "CD2_2": 0.01, "IDCSCALE": None}, r"the side of a pixel in x .* is 36.0"),
    ],
)  # fmt: skip
def test_numbers_beyond_the_limits_of_the_detector_are_named(make_file, read, primary, science, told):
    with pytest.raises(InputError, match=r"jx01_flt.fits(\[0\]|\[SCI,1\]): " + told):
        read(make_file(primary=primary, science=science, chips=1))


@pytest.mark.parametrize("value", [0.0, -1.0, 1e9])
def test_a_gain_that_is_not_needed_is_told_and_one_that_is_needed_is_refused(make_file, read, value):
    amplifiers = {f"ATODGN{a}": value for a in "ABCD"}
    (exposure,) = read(make_file(primary=amplifiers, chips=1))
    assert any("jx01_flt.fits[SCI,1]" in w and "used without" in w for w in exposure.warnings)
    assert exposure.chips[0].gain == 1.0
    stis = {"INSTRUME": "STIS", "DETECTOR": "CCD", "ATODGAIN": value, "READNSE": 4.0, "OBSTYPE": "IMAGING"}
    with pytest.raises(InputError, match=r"o1_flt.fits\[SCI,1\]: .*(gain|ATODGAIN)"):
        read(
            make_file(
                "o1_flt.fits", base={}, primary=stis, science={"BUNIT": "COUNTS", "EXPTIME": 9.0}, chips=1
            )
        )


def test_a_gain_that_the_table_of_a_camera_does_not_know_is_named(make_file, read):
    cards = {"INSTRUME": "WFPC2", "ATODGAIN": 9.0, "EXPTIME": 30.0, "DARKTIME": 30.0}
    path = make_file("ux01_flt.fits", base=cards, science={"BUNIT": "COUNTS", "DETECTOR": 1}, chips=1)
    with pytest.raises(InputError, match=r"ux01_flt.fits\[SCI,1\]: WFPC2 gain: ATODGAIN is 9.0"):
        read(path)


@pytest.mark.parametrize(("key", "value"), [("EXPSTART", "x"), ("EXPEND", 1e300), ("EXPSTART", -4.0)])
def test_a_date_that_cannot_be_is_told_and_left_out(make_file, read, key, value):
    (exposure,) = read(make_file(primary={key: value}, chips=1))
    assert (exposure.start if key == "EXPSTART" else exposure.end) == 0.0
    assert any(f"jx01_flt.fits[0]: {key}" in w for w in exposure.warnings)


def test_the_users_value_takes_the_place_of_a_number_that_cannot_be(make_file, read):
    path = make_file(primary={"READNSEA": 1e9}, chips=1)
    (exposure,) = read(path, readnoise=5.0)
    assert exposure.chips[0].readnoise == 5.0


@pytest.mark.parametrize(("key", "value"), [("BSCALE", "0.0"), ("BZERO", "1E300"), ("BSCALE", "'x'")])
def test_a_scaling_that_leaves_no_image_is_named(make_file, read, key, value):
    path = make_file(chips=1)
    raw_card(path, 1, f"{key:8}= {value:>20}")
    with pytest.raises(InputError, match=rf"jx01_flt.fits\[1\]: {key} is"):
        read(path)


@pytest.mark.parametrize(("value", "kind"), [(7, "iu"), (-3, "i"), (2.5, "f")])
def test_an_image_of_one_number_takes_no_more_room_than_it_needs(make_file, read, value, kind):
    path = make_file(chips=1)
    with fits.open(path, mode="update") as hdus:
        hdus["ERR"] = fits.ImageHDU(
            None, fits.Header({"NPIX1": 10, "NPIX2": 12, "PIXVALUE": value}), name="ERR"
        )
    found = read(path)[0].chips[0].plane("err")
    assert found.dtype.kind in kind
    assert found.dtype.itemsize <= 4
    assert found.shape == (12, 10)
    assert (found == value).all()


def test_a_file_of_thousands_of_extensions_is_refused(make_file, read, tmp_path):
    path = make_file(chips=1)
    extension = fits.ImageHDU(np.zeros((1, 1), np.uint8), name="X")
    fits.HDUList([fits.PrimaryHDU(), extension]).writeto(tmp_path / "one.fits")
    block = (tmp_path / "one.fits").read_bytes()[-2880 * 2 :]
    assert block.startswith(b"XTENSION")
    path.write_bytes(path.read_bytes() + block * 2001)
    with pytest.raises(UnreadableInputError, match=r"jx01_flt.fits has more than 2000 extensions"):
        read(path)


def test_a_file_of_too_many_chips_is_refused(make_file, read, monkeypatch):
    from drizframe.stock.io import layout

    monkeypatch.setattr(layout, "_MAX_CHIPS", 1)
    with pytest.raises(InputError, match=r"jx01_flt.fits has 2 science images; at most 1"):
        read(make_file())


def test_a_file_that_can_be_read_but_not_written_again_stops_the_drop_in_before_the_work(
    make_file, monkeypatch, tmp_path
):
    from drizframe import astrodrizzle

    monkeypatch.chdir(tmp_path)
    paths = [make_file(f"jx0{k}_flt.fits", chips=1) for k in (1, 2)]
    data = paths[1].read_bytes()
    at = data.index(b"GCOUNT  =")
    paths[1].write_bytes(
        data[:at] + b"GCOUNT  =                    1 / groups \x00".ljust(80) + data[at + 80 :]
    )
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(UnreadableInputError, match=r"jx02_flt.fits\[1\] cannot be edited .*drizframe.run"):
        astrodrizzle.AstroDrizzle([str(p) for p in paths], output="o", runfile="", preserve=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_an_image_that_fills_a_sparse_file_but_no_memory_is_refused(make_file, read):
    path = make_file(chips=1, primary={"NEXTEND": None})
    data = path.read_bytes()
    at = data.index(b"XTENSION")
    for key in (b"NAXIS1  ", b"NAXIS2  "):
        here = data.index(key, at)
        data = data[:here] + (key + b"=               100000").ljust(80) + data[here + 80 :]
    path.write_bytes(data)
    with path.open("r+b") as stream:
        stream.truncate(len(data) + 40 * 10**9)
    with pytest.raises(InputError, match=r"jx01_flt.fits\[1\] has 10000000000 pixels"):
        read(path, allow_missing=("dq",))


def test_a_long_tail_is_not_read_to_its_end(make_file, read):
    path = make_file(chips=1)
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size + 10**12)
    (exposure,) = read(path)
    assert any("1000000000000 bytes after extension 3" in w for w in exposure.warnings)
