"""What a run reads stays, what others wrote stays, and nothing stale stands beside its products."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from least import least_memory
from typer.testing import CliRunner

import drizframe
from drizframe import astrodrizzle
from drizframe.cli.app import app
from drizframe.errors import OutputError, ParameterError
from drizframe.simulate import dither, random_scene, simulate

#: Enough for a mosaic.
QUICK = {
    "static": False,
    "driz_separate": False,
    "median": False,
    "blot": False,
    "driz_cr": False,
    "num_cores": 1,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    scene = random_scene(5, stars=10, galaxies=1)
    simulate("acs_wfc", scene, dither(2, exptime=300, seed=5), seed=5, cosmic_rays=20, shape=(40, 44)).write(
        folder, ivm=True, masks=True
    )
    return folder


@pytest.fixture
def folder(made, tmp_path, monkeypatch):
    for path in made.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def inputs():
    return sorted(str(p) for p in Path().glob("*_flt.fits"))


def run(given=None, output="final", **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return drizframe.run(inputs() if given is None else given, output, **{**QUICK, **parameters})


def drop_in(given=None, output="final", **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return astrodrizzle.AstroDrizzle(
            inputs() if given is None else given, output=output, **{**QUICK, **parameters}
        )


def state(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


# -- what is read --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [run, drop_in])
@pytest.mark.parametrize("link", ["", "symlink", "hard link", "absolute", "other spelling"])
def test_an_input_is_never_written_over(folder, how, link):
    run(output="a")
    names = {"symlink": "link.fits", "hard link": "hard.fits"}
    name = names.get(link, "a_drz_sci.fits")
    if link == "symlink":
        Path(name).symlink_to("a_drz_sci.fits")
    elif link == "hard link":
        os.link("a_drz_sci.fits", name)
    elif link == "absolute":
        name = str(folder / name)
    elif link == "other spelling":
        name = f"../{folder.name}/./{name}"
    before = state(folder)
    with pytest.raises(OutputError, match=r"a_drz_sci.fits.* would be written over, but it is the input"):
        how(
            [name],
            output="a",
            overwrite_products=True,
            **({"runfile": "", "preserve": False} if how is drop_in else {}),
        )
    assert state(folder) == before


@pytest.mark.parametrize(
    "parameters",
    [
        {"final_refimage": "a_drz_sci.fits"}, {"final_refimage": "a_drz_sci.fits[0]"}, {"driz_sep_refimage": "a_drz_wht.fits"},
        {"skymask_cat": "mask.cat"},
    ],
    ids=str,
)  # fmt: skip
def test_files_that_parameters_name_are_never_written_over(folder, parameters):
    run(output="a")
    Path("mask.cat").write_text(f"{inputs()[0]}, a_drz_wht.fits[0], None\n")
    before = state(folder)
    with pytest.raises(OutputError, match=r"would be written over"):
        run(output="a", overwrite_products=True, **parameters)
    assert state(folder) == before


def test_an_inverse_variance_map_is_never_written_over(folder):
    first = inputs()[0]
    shutil.copy(first.replace("_flt", "_ivm"), "a_drz_wht.fits")
    Path("list").write_text(f"{first} a_drz_wht.fits\n")
    with pytest.raises(OutputError, match=r"a_drz_wht.fits.*would be written over"):
        run("@list", output="a", overwrite_products=True, final_wht_type="IVM")


def test_an_intermediate_file_is_no_other_product(folder):
    name = inputs()[0].removesuffix("_flt.fits")
    with pytest.raises(OutputError, match=r"Two products of this run would be called"):
        run(output=f"{name}_single.fits", keep="single.sci", driz_separate=True)


def test_a_flat_field_is_never_written_over(folder, monkeypatch):
    monkeypatch.setenv("jref", str(folder))
    fits.PrimaryHDU(np.ones((40, 44), np.float32)).writeto("a_drz_wht.fits")
    for name in inputs():
        fits.setval(name, "PFLTFILE", value="jref$a_drz_wht.fits")
    with pytest.raises(
        OutputError, match=r"a_drz_wht.fits.*would be written over.*which is read with exposure"
    ):
        run(output="a", overwrite_products=True)


def test_masks_that_are_given_are_never_written_over(folder):
    run(output="a", keep="mask.cr", driz_separate=True, median=True, blot=True, driz_cr=True)
    with pytest.raises(OutputError, match=r"crmask.fits.*would be written over"):
        run(
            output="a",
            keep="mask.cr",
            crmasks="*_crmask.fits",
            driz_separate=True,
            median=True,
            blot=True,
            driz_cr=True,
        )


def test_a_product_needs_no_flags_to_be_combined_again(folder):
    run(output="a")
    assert np.nanmax(run(["a_drz_sci.fits"], output="b").sci) > 0


def test_a_log_is_never_added_to_a_file_that_is_read(folder):
    Path("my.log").write_text("\n".join(inputs()))
    with pytest.raises(OutputError, match=r"my.log"):
        drop_in("@my.log", runfile="my")
    assert Path("my.log").read_text() == "\n".join(inputs())


def test_planned_and_written_files_are_the_same(folder, monkeypatch):
    from drizframe.engine import safekeeping

    seen, check = [], safekeeping.check_targets
    monkeypatch.setattr(
        safekeeping,
        "check_targets",
        lambda planned, *a, **k: seen.append(list(planned)) or check(planned, *a, **k),
    )
    everything = dict.fromkeys(("static", "driz_separate", "median", "blot", "driz_cr", "driz_cr_corr"), True)
    result = run(output="final", keep="all", **everything)
    assert sorted(seen[0]) == sorted(result.products)


def test_read_only_inputs_of_the_drop_in_are_told_before_the_work(folder, monkeypatch):
    access = os.access
    locked = inputs()[1]
    monkeypatch.setattr(os, "access", lambda p, mode: str(p) != locked and access(p, mode))
    with pytest.raises(OutputError, match=rf"{locked} is read-only"):
        drop_in(runfile="")
    assert not list(folder.glob("final*"))


def test_an_archive_that_is_no_folder_is_told_before_the_work(folder):
    Path("OrIg_files").write_text("")
    with pytest.raises(OutputError, match=r"OrIg_files"):
        drop_in(runfile="")
    assert not list(folder.glob("final*"))


# -- products of others ----------------------------------------------------------------------------------------------------


def test_the_same_command_twice_gives_the_same_files(folder):
    run("*.fits")
    shutil.copytree(folder, folder / "first")
    run("*.fits")
    for name in ("final_drz_sci.fits", "final_drz_wht.fits", "final_drz_ctx.fits"):
        when = ["CHECKSUM", "DATASUM"]  # they tell when they were computed
        assert fits.FITSDiff(name, folder / "first" / name, ignore_keywords=when).identical, name


def test_new_parameters_replace_products_of_the_same_inputs(folder):
    run()
    run(final_scale=0.1)
    assert fits.getheader("final_drz_sci.fits")["D001SCAL"] == pytest.approx(0.1)


def test_products_of_other_inputs_are_kept_unless_one_asks(folder):
    run()
    before = state(folder)
    with pytest.raises(OutputError, match=r"final_drz_sci.fits.*other inputs.*overwrite_products=True"):
        run(inputs()[:1])
    assert state(folder) == before
    run(inputs()[:1], overwrite_products=True)
    assert fits.getheader("final_drz_sci.fits")["NDRIZIM"] == 2


@pytest.mark.parametrize(
    ("cards", "words"), [({"NDRIZIM": 2}, "another program"), ({}, "no product of drizframe")]
)
def test_files_of_others_are_kept_unless_one_asks(folder, cards, words):
    fits.PrimaryHDU(header=fits.Header(cards)).writeto("final_drz_wht.fits")
    with pytest.raises(OutputError, match=words):
        run()
    assert not Path("final_drz_sci.fits").exists()
    run(overwrite_products=True)


def test_images_of_single_steps_are_replaced_by_any_run_but_nothing_else_is(folder):
    name = inputs()[0].removesuffix("_flt.fits")
    everything = dict.fromkeys(("driz_separate", "median", "blot"), True)
    run(output="a", keep="blot", **everything)
    run(output="b", keep="blot", **everything)
    assert fits.getheader(f"{name}_sci1_blt.fits")["DRIZRUN"] == fits.getheader("b_drz_sci.fits")["DRIZRUN"]
    fits.PrimaryHDU().writeto(f"{name}_sci1_blt.fits", overwrite=True)
    with pytest.raises(OutputError, match=rf"{name}_sci1_blt.fits.*no product of drizframe"):
        run(output="b", keep="blot", **everything)


def test_inputs_of_the_same_names_in_another_folder_are_other_inputs(folder):
    Path("night2").mkdir()
    for name in inputs():
        shutil.copy(name, "night2")
    run()
    with pytest.raises(OutputError, match=r"other inputs"):
        run(sorted(str(p) for p in Path("night2").iterdir()))


def test_a_folder_may_be_moved_with_its_products(folder, tmp_path_factory):
    run()
    there = tmp_path_factory.mktemp("moved") / "here"
    shutil.copytree(folder, there)
    with contextlib.chdir(there):
        run()


def test_the_drop_in_replaces_as_the_reference_does(folder):
    fits.PrimaryHDU().writeto("final_drz_sci.fits")
    drop_in(runfile="", preserve=False)
    assert fits.getheader("final_drz_sci.fits")["NDRIZIM"] == 4
    with pytest.raises(OutputError, match=r"other inputs"):
        drop_in(inputs()[:1], runfile="", preserve=False, overwrite_products=False)


def test_a_result_is_written_by_the_same_rules(folder):
    result = run(output=None)
    result.write("mine")
    result.write("mine")
    result.write("mine", build=True)
    assert {p.name for p in folder.glob("mine*")} == {
        "mine_drz.fits",
        *(f"mine_drz_{k}.fits" for k in ("sci", "wht", "ctx")),
    }
    fits.PrimaryHDU().writeto("other_drz_wht.fits")
    with pytest.raises(OutputError, match=r"other_drz_wht.fits"):
        result.write("other")
    result.write("other", overwrite=True)
    with pytest.raises(OutputError, match=r"would be written over"):
        run(["mine_drz_sci.fits"], output=None).write("mine", overwrite=True)


def test_all_files_of_a_run_name_it(folder):
    everything = dict.fromkeys(("static", "driz_separate", "median", "blot", "driz_cr", "driz_cr_corr"), True)
    result = run(keep="all", **everything)
    runs = {fits.getheader(p)["DRIZRUN"] for p in result.products}
    assert len(runs) == 1
    assert len(result.products) > 20


def test_the_command_has_an_option(folder):
    fits.PrimaryHDU().writeto("final_drz_sci.fits")
    words = ["run", "*_flt.fits", "--quiet", *(f"--set={k}={v}" for k, v in QUICK.items())]
    assert isinstance(CliRunner().invoke(app, words).exception, OutputError)
    assert CliRunner().invoke(app, [*words, "--overwrite"]).exit_code == 0


# -- stale products ----------------------------------------------------------------------------------------------------------


def products(folder):
    return {p.name.removeprefix("final_drz").removesuffix(".fits") for p in folder.glob("final_drz*")}


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ({"context": True}, {"context": False}, ["_sci", "_wht"]),
        ({"layers": "variance"}, {}, ["_ctx", "_sci", "_wht"]),
        ({"build": True}, {"build": False}, ["_ctx", "_sci", "_wht"]),
        ({"build": False}, {"build": True}, [""]),
    ],
    ids=str,
)
def test_products_that_a_run_does_not_make_go(folder, first, second, left):
    run(**first)
    run(**second)
    assert sorted(products(folder)) == left


def test_stale_products_of_other_runs_are_refused_or_go(folder):
    run(build=True)
    with pytest.raises(OutputError, match=r"final_drz.fits.*does not make"):
        run(inputs()[:1])
    assert products(folder) == {""}
    run(inputs()[:1], overwrite_products=True)
    assert products(folder) == {"_sci", "_wht", "_ctx"}


def test_a_file_that_is_no_product_stays_with_a_note(folder):
    fits.PrimaryHDU().writeto("final_drz_var.fits")
    result = run()
    assert products(folder) == {"_sci", "_wht", "_ctx", "_var"}
    assert any("final_drz_var.fits" in text for text in result.warnings)


def test_an_error_while_writing_leaves_the_products_of_before(folder, monkeypatch):
    run()
    before = state(folder)
    replace = Path.replace

    def broken(self, target):
        if str(target).endswith("_wht.fits"):
            raise PermissionError(1, "Operation not permitted")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OutputError, match=r"as it was before"):
        run(final_scale=0.1)
    assert state(folder) == before


# -- names -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("output", ["x.fits.gz", "x.FITS.fz", "x.fit.bz2"])
def test_the_name_of_a_compressed_file_is_refused(folder, output):
    with pytest.raises(OutputError, match=r"products are not compressed. Give 'x.fits'"):
        drizframe.run("*_flt.fits", output)
    assert not list(folder.glob("x*"))


@pytest.mark.parametrize("output", [5, b"name", 1.5, ["x"]])
def test_the_drop_in_takes_texts_and_paths_as_output(folder, output):
    before = sorted(folder.iterdir())
    with pytest.raises(OutputError, match=r"give the root of the product names as text or pathlib.Path"):
        astrodrizzle.AstroDrizzle("*_flt.fits", output=output)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("output", "told"),
    [("d" * 300 + "/x", "name too long"), ("é" * 120, "a name of 240 bytes"), ("x" * 181, "181 bytes")],
)
def test_a_name_that_is_too_long_for_the_file_system_is_refused_before_the_work(folder, output, told):
    with pytest.raises(OutputError, match=told):
        drizframe.run("*_flt.fits", output)


def test_a_workdir_that_does_not_exist_is_refused_though_nothing_would_be_written_there(folder):
    with pytest.raises(OutputError, match=r"workdir is 'nowhere', which is no folder that exists"):
        drizframe.run("*_flt.fits", workdir="nowhere")


@pytest.mark.parametrize("output", ["/", "sub/", "_drz", ".fits", "_drz.fits", ".", "..", "a\nb", "a\0b"])
def test_an_output_without_a_name_is_refused(folder, output):
    Path("sub").mkdir()
    with pytest.raises(OutputError, match=r"names no file"):
        run(output=output)


# -- what is left behind -----------------------------------------------------------------------------------------------------

LEFT = """
import os, sys
from pathlib import Path
from drizframe.engine.store import Store
from drizframe.system.temporary import beside, create
from drizframe.model import PlaneKey
import numpy as np
store = Store(0, "scratch")
store.put(PlaneKey("sci"), np.zeros((9, 9)))
store.put(PlaneKey("err"), np.zeros((9, 9)))
create(beside(Path("final_drz_sci.fits")))
os._exit(9)
"""


def test_the_next_run_removes_what_a_killed_one_left(folder):
    Path("scratch").mkdir()
    subprocess.run([sys.executable, "-c", LEFT], check=False)
    assert len(list(Path("scratch").iterdir())) == 1
    assert len(list(folder.glob(".final*.part"))) == 1
    run(workdir="scratch")
    assert list(Path("scratch").iterdir()) == []
    assert not list(folder.glob(".*"))


@pytest.fixture
def at_most():
    """Let files grow to so many bytes, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [100, 1000, 4097, 5000, 6999])
