"""From what a user types to files and names."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io import fits

from drizframe.config.inputs import expand_inputs, root_name
from drizframe.config.outputs import output_names
from drizframe.errors import InputError, MissingInputError, ParameterError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("b_flt.fits", "a_flt.fits", "c_flt.fits", "w1.fits", "w2.fits"):
        (tmp_path / name).touch()
    return tmp_path


def names(expanded):
    return [p.name for p in expanded.paths]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a_flt.fits", ["a_flt.fits"]),
        ("?_flt.fits", ["a_flt.fits", "b_flt.fits", "c_flt.fits"]),
        ("c_flt.fits, a_flt.fits", ["a_flt.fits", "c_flt.fits"]),
        (["c_flt.fits", "a_flt.fits"], ["c_flt.fits", "a_flt.fits"]),
        (["c_flt.fits", "[ab]_flt.fits"], ["c_flt.fits", "a_flt.fits", "b_flt.fits"]),
        (Path("b_flt.fits"), ["b_flt.fits"]),
        ((Path("b_flt.fits"), "a_flt.fits"), ["b_flt.fits", "a_flt.fits"]),
    ],
)
def test_texts_are_sorted_and_lists_keep_their_order(folder, given, expected):
    assert names(expand_inputs(given)) == expected


def test_a_variable_stands_for_a_folder(folder, monkeypatch):
    monkeypatch.setenv("mydata", str(folder))
    assert names(expand_inputs("mydata$a_flt.fits")) == ["a_flt.fits"]
    assert names(expand_inputs("$mydata/b_flt.fits")) == ["b_flt.fits"]


def test_a_list_file_may_have_comments_blank_lines_and_a_second_column(folder):
    Path("list.txt").write_text(
        "# exposures\n\nc_flt.fits w2.fits\n  a_flt.fits   # no map\nb_flt.fits w1.fits\n"
    )
    expanded = expand_inputs("@list.txt")
    assert names(expanded) == ["c_flt.fits", "a_flt.fits", "b_flt.fits"]
    assert [m and m.name for m in expanded.ivm] == ["w2.fits", None, "w1.fits"]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("a_flt.fits w1.fits w2.fits\n", InputError, "Line 1 .* 3 words"),
        ("\na_flt.fits gone.fits\n", MissingInputError, "Line 2 .*gone.fits"),
        ("?_flt.fits w1.fits\n", InputError, "3 exposures but 1"),
    ],
)
def test_a_wrong_line_is_named(folder, text, error, message):
    Path("list.txt").write_text(text)
    with pytest.raises(error, match=message):
        expand_inputs("@list.txt")


def test_each_name_without_file_is_noted(folder):
    expanded = expand_inputs(["a_flt.fits", "gone_flt.fits", "x*.fits"])
    assert names(expanded) == ["a_flt.fits"]
    assert "gone_flt.fits" in expanded.notes[0]
    assert "x*.fits" in expanded.notes[1]


@pytest.mark.parametrize("given", ["gone.fits", ["x*.fits"], [], "@gone.txt"])
def test_nothing_at_all_is_an_error(folder, given):
    with pytest.raises(MissingInputError):
        expand_inputs(given)


@pytest.mark.parametrize("given", [None, 5, [1, 2]])
def test_what_is_no_name_is_refused(folder, given):
    with pytest.raises(ParameterError, match=r"give file names"):
        expand_inputs(given)


def test_duplicates_are_kept_with_a_note(folder):
    expanded = expand_inputs(["a_flt.fits", "a_flt.fits"])
    assert names(expanded) == ["a_flt.fits", "a_flt.fits"]
    assert "2 times" in expanded.notes[0]


def write_table(path, rows, **header):
    columns = [
        fits.Column("MEMNAME", "14A", array=[r[0] for r in rows]),
        fits.Column("MEMTYPE", "14A", array=[r[1] for r in rows]),
        fits.Column("MEMPRSNT", "L", array=[r[2] for r in rows]),
    ]
    fits.HDUList(
        [fits.PrimaryHDU(header=fits.Header(header)), fits.BinTableHDU.from_columns(columns)]
    ).writeto(path)


ROWS = [
    ("B", "EXP-DTH", True),
    ("A", "EXP-DTH", True),
    ("C", "EXP-DTH", False),
    ("PRODUCT1", "PROD-DTH", True),
]


def test_an_association_gives_its_present_members_and_its_product(folder):
    write_table("x_asn.fits", ROWS)
    expanded = expand_inputs("x_asn.fits")
    assert names(expanded) == ["b_flt.fits", "a_flt.fits"]
    assert expanded.output_root == "product1"


def test_an_association_among_other_files_is_added_at_the_end(folder):
    write_table("x_asn.fits", ROWS)
    assert names(expand_inputs(["x_asn.fits", "c_flt.fits"])) == ["c_flt.fits", "b_flt.fits", "a_flt.fits"]


def test_a_folder_name_with_asn_is_no_association(folder):
    (folder / "my_asn_data").mkdir()
    (folder / "my_asn_data" / "d_flt.fits").touch()
    assert names(expand_inputs("my_asn_data/d_flt.fits")) == ["d_flt.fits"]


def test_missing_members_are_named(folder):
    write_table("x_asn.fits", [*ROWS, ("GONE1", "EXP-DTH", True), ("GONE2", "EXP-DTH", True)])
    with pytest.raises(MissingInputError, match=r"gone1, gone2"):
        expand_inputs("x_asn.fits")


def test_members_in_two_versions_are_ambiguous_unless_the_table_says_otherwise(folder):
    (folder / "a_flc.fits").touch()
    write_table("x_asn.fits", ROWS)
    with pytest.raises(InputError, match=r"a_flt.fits and a_flc.fits"):
        expand_inputs("x_asn.fits")
    write_table("y_asn.fits", ROWS, DUPCHECK="COMPLETE")
    assert names(expand_inputs("y_asn.fits")) == ["b_flt.fits", "a_flt.fits"]


def test_suffixes_of_members_are_tried_in_order(folder):
    for name in ("m_raw.fits", "m_flc.fits", "m_cal.fits"):
        (folder / name).touch()
    write_table("x_asn.fits", [("M", "EXP-DTH", True)])
    assert names(expand_inputs("x_asn.fits")) == ["m_flc.fits"]


def test_a_table_without_the_columns_is_refused(folder):
    table = fits.BinTableHDU.from_columns([fits.Column("A", "J", array=[1])])
    fits.HDUList([fits.PrimaryHDU(), table]).writeto("z_asn.fits")
    with pytest.raises(InputError, match=r"MEMNAME"):
        expand_inputs("z_asn.fits")


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("j8bt06nyq_flt.fits", "j8bt06nyq"),
        ("x/u1_c0m.fits", "x/u1_c0m"),
        ("u1_c0f.fits", "u1"),
        ("plain", "plain"),
        ("a_flc.fits.xz", "a"),
    ],
)
def test_root_names(name, root):
    assert root_name(name) == root


@pytest.mark.parametrize(
    ("output", "first", "tag", "stem", "root"),
    [
        ("foo", "a_flt.fits", "", "foo_drz", "foo"),
        ("foo_drz", "a_flt.fits", "", "foo_drz", "foo"),
        ("foo_drz.fits", "a_flt.fits", "", "foo_drz", "foo"),
        ("foo.fits", "a_flt.fits", "", "foo", "foo"),
        ("foo_drc", "a_flt.fits", "", "foo_drc", "foo"),
        ("foo", "a_flc.fits", "", "foo_drc", "foo"),
        ("x/y", "a_flt.fits", "", "x/y_drz", "x/y"),
        ("my_drz_runs/y", "a_flt.fits", "", "my_drz_runs/y_drz", "my_drz_runs/y"),
        ("u1", "u1_c0m.fits", "_drw", "u1_drw", "u1_drw"),
        ("", "a_flt.fits", "", "a_drz", "a"),
    ],
)
def test_output_names(output, first, tag, stem, root):
    made = output_names(output, [first], tag)
    assert (made.stem, made.root) == (stem, root)


def test_the_tag_of_wfpc2_is_a_part_of_the_root_for_the_reference_only():
    made = output_names("u1", ["u1_c0m.fits"], "_drw", whole=True)
    assert (made.stem, made.root) == ("u1_drw", "u1")


def test_output_of_several_files_and_of_a_table():
    assert output_names(None, ["a_flt.fits", "b_flt.fits"]).stem == "final_drz"
    assert output_names("", ["a_flt.fits", "b_flt.fits"], "", "product1").stem == "product1_drz"
    assert output_names("mine", ["a_flt.fits"], "", "product1").stem == "mine_drz"


@pytest.mark.parametrize(
    "lines", [{"a": "@a"}, {"a": "@b", "b": "x.fits\n@a"}, {"a": "@b", "b": "@c", "c": "@b"}]
)
def test_a_list_that_names_itself_is_refused(tmp_path, monkeypatch, lines):
    monkeypatch.chdir(tmp_path)
    for name, text in lines.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=r"The list '[ab]' names itself"):
        expand_inputs("@a")


def test_lists_that_name_lists_many_times_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, further in (("a", "@b\n"), ("b", "@c\n"), ("c", "x.fits\n")):
        (tmp_path / name).write_text(further * 100)
    with pytest.raises(InputError, match="more than 100000 lines"):
        expand_inputs("@a")


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b.fits"])
def test_a_name_that_no_system_takes_is_a_name_without_a_file(tmp_path, name):
    (tmp_path / "a.fits").touch()
    assert "matches no file" in expand_inputs([str(tmp_path / "a.fits"), name]).notes[0]
