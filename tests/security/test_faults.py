"""A kill or an I/O error at every file event of the commit of edits: every input is as it was or complete.

The commit runs in a child process, which ends, or fails, at its n-th event.  What it leaves is then put in order by
the functions that every run calls first, and by a second commit.
"""

from __future__ import annotations

import importlib
import itertools
import os
import shutil
from functools import partial

import numpy as np
import pytest
import security_files as files
from security_faults import DONE, KILLED, REFUSED, SURVIVED, child, contents

from drizframe.compat.edits import commit_edits, plan_edits
from drizframe.hooks import InstrumentOptions
from drizframe.model import ChipUnit
from drizframe.stock.io.fits_reader import read_fits
from drizframe.stock.io.journal import ARCHIVE
from drizframe.stock.io.recovery import recover_folders, tidy_folders

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="needs child processes that begin where this one is"
)


def stis(primary):
    del primary
    return next(importlib.import_module("drizframe.stock.instruments.stis").drizframe_instruments())


def acs(primary):
    del primary
    return next(importlib.import_module("drizframe.stock.instruments.acs").drizframe_instruments())


def plan_of(folder):
    """Read the inputs anew, and return what a run in `folder` asks for."""
    exposures = []
    for path in sorted(folder.rglob("*_flt.fits")):
        if ARCHIVE not in path.parts and path.parent != folder:
            find = stis if path.name.startswith("o") else acs
            exposures += read_fits(path, instruments=find, options=InstrumentOptions(extra={}))
    units = [ChipUnit(i, j) for i, e in enumerate(exposures) for j in range(len(e.chips))]
    mask = np.ones(files.SHAPE, np.uint8)
    mask[5:8, 8] = 0
    plan, _ = plan_edits(
        exposures,
        folder=folder,
        sky=dict.fromkeys(units, 12.5),
        masks=dict.fromkeys(units, mask),
        resetbits=4096,
        crbit=4096,
    )
    return plan


def make(folder, kind):
    if kind == "two folders":
        files.exposure(folder / "a" / "ja_flt.fits")
        files.exposure(folder / "b" / "jb_flt.fits", seed=2)
    else:
        files.exposure(folder / "a" / "o1_flt.fits", base=files.STIS, sets=2, science={"BUNIT": "COUNTS"})


def folders(folder):
    return [p for p in (folder, *folder.iterdir()) if p.is_dir()]


@pytest.mark.parametrize("fault", ["kill", "error"])
@pytest.mark.parametrize("kind", ["two folders", "image sets"])
def test_a_fault_at_any_event_leaves_all_edits_or_none_and_nothing_after_the_next_run(
    tmp_path, monkeypatch, kind, fault
):
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # of time, not of order
    make(tmp_path / "fresh", kind)
    shutil.copytree(tmp_path / "fresh", tmp_path / "whole")
    before = contents(tmp_path / "whole")
    commit_edits(plan_of(tmp_path / "whole"))
    after = contents(tmp_path / "whole")
    edited = {n for n in after if not n.startswith(ARCHIVE) and after[n] != before.get(n)}
    assert len(edited) == 2
    endings = []
    for number in itertools.count(1):
        work = tmp_path / f"n{number}"
        shutil.copytree(tmp_path / "fresh", work)
        count = itertools.count(1)
        act = partial(commit_edits, plan_of(work))
        endings.append(child(work, act, lambda *_: next(count) == number, fault))  # noqa: B023  (called at once)
        assert endings[-1] in (KILLED, REFUSED, SURVIVED, DONE), number
        if endings[-1] == DONE:
            break  # there is no such event
        places = folders(work)
        for k in range(len(places)):  # the next run may be over the inputs of any of the folders
            recover_folders([places[(number + k) % len(places)]])
        tidy_folders(places)
        now = contents(work)
        state = {n: now.get(n) == after[n] for n in edited}
        assert set(state.values()) in ({True}, {False}), (number, state)
        assert all(now.get(n) == before.get(n) for n in edited if not state[n]), number
        copies = {n: c for n, c in now.items() if n.startswith(ARCHIVE)}
        assert all(c == after[n] for n, c in copies.items()), number
        if any(state.values()):
            assert set(copies) == {n for n in after if n.startswith(ARCHIVE)}, number
        assert {n for n in now if n not in copies} == set(after if any(state.values()) else before) - set(
            copies
        ), number
        if number % 4 == 0:
            commit_edits(plan_of(work))
            assert contents(work) == after, number
    assert len(endings) > 40
    assert endings.count(SURVIVED) < len(endings) / 4
