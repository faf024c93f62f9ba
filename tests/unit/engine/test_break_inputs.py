"""Wrong arrays, names and values: a clear error or the right result, never a silently wrong one."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

import drizframe
from drizframe import Exposure, astrodrizzle
from drizframe.config import good_mask
from drizframe.errors import (
    ArrayTypeError,
    DrizframeWarning,
    InputError,
    MissingInputError,
    OutputError,
    ParameterError,
    WCSError,
)
from drizframe.simulate import acs_wfc, dither, random_scene, simulate
from drizframe.stock.io.journal import JOURNAL

pytestmark = pytest.mark.filterwarnings("ignore::drizframe.errors.DrizframeWarning")


def plane(crval=(150.0, 2.0), cd=((-1e-5, 0.0), (0.0, 1e-5))):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix, wcs.wcs.cd = crval, (10.0, 10.0), np.array(cd)
    return wcs


def image(seed=0):
    return np.random.default_rng(seed).normal(10.0, 1.0, (20, 20)).astype(np.float32)


def stack(**more):
    return [
        Exposure.from_arrays(image(k), plane(), name=f"e{k}", exptime=50.0, readnoise=1.0, **more)
        for k in range(3)
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    scene = random_scene(5, stars=30, galaxies=1)
    simulate(acs_wfc(), scene, dither(3, exptime=300, seed=5), seed=5, cosmic_rays=20, shape=(50, 60)).write(
        folder
    )
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    for path in made.glob("*_flt.fits"):
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.glob("*_flt.fits")}


@pytest.mark.parametrize("masked", ["data", "dq"])
def test_pixels_under_the_mask_of_a_masked_array_do_not_count(masked):
    data, flags = image(), np.zeros((20, 20), np.int16)
    data[5, 6] = 1e9
    hidden = data > 1e8
    if masked == "data":
        exposure = Exposure.from_arrays(np.ma.array(data, mask=hidden), plane(), dq=flags)
    else:
        exposure = Exposure.from_arrays(data, plane(), dq=np.ma.array(flags, mask=hidden))
    result = drizframe.run(exposure)
    assert np.nanmax(result.sci) < 100
    assert data[5, 6] == np.float32(1e9)


@pytest.mark.parametrize("kind", ["c8", "O", "U3", "M8[s]"])
def test_images_that_are_not_real_numbers_are_refused(kind):
    with pytest.raises(ArrayTypeError, match="real numbers"):
        Exposure.from_arrays(np.ones((4, 4)).astype("i8").astype(kind), plane())


@pytest.mark.parametrize("what", ["data", "err"])
def test_truth_values_are_no_image(what):
    given = {"data": image(), "err": image()} | {what: image() > 10}
    with pytest.raises(ArrayTypeError, match=rf"{what} of chip 1 holds numbers of type bool"):
        Exposure.from_arrays(given["data"], plane(), err=given["err"], unit="electrons")


def test_flat_fielded_counts_without_a_unit_are_known_by_their_scatter():
    rng = np.random.default_rng(8)
    counts = rng.poisson(400.0, (60, 60)) / rng.normal(1.0, 0.01, (60, 60))
    with pytest.raises(InputError, match=r"scatters by the root of its level, as counts do, but no unit"):
        Exposure.from_arrays(counts, plane(), exptime=100.0)
    for allowed in ({"exptime": 1.0}, {"exptime": 100.0, "unit": "electrons"}):
        Exposure.from_arrays(counts, plane(), **allowed)


@pytest.mark.parametrize("seconds", [20.0, 1000.0])
@pytest.mark.parametrize("rate", [0.01, 1.0, 40.0, 1000.0])
def test_rates_do_not_scatter_like_counts(seconds, rate):
    rng = np.random.default_rng(9)
    rates = (rng.poisson(rate * seconds, (60, 60)) + rng.normal(0, 5, (60, 60))) / seconds
    assert Exposure.from_arrays(rates, plane(), exptime=seconds).chips[0].bunit == "ELECTRONS/S"


def test_errors_of_components_name_the_exposure_and_chip(folder):
    with fits.open(min(folder.glob("*_flt.fits")), mode="update") as hdus:
        for version in (1, 2):
            hdus["SCI", version].header.remove("MEANDARK")
    with pytest.raises(
        InputError, match=r"jsim01aaq_flt.fits\[SCI,\d\]: Chip \d: an inverse-variance weight needs the dark"
    ):
        drizframe.run("*_flt.fits", final_wht_type="IVM")


def test_flags_must_be_whole_numbers():
    with pytest.raises(ArrayTypeError, match="whole numbers"):
        Exposure.from_arrays(image(), plane(), dq=np.zeros((20, 20)))


def test_flags_above_32_bit_count():
    assert good_mask(np.array([0, 2**40, 4]), 4).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("exptime", np.inf), ("exptime", "10"), ("exptime", None), ("gain", 0), ("gain", np.nan), ("gain", "a"),
        ("readnoise", -3), ("readnoise", np.nan), ("dark", -1), ("start", None), ("pixel_scale", "x"),
        ("name", None), ("name", ""), ("name", "a/b"),
    ],
)  # fmt: skip
def test_facts_that_cannot_be_are_refused(name, value):
    with pytest.raises(InputError, match=name):
        Exposure.from_arrays(image(), plane(), **{name: value})


def test_no_image_is_refused():
    with pytest.raises(InputError, match="no image"):
        Exposure.from_arrays([], [])


@pytest.mark.parametrize(
    "wcs",
    ["text", fits.Header(), plane(crval=(np.nan, 2.0)), plane(cd=((0, 0), (0, 0)))],
    ids=["text", "header", "nan", "singular"],
)
def test_a_wcs_that_cannot_be_used_is_refused(wcs):
    with pytest.raises(WCSError):
        Exposure.from_arrays(image(), wcs)


@pytest.mark.parametrize("given", [None, 3, "", "  ", [""], b"x.fits", {"a": 1}])
def test_what_names_no_input_is_refused(given):
    with pytest.raises((ParameterError, MissingInputError), match="input"):
        drizframe.run(given)


def test_inputs_may_come_one_by_one(folder):
    names = sorted(p.name for p in folder.glob("*_flt.fits"))
    expected = drizframe.run(names).sci
    for given in ((Path(n) for n in names), np.array(names), set(names)):
        assert np.array_equal(drizframe.run(given).sci, expected, equal_nan=True)


def test_overrides_that_cannot_act_on_arrays_are_named():
    result = drizframe.run(stack(), group="sci,9", gain=2.0)
    assert any("gain, group" in w and "from_arrays" in w for w in result.warnings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"gain": 0}, {"rdnoise": -1}, {"exptime": np.inf}, {"crbit": 65536}, {"keep": 5}, {"layers": 5},
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        drizframe.run(stack(), **wrong)


def test_a_mosaic_without_any_weight_is_warned_of():
    far = drizframe.run(stack(), final_crpix1=1e9, final_crpix2=1.0)
    useless = drizframe.run(stack(err=np.full((20, 20), np.nan)), final_wht_type="ERR")
    for result in (far, useless):
        assert any("No pixel of the mosaic has a weight" in w for w in result.warnings)
    assert not any("No pixel of the mosaic" in w for w in drizframe.run(stack()).warnings)
    assert any("final_fillval='nan' leaves them out" in w for w in useless.warnings)
    assert np.isfinite(useless.sci).any()  # as documented: what they would be if they had a weight


def test_nothing_is_left_in_a_mosaic_without_any_weight_if_that_is_asked_for():
    empty = drizframe.run(stack(err=np.full((20, 20), -1.0)), final_wht_type="ERR", final_fillval="nan")
    assert not empty.wht.any()
    assert np.isnan(empty.sci).all()


@pytest.mark.parametrize("output", ["a\0b", "x" * 300, ".", "sub/..", 5, b"x"])
def test_an_output_that_names_no_file_is_refused(output, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    with pytest.raises(OutputError, match="output"):
        drizframe.run(stack(), output)
    with pytest.raises(OutputError, match="output"):
        drizframe.run(stack()).write(output)
    assert [p.name for p in tmp_path.iterdir()] == ["sub"]


def test_output_may_begin_with_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    drizframe.run(stack(), "~/out")
    assert (tmp_path / "out_drz_sci.fits").is_file()


@pytest.mark.parametrize("build", [False, True])
def test_names_beyond_ascii_are_written_as_escapes_in_headers(tmp_path, build):
    exposure = Exposure.from_arrays(image(), plane(), name="\u00e9toile")
    result = drizframe.run([exposure, *stack()], tmp_path / "gal\u00e1xia", keep="all", build=build)
    path = next(p for p in result.products if p.name.startswith("gal\u00e1xia_drz"))
    assert fits.getheader(path)["FILENAME"].startswith("gal\\xe1xia_drz")


def test_an_input_file_may_have_a_name_beyond_ascii(folder):
    for path in folder.glob("*_flt.fits"):
        path.rename(folder / ("\u00e9" + path.name))
    astrodrizzle.AstroDrizzle("*_flt.fits", output="final", build=True)
    assert (folder / "final_drz.fits").is_file()


def test_a_scale_of_zero_in_the_distortion_keywords_is_not_used(folder):
    expected = drizframe.run("*_flt.fits").sci.shape
    for path in folder.glob("*_flt.fits"):
        for k in (1, 2):
            fits.setval(path, "IDCSCALE", value=0.0, extname="SCI", extver=k)
    assert abs(np.subtract(drizframe.run("*_flt.fits").sci.shape, expected)).max() <= 8


def test_a_file_in_place_of_the_archive_is_said(folder):
    (folder / "OrIg_files").write_text("x")
    before = contents(folder)
    with pytest.raises(OutputError, match="OrIg_files"):
        astrodrizzle.AstroDrizzle("*_flt.fits", output="final", clean=True)
    assert contents(folder) == before


def test_a_linked_input_stays_a_link_and_its_file_is_edited(folder):
    name = min(contents(folder))
    (folder / "real").mkdir()
    shutil.move(folder / name, folder / "real" / name)
    before = (folder / "real" / name).read_bytes()
    (folder / name).symlink_to(folder / "real" / name)
    astrodrizzle.AstroDrizzle("*_flt.fits", output="final", clean=True)
    assert (folder / name).is_symlink()
    assert (folder / "real" / name).read_bytes() != before
    assert [p.name for p in (folder / "real").iterdir()] == [name]


@pytest.mark.parametrize("when", range(1, 12))
def test_an_interrupt_at_any_rename_leaves_all_inputs_or_none_changed(folder, monkeypatch, when):
    before, real, count = contents(folder), Path.replace, 0

    def replace(self, target):
        nonlocal count
        count += 1
        if count == when:
            raise KeyboardInterrupt
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            astrodrizzle.AstroDrizzle("*_flt.fits", output="final", clean=True)
    after = contents(folder)
    assert sum(after[n] != before[n] for n in before) in (0, 3)
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]
    assert not list(folder.glob("OrIg_files/.*"))


def test_changes_of_a_killed_run_are_completed_before_inputs_are_read(folder, monkeypatch):
    expected = drizframe.run("*_flt.fits", "a").sci
    real, count = Path.replace, 0

    def replace(self, target):
        nonlocal count
        count += target.name.endswith("_flt.fits")
        if count > 4:  # three archived, one edited
            raise OSError("killed")
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        with pytest.raises(OutputError, match="next run here"):
            astrodrizzle.AstroDrizzle("*_flt.fits", output="final", clean=True)
    assert (folder / JOURNAL).is_file()
    with pytest.warns(DrizframeWarning, match="now complete"), pytest.raises(MissingInputError):
        astrodrizzle.AstroDrizzle("none_*.fits", output="final")
    assert not (folder / JOURNAL).exists()
    again = astrodrizzle.AstroDrizzle("*_flt.fits", output="final", clean=True)
    assert np.array_equal(again.sci, expected, equal_nan=True)
