"""A wildcard means exposures; files that are named are taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io import fits

from drizframe.config.inputs import expand_inputs
from drizframe.config.outputs import output_names
from drizframe.config.peek import first_cards, is_product
from drizframe.errors import MissingInputError


def make(*names, **cards):
    for name in names:
        fits.PrimaryHDU(header=fits.Header(cards)).writeto(name, overwrite=True)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make("a_flt.fits", "b_flt.fits")
    return tmp_path


def names(given):
    return [p.name for p in expand_inputs(given).paths]


BY_NAME = {
    "products": [
        "final_drz.fits", "final_drc_sci.fits", "final_drz_wht.fits", "final_drz_ctx.fits", "final_drz_var.fits", "u1_drw.fits",
        "jw_i2d.fits", "FINAL_DRZ.FITS", "old_drz.fits.gz",
    ],
    "images of single steps": ["a_single_sci.fits", "a_single_wht.fits", "a_sci1_blt.fits", "a_crclean.fits"],
    "masks": [
        "a_sci1_single_mask.fits", "a_sci2_final_mask.fits", "a_sci1_crmask.fits", "_60x64_1_staticMask.fits",
        "a_skymatch_mask_sci1.fits", "a_sci1_dqmask.fits", "a_mask1.fits", "a_mask.fits",
    ],
    "weights and context images": ["a_ivm.fits", "a_wht.fits", "a.weight.fits", "a_ctx.fits"],
    "flags of a companion file": ["u1_c1f.fits", "u1_c1m.fits", "u1.c1h"],
    "files that go with exposures": ["a_spt.fits", "a_jit.fits", "a_hlet.fits"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "others"), BY_NAME.items(), ids=BY_NAME)
def test_files_of_other_kinds_are_left_out_and_listed(folder, kind, others):
    for name in others:
        if name.endswith(".gz"):
            make(name)
        else:
            make("made.fits")
            (folder / "made.fits").rename(folder / name)
    found = expand_inputs("*")
    assert [p.name for p in found.paths] == ["a_flt.fits", "b_flt.fits"]
    (note,) = found.notes
    assert f"leaves out {len(others)} files, {kind}:" in note
    assert all(name in note for name in others)


def test_named_files_are_taken(folder):
    make("final_drz_sci.fits", "a_ivm.fits")
    assert names(["final_drz_sci.fits", "a_ivm.fits"]) == ["final_drz_sci.fits", "a_ivm.fits"]
    assert names("a_ivm.fits,final_drz_sci.fits") == ["a_ivm.fits", "final_drz_sci.fits"]
    (folder / "list").write_text("final_drz_sci.fits\n*_flt.fits\n")
    assert names("@list") == ["final_drz_sci.fits", "a_flt.fits", "b_flt.fits"]


@pytest.mark.parametrize("cards", [{"NDRIZIM": 4}, {"DRIZRUN": "0123456789ab-0123456789ab"}], ids=str)
def test_a_product_of_any_name_is_known_by_its_header(folder, cards):
    make("m31_sci.fits", **{f"FILL{k}": k for k in range(60)}, **cards)
    make("m33_sci.fits")
    assert names("*.fits") == ["a_flt.fits", "b_flt.fits", "m33_sci.fits"]


def test_compressed_headers_are_read_too(folder):
    make("m31_sci.fits.gz", NDRIZIM=4)
    assert is_product(first_cards(Path("m31_sci.fits.gz")))


def test_the_better_version_of_an_exposure_is_taken(folder):
    make("a_flc.fits", "a_raw.fits", "b_raw.fits", "c_raw.fits", "d_ima.fits", "d_raw.fits")
    found = expand_inputs("*.fits")
    assert [p.name for p in found.paths] == ["a_flc.fits", "b_flt.fits", "c_raw.fits", "d_ima.fits"]
    (note,) = found.notes
    assert "a_flt.fits, a_raw.fits" in note
    assert "_flc" in note


def test_versions_in_two_folders_are_two_exposures(folder):
    (folder / "sub").mkdir()
    make("sub/a_flc.fits")
    assert names("*/*.fits, a_flt.fits") == ["a_flt.fits", "a_flc.fits"]


def stis(name, root="o4k19a010", blocks=1):
    primary = fits.PrimaryHDU(header=fits.Header({"INSTRUME": "STIS", "ROOTNAME": root}))
    fits.HDUList([primary, *(fits.ImageHDU(name="SCI", ver=k + 1) for k in range(blocks))]).writeto(name)


def test_files_of_single_exposures_are_left_out_beside_the_file_that_they_are_of(folder):
    stis("o4k19a010_flt.fits", blocks=2)
    stis("o4k19ac3q_flt.fits")
    stis("o4k19ac4q_flt.fits")
    stis("other_flt.fits", root="o9")
    found = expand_inputs("o*_flt.fits", lambda cards: cards["INSTRUME"] == "STIS")
    assert [p.name for p in found.paths] == ["o4k19a010_flt.fits", "other_flt.fits"]
    assert "single exposures of o4k19a010_flt.fits: o4k19ac3q_flt.fits, o4k19ac4q_flt.fits" in found.notes[0]


def test_files_of_single_exposures_by_themselves_are_taken(folder):
    stis("o4k19ac3q_flt.fits")
    stis("o4k19ac4q_flt.fits")
    assert names("o*_flt.fits") == ["o4k19ac3q_flt.fits", "o4k19ac4q_flt.fits"]


def test_an_association_beside_its_members_is_left_out(folder):
    columns = [
        fits.Column("MEMNAME", "14A", array=["A", "B", "P"]),
        fits.Column("MEMTYPE", "14A", array=["EXP-DTH", "EXP-DTH", "PROD-DTH"]),
        fits.Column("MEMPRSNT", "L", array=[True, True, True]),
    ]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto("p_asn.fits")
    assert names("*.fits") == ["a_flt.fits", "b_flt.fits"]
    assert names("*_asn.fits") == ["a_flt.fits", "b_flt.fits"]


def test_a_wildcard_with_nothing_but_products_says_so(folder):
    make("final_drz_sci.fits")
    with pytest.raises(
        MissingInputError, match=r"no exposure .*leaves out 1 files, products: final_drz_sci.fits"
    ):
        expand_inputs("*_sci.fits")


@pytest.mark.parametrize(
    "content", [b"", b"text", b"SIMPLE  =", b"SIMPLE  = " + b"x" * 5000, b"\x1f\x8b\x00"]
)
def test_what_is_no_fits_file_has_no_cards(tmp_path, content):
    for name in ("a.fits", "a.fits.gz", "a.fits.xz"):
        (tmp_path / name).write_bytes(content)
        assert not is_product(first_cards(tmp_path / name))
    assert first_cards(tmp_path) == {}


def test_texts_with_quotes_and_slashes_are_read_whole(tmp_path):
    make(tmp_path / "a.fits", OBJECT="o'clock / noon", NUMBER=3)
    cards = first_cards(tmp_path / "a.fits")
    assert (cards["OBJECT"], cards["NUMBER"]) == ("o'clock / noon", "3")


@pytest.mark.parametrize(
    ("output", "stem"),
    [
        ("my_drz_v2", "my_drz_v2_drz"), ("my_drz_v3", "my_drz_v3_drz"), ("foo.fits.v2", "foo.fits.v2_drz"),
        ("a_flt.fits_2", "a_flt.fits_2_drz"), ("foo_drc.fits", "foo_drc"), ("foo.fits", "foo"), ("x/foo_drz", "x/foo_drz"),
    ],
)  # fmt: skip
def test_whole_names_are_kept(output, stem):
    assert output_names(output, ["a_flt.fits"], whole=True).stem == stem


def test_the_drop_in_cuts_names_as_the_reference_does():
    assert output_names("my_drz_v2", ["a_flt.fits"]).stem == "my_drz"
