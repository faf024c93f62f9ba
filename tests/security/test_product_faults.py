"""A kill or an I/O error at file events of a whole run that writes products: products of one run only, inputs intact.

Events are all that concern files of the folder: reading, writing under temporary names, journals, renamings, edits of the
inputs.  The normal tests take a few of them; with ``DRIZFRAME_ALL_FAULTS=1`` each one is tried.
"""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path

import pytest
import security_files as files
from astropy.io import fits
from security_faults import DONE, KILLED, REFUSED, SURVIVED, child, contents

import drizframe
from drizframe import astrodrizzle
from drizframe.stock.io.fits_reader import settle
from drizframe.stock.io.journal import ARCHIVE
from drizframe.system.recovery import recover_products

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs child processes that begin where this one is"),
    pytest.mark.filterwarnings("ignore::drizframe.errors.DrizframeWarning"),
]
INPUTS = ["j0_flt.fits", "j1_flt.fits"]
#: Each event if 1.
EACH = 1 if os.environ.get("DRIZFRAME_ALL_FAULTS") else 67


def native(**more):
    return drizframe.run(INPUTS, "final", keep="all", driz_cr_corr=True, num_cores=1, **more)


def drop_in(**more):
    options = {"output": "final", "driz_cr_corr": True, "num_cores": 1, "force_edits": True, "runfile": ""}
    return astrodrizzle.AstroDrizzle(INPUTS, **options, **more)


def is_input(name):
    return name in INPUTS or name.startswith(ARCHIVE)


def pixels(path):
    """Return the images of a file, and the run that it names."""
    with fits.open(path) as hdus:
        images = [None if h.data is None or h.data.dtype.names else h.data.tobytes() for h in hdus]
        return images, hdus[0].header.get("DRIZRUN"), hdus[1 if len(hdus) > 1 else 0].header.get("MDRIZSKY")


def state(folder):
    """Return all files but those that are hidden, by what they hold."""
    return {n: pixels(folder / n) for n in contents(folder) if not Path(n).name.startswith(".")}


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """Two inputs, and the products of a run of other parameters, one of which the next run does not make."""
    folder = tmp_path / "fresh"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for k, name in enumerate(INPUTS):
        files.exposure(Path(name), seed=k)
    native(final_pixfrac=0.8, layers="variance")
    return folder


@pytest.mark.parametrize("fault", ["kill", "error"])
@pytest.mark.parametrize("run", [native, drop_in])
def test_a_fault_at_any_event_leaves_products_of_one_run_and_nothing_after_the_next(
    fresh, tmp_path, monkeypatch, run, fault
):
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # of time, not of order
    before = state(fresh)
    shutil.copytree(fresh, tmp_path / "whole")
    monkeypatch.chdir(tmp_path / "whole")
    run()
    after = state(tmp_path / "whole")
    assert "final_drz_var.fits" in set(before) - set(after)
    assert (after["j0_flt.fits"] == before["j0_flt.fits"]) == (run is native)
    endings = []
    for number in itertools.count(1, EACH):
        work = tmp_path / f"n{number}"
        shutil.copytree(fresh, work)
        monkeypatch.chdir(work)
        count = itertools.count(1)
        endings.append(child(work, run, lambda *_: next(count) == number, fault))  # noqa: B023  (called at once)
        if endings[-1] == DONE:
            break  # there is no such event
        assert endings[-1] in (KILLED, REFUSED, SURVIVED), number
        before_work(work)
        now = state(work)
        agree(now, before, after, number)
        assert [n for n in contents(work) if Path(n).name.startswith(".")] == [], number
        if len(endings) % 4 == 1 and now[INPUTS[0]] == before[INPUTS[0]]:
            run()
            assert state(work) == after, number
    assert len(endings) > 240 // EACH


def before_work(folder):
    """Do what every run does first."""
    settle([folder / n for n in INPUTS])
    recover_products(folder)


def agree(now, before, after, number):
    """Look at what a run and a fault have left."""
    products = {n: v for n, v in now.items() if not is_input(n)}
    runs = {v[1] for v in products.values()}
    assert len(runs) == 1, (number, runs)
    wanted = after if runs == {after["final_drz_sci.fits"][1]} else before
    assert products == {n: v for n, v in wanted.items() if not is_input(n)}, number
    edited = {now[n] == after[n] for n in INPUTS}
    assert len(edited) == 1, number
    assert all(now[n] in (before[n], after[n]) for n in INPUTS), number
    assert all(now[n] == after[n] for n in now if n.startswith(ARCHIVE)), number
    if edited == {True} and before["j0_flt.fits"] != after["j0_flt.fits"]:
        assert wanted is after, number
        assert {n for n in now if n.startswith(ARCHIVE)} == {n for n in after if n.startswith(ARCHIVE)}