def test_a_full_scratch_disk_says_which_and_how_much(folder, at_most, size):
    Path("scratch").mkdir()
    at_most(size)  # a plane has 7040 bytes, the buffers of systems 4096 or 8192
    tight = least_memory(inputs(), num_cores=1)
    with pytest.raises(OutputError, match=r"'scratch'.*needs [\d.]+ MiB, \d+ MiB are free.*workdir"):
        run(workdir="scratch", max_memory=tight, num_cores=1)
    assert list(Path("scratch").iterdir()) == []


def test_a_scratch_file_that_something_else_cuts_is_no_plane_of_another_shape(folder):
    Path("scratch").mkdir()

    class Cut:
        def drizframe_before_step(self, event):
            if event.step == "final":
                for file in Path("scratch").rglob("*.raw"):
                    os.truncate(file, 900)

    tight = least_memory(inputs(), num_cores=1)
    with pytest.raises(OutputError, match=r"scratch file .*does not hold what was written.*workdir"):
        drizframe.run(inputs(), workdir="scratch", max_memory=tight, num_cores=1, listeners=[Cut()])


@pytest.mark.parametrize("how", [run, drop_in])
def test_a_full_disk_of_products_leaves_what_was_there(folder, at_most, how):
    how(**({"runfile": ""} if how is drop_in else {}))
    before = state(folder)
    at_most(5000)
    with pytest.raises(OutputError, match=r"fits cannot be written: .*MiB are free"):
        how(final_scale=0.04, **({"runfile": ""} if how is drop_in else {}))
    assert state(folder) == before


def test_a_run_that_fails_leaves_no_scratch(folder):
    Path("scratch").mkdir()
    tight = least_memory(inputs())
    with pytest.raises((OutputError, ParameterError)):
        run(workdir="scratch", max_memory=tight, layers="colour")
    assert list(Path("scratch").iterdir()) == []
