"""Headers and files of products."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

import drizframe
from drizframe.config.outputs import output_names
from drizframe.engine.sinks import write_product
from drizframe.errors import InputError, MissingInputError, OutputError
from drizframe.model import ChipUnit, Extension, Frame, Layer, Mosaic, Window
from drizframe.stock.io.data_unit import DataUnit
from drizframe.stock.products import intermediate
from drizframe.stock.products.blending import (
    FUNCTIONS,
    Rules,
    blend,
    choose_rules,
    keyword_table,
    packaged_rules,
    parse_rules,
)
from drizframe.stock.products.facts import ProductFacts, totals
from drizframe.stock.products.headers import product_headers
from drizframe.stock.products.tables import NULL, header_table
from drizframe.stock.products.wcs_keywords import wcs_type
from drizframe.stock.products.writers import MEF, SIMPLE


def write_simple(mosaic, path):
    return write_product(SIMPLE, mosaic, path)


def write_mef(mosaic, path):
    return write_product(MEF, mosaic, path)


def with_images(mosaic, **images):
    """Return the mosaic with other images; None: without that layer."""
    old = {name: layer.image for name, layer in mosaic.layers.items()}
    more = {"headers": mosaic.headers, "table": mosaic.table}
    return Mosaic.of(mosaic.frame, unit=mosaic.unit, images={**old, **images}, **more)


@pytest.fixture
def frame():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [5.6, -72.05], [8.0, 10.0]
    wcs.wcs.cd = np.array([[-1, 0], [0, 1]]) * 0.05 / 3600
    wcs.wcs.set()
    return Frame(wcs=wcs, shape=(20, 16), scale=0.05, orientation=0.0, name="IDC_made")


@pytest.fixture
def exposures(make_file, read):
    return [
        *read(make_file("jx01_flt.fits", primary={"EXPSTART": 10.0, "EXPEND": 11.0})),
        *read(
            make_file(
                "jx02_flt.fits",
                primary={"EXPSTART": 9.0, "EXPEND": 9.5, "FILTER2": "F814W", "EXPTIME": 500.0},
            )
        ),
    ]


@pytest.fixture
def facts(frame, exposures):
    sky = {ChipUnit(i, j): 30.0 + i + j for i in (0, 1) for j in (0, 1)}
    return ProductFacts(
        frame=frame,
        exposures=exposures,
        names=output_names("ref", ["a_flt.fits"]),
        sky=sky,
        log="my.log",
        version="9.9",
    )


@pytest.fixture
def mosaic(frame, facts):
    rng = np.random.default_rng(1)
    made = product_headers(facts)
    return Mosaic.of(
        frame,
        unit="ELECTRONS/S",
        images={
            "sci": rng.normal(size=(20, 16)).astype(np.float32),
            "wht": rng.random((20, 16)).astype(np.float32),
            "ctx": rng.integers(0, 15, (1, 20, 16)).astype(np.int32),
        },
        headers=made.parts(),
        table=made.table,
    )


def test_primary_keywords_of_a_mosaic(facts):
    made = product_headers(facts)
    primary = made.primary
    assert (primary["EXPTIME"], primary["TEXPTIME"], primary["EXPSTART"], primary["EXPEND"]) == (
        900.0,
        900.0,
        9.0,
        11.0,
    )
    assert (primary["NDRIZIM"], primary["DRIZPARS"], primary["PROD_VER"]) == (4, "my.log", "drizframe 9.9")
    assert (primary["ROOTNAME"], primary["DRIZCORR"], primary["ASN_MTYP"]) == ("ref", "COMPLETE", "PROD-DTH")
    assert (primary["FILTER1"], primary["FILTER2"], primary["RULEFILE"]) == ("F606W", "MULTIPLE", "acs.rules")
    for absent in ("MDRIZSKY", "RA_TARG", "PFLTFILE", "CCDAMP"):
        assert absent not in primary
    assert not any("first" in line for line in primary["HISTORY"])


def test_drizzle_keywords_of_each_chip(facts):
    primary = product_headers(facts).primary
    assert primary["D003DATA"] == "jx02_flt.fits[sci,1]"
    assert (primary["D003DEXP"], primary["D003KERN"], primary["D003PIXF"], primary["D003WTSC"]) == (
        500.0,
        "square",
        1.0,
        1,
    )
    assert (primary["D003OUDA"], primary["D003OUWE"], primary["D003OUCO"]) == (
        "ref_drz.fits",
        "ref_drz_wht.fits",
        "ref_drz_ctx.fits",
    )
    assert (primary["D004MASK"], primary["D004FVAL"], primary["D004SCAL"]) == (
        "jx02_sci2_final_mask.fits",
        "INDEF",
        0.05,
    )
    assert primary["D004VER"] == "drizframe 9.9"


def test_each_chip_has_its_own_distortion_scale(facts, exposures):
    chips = [
        dataclasses.replace(c, idc_scale=s) for c, s in zip(exposures[0].chips, (0.05, None), strict=True)
    ]
    made = product_headers(dataclasses.replace(facts, exposures=[exposures[0].with_chips(chips)]))
    assert (made.primary["D001ISCL"], made.primary["D002ISCL"]) == (0.05, "")


def test_science_keywords_of_a_mosaic(facts, frame):
    made = product_headers(facts)
    sci = made.sci
    assert (sci["BUNIT"], sci["NCOMBINE"], sci["CCDCHIP"]) == ("ELECTRONS/S", 2, "-999")
    assert sci["MDRIZSKY"] == pytest.approx(31.0)
    assert (sci["WCSNAME"], sci["WCSTYPE"]) == ("IDC_made", "undistorted not aligned")
    assert (sci["CRPIX1"], sci["CD1_1"], sci["ORIENTAT"], sci["VAFACTOR"]) == (
        8.0,
        frame.wcs.wcs.cd[0, 0],
        0.0,
        1.0,
    )
    for header in (sci, made.wht, made.ctx):
        assert not any(k.startswith(("IDCV", "A_", "CPDIS", "LTV", "NGOODPIX")) for k in header)
    assert made.wht["CCDCHIP"] == "-999"


def test_an_exposure_that_is_given_twice_counts_once(exposures):
    twice = [*exposures, dataclasses.replace(exposures[0], name="jx01_2")]
    assert totals(twice) == (900.0, 9.0, 11.0, 2)
    assert totals([exposures[0], exposures[1], exposures[0]])[0] == 900.0


def test_a_single_product_tells_of_its_exposure_alone(facts, exposures):
    own = dataclasses.replace(facts, kind="single", exposures=exposures[1:], kernel="turbo")
    made = product_headers(own)
    assert (made.primary["EXPTIME"], made.primary["EXPSTART"], made.primary["NDRIZIM"]) == (500.0, 9.0, 2)
    assert (made.primary["ROOTNAME"], made.primary["D001MASK"]) == ("jx02", "jx02_sci1_single_mask.fits")
    assert made.primary["RA_TARG"] == 5.6
    assert (made.sci["MDRIZSKY"], made.sci["NCOMBINE"]) == (30.0, 1)


def test_a_start_that_one_exposure_lacks_is_told_and_one_that_all_lack_is_not_made_up(make_file, read, facts):
    def headers_of(exposures):
        return product_headers(dataclasses.replace(facts, exposures=exposures, sky={}))

    one, other = (
        make_file("jx01_flt.fits", primary={"EXPSTART": 10.0}),
        make_file("jx02_flt.fits", primary={"EXPSTART": None}),
    )
    some = headers_of([*read(one), *read(other)])
    assert some.primary["EXPSTART"] == 10.0
    assert any(f"{other}: EXPSTART is missing" in text for text in some.notes)
    none = headers_of(read(other))
    assert "EXPSTART" not in none.primary
    assert not any("EXPSTART" in text for text in none.notes)


def test_different_filters_are_warned_of(facts, exposures):
    chip = exposures[1].chips[0]
    header = chip.header.copy()
    header["PHOTMODE"] = "ACS WFC1 F814W"
    other = exposures[1].with_chips([dataclasses.replace(chip, header=header)])
    assert (
        "different filters"
        in product_headers(dataclasses.replace(facts, exposures=[exposures[0], other])).notes[0]
    )
    assert product_headers(facts).notes == ()


def test_more_than_999_chips_get_long_keywords(facts, exposures):
    many = [exposures[0].with_chips(exposures[0].chips[:1])] * 1001
    primary = product_headers(dataclasses.replace(facts, exposures=many, sky={})).primary
    assert primary["D1001DATA"] == "jx01_flt.fits[sci,1]"
    assert len(primary.tostring()) > 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "not aligned"),
        ("OPUS", "pipeline default not aligned"),
        ("IDC_x-GSC240", "undistorted a priori solution based on GSC240"),
        ("IDC_x-FIT_REL_GAIAeDR3", "undistorted a posteriori solution relatively aligned to GAIAeDR3"),
        ("IDC_x-FIT_SVM_GAIADR2", "undistorted a posteriori solution aligned by visit to GAIADR2"),
        ("TWEAK", "user-defined not aligned"),
    ],
)
def test_wcs_in_words(name, words):
    assert wcs_type(name) == words


def test_simple_files_hold_one_image_each_and_the_table(mosaic, tmp_path):
    paths = write_simple(mosaic, tmp_path / "ref_drz")
    assert [p.name for p in paths] == ["ref_drz_sci.fits", "ref_drz_wht.fits", "ref_drz_ctx.fits"]
    for path, image in zip(paths, (mosaic.sci, mosaic.wht, mosaic.ctx[0]), strict=True):
        with fits.open(path) as hdus:
            hdus.verify("exception")
            np.testing.assert_array_equal(hdus[0].data, image)
            header = hdus[0].header
            assert (header["FILENAME"], header["FILETYPE"]) == (path.name, path.stem[-3:].upper())
            assert "EXTNAME" not in header
            assert header["NDRIZIM"] == 4
            assert len(hdus) == (2 if path.name.endswith("_sci.fits") else 1)
    table = fits.getdata(paths[0], "HDRTAB")
    assert list(table["ROOTNAME"]) == ["jx01", "jx01", "jx02", "jx02"]
    assert list(table["EXTVER"]) == [1, 2, 1, 2]
    assert list(table["MDRIZSKY"]) == [30.0, 31.0, 31.0, 32.0]
    assert table.columns.names[:4] == ["ROOTNAME", "EXTNAME", "EXTVER", "A_0_2"]
    assert len(table.columns) == 293


def test_one_file_holds_all_extensions(mosaic, tmp_path):
    (path,) = write_mef(mosaic, tmp_path / "ref_drz")
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert [h.name for h in hdus] == ["PRIMARY", "SCI", "WHT", "CTX", "HDRTAB"]
        assert hdus[0].header["NEXTEND"] == 4
        np.testing.assert_array_equal(hdus["CTX"].data, mosaic.ctx[0])
        assert hdus["SCI"].header["BUNIT"] == "ELECTRONS/S"


def test_without_context_its_extension_is_empty(mosaic, tmp_path):
    (path,) = write_mef(with_images(mosaic, ctx=None), tmp_path / "ref_drz")
    with fits.open(path) as hdus:
        assert hdus["CTX"].data is None
    assert len(write_simple(with_images(mosaic, ctx=None), tmp_path / "x")) == 2


def test_several_planes_of_context_stay_a_cube(mosaic, tmp_path):
    cube = np.stack([mosaic.ctx[0], -mosaic.ctx[0]])
    path = write_simple(with_images(mosaic, ctx=cube), tmp_path / "x")[2]
    np.testing.assert_array_equal(fits.getdata(path), cube)


def test_a_mosaic_without_headers_has_those_of_its_frame(mosaic, tmp_path):
    images = {"sci": mosaic.sci, "wht": mosaic.wht, "var": mosaic.sci**2}
    bare = Mosaic.of(mosaic.frame, images=images, exptime=7.0)
    paths = write_simple(bare, tmp_path / "x_drz")
    assert [p.name[6:] for p in paths] == ["sci.fits", "wht.fits", "var.fits"]
    header = fits.getheader(paths[0])
    assert (header["EXPTIME"], header["BUNIT"], header["CRVAL1"]) == (7.0, "electrons/s", 5.6)


def test_nothing_is_left_of_a_product_that_cannot_be_written(mosaic, tmp_path, monkeypatch):
    old = write_simple(mosaic, tmp_path / "x")
    before = {p: p.read_bytes() for p in old}
    calls = []

    def failing(self, *args):
        calls.append(self)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return original(self, *args)

    original = DataUnit.write
    monkeypatch.setattr(DataUnit, "write", failing)
    with pytest.raises(OutputError, match=r"No space left"):
        write_simple(mosaic, tmp_path / "x")
    assert {p: p.read_bytes() for p in sorted(tmp_path.glob("x_*"))} == before
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("write", [write_simple, write_mef])
def test_a_missing_folder_is_an_output_error(mosaic, tmp_path, write):
    with pytest.raises(OutputError, match=r"does not exist"):
        write(mosaic, tmp_path / "gone" / "x_drz")


def test_a_further_layer_is_an_extension_and_a_file_with_its_unit(mosaic, tmp_path):
    known = Extension(name="DEPTH", meaning="exposure time", unit="S")
    depth = Layer(image=mosaic.wht * 2, extension=known, unit=known.unit_of(mosaic.unit))
    bare = dataclasses.replace(mosaic, layers={**mosaic.layers, "depth": depth}, headers={}, table=None)
    (path,) = write_mef(bare, tmp_path / "x")
    header = fits.getheader(path, "DEPTH")
    assert (header["BUNIT"], header.comments["BUNIT"], header["CRVAL1"]) == (
        "S",
        "Units of exposure time",
        5.6,
    )
    assert [p.name for p in write_simple(bare, tmp_path / "y")][-1] == "y_depth.fits"


def test_single_images_are_as_large_as_the_frame_and_sparse(facts, exposures, tmp_path):
    made = product_headers(dataclasses.replace(facts, kind="single", exposures=exposures[:1]))
    image = np.random.default_rng(2).normal(size=(30, 40)).astype(np.float32)
    shape, window = (3000, 2000), Window(100, 130, 1960, 2000)
    sci, wht = intermediate.write_single(tmp_path, "jx01", image, abs(image), made, window, shape)
    assert (sci.name, wht.name) == ("jx01_single_sci.fits", "jx01_single_wht.fits")
    with fits.open(sci) as hdus:
        hdus.verify("exception")
        assert hdus[0].data.shape == shape
        np.testing.assert_array_equal(hdus[0].data[window.slices], image)
        assert np.count_nonzero(hdus[0].data) == np.count_nonzero(image)
    assert sci.stat().st_size % 2880 == 0
    assert sci.stat().st_blocks * 512 < sci.stat().st_size / 2


def test_files_of_single_steps_have_their_names_and_types(facts, exposures, tmp_path):
    exposure, chip = exposures[0], exposures[0].chips[1]
    mask = np.ones((12, 10), bool)
    mask[3, 4] = False
    made = product_headers(dataclasses.replace(facts, kind="single", exposures=exposures[:1]))
    paths = [
        intermediate.write_mask(tmp_path, "jx01", 2, mask * 400.0, "final"),
        intermediate.write_crmask(tmp_path, "jx01", 2, mask),
        intermediate.write_static_mask(tmp_path, "_12x10_2", mask),
        intermediate.write_sky_mask(tmp_path, "jx01", 2, mask),
        intermediate.write_median(tmp_path, "ref", mask * 1.0, made),
        intermediate.write_blot(tmp_path, exposure, chip, mask * 2.0, 31.5),
    ]
    assert [p.name for p in paths] == [
        "jx01_sci2_final_mask.fits",
        "jx01_sci2_crmask.fits",
        "_12x10_2_staticMask.fits",
        "jx01_skymatch_mask_sci2.fits",
        "ref_med.fits",
        "jx01_sci2_blt.fits",
    ]
    assert [fits.getheader(p)["BITPIX"] for p in paths] == [-32, 8, 16, 8, -32, -32]
    for path in paths:
        assert (fits.getdata(path) == 0)[3, 4]
    header = fits.getheader(paths[-1])
    assert (header["BUNIT"], header["EXPTIME"], header["MDRIZSKY"], header["NDRIZIM"]) == (
        "ELECTRONS",
        400.0,
        31.5,
        1,
    )


def test_the_clean_exposure_has_flags_in_the_extension_of_each_chip(exposures, tmp_path):
    exposure = exposures[0]
    clean = {c.extver: np.full((12, 10), float(c.extver), np.float32) for c in exposure.chips}
    masks = {1: np.ones((12, 10), np.uint8), 2: np.ones((12, 10), np.uint8)}
    masks[1][2, 3] = masks[2][5, 6] = 0
    before = exposure.path.read_bytes()
    path = intermediate.write_crclean(tmp_path, exposure, clean, masks, 4096)
    with fits.open(path) as hdus:
        for ver, place in ((1, (2, 3)), (2, (5, 6))):
            np.testing.assert_array_equal(hdus["SCI", ver].data, clean[ver])
            assert hdus["DQ", ver].data[place] == 4096
            assert np.count_nonzero(hdus["DQ", ver].data) == 1
    assert exposure.path.read_bytes() == before


@pytest.mark.parametrize("name", ["acs", "wfc3", "wfpc2", "stis", "nicmos", "hst"])
def test_packaged_rules_are_complete(name):
    rules = packaged_rules(name)
    assert rules is not None
    assert [c for _, c in rules.columns[:3]] == ["ROOTNAME", "EXTNAME", "EXTVER"]
    expected = {"acs": 293, "hst": 293, "wfc3": 276, "stis": 275, "nicmos": 275, "wfpc2": 274}
    assert len(rules.columns) == expected[name]
    functions = {out: f for _, out, f in rules.functions}
    assert (functions["EXPSTART"], functions["EXPEND"], functions["TEXPTIME"]) == ("min", "max", "sum")


def test_rules_grammar():
    rules = parse_rules(
        "!VERSION = 1.1\n!INSTRUMENT = Mine\n# a comment\n\n  ignored\nKEY1\nKEY2 NAME2  # why\nKEY3 NEW3 "
        "sum\nF* x multi\n"
        "KEY4 KEY4 nofunction\n/ TARGET INFORMATION\n<delete> KEY5\n<delete> / POINTING\nKEY1\n",
        "my.rules",
    )
    assert (rules.version, rules.instrument) == (1.1, "MINE")
    assert rules.columns == (
        ("KEY1", "KEY1"),
        ("KEY2", "NAME2"),
        ("KEY4", "KEY4"),
        ("/TARGET INFORMATION",) * 2,
    )
    assert rules.functions == (("KEY3", "NEW3", "sum"), ("F*", "F*", "multi"))
    assert rules.deleted == ("KEY5", "/POINTING")


@pytest.mark.parametrize("line", ["A B sum more", "<delete>", "!VERSION = x"])
def test_a_wrong_rule_is_named(line):
    with pytest.raises(InputError, match=r"Line 2 of the rules 'my.rules'"):
        parse_rules(f"# one\n{line}\n", "my.rules")


def test_blending_applies_functions_deletes_columns_and_keeps_the_rest():
    text = "COL\nA A mean\nB B multi\nC NEW first\n<delete> GONE\nX* X* max\n"
    headers = [
        fits.Header({"COL": 1, "A": 1.0, "B": "x", "C": k, "GONE": 1, "KEEP": k, "XA": k, "XB": -k})
        for k in (1, 3)
    ]
    headers[1]["A"], headers[1]["B"] = 2.0, "y"
    out = blend(parse_rules(text, "r"), headers)
    assert dict(out) == {"A": 1.5, "B": "MULTIPLE", "C": 1, "KEEP": 1, "XA": 3, "XB": -1, "NEW": 1}
    assert headers[0]["GONE"] == 1


def test_sections_become_columns():
    header = fits.Header()
    for card in [("", "/ TARGET INFORMATION"), ("TARGNAME", "M 1"), ("RA", 1.0), ("", "/ OTHER"), ("Z", 1)]:
        header.append(card, end=True)
    table = keyword_table(
        parse_rules("/ TARGET INFORMATION\n", "r"), [{"TARGNAME": "M 1", "RA": 1.0}], [header]
    )
    assert table == {"TARGNAME": ["M 1"], "RA": [1.0]}


@pytest.mark.parametrize(
    ("function", "result"),
    [
        ("first", 3),
        ("last", 8),
        ("min", 1),
        ("max", 8),
        ("sum", 12),
        ("mean", 4.0),
        ("multi", "MULTIPLE"),
        ("multi?", "?"),
        ("float_one", 1.0),
        ("int_one", 1),
        ("zero", 0),
    ],
)
def test_functions(function, result):
    assert FUNCTIONS[function]([3, 1, 8]) == result


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8))
@settings(max_examples=50)
def test_statistics_agree_with_numpy(values):
    assert FUNCTIONS["mean"](values) == pytest.approx(np.mean(values), rel=1e-9, abs=1e-6)
    assert FUNCTIONS["stddev"](values) == pytest.approx(np.std(values), rel=1e-9, abs=1e-6)


def chosen(*args, **keys):
    rules = choose_rules(*args, **keys)
    assert rules is not None
    return rules


def test_rules_are_chosen_by_file_folder_instrument_and_telescope(tmp_path):
    assert chosen("", ["acs"]).name == "acs.rules"
    assert chosen(None, ["mycam"], "HST").name == "hst.rules"
    assert choose_rules("", ["mycam"], "MINE") is None
    (tmp_path / "b.rules").write_text("!VERSION = 1.0\n!INSTRUMENT = ACS\nA\n")
    (tmp_path / "a.rules").write_text("!VERSION = 2.0\n!INSTRUMENT = ACS\nB\n")
    assert chosen("", ["acs"], folder=tmp_path).name == "b.rules"
    assert chosen(tmp_path / "a.rules", ["acs"]).columns == (("B", "B"),)
    with pytest.raises(MissingInputError, match=r"gone.rules"):
        chosen("gone.rules", ["acs"])


@pytest.mark.parametrize("name", ["", "mine.rules"])
def test_rules_that_cannot_be_read_are_told_before_the_work(name, make_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.rules").write_text("A B C D\n")
    path = make_file("jx01_flt.fits", chips=1)
    with pytest.raises(InputError, match=r"Line 1 of the rules 'mine.rules'"):
        drizframe.run(str(path), tmp_path / "out", rules_file=name)
    assert not list(tmp_path.glob("out*"))
    with pytest.raises(MissingInputError, match=r"gone.rules"):
        drizframe.run(str(path), rules_file="gone.rules")


def test_mixed_instruments_join_their_rules():
    rules = chosen("", ["acs", "wfc3"])
    assert {c for _, c in rules.columns} >= {"ACQNAME", "SAMP_SEQ"}
    assert len(rules.columns) == len(set(rules.columns))


def test_without_rules_what_all_share_is_kept():
    headers = [fits.Header({"A": 1, "B": k, "C": "x"}) for k in (1, 2)]
    assert dict(blend(None, headers)) == {"A": 1, "C": "x"}
    rows = [{"A": 1, "B": k, "EXTVER": k, "ROOTNAME": "r"} for k in (1, 2)]
    assert keyword_table(None, rows) == {"ROOTNAME": ["r", "r"], "EXTVER": [1, 2], "B": [1, 2]}
    assert isinstance(packaged_rules("acs"), Rules)


def test_missing_values_keep_the_type_of_a_column(tmp_path):
    hdu = header_table(
        {
            "I": [1, None],
            "F": [1.5, None],
            "S": ["abc", None],
            "L": [True, False],
            "M": [True, None],
            "N": [None, None],
        }
    )
    hdu.writeto(tmp_path / "t.fits")
    with fits.open(tmp_path / "t.fits") as hdus:
        table, columns = hdus[1].data, hdus[1].columns
        assert [columns[c].format for c in "IFSLMN"] == ["K", "D", "3A", "L", "1A", "D"]
        assert columns["I"].null == NULL
        assert table["I"][0] == 1
        assert list(table["S"]) == ["abc", ""]
        assert list(table["M"]) == ["T", ""]
        assert np.isnan(table["F"][1])
