"""Steps 1 to 6 first, the final image later: cosmic-ray masks of an earlier run, and those that are given."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import drizframe
from drizframe import astrodrizzle
from drizframe.errors import InputError, MissingInputError, ParameterError, ShapeError, UnreadableInputError
from drizframe.simulate import Sky, dither, random_scene, simulate
from drizframe.stock.io.crmasks import digest_of

SHAPE = (50, 56)
LATER = {"driz_cr": False, "driz_separate": False, "median": False, "blot": False}


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    """Three exposures with cosmic rays on less than 5 % of their pixels."""
    folder = tmp_path_factory.mktemp("visit")
    scene = random_scene(5, size=6.0, stars=8, galaxies=0, sky=Sky(rate=0.3))
    pointings = dither(3, step=0.3, exptime=(200.0, 400.0, 300.0), sky=(0.3, 0.4, 0.2), seed=2)
    simulate("acs_wfc", scene, pointings, seed=6, shape=SHAPE, cosmic_rays=12.0).write(folder)
    return sorted(folder.glob("*_flt.fits"))


@pytest.fixture
def here(visit, tmp_path, monkeypatch):
    """Fresh copies in the working folder; their names."""
    monkeypatch.chdir(tmp_path)
    return [shutil.copyfile(f, tmp_path / f.name).name for f in visit]


def drop_in(names, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return astrodrizzle.AstroDrizzle(
            names, **({"output": "ref", "num_cores": 1, "runfile": ""} | parameters)
        )


def run(names, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return drizframe.run([str(n) for n in names], num_cores=1, **parameters)


def flags(name, bit=4096):
    with fits.open(name) as hdus:
        return [(h.data & bit) != 0 for h in hdus if h.name == "DQ"]


def same(a, b):
    for plane in ("sci", "wht", "ctx"):
        np.testing.assert_array_equal(getattr(a, plane), getattr(b, plane))


def masks():
    return sorted(Path().glob("*_crmask.fits"))


@pytest.fixture(scope="module")
def one_pass(visit):
    return run(visit)


def test_the_second_pass_gives_the_mosaic_and_the_flags_of_one_run(here, one_pass):
    first = drop_in(here, driz_combine=False)
    assert first.mosaic is None
    assert not any(f.any() for n in here for f in flags(n))
    second = drop_in(here, **LATER)
    same(second, one_pass)
    for name in here:
        for found, mask in zip(flags(name), second.cosmic_rays[name[:9]], strict=True):
            np.testing.assert_array_equal(found, mask == 0)
            assert found.any()


def test_a_line_names_the_masks_that_are_applied(here):
    drop_in(here, driz_combine=False)
    lines = [w for w in drop_in(here, runfile="two.log", **LATER).warnings if "earlier run" in w]
    assert len(lines) == 1
    assert all(m.name in lines[0] for m in masks())
    assert lines[0] in Path("two.log").read_text()


def test_masks_of_an_earlier_run_are_left_alone_if_the_user_says_so(here, visit):
    drop_in(here, driz_combine=False)
    second = drop_in(here, use_crmasks=False, **LATER)
    same(second, run(visit, **LATER))
    assert not second.cosmic_rays
    assert not any("earlier run" in w for w in second.warnings)
    assert not any(f.any() for n in here for f in flags(n))


def test_masks_act_in_the_final_step_alone(here):
    """Single images and median are those of a run without them, as in the reference."""
    drop_in(here, driz_combine=False)
    before = {p.name: fits.getdata(p) for p in (*Path().glob("*_single_???.fits"), Path("ref_med.fits"))}
    drop_in(here, driz_cr=False)
    for name, image in before.items():
        np.testing.assert_array_equal(fits.getdata(name), image)


@pytest.mark.parametrize("more", [{"in_memory": True}, {"output": "elsewhere/ref"}, {"clean": True}])
def test_masks_are_found_whatever_becomes_of_the_products(here, one_pass, more):
    Path("elsewhere").mkdir()
    drop_in(here, driz_combine=False)
    same(drop_in(here, **LATER, **more), one_pass)
    assert bool(masks()) is not bool(more.get("clean"))


def test_clean_takes_the_files_of_both_passes_away(here):
    drop_in(here, driz_combine=False)
    drop_in(here, clean=True, **LATER)
    left = {p.name for p in Path().glob("*.fits")}
    assert left == {*here, "ref_drz_sci.fits", "ref_drz_wht.fits", "ref_drz_ctx.fits"}


def test_masks_lie_beside_the_inputs(here, one_pass):
    Path("data").mkdir()
    moved = [shutil.move(n, "data") for n in here]
    drop_in(moved, driz_combine=False)
    assert not masks()
    same(drop_in(moved, **LATER), one_pass)
    for mask in Path("data").glob("*_crmask.fits"):
        mask.rename(mask.name)
    assert not drop_in(moved, **LATER).cosmic_rays


def test_masks_of_the_exposures_that_have_one_are_applied_and_the_others_are_named(here, one_pass):
    drop_in(here, driz_combine=False)
    for mask in Path().glob(f"{here[0][:9]}*_crmask.fits"):
        mask.unlink()
    second = drop_in(here, **LATER)
    assert any("no such mask" in w and here[0][:9] in w and here[1][:9] not in w for w in second.warnings)
    assert set(second.cosmic_rays) == {n[:9] for n in here[1:]}
    assert not any(f.any() for f in flags(here[0]))
    for name in here[1:]:
        np.testing.assert_array_equal(second.cosmic_rays[name[:9]], one_pass.cosmic_rays[name[:9]])


def test_a_single_exposure_takes_its_mask_too(here, one_pass):
    drop_in(here, driz_combine=False)
    alone = drop_in(here[:1])
    np.testing.assert_array_equal(alone.cosmic_rays[here[0][:9]], one_pass.cosmic_rays[here[0][:9]])


def test_a_run_that_looks_for_cosmic_rays_makes_its_own_masks(here, one_pass):
    for name in here:
        for k in range(len(one_pass.cosmic_rays[name[:9]])):
            fits.writeto(f"{name[:9]}_sci{k + 1}_crmask.fits", np.zeros(SHAPE, dtype=np.uint8))
    same(drop_in(here), one_pass)


def test_a_plain_mask_of_the_reference_fits_by_name_and_shape(here, one_pass):
    drop_in(here, driz_combine=False)
    for path in masks():
        fits.PrimaryHDU(fits.getdata(path)).writeto(path, overwrite=True)
    same(drop_in(here, **LATER), one_pass)


def test_a_mask_that_was_edited_by_hand_still_belongs_to_its_image(here):
    drop_in(here, driz_combine=False)
    path = masks()[0]
    with fits.open(path, mode="update") as hdus:
        hdus[0].data[20:25] = 0
    rays = drop_in(here, **LATER).cosmic_rays[here[0][:9]][0]
    assert not rays[20:25].any()


def test_our_masks_say_what_they_belong_to(here):
    drop_in(here, driz_combine=False)
    header = fits.getheader(masks()[0])
    assert header["CRSOURCE"] == f"{here[0]}[sci,1]"
    assert header["CRDIGEST"] == digest_of(fits.getdata(here[0], ("sci", 1)))
    assert header["CRRUN"] == "ref_drz"


def replace_input(here):
    shutil.copy(here[1], here[0])
    return "other pixels"


def change_a_pixel(here):
    with fits.open(here[0], mode="update") as hdus:
        hdus["SCI", 1].data[3, 3] += 1
    return "other pixels"


def other_shape(here):
    fits.writeto(f"{here[0][:9]}_sci1_crmask.fits", np.ones((9, 9), dtype=np.uint8), overwrite=True)
    return r"shape \(9, 9\)"


@pytest.mark.parametrize("spoil", [replace_input, change_a_pixel, other_shape])
def test_a_stale_mask_is_refused_by_name_and_nothing_is_changed(here, spoil):
    drop_in(here, driz_combine=False)
    reason = spoil(here)
    before = {n: Path(n).read_bytes() for n in here}
    with pytest.raises(
        InputError, match=rf"{here[0][:9]}_sci1_crmask.fits' is stale.*{reason}.*use_crmasks=False"
    ):
        drop_in(here, **LATER)
    assert {n: Path(n).read_bytes() for n in here} == before
    assert not Path("ref_drz_sci.fits").exists()
    drop_in(here, use_crmasks=False, **LATER)


def test_what_the_run_itself_writes_into_the_inputs_makes_no_mask_stale(here, one_pass):
    """Flags, MDRIZSKY, and a WCS that was improved between the passes leave the pixels as they were."""
    drop_in(here)
    with fits.open(here[0], mode="update") as hdus:
        hdus["SCI", 1].header["CRVAL1"] += 1e-7
    assert len(drop_in(here, **LATER).cosmic_rays) == 3


def test_something_else_under_the_name_of_a_mask_is_named(here):
    Path(f"{here[0][:9]}_sci1_crmask.fits").write_text("nothing")
    with pytest.raises(UnreadableInputError, match="sci1_crmask.fits"):
        drop_in(here, **LATER)


# -- flags of an earlier run -----------------------------------------------------------------------------------


def test_flags_of_an_earlier_run_count_and_are_named_or_left_alone(here, visit, one_pass):
    drop_in(here)
    for mask in masks():
        mask.unlink()
    kept = drop_in(here, resetbits=0, **LATER)
    np.testing.assert_array_equal(kept.wht, one_pass.wht)
    assert any("flag 4096 of an earlier run" in w and all(n[:9] in w for n in here) for w in kept.warnings)
    alone = drop_in(here, resetbits=0, use_crmasks=False, **LATER)
    same(alone, run(visit, **LATER))
    assert all(f.any() for n in here for f in flags(n))  # in the files they stay


# -- given masks -------------------------------------------------------------------------------------------------


def forms(result, folder):
    """What people hand over."""
    return {
        "result": result,
        "mapping": result.cosmic_rays,
        "in order": list(result.cosmic_rays.values()),
        "folder": folder,
        "text": str(folder),
        "wildcard": f"{folder}/*_crmask.fits",
        "files": sorted(folder.glob("*_crmask.fits")),
        "mapping of files": {
            n: sorted(str(p) for p in folder.glob(f"{n}_*_crmask.fits")) for n in result.cosmic_rays
        },
    }


@pytest.mark.parametrize(
    "form", ["result", "mapping", "in order", "folder", "text", "wildcard", "files", "mapping of files"]
)
def test_masks_are_given_in_any_form(visit, one_pass, tmp_path, form):
    first = run(visit, output=tmp_path / "m", keep="mask.cr", driz_combine=False)
    second = run(visit, crmasks=forms(first, tmp_path)[form], **LATER)
    same(second, one_pass)
    for name, masks_of in one_pass.cosmic_rays.items():
        np.testing.assert_array_equal(second.cosmic_rays[name], masks_of)


def test_given_masks_add_to_those_that_are_found(visit, one_pass):
    name = visit[0].name[:9]
    extra = [np.ones(m.shape, dtype=np.uint8) for m in one_pass.cosmic_rays[name]]
    extra[0][30:33, 5:20] = 0
    both = run(visit, crmasks={name: extra})
    np.testing.assert_array_equal(both.cosmic_rays[name][0], one_pass.cosmic_rays[name][0] & extra[0])
    assert both.wht.sum() < one_pass.wht.sum()
    assert not any("No cosmic-ray mask" in w for w in both.warnings)


def test_exposures_without_a_given_mask_are_named(visit, one_pass):
    name, *others = [p.name[:9] for p in visit]
    warned = run(visit, crmasks={name: one_pass.cosmic_rays[name]}, **LATER).warnings
    assert any(
        "No cosmic-ray mask was given" in w and all(o in w for o in others) and name not in w for w in warned
    )


def test_the_python_interface_never_looks_for_masks(visit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [shutil.copyfile(f, tmp_path / f.name) for f in visit]
    without = run(names, **LATER)
    drop_in([str(n) for n in names], driz_combine=False)
    same(run(names, output="again", **LATER), without)


def wrong(name, shape, chips):
    ones = np.ones(shape, dtype=np.uint8)
    good = [ones] * chips
    return {
        "no such exposure": ({"nobody": good}, ParameterError, "'nobody'.*There are: "),
        "booleans": ({name: [ones == 1] * chips}, ParameterError, "booleans"),
        "floats": ({name: [ones * 0.5] * chips}, ParameterError, "float"),
        "shape": ({name: [ones[1:]] * chips}, ShapeError, "shape"),
        "chips": ({name: [*good, ones]}, ParameterError, f"{chips + 1} masks"),
        "items": ([good], ParameterError, "1 items, but there are 3 exposures"),
        "missing file": ("nowhere/x_sci1_crmask.fits", MissingInputError, "nowhere"),
        "empty folder": (".", MissingInputError, "_sci1_crmask.fits"),
        "a number": (3, ParameterError, "int"),
    }


@pytest.mark.parametrize("case", list(wrong("", (1, 1), 1)))
def test_wrong_masks_are_refused(visit, one_pass, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    name = visit[0].name[:9]
    given, kind, text = wrong(name, SHAPE, len(one_pass.cosmic_rays[name]))[case]
    with pytest.raises(kind, match=f"(?s){text}"):
        run(visit, crmasks=given, **LATER)


def test_given_files_that_are_stale_are_refused(visit, tmp_path):
    run(visit, output=tmp_path / "m", keep="mask.cr", driz_combine=False)
    copy = tmp_path / visit[0].name
    shutil.copyfile(visit[1], copy)
    with pytest.raises(InputError, match="is stale"):
        run([copy, *visit[1:]], crmasks=tmp_path, **LATER)


def test_masks_without_a_final_image_are_refused(visit, one_pass):
    with pytest.raises(ParameterError, match="crmasks.*driz_combine"):
        run(visit, crmasks=one_pass, driz_combine=False)


def test_the_drop_in_takes_masks_from_elsewhere(here, visit, one_pass):
    same(drop_in(here, crmasks=one_pass, **LATER), one_pass)
    for name in here:
        np.testing.assert_array_equal(flags(name), [m == 0 for m in one_pass.cosmic_rays[name[:9]]])
