"""Cards, keywords of grids, world coordinates and checksums of products."""

from __future__ import annotations

import dataclasses
import re
import warnings
from pathlib import Path

import numpy as np
import product_layouts as layouts
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

import drizframe
from drizframe.model import Frame, Window
from drizframe.stock.io.checksum_cards import data_sum, put_checksums
from drizframe.stock.io.images import write_part
from drizframe.stock.io.sound_cards import sound_header
from drizframe.stock.products.grid_keywords import describes_array, drop_grid, is_alternate, put_pixel_sizes
from drizframe.stock.products.headers import product_headers
from drizframe.stock.products.tables import header_table
from drizframe.stock.products.wcs_keywords import put_frame


def header_of(*cards: str) -> fits.Header:
    return fits.Header.fromstring("".join(c.ljust(80) for c in (*cards, "END")))


@pytest.mark.parametrize(
    ("card", "name"),
    [
        ("BADCARD = 12:34:56.7 / no quotes", "BADCARD"),
        ("WEIRD   =                  NaN", "WEIRD"),
        ("INFINITE= Infinity", "INFINITE"),
        ("LARGE   = 1E400", "LARGE"),
        ("BADSTR  = 'never ends", "BADSTR"),
        ("NUMS    = 1 2 3", "NUMS"),
        ("KEY%1   = 1", "KEY%1"),
        ("GARBAGE THIS IS NO CARD", "GARBAGE"),
        ("NOSPACE =1", "NOSPACE"),
        ("TABS    = 1 / a\tb", "TABS"),
        ("HIERARCH ESO TIME = 12:34:56", "ESO TIME"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_a_card_that_no_product_can_hold_is_left_out_by_name(card, name):
    header = header_of("BEFORE  =                    1", card, "AFTER   =                    2")
    found, notes = sound_header(header)
    assert dict(found) == {"BEFORE": 1, "AFTER": 2}
    assert len(notes) == 1
    assert name in notes[0]


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        (["lower   =                    1"], {"LOWER": 1}),
        (["HIERARCH ESO TEL AIRM START = 1.1 / x"], {"ESO TEL AIRM START": 1.1}),
        (["LONG    = 'abc&'", "CONTINUE  'def'"], {"LONG": "abcdef"}),
        (["CPLX    =           (1.0, 2.0)"], {"CPLX": 1 + 2j}),
        (["TWO     = 'it''s'"], {"TWO": "it's"}),
        (["FLT     = 1.0D-05"], {"FLT": 1e-5}),
        (["BIG     = 123456789012345678901234567890"], {"BIG": 123456789012345678901234567890}),
        (["DP1     = 'EXTVER: 1.0'", "DP1     = 'NAXES: 2.0'"], {"DP1.EXTVER": 1.0, "DP1.NAXES": 2.0}),
        (["TWICE   =                    1", "TWICE   =                    1"], {"TWICE": 1}),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_strange_cards_that_are_valid_are_kept(cards, expected, tmp_path):
    header = header_of(*cards)
    before = header.tostring()
    found, notes = sound_header(header)
    assert notes == ()
    assert dict(found) == expected
    found[next(iter(expected))] = 7
    assert header.tostring() == before
    fits.PrimaryHDU(header=sound_header(header)[0]).writeto(tmp_path / "x.fits", output_verify="exception")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(tmp_path / "x.fits") as hdus:
            hdus.verify("exception")
            assert {k: hdus[0].header[k] for k in expected} == expected


def test_a_keyword_with_two_values_is_told():
    found, notes = sound_header(header_of("TWICE   =  1", "TWICE   =  2"))
    assert dict(found) == {"TWICE": 1}
    assert "'TWICE' is there with 1 and with 2" in notes[0]


def test_undefined_values_and_comments_stay():
    header = header_of("EMPTY   =", "COMMENT a", "HISTORY b", "COMMENT c")
    found, notes = sound_header(header)
    assert notes == ()
    assert [c.keyword for c in found.cards] == ["EMPTY", "COMMENT", "HISTORY", "COMMENT"]


STRANGE = (
    "BADCARD = 12:34:56.7", "lower   =                    1", "GARBAGE THIS IS NO CARD", "WEIRD   =                  NaN",
    "TWICE   = 'r'", "TWICE   = 'g'", "CPLX    =           (1.0, 2.0)", "NOVALUE =", "KEY%1   = 1", "  INDENT= 1",
    "HIERARCH ESO TEL AIRM START = 1.1 / x", "HIERARCH ESO a keyword of very many words indeed and so on = 1",
    "LONG    = 'abc&'", "CONTINUE  'def'", "BADSTR  = 'abc", "BIG     = 123456789012345678901234567890",
    "INF     = Infinity", "NOSPACE =1", "TWO     = 'it''s'", "key lower = 3", "EXP     = 1E400", "TABCOM  = 1 / a\tb",
    "TFIELDS =                    3", "TTYPE1  = 'x'", "PTYPE1  = 'a'", "WAT0_001= 'system=image'", "-DASH   = 2",
    "DATE    = 'never'", "EQUINOX = '2000.0'", "OBSERVER= 'Andr\xe9'", "COMMENT \xe9t\xe9", "EMPTYST = ''", "QUOTE   = ''''",
    "_UNDER  = 1",
)  # fmt: skip


def put_cards(path, extension, cards) -> None:
    """Write cards into a header as they are."""
    with fits.open(path) as hdus:
        start = hdus[extension].fileinfo()["hdrLoc"]
    raw = path.read_bytes()
    end = raw.find(b"END" + b" " * 77, start)
    header = raw[start:end] + b"".join(c.encode("latin-1").ljust(80) for c in (*cards, "END"))
    after = start + -(-(end + 80 - start) // 2880) * 2880
    path.write_bytes(raw[:start] + header + b" " * (-len(header) % 2880) + raw[after:])


@pytest.mark.parametrize("layout", ["primary", "ACS, two chips"])
@pytest.mark.filterwarnings("ignore")
def test_strange_cards_of_every_kind_neither_stop_a_run_nor_spoil_its_products(layout, tmp_path):
    paths = [Path(p) for p in layouts.LAYOUTS[layout](tmp_path)]
    for extension in (0,) if layout == "primary" else (0, 1, 2, 3, 4):
        for path in paths[:2]:
            put_cards(path, extension, STRANGE)
    for build in (False, True):
        result = drizframe.run(
            [str(p) for p in paths],
            tmp_path / f"out{build}",
            build=build,
            keep="all",
            driz_cr_corr=True,
            verify_inputs="no",
            overwrite_products=True,
        )
        for keyword in ("BADCARD", "WEIRD", "KEY%1", "TWICE"):
            assert any(keyword in w and paths[0].name in w for w in result.warnings)
        for path in result.products:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with fits.open(path, checksum=True) as hdus:
                    for hdu in hdus:
                        hdu.data  # noqa: B018
                        hdu.verify("exception")
        mosaic = next(
            p for p in result.products if p.name in (f"out{build}_drz.fits", f"out{build}_drz_sci.fits")
        )
        kept = fits.getheader(mosaic)
        assert layout == "primary" or (kept["ESO TEL AIRM START"], kept["LOWER"], kept["TWO"]) == (
            1.1,
            1,
            "it's",
        )


def test_one_warning_tells_of_a_card_that_many_headers_have(facts):
    many = [
        dataclasses.replace(e, name=f"e{k}", path=Path(f"e{k}.fits"), primary=header_of("INFINITE= 1E400"))
        for k, e in enumerate(facts.exposures * 3)
    ]
    notes = product_headers(dataclasses.replace(facts, exposures=many)).notes
    assert [n.split(": the card ")[0] for n in notes if "INFINITE" in n] == [
        "e0.fits[0], e1.fits[0], e2.fits[0] and 3 more"
    ]


def test_a_table_holds_whatever_headers_hold(tmp_path):
    columns = {"BIG": [2**70, 1], "-DASH": [1, 2], "CPLX": [1 + 2j, None], "HUGE": [10**400, 1.5]}
    columns |= {f"K{k}": [k, k] for k in range(1100)}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        header_table(columns).writeto(tmp_path / "t.fits", output_verify="exception")
        with fits.open(tmp_path / "t.fits") as hdus:
            table = hdus[1].data
            assert list(table["BIG"]) == [str(2**70), "1"]
            assert list(table["_DASH"]) == [1, 2]
            assert len(hdus[1].columns) == 999


DESCRIBING = [
    "NAXIS1",
    "BITPIX",
    "BSCALE",
    "BLANK",
    "CHECKSUM",
    "DATASUM",
    "ZIMAGE",
    "ZCMPTYPE",
    "CRPIX1",
    "CRVAL2",
    "CTYPE3",
    "CD1_2",
    "PC2_1A",
    "CDELT1",
    "CROTA2",
    "PV2_11",
    "PS1_0",
    "CUNIT1B",
    "CRDER1",
    "CSYER2C",
    "LONPOLE",
    "LATPOLE",
    "RADESYS",
    "RADECSYS",
    "EQUINOX",
    "EPOCH",
    "WCSAXES",
    "WCSNAMEA",
    "WAT1_001",
    "WCSDIM",
    "A_ORDER",
    "B_2_0",
    "AP_1_1",
    "BP_ORDER",
    "A_DMAX",
    "D2IMDIS1",
    "D2IM1.EXTVER",
    "CPDIS1",
    "CPERR2",
    "DP1.NAXES",
    "NPOLEXT",
    "DQ1.TPD.FWD.1",
    "IDCSCALE",
    "OCX10",
    "TDDALPHA",
    "SCD1_1",
    "AMDX1",
    "PPO3",
    "CNPIX1",
    "LTV1",
    "LTM1_2",
    "ATM1_1",
    "DTV2",
    "CCDSEC",
    "CCDSECA",
    "DATASEC1",
    "DETSEC",
    "TRIMSEC",
    "BIASSECB",
    "AMPSEC",
    "BSEC",
    "S_REGION",
    "CORN1RA",
    "RA_CENT",
    "RAC1",
    "COR1RA1",
    "COR4DEC1",
    "CORN3DEC",
    "DEC4",
    "RA_MIN",
    "RACMAX",
    "TR1_1",
    "TR2_10",
    "REFPIX1",
    "XREFPIX",
    "YREF_SCI",
    "FASTAXIS",
    "MIR_REVR",
    "CHIPXOFF",
    "YORGSUBF",
    "PRD-MIN1",
    "S_EFMN11",
    "AXISCORR",
    "WCSTY1P",
    "BUNIT",
]
OTHERS = [
    "EXPTIME",
    "FILTER",
    "OBJECT",
    "IDCTAB",
    "D2IMFILE",
    "NPOLFILE",
    "TDDCORR",
    "DQICORR",
    "DPIX",
    "BIASCORR",
    "DATE-OBS",
    "MJD-OBS",
    "AIRMASS",
    "RA",
    "DEC",
    "PA_V3",
    "RA_TARG",
    "SORIENTA",
    "PHOTFLAM",
    "CCDCHIP",
    "CCDGAIN",
    "CTEDIR",
    "A_B",
    "SEC",
    "SECTION",
    "PCTECORR",
    "CDELAY",
    "PVALUE",
    "TELESCOP",
    "NCOMBINE",
    "RA_V1",
    "PA_APER",
    "RA_APER",
    "RA_REF",
    "ROLL_REF",
    "BINAXIS1",
    "SIZAXIS1",
    "CENTERA2",
    "SUBARRAY",
    "APERTURE",
    "CCDSUM",
    "RA0",
    "TRACK",
    "CORRECT",
]


@pytest.mark.parametrize("key", DESCRIBING)
def test_keywords_of_a_grid_are_known(key):
    assert describes_array(key)
    if key not in ("EQUINOX", "EPOCH", "BUNIT"):
        header = fits.Header()
        header["KEEP"] = 1
        header.append((key, "EXTVER: 1") if "." in key else (key, 1.0), end=True)
        drop_grid(header)
        assert list(header) == ["KEEP"]


@pytest.mark.parametrize("key", ["WEIRD", "EXTSEC", "HIERARCH ESO DET OUT1 WIN"])
def test_a_section_of_an_image_is_known_by_its_value(key):
    header = fits.Header({"KEEP": "[1:10] of 3", "DETSIZE": "[1:29400,1:29050]"})
    header[key] = "[51:2098, 1 : 4096]"
    header["HISTORY"] = "[1:2,3:4]"
    drop_grid(header)
    assert list(header) == ["KEEP", "DETSIZE", "HISTORY"]


@pytest.mark.parametrize("key", OTHERS)
def test_other_keywords_are_left_alone(key):
    assert not describes_array(key)


def test_alternates_are_told_from_primary_keywords():
    assert all(is_alternate(k) for k in ("CRPIX1A", "WCSNAMEO", "LONPOLEB", "EQUINOXC", "ORIENTAO"))
    assert not any(
        is_alternate(k) for k in ("CRPIX1", "WCSNAME", "RADESYS", "ORIENTAT", "LONPOLE", "EXPTIME")
    )


def grid(scale: float, **others) -> WCS:
    header = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 5.0, "CRVAL2": 1.0, "CRPIX1": 3.0, "CRPIX2": 4.0,
              "CDELT1": -scale / 3600, "CDELT2": scale / 3600}  # fmt: skip
    return WCS(fits.Header({**header, **others}))


@pytest.mark.parametrize(
    ("key", "before", "after"),
    [
        ("PIXSCALE", 0.1, 0.04),
        ("SECPIX", 0.104, 0.04),
        ("SECPIX1", -0.1, -0.04),
        ("PIXSCALE", 0.1 / 3600, 0.04 / 3600),
        ("PIXSCAL2", 100.0, 40.0),
        ("YPIXSCAL", 0.1, 0.04),
        ("HIERARCH ESO INS PIXSCALE", 0.1, 0.04),
        ("PIXAR_A2", 0.01, 0.0016),
        ("PIXAR_SR", 2e-13, np.radians(0.04 / 3600) ** 2),
        ("SCALE", 0.1, 0.04),
        ("SCALE", 17.0, 17.0),
        ("SCALE", "log", "log"),
        ("PIXSCALE", 0.55, None),
        ("SECPIX", "0.1 0.1", None),
    ],
)
def test_sides_and_areas_of_pixels_get_the_value_of_the_new_grid(key, before, after):
    header = fits.Header()
    header[key] = before
    put_pixel_sizes(header, grid(0.1), grid(0.04))
    key = key.removeprefix("HIERARCH ")
    if after is None:
        assert key not in header
    else:
        assert header[key] == (pytest.approx(after, rel=1e-9) if isinstance(after, float) else after)


@pytest.mark.parametrize(
    "cards",
    [
        {"CTYPE1": "RA---ZEA", "CTYPE2": "DEC--ZEA", "LONPOLE": 150.0},
        {"LONPOLE": 90.0},
        {"CRVAL2": 90.0, "LONPOLE": 180.0},
        {"CTYPE1": "RA---ZPN", "CTYPE2": "DEC--ZPN", "PV2_1": 1.0, "PV2_3": 40.0},
        {"CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN", "PV2_1": 0.1, "PV2_2": -0.2},
        {"CTYPE1": "RA---SZP", "CTYPE2": "DEC--SZP", "PV2_1": 2.0, "PV2_2": 180.0, "PV2_3": 60.0},
        {"CTYPE1": "RA---CAR", "CTYPE2": "DEC--CAR", "CRVAL2": 0.0, "LATPOLE": 90.0},
        {"CTYPE1": "GLON-TAN", "CTYPE2": "GLAT-TAN"},
        {"CTYPE1": "ELON-STG", "CTYPE2": "ELAT-STG"},
        {"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN"},
        {"CROTA2": 33.0},
        {
            "CUNIT1": "arcsec",
            "CUNIT2": "arcsec",
            "CRVAL1": 18000.0,
            "CRVAL2": 360.0,
            "CDELT1": -0.1,
            "CDELT2": 0.1,
        },
        {"RADESYS": "FK4", "EQUINOX": 1950.0},
        {"RADESYS": "FK5"},
        {"EQUINOX": 2000.0},
    ],
)
def test_any_frame_comes_back_from_its_keywords(cards):
    wcs = grid(0.1, **cards)
    header = fits.Header()
    put_frame(header, Frame(wcs=wcs, shape=(30, 40), scale=0.1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = WCS(fits.Header.fromstring(header.tostring()))
    pixels = np.random.default_rng(2).uniform(0, 40, (30, 2))
    away = found.all_pix2world(pixels, 0) - wcs.all_pix2world(pixels, 0)
    assert np.abs(away).max() * 36000 < 1e-9
    assert found.array_shape == (30, 40)
    assert list(found.wcs.ctype) == list(wcs.wcs.ctype)
    assert (found.wcs.radesys or "ICRS") == (wcs.wcs.radesys or ("FK5" if "EQUINOX" in cards else "ICRS"))


STATISTICS = {
    "GOODMIN": 1.0,
    "GOODMAX": 2.0,
    "GOODMEAN": 3.0,
    "SNRMIN": 4.0,
    "SNRMAX": 5.0,
    "SNRMEAN": 6.0,
    "SOFTERRS": 7,
}
LEFT = {
    "CDELT1O": 1.0,
    "CDELT2O": 1.0,
    "RESTFRQO": 0.0,
    "RESTWAVO": 0.0,
    "WCSTYPEO": "undistorted",
    "SORIENTA": 7.5,
}


@pytest.fixture
def facts(make_file, read):
    from drizframe.config.outputs import output_names
    from drizframe.stock.products.facts import ProductFacts

    others = {
        "CRPIX1O": 3.0,
        "CRVAL1O": 2.0,
        "PC1_1O": 1.0,
        "NGOODPIX": 9,
        "CHECKSUM": "x" * 16,
    }
    science = {**STATISTICS, **LEFT, **others}
    larger = {k: v + 10 for k, v in STATISTICS.items()}
    exposures = [
        *read(make_file("jx01_flt.fits", chips=1, science=science)),
        *read(make_file("jx02_flt.fits", chips=1, science={**science, **larger})),
    ]
    frame = Frame(wcs=grid(0.05), shape=(20, 16), scale=0.05)
    return ProductFacts(frame=frame, exposures=exposures, names=output_names("ref", ["a_flt.fits"]))


def test_statistics_are_blended_as_the_rules_say(facts):
    sci = product_headers(facts).sci
    found = {k: sci[k] for k in STATISTICS if k in sci}
    assert found == {
        "GOODMIN": 1.0,
        "GOODMAX": 12.0,
        "GOODMEAN": 8.0,
        "SNRMIN": 4.0,
        "SNRMAX": 15.0,
        "SNRMEAN": 11.0,
    }
    wfc3 = [dataclasses.replace(e, extra={**e.extra, "rules": "wfc3"}) for e in facts.exposures]
    sci = product_headers(dataclasses.replace(facts, exposures=wfc3)).sci
    assert {k: sci[k] for k in STATISTICS if k in sci} == {"SOFTERRS": 24}
    single = product_headers(dataclasses.replace(facts, kind="single", exposures=facts.exposures[1:])).sci
    assert {k: single[k] for k in STATISTICS} == {k: v + 10 for k, v in STATISTICS.items()}


def test_without_rules_no_statistic_of_an_input_is_taken_over(facts):
    unknown = [
        dataclasses.replace(e, family="mine", extra={}, primary=fits.Header({"EXPTIME": 1.0}))
        for e in facts.exposures[:1]
    ]
    made = product_headers(dataclasses.replace(facts, exposures=unknown))
    assert not any(k in made.sci for k in (*STATISTICS, "NGOODPIX"))


def test_what_is_left_of_an_archived_wcs(facts):
    sci = product_headers(facts).sci
    assert {k: sci[k] for k in LEFT} == LEFT
    assert not [
        k for k in sci if re.fullmatch(r"(CRPIX|CRVAL|PC|CROTA|NGOODPIX|CHECKSUM).*O?", k) and k[-1] == "O"
    ]
    assert "CHECKSUM" not in sci


@given(st.binary(min_size=0, max_size=400), st.integers(0, 99))
@settings(max_examples=40)
def test_checksums_are_those_of_astropy(data, number):
    image = np.zeros(100, dtype=">f4").view(np.uint8)
    image[: len(data)] = np.frombuffer(data, dtype=np.uint8)
    hdu = fits.PrimaryHDU(header=fits.Header({"NUMBER": number}))
    hdu.header["BITPIX"], hdu.header["NAXIS"] = -32, 1
    hdu.header.set("NAXIS1", 100, after="NAXIS")
    put_checksums(hdu.header, data_sum(image.view(">u4")))
    written = hdu.header.tostring().encode() + image.tobytes().ljust(2880, b"\0")
    found = fits.HDUList.fromstring(written, checksum=False)[0]
    assert found.verify_checksum() == 1
    assert found.verify_datasum() == 1


def test_a_sparse_file_has_valid_sums(tmp_path):
    image = np.random.default_rng(3).normal(size=(5, 7)).astype(np.float32)
    path = write_part(tmp_path / "x.fits", image, Window(2, 7, 30, 37), (40, 90), fits.Header({"A": 1}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path, checksum=True) as hdus:
            np.testing.assert_array_equal(hdus[0].data[2:7, 30:37], image)
