"""What differs from the reference on purpose: docs/explanation/differences.md, and tests of what no other file pins."""

from __future__ import annotations

import contextlib
import gzip
import re
import shutil
import tomllib
import warnings
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import drizframe
from drizframe import astrodrizzle
from drizframe.config import make_parameters
from drizframe.errors import DrizframeWarning, ParameterError
from drizframe.grids.overlaps import chip_footprint
from drizframe.hooks.records import CombineOptions, CosmicRayOptions
from drizframe.model import ChipUnit, SkyValue
from drizframe.simulate import dither, random_scene, simulate
from drizframe.stock.combine.minmed import MINMED
from drizframe.stock.cosmic_rays.deriv import deriv
from drizframe.stock.steps.median import MEMBERS, members_of
from drizframe.testing import FakeJob

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "explanation" / "differences.md"
NAME = "o4k19a010_flt.fits"


def rows():
    """Cells of the tables."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[c.strip() for c in line.removeprefix("|").removesuffix("|").split("|")] for line in lines]
    return [c for c in cells if c[0] != "Trap"]


def test_every_row_is_whole_and_names_tests_that_exist():
    for cells in rows():
        assert len(cells) == 5, cells
        for path, test in re.findall(r"`(tests/[^:`]+)::(\w+)`", cells[4]):
            assert re.search(rf"def {test}\b", (ROOT / path).read_text(encoding="utf-8")), (path, test)
        assert "::" in cells[4], cells


def test_every_exclusion_of_the_comparison_is_explained():
    text = (ROOT / "tests" / "oracle" / "excluded.toml").read_text(encoding="utf-8")
    named = {trap for cells in rows() for trap in cells[0].split(", ")}
    assert {entry["trap"] for entry in tomllib.loads(text)["excluded"]} <= named


@pytest.fixture
def sample(tmp_path):
    """A folder with the bundled exposures."""
    packed = resources.files("drizframe").joinpath("data", "stis_sample", f"{NAME}.gz")
    (tmp_path / NAME).write_bytes(gzip.decompress(packed.read_bytes()))
    return tmp_path


def run(folder, **parameters):
    with contextlib.chdir(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return astrodrizzle.AstroDrizzle(NAME, output="ref", num_cores=1, **parameters)


def test_in_memory_writes_no_intermediate_image(sample):
    run(sample, in_memory=True)
    assert {p.name for p in sample.glob("ref*.fits")} == {f"ref_drz_{k}.fits" for k in ("sci", "wht", "ctx")}
    assert not [p for pattern in ("*_single_*", "*_blt*", "*mask*", "*_med*") for p in sample.glob(pattern)]


def test_sky_masks_of_inputs_with_one_root_do_not_overwrite_each_other(sample):
    shutil.copy(sample / "o4k19a010_flt.fits", sample / "o4k19a010_flc.fits")
    names = ["o4k19a010_flc.fits", "o4k19a010_flt.fits"]  # a wildcard would take one of them
    with contextlib.chdir(sample), pytest.warns(DrizframeWarning, match="is called"):
        astrodrizzle.AstroDrizzle(names, output="two", runfile="", preserve=False)
    assert len(list(sample.glob("*_skymatch_mask_sci1.fits"))) == 4
    assert {p.name for p in sample.glob("o4k19ac3q*_flt.fits")} == {
        "o4k19ac3q_flt.fits",
        "o4k19ac3q_2_flt.fits",
    }


def test_a_sky_file_lying_around_does_not_replace_the_input(sample):
    fresh = run(sample, driz_cr=False)
    for k in (3, 4):
        fits.PrimaryHDU(np.full((400, 400), 1e6, np.float32)).writeto(sample / f"o4k19ac{k}q_sky.fits")
    np.testing.assert_array_equal(run(sample, driz_cr=False).sci, fresh.sci)


def test_settings_that_an_editor_left_are_never_read(sample, monkeypatch):
    """Neither those in the folder nor those in the home folder."""
    home = sample / "home"
    (home / ".teal").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for place in (sample, home / ".teal"):
        (place / "astrodrizzle.cfg").write_text(
            "_task_name_ = astrodrizzle\nfinal_scale = 0.2\nskywidth = 0.7\n"
        )
    used = run(sample, configobj="defaults", driz_cr=False).parameters
    assert used.final_scale is None
    assert used.skywidth == 0.1


@pytest.mark.parametrize(
    ("given", "width"), [({}, 0.1), ({"skywidth": 0.3}, 0.3), ({"configobj": {"skywidth": 0.2}}, 0.2)]
)
def test_the_drop_in_has_the_sky_width_of_the_program_and_the_python_interface_the_documented_one(
    sample, given, width
):
    off = {
        "driz_separate": False,
        "median": False,
        "blot": False,
        "driz_cr": False,
        "static": False,
        "skystat": "mode",
    }
    result = run(sample, **off, **given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = drizframe.run(str(sample / NAME), **off, skywidth=width, resetbits=4096)
        documented = drizframe.run(str(sample / NAME), **off)
    assert result.parameters.skywidth == width
    levels = [v.level for values in result.sky.values() for v in values]
    assert levels == [v.level for values in plain.sky.values() for v in values]
    assert documented.parameters.skywidth == 0.3
    assert (levels == [v.level for values in documented.sky.values() for v in values]) is (width == 0.3)


def test_help_tells_the_defaults_of_the_drop_in(tmp_path):
    astrodrizzle.help(str(tmp_path / "help.txt"))
    assert "\nskywidth = 0.1\n" in (tmp_path / "help.txt").read_text()


def test_a_wrong_value_in_a_cfg_file_is_named(sample):
    (sample / "x.cfg").write_text("_task_name_ = astrodrizzle\n[STEP 7]\nfinal_pixfrac = much\n")
    with pytest.raises(ParameterError, match="final_pixfrac = 'much'"):
        run(sample, configobj="x.cfg")


def test_a_mapping_of_parameters_is_not_changed(sample):
    tree = {"STEP 7": {"final_bits": "16,64", "final_kernel": "turbo"}, "crbit": 4096}
    run(sample, configobj=tree, driz_cr=False, blot=False, median=False, driz_separate=False)
    assert tree == {"STEP 7": {"final_bits": "16,64", "final_kernel": "turbo"}, "crbit": 4096}


def test_average_is_the_mean():
    assert make_parameters(combine_type="average").combine_type == "mean"


def test_detectors_without_tails_are_not_flagged_whole():
    flat = np.zeros((20, 20), np.float32)
    hit = flat.copy()
    hit[10, 10] = 1000
    options = CosmicRayOptions(snr=(3.5, 3.0), scale=(1.2, 0.7), grow=1, ctegrow=5, cte_direction=0)
    codes = deriv(hit, flat, flat, np.ones_like(flat), None, None, options)
    assert np.argwhere(codes).tolist() == [[10, 10]]


@pytest.fixture(scope="module")
def exposure():
    """Two chips that are not square."""
    visit = simulate("acs_wfc", random_scene(1, stars=0, galaxies=0), dither(1), seed=1, shape=(40, 90))
    return visit[0].exposure()


def test_footprints_have_the_shape_of_the_chip(exposure):
    corners = chip_footprint(exposure.chips[0])
    along_x = np.linalg.norm(corners[1] - corners[0])
    along_y = np.linalg.norm(corners[2] - corners[1])
    assert along_x / along_y == pytest.approx(90 / 40, rel=0.05)


def test_time_of_the_median_is_that_of_the_chips_that_were_chosen(exposure):
    chosen = exposure.with_chips(exposure.chips[1:])
    members = members_of(
        FakeJob(MEMBERS, {("sky", ChipUnit(0, 0)): SkyValue(33.0, 33.0)}, exposures=[chosen])
    )
    assert members.exptime.tolist() == [exposure.exptime]
    assert members.background.tolist() == [33.0]


@pytest.mark.parametrize("backend", ["reference", "fast"])
def test_an_exposure_time_of_0_does_not_spoil_minmed(backend):
    stack = np.array([[[2.0]], [[3.0]], [[50.0]]], dtype=np.float32)
    facts = {"background": np.full(3, 5.0), "readnoise": np.full(3, 4.0), "n_total": 3}
    weight, bad = np.ones_like(stack), np.zeros(stack.shape, dtype=bool)
    function = getattr(MINMED, backend)
    if function is None:
        pytest.skip("compiled modules were not built")
    got, want = (
        function(
            stack, bad, weight=weight, exptime=np.array([t, 1.0, 1.0]), options=CombineOptions(), **facts
        )
        for t in (0.0, 1.0)
    )
    assert np.isfinite(got).all()
    np.testing.assert_array_equal(got, want)
